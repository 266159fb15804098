"""``import-motion``: a folder of captioned BVH files into a data set to train on."""

import argparse
import re
import sys
from pathlib import Path

from core.errors import ScaleMoGenError

from . import values
from .progress import bar

_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = (
        "Reads every .bvh file below FOLDER. Captions: NAME.txt beside NAME.bvh, one caption a "
        "line, or a captions.tsv in FOLDER with lines path<TAB>caption."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of .bvh files")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="data set folder")
    parser.add_argument("--source", help="name of the source (default: the folder's name)")
    parser.add_argument("--licence", default="unknown", help="licence, noted with every clip")
    parser.add_argument(
        "--val-share",
        type=values.number(0, 0.5),
        default=0.05,
        help="share of the takes kept for validation (default: 0.05)",
    )
    parser.add_argument(
        "--rest-frame",
        type=values.whole_number(0, 10**6),
        metavar="N",
        help="take frame N as rest pose, for files whose offsets do not form a standing body",
    )


def run(args: argparse.Namespace) -> int:
    """Import the folder and say what was left out."""
    if not args.folder.is_dir():
        raise ScaleMoGenError(f"there is no folder {args.folder}; check its name")
    source = args.source or args.folder.resolve().name
    if not _SOURCE.fullmatch(source):
        raise ScaleMoGenError(
            f"'{source}' cannot name a source; add --source with letters, digits, '.', '_', '-'"
        )

    from core.motion_folder import import_folder

    with bar("importing", unit="file") as progress:

        def show(done: int, total: int) -> None:
            progress.total = total
            progress.n = done
            progress.refresh()

        result = import_folder(
            args.folder,
            args.out,
            source=source,
            licence=args.licence,
            validation_share=args.val_share,
            rest_frame=args.rest_frame,
            progress=show,
        )
    for name, reason in result.left_out:
        print(f"left out {name}: {reason}", file=sys.stderr)
    print(f"{result.clips} clips, {result.seconds / 60:.1f} minutes: {result.pack}")
    return 0
