"""``run.py convert``: published checkpoints to a model folder of ours."""

import argparse
from pathlib import Path

DESCRIPTION = """
FOLDER holds vq_latest.tar and predictor.pth as published, config.json with the sizes (as in a
parity folder), and mean.npy and std.npy of the data set that the model was trained on.  The
checkpoints are read without running any code in them and written as safetensors and JSON, in
float32.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new model folder")


def run(args: argparse.Namespace) -> int:
    from core.model.convert import convert

    convert(args.folder, args.out)
    print(f"converted to {args.out}; use it with --model {args.out}")
    return 0
