"""How a motion is put on the rig: options that several commands share."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ScaleMoGenError

from . import values

if TYPE_CHECKING:
    from core.motion import Motion
    from core.retarget import BoneMap, RetargetOptions

_ROOTS = {"hips": "HIPS", "root-bone": "ROOT_BONE", "object": "OBJECT", "in-place": "IN_PLACE"}
_FEET = ("automatic", "always", "never")
_CONTROLS = ("fk", "ik")
_SPREAD = 45.0  # degrees, as core.retarget.options has it; that module costs numpy
_ENGINES = ("plain", "unreal", "unity")
#: Blender's own limits of frames.
_FRAMES = 1_048_574


@dataclass(frozen=True)
class Retargeting:
    """What the words said: options, what stands for the rest pose, bone map, time, FBX settings."""

    options: "RetargetOptions"
    reference: str = "rest"
    bone_map: "BoneMap | None" = None
    start: int = 1
    fps: float | None = None
    fbx_for: str = "plain"

    def in_time(self, motion: "Motion") -> "Motion":
        """The motion at the frame rate asked for."""
        return motion if self.fps is None else motion.resampled(self.fps)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--root`` and so on."""
    group = parser.add_argument_group("putting the motion on the rig")
    group.add_argument(
        "--root",
        choices=tuple(_ROOTS),
        default="hips",
        help="what travels through the world (default: hips)",
    )
    group.add_argument(
        "--feet",
        choices=_FEET,
        default="automatic",
        help="keep standing feet in place (default: automatic, where the motion says they stand)",
    )
    group.add_argument(
        "--controls", choices=_CONTROLS, default="fk", help="which controls to key (default: fk)"
    )
    spread = values.number(-_SPREAD, _SPREAD)
    for part in ("arm", "leg"):
        group.add_argument(
            f"--{part}-spread",
            type=spread,
            default=0.0,
            metavar="DEGREES",
            help=f"hold the {part}s further out, or in (default: 0)",
        )
    group.add_argument(
        "--hands",
        choices=("on", "off"),
        default="on",
        help="hands that meet in the motion meet on the rig (default: on)",
    )
    group.add_argument(
        "--reference",
        choices=("rest", "pose"),
        default="rest",
        help="what stands for the rest pose: that itself, or the pose in the file: a .blend's "
        "saved one, else the first frame (default: rest)",
    )
    group.add_argument(
        "--bone-map", type=Path, metavar="FILE.json", help="a bone map saved in Blender"
    )
    group.add_argument(
        "--fbx-for",
        choices=_ENGINES,
        default="plain",
        help="settings of the FBX file (default: plain)",
    )
    group.add_argument(
        "--fps", type=values.number(1, 240), metavar="N", help="frames a second (default: as made)"
    )
    group.add_argument(
        "--start",
        type=values.whole_number(-_FRAMES, _FRAMES),
        default=1,
        metavar="FRAME",
        help="first frame in Blender's scene (default: 1)",
    )


def retargeting_of(args: argparse.Namespace) -> Retargeting:
    """What was asked for; ScaleMoGenError if the bone map cannot be read."""
    if args.reference == "pose" and args.rig in ("mannequin", "rigify"):
        raise ScaleMoGenError(
            f"--reference pose needs a rig file that has a pose; {args.rig} is at rest"
        )
    from core.retarget import RetargetOptions, map_file

    options = RetargetOptions(
        root=_ROOTS[args.root],
        feet=args.feet.upper(),
        controls=args.controls.upper(),
        arm_spread=args.arm_spread,
        leg_spread=args.leg_spread,
        keep_hands=args.hands == "on",
    )
    bone_map = map_file.load(args.bone_map) if args.bone_map is not None else None
    return Retargeting(options, args.reference, bone_map, args.start, args.fps, args.fbx_for)
