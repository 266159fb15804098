"""``run.py train tokenizer``, ``transformer``, ``evaluator``: see docs/training.md."""

import argparse
import json
from pathlib import Path

from . import values
from .data import add_data_argument, data_folder

DESCRIPTION = """
Trains in the folder --out and resumes there when it was interrupted; --minutes counts training time
over all interruptions.  Train the tokenizer first, then the transformer in the same folder; release
copies the result into a model folder.  The evaluator, which run.py evaluate measures with, is
trained by itself in a folder of its own.  Several processes: accelerate launch -m cli train …
"""
#: Peak learning rates that worked for the bundled sizes.
_RATES = {"tokenizer": 1e-3, "transformer": 1e-3, "evaluator": 1e-3}
#: The published values (model.md 3 and 4) but for the tokenizer's smaller decay.
_BETAS = {"tokenizer": (0.9, 0.99), "transformer": (0.9, 0.97), "evaluator": (0.9, 0.98)}
_OPTIMIZERS = {"tokenizer": "adamw", "transformer": "muon", "evaluator": "adamw"}
_DECAY = {"tokenizer": 0.001, "transformer": 0.005, "evaluator": 0.05}
_CLIP = {"tokenizer": 1.0, "transformer": 5.0, "evaluator": 1.0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.add_argument("what", choices=("tokenizer", "transformer", "evaluator", "release"))
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    add_data_argument(parser)
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="SOURCE", help="files to leave out, as bandai"
    )
    parser.add_argument("--minutes", type=values.number(0.01, 1e6), help="stop by the clock")
    parser.add_argument(
        "--steps", type=values.whole_number(1, 10**9), help="stop after this many steps instead"
    )
    parser.add_argument("--learning-rate", type=values.number(1e-7, 1.0))
    parser.add_argument(
        "--warmup",
        type=values.whole_number(0, 10**6),
        default=200,
        help="steps of rising learning rate",
    )
    parser.add_argument(
        "--batch",
        type=values.whole_number(1, 10**7),
        help="frames (tokenizer), tokens (transformer) or clips (evaluator)",
    )
    parser.add_argument("--seed", type=values.whole_number(0, values.LARGEST_SEED), default=1)
    parser.add_argument(
        "--optimizer", choices=("adamw", "muon"), help="default: muon for the transformer"
    )
    parser.add_argument("--mixed-precision", choices=("no", "bf16"), default="no")
    parser.add_argument("--compile", action="store_true", help="compile the model's blocks")
    parser.add_argument("--validate-minutes", type=float, default=10.0)
    parser.add_argument("--checkpoint-minutes", type=float, default=5.0)
    parser.add_argument("--no-augment", action="store_true", help="transformer: clips as they are")
    parser.add_argument(
        "--layout",
        choices=("canonical", "humanml3d"),
        default="canonical",
        help="evaluator: the feature layout that it reads (default: canonical)",
    )
    parser.add_argument(
        "--start-from",
        type=Path,
        metavar="MODEL",
        help="a model folder to train on from: the tokenizer's decoder, the transformer's weights",
    )
    parser.add_argument(
        "--decoder",
        type=Path,
        metavar="RUN",
        help="release: take the decoder of a run that was started from this one's tokenizer",
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="release: the model folder to fill")


def run(args: argparse.Namespace) -> int:
    from core.errors import ScaleMoGenError
    from core.training import run as training
    from core.training.loop import LoopConfig

    if args.what == "release":
        if args.to is None:
            raise ScaleMoGenError("name the model folder to fill with --to")
        from core.training.release import release

        release(args.out, args.to, args.decoder)
        print(f"released to {args.to}")
        return 0
    if (args.minutes is None) == (args.steps is None):
        raise ScaleMoGenError("say how long to train: either --minutes or --steps")
    loop = LoopConfig(
        learning_rate=args.learning_rate or _RATES[args.what],
        steps=args.steps,
        minutes=args.minutes,
        warmup=args.warmup,
        betas=_BETAS[args.what],
        weight_decay=_DECAY[args.what],
        gradient_clip=_CLIP[args.what],
        seed=args.seed,
        optimizer=args.optimizer or _OPTIMIZERS[args.what],
        mixed_precision=args.mixed_precision,
        compile=args.compile,
        validate_minutes=args.validate_minutes,
        checkpoint_minutes=args.checkpoint_minutes,
    )
    data = data_folder(args.data)
    if args.what == "evaluator":
        size = {"batch": args.batch} if args.batch else {}
        figures = training.train_evaluator(
            data, args.out, loop, without=args.without, layout=args.layout, **size
        )
    elif args.what == "tokenizer":
        size = {"batch_frames": args.batch} if args.batch else {}
        figures = training.train_tokenizer(
            data, args.out, loop, without=args.without, start_from=args.start_from, **size
        )
    else:
        size = {"batch_tokens": args.batch} if args.batch else {}
        figures = training.train_transformer(
            data,
            args.out,
            loop,
            without=args.without,
            augment=not args.no_augment,
            start_from=args.start_from,
            **size,
        )
    if figures:  # only the first of several processes has them
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}, indent=1))
    return 0
