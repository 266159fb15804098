"""``run.py parity FOLDER``: our engine against the published method's numbers."""

import argparse
import json
from pathlib import Path

DESCRIPTION = """
FOLDER holds config.json (sizes), vq_latest.tar and predictor.pth (the published checkpoint format)
and expected.safetensors (inputs and what the published method computes from them in float32).
Prints the largest relative difference and the number of wrong bits of every stage; the exit code is
1 when a stage differs by more than 1e-4 or in any bit.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from core.model.parity import TOLERANCE, compare

    stages = compare(args.folder)
    passed = all(stage.passed for stage in stages)
    if args.json:
        rows = [
            {
                "stage": s.name,
                "relative": s.relative,
                "wrong_bits": s.wrong_bits,
                "passed": s.passed,
            }
            for s in stages
        ]
        print(json.dumps({"passed": passed, "tolerance": TOLERANCE, "stages": rows}))
    else:
        for s in stages:
            mark = "ok" if s.passed else "DIFFERS"
            print(f"{s.name:28} {s.relative:10.2e}  wrong bits {s.wrong_bits:5}  {mark}")
        print(f"parity: {'passed' if passed else 'FAILED'} (tolerance {TOLERANCE:g})")
    return 0 if passed else 1
