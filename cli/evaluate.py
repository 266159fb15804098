"""``run.py evaluate``: models measured beside real motion, baselines and other systems."""

import argparse
import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ScaleMoGenError
from core.files import check_writable, replacing, write_bytes

from . import evaluate_edits, evaluate_prompts, values
from .data import add_data_argument, data_folder
from .outputs import refuse_overwriting
from .progress import bar

if TYPE_CHECKING:
    from core.evaluation.many import Setting
    from core.evaluation.suite import Report

DESCRIPTION = """
Prints one table: real motion, what the tokenizer gives back (the ceiling), the model at several
settings, the training motion with the nearest caption (the floor), and any folder of BVH files.
The metrics are those of Guo et al. (CVPR 2022) on the evaluator in assets/evaluator; every motion's
caption is ranked among 32 different ones.  They cannot be compared with figures that come from
other evaluators or other data.  --model takes several models, too: open,plus.
"""
_EMBEDDINGS = """
measure embeddings of any other evaluator instead: a safetensors file with the matrices motion
(real) and text, [n, d] each, row i of both belonging together, and one or more rows under names of
their own, such as generated, [n, d] or [repeats, n, d]; for instance of the published HumanML3D or
SnapMoGen evaluators
"""
_EVALUATOR = """
an evaluator that train evaluator made, also with --layout humanml3d: its config.json names the
feature layout that it reads (default: the one that comes with ScaleMoGen)
"""
_PART = r"own|\d+(?:\.\d+)?"
_SETTING = re.compile(rf"({_PART})(?::({_PART}))?(:raw)?")
#: The model's own; less and more guidance; less chance.
_DEFAULT_SETTINGS = ("own", "2", "6", "own:0.7")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = DESCRIPTION
    add_data_argument(parser)
    parser.add_argument("--split", default="val", help="which clips (default: val)")
    parser.add_argument("--without", nargs="*", default=[], metavar="SOURCE", help="leave out")
    values.add_model_arguments(parser)
    values.add_sampling_arguments(parser)
    parser.add_argument("--seed", type=values.whole_number(0, values.LARGEST_SEED), default=1)
    table = parser.add_argument_group("the table")
    table.add_argument(
        "--settings",
        nargs="+",
        type=setting,
        metavar="G[:T][:raw]",
        help="guidance, or guidance:temperature, of one row per model each; own is the model's, "
        f"raw leaves out the clean-up (default: {' '.join(_DEFAULT_SETTINGS)}; --guidance and "
        "--temperature make one row)",
    )
    table.add_argument(
        "--motions",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="also a folder of BVH files with NAME.txt or captions.tsv beside them (repeatable)",
    )
    table.add_argument("--repeats", type=values.whole_number(1, 1000), default=5, metavar="N")
    table.add_argument(
        "--limit", type=values.whole_number(2, 10**6), metavar="N", help="about N clips, evenly"
    )
    table.add_argument("--by-class", action="store_true", help="also a table by action")
    table.add_argument("--batch", type=values.whole_number(1, 4096), default=32, metavar="N")
    table.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    table.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables")
    table.add_argument("--evaluator", type=Path, metavar="DIR", help=_EVALUATOR)
    table.add_argument("--embeddings", type=Path, metavar="FILE", help=_EMBEDDINGS)
    quick = parser.add_argument_group("a quick look")
    quick.add_argument(
        "--samples",
        action="store_true",
        help="no table: reconstruction errors, jitter and sliding of a motion per clip, as JSON",
    )
    quick.add_argument(
        "--sheet", type=Path, metavar="FILE.png", help="also draw samples of known prompts"
    )
    evaluate_prompts.add_arguments(parser)
    evaluate_edits.add_arguments(parser)


def setting(text: str) -> tuple[float | None, float | None, bool]:
    """An argparse type: ``own``, ``4``, ``4:0.8`` or ``own:raw``; None is the model's own."""
    match = _SETTING.fullmatch(text)
    guidance, temperature = (
        None if part in (None, "own") else float(part)
        for part in (match.groups()[:2] if match else (None, None))
    )
    in_range = (guidance is None or 0 <= guidance <= 50) and (
        temperature is None or 0.01 <= temperature <= 10
    )
    if match is None or not in_range:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a setting; write own, a guidance of 0 to 50 such as 4, or with a "
            "temperature of 0.01 to 10 such as 4:0.8"
        )
    return guidance, temperature, match[3] is not None


