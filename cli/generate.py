"""``generate``: a sentence becomes a motion, a file, an animated rig."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from . import retargeting, sequences, values
from .outputs import (
    MotionWriter,
    add_file_arguments,
    add_rig_argument,
    check_files,
    numbered,
    requested_files,
)
from .progress import scales


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("prompt", type=values.prompt, nargs="?", help="what the person does")
    parser.add_argument(
        "--seconds", type=values.seconds, help="length (default: as long as such an action takes)"
    )
    sequences.add_arguments(parser)
    parser.add_argument(
        "--seed",
        type=values.whole_number(0, values.LARGEST_SEED),
        default=1,
        help="same seed, same motion (default: 1)",
    )
    parser.add_argument(
        "--variations",
        type=values.whole_number(1, 64),
        default=1,
        metavar="N",
        help="make N motions with seed, seed + 1, …; their files end in _1, _2, …",
    )
    add_file_arguments(parser)
    add_rig_argument(parser)
    retargeting.add_arguments(parser)
    values.add_model_arguments(parser)
    values.add_sampling_arguments(parser)
    values.add_cleanup_argument(parser)
    parser.add_argument("--json", action="store_true", help="print timings and files as JSON")


def run(args: argparse.Namespace) -> int:
    """Generate, write, report."""
    started = time.perf_counter()
    sequences.check(args)
    files = requested_files(args)
    seeds = [args.seed + n for n in range(args.variations)]
    targets = [numbered(files, n, len(seeds)) for n in range(len(seeds))]
    for target in targets:
        check_files(target, args.rig)
    writer = MotionWriter(frozenset(files), args.rig, retargeting.retargeting_of(args))
    writer.prepare()

    from core.engine import Engine

    engine = Engine.load(args.model, args.device, args.text_encoder)
    loaded = time.perf_counter()
    with scales(silent=args.json) as on_scale:
        generation = sequences.generate(args, engine, seeds, on_scale)
    generated = time.perf_counter()
    title, seconds = sequences.title(args), generation.seconds
    for seed, motion, target in zip(seeds, generation.motions, targets, strict=True):
        properties = {
            "prompt": title,
            "seconds": seconds,
            "seed": seed,
            "model": engine.name,
            "device": engine.device,
            "guidance": args.guidance,
            "temperature": args.temperature,
            "cleanup": args.cleanup,
        }
        known = {key: value for key, value in properties.items() if value is not None}
        writer.write(motion, target, title, known)
    written = time.perf_counter()

    report = {
        "prompt": title,
        "seconds": seconds,
        "seed": args.seed,
        "seeds": seeds,
        "model": engine.name,
        "device": engine.device,
        "timings": {
            stage: [round(ms, 2) for ms in value] if isinstance(value, list) else round(value, 2)
            for stage, value in {
                "load_ms": 1000 * (loaded - started),
                **generation.timings,
                "write_ms": 1000 * (written - generated),
            }.items()
        },
        "files": [
            {"seed": seed, "kind": kind, "path": str(path)}
            for seed, target in zip(seeds, targets, strict=True)
            for kind, path in target.items()
        ],
    }
    if generation.starts:
        report["blocks"] = [
            {"prompt": prompt, "begins_s": round(first / engine.fps, 3)}
            for (prompt, _), first in zip(args.block, generation.starts, strict=True)
        ]
    _tell(report, as_json=args.json)
    return 0


def _tell(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(report))
        return
    for file in report["files"]:
        print(Path(file["path"]))
    timings = report["timings"]
    print(
        f"{report['seconds']:g} s of motion; "
        f"{report['model']} on {report['device']}: loaded in {timings['load_ms'] / 1000:.1f} s, "
        f"generated in {timings['total_ms'] / 1000:.2f} s, "
        f"written in {timings['write_ms'] / 1000:.1f} s",
        file=sys.stderr,
    )
