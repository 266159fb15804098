"""``retarget``: a motion file onto a rig."""

import argparse
from pathlib import Path

from core.errors import ScaleMoGenError

from .outputs import (
    MotionWriter,
    add_file_arguments,
    add_rig_argument,
    check_files,
    requested_files,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("motion", type=Path, metavar="MOTION.bvh", help="any humanoid BVH file")
    add_file_arguments(parser)
    add_rig_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Read, retarget, write."""
    if args.motion.suffix.lower() != ".bvh":
        raise ScaleMoGenError(f"{args.motion} is not a .bvh file; export the motion as BVH")
    files = requested_files(args)
    check_files(files, args.motion, args.rig)

    from core.bvh import read_bvh
    from core.import_motion import canonical_motion

    motion = canonical_motion(read_bvh(args.motion), args.motion.name)
    writer = MotionWriter(frozenset(files), args.rig)
    writer.prepare()
    writer.write(motion, files, args.motion.stem, {"source": args.motion.name})
    for path in files.values():
        print(path)
    return 0
