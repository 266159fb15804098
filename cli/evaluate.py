"""``run.py evaluate``: how well a model reconstructs held-out motion, and samples to look at."""

import argparse
import json
from pathlib import Path

from . import values
from .data import add_data_argument, data_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_data_argument(parser)
    parser.add_argument("--split", default="val", help="which clips (default: val)")
    parser.add_argument("--without", nargs="*", default=[], metavar="SOURCE", help="leave out")
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE.png", help="also draw samples of known prompts"
    )
    parser.add_argument(
        "--samples", action="store_true", help="also jitter and sliding of motions for the captions"
    )
    parser.add_argument("--seed", type=values.whole_number(0, values.LARGEST_SEED), default=1)
    values.add_model_arguments(parser)
    values.add_sampling_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print JSON and draw."""
    from core.engine import Engine
    from core.training.corpus import load_corpus
    from core.training.evaluation import sample_figures, sample_sheet
    from core.training.tokenizer_task import reconstruction_of_clips

    engine = Engine.load(args.model, args.device, args.text_encoder)
    clips = load_corpus(data_folder(args.data), args.split, args.without)
    model = engine.model
    figures = reconstruction_of_clips(model.tokenizer, clips, model.mean, model.std)
    if args.samples:
        figures |= sample_figures(engine, clips, args.seed, args.guidance, args.temperature)
    print(json.dumps({"model": engine.name, "split": args.split, "clips": len(clips), **figures}))
    if args.sheet is not None:
        from core.files import replacing

        sheet = sample_sheet(engine, args.seed, args.guidance, args.temperature)
        with replacing(args.sheet) as temporary:
            sheet.save(temporary)
    return 0
