"""``retarget``: a motion file onto a rig."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ScaleMoGenError

from . import retargeting
from .outputs import (
    MotionWriter,
    add_file_arguments,
    add_rig_argument,
    check_files,
    requested_files,
)

if TYPE_CHECKING:
    from core.motion import Motion
    from core.retarget import BoneMap

#: Files whose motion is read by ourselves, and by Blender.
_OWN_SUFFIX = ".bvh"
_BLENDER_SUFFIXES = (".fbx", ".blend", ".glb", ".gltf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "motion",
        type=Path,
        metavar="MOTION",
        help="any humanoid .bvh file, or a .fbx, .glb or .blend file with an animated armature",
    )
    add_file_arguments(parser)
    add_rig_argument(parser)
    retargeting.add_arguments(parser)
    parser.add_argument(
        "--source-bone-map",
        type=Path,
        metavar="FILE.json",
        help="a saved bone map for the armature of the motion",
    )
    parser.add_argument("--json", action="store_true", help="print what was recognised as JSON")


def run(args: argparse.Namespace) -> int:
    """Read, retarget, write."""
    if args.motion.suffix.lower() not in (_OWN_SUFFIX, *_BLENDER_SUFFIXES):
        known = ", ".join((_OWN_SUFFIX, *_BLENDER_SUFFIXES))
        raise ScaleMoGenError(
            f"{args.motion} holds no motion that can be read; name a {known} file"
        )
    files = requested_files(args)
    check_files(files, args.motion, args.rig)
    wanted = retargeting.retargeting_of(args)

    motion, source = _read(args.motion, args.source_bone_map)
    writer = MotionWriter(frozenset(files), args.rig, wanted)
    target = writer.prepare()
    maps = {"motion": source, "rig": target}
    report = {name: _about(found) for name, found in maps.items() if found is not None}
    if not args.json:
        _tell(report)
    writer.write(motion, files, args.motion.stem, {"source": args.motion.name})
    if args.json:
        made = wanted.in_time(motion)
        times = {"frames": made.frame_count, "fps": made.fps}
        listed = [{"kind": kind, "path": str(path)} for kind, path in files.items()]
        print(json.dumps({**report, **times, "files": listed}))
    else:
        for path in files.values():
            print(path)
    return 0


def _read(path: Path, bone_map: Path | None) -> "tuple[Motion, BoneMap]":
    """The motion on the canonical skeleton, and how the file's joints were taken."""
    from core.retarget import map_file

    saved = map_file.load(bone_map) if bone_map is not None else None
    if path.suffix.lower() != _OWN_SUFFIX:
        from .blender import read_motion

        if not path.is_file():
            raise ScaleMoGenError(f"Cannot read {path}: there is no such file")
        return read_motion(path, saved)
    if saved is not None:
        raise ScaleMoGenError("--source-bone-map is for FBX, glTF and Blender files, not for BVH")
    from core.bvh import read_bvh
    from core.import_motion import canonical_motion, recognised

    clip = read_bvh(path)
    return canonical_motion(clip, path.name), recognised(clip, path.name)


def _about(found: "BoneMap") -> dict[str, Any]:
    """What was recognised: scheme, joints, and the doubtful ones with the reason."""
    from core.retarget import JOINT_COUNT, plain_name

    doubtful = [
        {
            "joint": plain_name(slot),
            "bones": list(found.bones.get(slot, ())),
            "confidence": round(float(found.evidence[slot].confidence), 2),
            "reason": found.evidence[slot].reason,
        }
        for slot in found.doubtful
    ]
    return {
        "scheme": found.title,
        "joints": found.joint_count,
        "of": JOINT_COUNT,
        "missing": list(found.missing),
        "doubtful": doubtful,
    }


def _tell(report: dict[str, Any]) -> None:
    for name, about in report.items():
        title = about["scheme"] or "names that belong to no scheme"
        line = f"{name}: {title}, {about['joints']} of {about['of']} joints"
        if about["missing"]:
            line += f", without {', '.join(about['missing'])}"
        print(line, file=sys.stderr)
        for doubt in about["doubtful"]:
            bones = ", ".join(doubt["bones"])
            print(f"  doubtful: {doubt['joint']} = {bones} ({doubt['reason']})", file=sys.stderr)
