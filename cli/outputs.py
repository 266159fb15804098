"""The files a command writes: options, checks before the work, writing."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ScaleMoGenError
from core.files import check_writable

if TYPE_CHECKING:
    from core.motion import Motion
    from core.retarget import BoneMap

    from .retargeting import Retargeting

#: Kind of output -> suffixes.
SUFFIXES = {
    "bvh": (".bvh",),
    "preview": (".png", ".gif"),
    "fbx": (".fbx",),
    "glb": (".glb",),
    "blend": (".blend",),
}
BLENDER_KINDS = ("fbx", "glb", "blend")
_ABOUT = {
    "bvh": "motion capture file with the canonical joints",
    "preview": "contact sheet (.png) or animation (.gif)",
    "fbx": "animated rig as FBX",
    "glb": "animated rig as glTF",
    "blend": "animated rig as a Blender file",
}
_BUILT_IN_RIGS = ("mannequin", "rigify")
_RIG_SUFFIXES = (".blend", ".fbx", ".glb", ".gltf", ".bvh")


def add_file_arguments(parser: argparse.ArgumentParser) -> None:
    """``--bvh FILE`` and so on."""
    for kind, about in _ABOUT.items():
        parser.add_argument(f"--{kind}", type=Path, metavar="FILE", help=about)


def add_rig_argument(parser: argparse.ArgumentParser, default: str | None = "mannequin") -> None:
    """``--rig``."""
    parser.add_argument(
        "--rig",
        default=default,
        required=default is None,
        metavar="mannequin|rigify|FILE",
        help="the rig to animate: a built-in one or a .blend, .fbx, .glb or .bvh file",
    )


def requested_files(args: argparse.Namespace) -> dict[str, Path]:
    """Kind -> file as given on the command line; ScaleMoGenError if there is none."""
    files = {kind: path for kind in SUFFIXES if (path := getattr(args, kind, None)) is not None}
    if not files:
        options = ", ".join(f"--{kind}" for kind in SUFFIXES)
        raise ScaleMoGenError(f"no output is asked for; add one of {options} with a file name")
    for kind, path in files.items():
        wanted = " or ".join(SUFFIXES[kind])
        if path.suffix.lower() not in SUFFIXES[kind]:
            better = f"; name it {path.with_suffix(SUFFIXES[kind][0])}" if path.name else ""
            raise ScaleMoGenError(f"--{kind} {path} does not end in {wanted}{better}")
    return files


def numbered(files: Mapping[str, Path], index: int, count: int) -> dict[str, Path]:
    """The files of variation ``index`` (from 0): ``walk_1.fbx`` … when there are several."""
    if count == 1:
        return dict(files)
    return {
        kind: path.with_name(f"{path.stem}_{index + 1}{path.suffix}")
        for kind, path in files.items()
    }


@dataclass(frozen=True)
class MotionWriter:
    """Writes motions in the kinds asked for, onto one rig where Blender is needed."""

    kinds: frozenset[str]
    rig: str
    retargeting: "Retargeting"

    @property
    def needs_blender(self) -> bool:
        return any(kind in BLENDER_KINDS for kind in self.kinds)

    def prepare(self) -> "BoneMap | None":
        """Find out before the long work that Blender and the rig are usable.

        How the rig's bones were taken, if one is needed.
        """
        check_rig_name(self.rig)
        if not self.needs_blender:
            return None
        from .blender import try_rig

        return try_rig(self.rig, self.retargeting)

    def write(
        self, motion: "Motion", files: Mapping[str, Path], title: str, properties: dict[str, Any]
    ) -> None:
        """Write one motion to all its files, each complete or not at all."""
        motion = self.retargeting.in_time(motion)
        if "bvh" in files:
            from core.bvh import write_bvh

            write_bvh(files["bvh"], motion)
        if "preview" in files:
            write_preview(files["preview"], motion, title)
        scenes = [files[kind] for kind in BLENDER_KINDS if kind in files]
        if scenes:
            from .blender import animate_rig

            animate_rig(self.rig, motion, title, properties, scenes, self.retargeting)


def write_preview(path: Path, motion: "Motion", caption: str) -> None:
    """A contact sheet or an animation, by suffix."""
    from core.files import replacing
    from core.preview import animation, contact_sheet, save_animation

    if path.suffix.lower() == ".gif":
        save_animation(path, animation(motion, caption))
    else:
        with replacing(path) as temporary:
            contact_sheet([(caption, motion)]).save(temporary, "PNG")


def check_files(files: Mapping[str, Path], *inputs: str | Path) -> None:
    """ScaleMoGenError unless every file can be written and none of them is an input."""
    refuse_overwriting(files.values(), *inputs)
    for path in files.values():
        check_writable(path)


def refuse_overwriting(files: Iterable[Path], *inputs: str | Path) -> None:
    """ScaleMoGenError when an output is a file that is read (a rig, a motion)."""
    taken = {Path(path).resolve() for path in inputs}
    for path in files:
        if path.resolve() in taken:
            raise ScaleMoGenError(f"{path} is read and would be overwritten; name another output")


def check_rig_name(rig: str) -> None:
    """ScaleMoGenError unless a rig is built in or an existing file of a known kind."""
    if rig in _BUILT_IN_RIGS:
        return
    path = Path(rig)
    if path.suffix.lower() not in _RIG_SUFFIXES:
        raise ScaleMoGenError(
            f"unknown rig '{rig}'; use mannequin, rigify or a {', '.join(_RIG_SUFFIXES)} file"
        )
    if not path.is_file():
        raise ScaleMoGenError(f"there is no rig file {path}; check its name")