def run(args: argparse.Namespace) -> int:
    """Measure, print, write and draw."""
    if args.prompts is not None:
        return evaluate_prompts.run(args)
    if args.edits:
        return evaluate_edits.run(args)
    outputs = [path for path in (args.json, args.markdown, args.sheet) if path is not None]
    refuse_overwriting(outputs, *([args.embeddings] if args.embeddings else []))
    for path in outputs:
        check_writable(path)
    if args.embeddings is not None:
        report = _embeddings(args)
    else:
        report = _samples(args) if args.samples else _table(args)
    if report is not None:
        print(report.text(), end="")
        if args.json is not None:
            write_bytes(args.json, (json.dumps(report.as_json(), indent=1) + "\n").encode())
        if args.markdown is not None:
            write_bytes(args.markdown, report.text(as_markdown=True).encode())
    return 0


def _table(args: argparse.Namespace) -> "Report":
    from core.engine import Engine
    from core.evaluation.embedding import Embedder
    from core.evaluation.storage import BUNDLED_EVALUATOR
    from core.evaluation.suite import evaluate
    from core.training.corpus import load_corpus

    folder = data_folder(args.data)
    clips = load_corpus(folder, args.split, args.without)
    if args.limit is not None:
        clips = clips[:: max(1, len(clips) // args.limit)]
    training = []
    if args.split != "train":
        with contextlib.suppress(ScaleMoGenError):  # a folder may hold nothing but a test split
            training = load_corpus(folder, "train", args.without)
    embedder = Embedder.load(args.evaluator or BUNDLED_EVALUATOR)
    engines = [Engine.load(name, args.device, args.text_encoder) for name in _models(args)]
    if not training:
        print("there is no training split: the nearest-caption row is left out", file=sys.stderr)
    report = evaluate(
        engines,
        clips,
        training,
        embedder,
        settings=_settings(args),
        folders=args.motions,
        repeats=args.repeats,
        seed=args.seed,
        batch=args.batch,
        classes=args.by_class,
        watch=_watch,
    )
    report.facts = {"split": args.split, **report.facts}
    for row in report.rows:
        for name, why in row.left_out:
            print(f"{row.name}: {name} is left out: {why}", file=sys.stderr)
    _sheet(args, engines[0])
    return report


def _samples(args: argparse.Namespace) -> None:
    from core.engine import Engine
    from core.evaluation.samples import sample_figures
    from core.training.corpus import load_corpus
    from core.training.tokenizer_task import reconstruction_of_clips

    clips = load_corpus(data_folder(args.data), args.split, args.without)
    chosen = _settings(args)[0]
    for name in _models(args):
        engine = Engine.load(name, args.device, args.text_encoder)
        model = engine.model
        figures: dict[str, Any] = {"model": engine.name, "split": args.split, "clips": len(clips)}
        figures |= reconstruction_of_clips(model.tokenizer, clips, model.mean, model.std)
        figures |= sample_figures(engine, clips, args.seed, chosen, args.batch, _watch)
        print(json.dumps(figures))
        _sheet(args, engine)


def _embeddings(args: argparse.Namespace) -> "Report":
    from core.evaluation.precomputed import measure_embeddings
    from core.evaluation.report import pool_size
    from core.evaluation.suite import Report

    rows = measure_embeddings(args.embeddings, args.repeats, args.seed)
    captions = len(set(rows[0].captions))
    facts = {"embeddings": str(args.embeddings), "motions": len(rows[0].captions)}
    return Report({**facts, "captions": captions, "pool": pool_size(rows)}, rows)


def _models(args: argparse.Namespace) -> list[str]:
    names = [name for part in str(args.model).split(",") if (name := part.strip())]
    if not names:
        raise ScaleMoGenError("no model is named; give --model a name, a folder or open,plus")
    return list(dict.fromkeys(names))


def _settings(args: argparse.Namespace) -> "list[Setting]":
    from core.evaluation.many import Setting

    if args.settings is not None:
        chosen = args.settings
    elif args.guidance is not None or args.temperature is not None:
        chosen = [(args.guidance, args.temperature, False)]
    else:
        chosen = [setting(text) for text in _DEFAULT_SETTINGS]
    return [Setting(*each) for each in dict.fromkeys(chosen)]


def _sheet(args: argparse.Namespace, engine: Any) -> None:
    if args.sheet is None:
        return
    from core.evaluation.samples import sample_sheet

    sheet = sample_sheet(engine, args.seed, args.guidance, args.temperature)
    with replacing(args.sheet) as temporary:
        sheet.save(temporary)


@contextlib.contextmanager
def _watch(title: str, total: int) -> Iterator[Callable[[int], object]]:
    with bar(title, total=total or None, unit="motion") as progress:
        yield progress.update
