"""``batch``: many prompts from a file; the model is loaded once."""

import argparse
import sys
from pathlib import Path

from core.errors import ScaleMoGenError
from core.files import make_folder

from . import retargeting, values
from .outputs import (
    SUFFIXES,
    MotionWriter,
    add_rig_argument,
    check_files,
    refuse_overwriting,
)
from .progress import bar
from .prompts_file import PromptLine, read_prompts, shard, shard_option


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("prompts", type=Path, help="lines of id<TAB>seconds<TAB>prompt")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to fill")
    for kind in ("bvh", "fbx", "glb", "blend"):
        parser.add_argument(f"--{kind}", action="store_true", help=f"write ID_SEED.{kind}")
    parser.add_argument(
        "--seeds",
        type=values.whole_number(1, 1000),
        default=1,
        metavar="K",
        help="make every prompt with seeds 1 to K (default: 1)",
    )
    parser.add_argument(
        "--shard",
        type=shard_option,
        default=(1, 1),
        metavar="I/N",
        help="only part I of N, for N machines or a job array",
    )
    parser.add_argument("--resume", action="store_true", help="leave out files that exist already")
    add_rig_argument(parser)
    retargeting.add_arguments(parser)
    values.add_model_arguments(parser)
    values.add_sampling_arguments(parser)
    values.add_cleanup_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Make every motion that is wanted and not there yet."""
    kinds = [kind for kind in ("bvh", "fbx", "glb", "blend") if getattr(args, kind)]
    if not kinds:
        raise ScaleMoGenError("no output is asked for; add --bvh, --fbx, --glb or --blend")
    jobs = read_prompts(args.prompts)
    make_folder(args.out)
    planned = (files_of(job, n, args.out, kinds) for job in jobs for n in range(1, args.seeds + 1))
    refuse_overwriting((path for files in planned for path in files.values()), args.rig)
    check_files({"probe": args.out / "probe.bvh"})
    writer = MotionWriter(frozenset(kinds), args.rig, retargeting.retargeting_of(args))
    writer.prepare()

    from core.engine import Engine

    engine = Engine.load(args.model, args.device, args.text_encoder)
    for job in jobs:  # the whole file, also what other shards do: it is wrong for all or for none
        try:
            engine.check_seconds(job.seconds)
        except ScaleMoGenError as error:
            raise ScaleMoGenError(f"{args.prompts}:{job.line}: {error}") from None
    mine = shard(jobs, *args.shard)
    written = 0
    with bar("batch", total=len(mine) * args.seeds, unit="motion") as progress:
        for job in mine:
            seeds = missing_seeds(job, args.seeds, args.out, kinds) if args.resume else None
            seeds = list(range(1, args.seeds + 1)) if seeds is None else seeds
            progress.update(args.seeds - len(seeds))
            # Large batches of one prompt would only cost memory.
            for start in range(0, len(seeds), _VARIATIONS_AT_ONCE):
                part = seeds[start : start + _VARIATIONS_AT_ONCE]
                generation = engine.generate(
                    job.prompt,
                    job.seconds,
                    part,
                    guidance=args.guidance,
                    temperature=args.temperature,
                    cleanup=args.cleanup == "on",
                )
                for seed, motion in zip(part, generation.motions, strict=True):
                    properties = {"prompt": job.prompt, "seed": seed, "seconds": job.seconds}
                    files = files_of(job, seed, args.out, kinds)
                    writer.write(motion, files, job.prompt, {**properties, "model": engine.name})
                    written += 1
                    progress.update()
    skipped = len(mine) * args.seeds - written
    left_out = f", {skipped} existed already" if skipped else ""
    print(f"{written} motions written to {args.out}{left_out}", file=sys.stderr)
    return 0


_VARIATIONS_AT_ONCE = 8


def files_of(job: PromptLine, seed: int, folder: Path, kinds: list[str]) -> dict[str, Path]:
    """Kind -> ID_SEED.suffix."""
    return {kind: folder / f"{job.id}_{seed}{SUFFIXES[kind][0]}" for kind in kinds}


def missing_seeds(job: PromptLine, count: int, folder: Path, kinds: list[str]) -> list[int]:
    """Seeds 1 to ``count`` of which at least one file is not there yet."""
    return [
        seed
        for seed in range(1, count + 1)
        if not all(path.is_file() for path in files_of(job, seed, folder, kinds).values())
    ]
