"""``benchmark``: time per stage, start-up and peak memory, beside the published size."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from .. import values
from ..progress import bar

DESCRIPTION = """
Every configuration runs in a fresh process with its number of CPU threads: it starts, makes one
clip (cold), then the same length again with other words (warm, the median). The published size
(125 M transformer, 18.6 M tokenizer) has random weights and random text states: its text encoder is
left out. Without options everything is measured, in about three minutes on two idle cores.
"""
_THREADS = (1, 2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "--lengths",
        type=values.seconds,
        nargs="+",
        metavar="SECONDS",
        help="clip lengths (default: 1 2 4 10, as far as the model makes them)",
    )
    parser.add_argument(
        "--variations",
        type=values.whole_number(1, 64),
        nargs="+",
        default=[1, 8],
        metavar="N",
        help="motions in one pass (default: 1 8)",
    )
    parser.add_argument(
        "--threads",
        type=values.whole_number(1, 1024),
        nargs="+",
        default=[n for n in _THREADS if n <= (os.cpu_count() or 1)],
        metavar="N",
        help="CPU threads (default: 1 2)",
    )
    parser.add_argument(
        "--repeats",
        type=values.whole_number(1, 100),
        default=5,
        help="at most so many warm passes, of which the median is told (default: 5)",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--without-published", action="store_true", help="leave the published size out"
    )
    size.add_argument(
        "--published-in-full",
        action="store_true",
        help="the published size in every configuration, not in some",
    )
    parser.add_argument(
        "--worker",
        action="store_true",
        help="instead: how long an artist waits in Blender, from the worker's start to the motion",
    )
    parser.add_argument(
        "--bake",
        action="store_true",
        help="instead: how long baking takes in Blender, by rig, frames and way",
    )
    parser.add_argument(
        "--edit",
        action="store_true",
        help="instead: what edits of a clip of 10 s cost beside generating it",
    )
    values.add_model_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="also write the tables as Markdown"
    )


def run(args: argparse.Namespace) -> int:
    """Measure and tell."""
    from core.files import check_writable, write_bytes

    from .report import as_markdown, as_text

    if args.worker:
        return _through_worker(args)
    if args.markdown is not None:
        check_writable(args.markdown)
    if args.bake:
        return _baking(args)
    if args.edit:
        return _editing(args)
    report = _measure(args)
    if args.markdown is not None:
        write_bytes(args.markdown, as_markdown(report).encode())
    print(json.dumps(report) if args.json else as_text(report))
    return 0


def _through_worker(args: argparse.Namespace) -> int:
    from .through_worker import as_text, measure

    report = measure(args.model, args.device, args.lengths, args.variations, args.repeats)
    print(json.dumps(report) if args.json else as_text(report))
    return 0


def _baking(args: argparse.Namespace) -> int:
    from core.files import write_bytes

    from ..blender import quiet_stdout
    from .baking import headline, measure, table
    from .report import markdown_table, text_table

    with quiet_stdout():
        report = measure(args.repeats)
    if args.markdown is not None:
        parts = ["# Baking", headline(report), *markdown_table(table(report))[1:]]
        write_bytes(args.markdown, ("\n\n".join(parts) + "\n").encode())
    text = f"{headline(report)}\n\n{text_table(table(report))}"
    print(json.dumps(report) if args.json else text)
    return 0


def _editing(args: argparse.Namespace) -> int:
    from core.files import write_bytes

    from .editing import measure_all, table
    from .report import headline, markdown_table, text_table

    encoder = None if args.text_encoder is None else str(args.text_encoder)
    report = measure_all(args.model, encoder, args.device, args.threads, args.repeats)
    if args.markdown is not None:
        parts = ["# Edits", headline(report), *markdown_table(table(report))[1:]]
        write_bytes(args.markdown, ("\n\n".join(parts) + "\n").encode())
    text = f"{headline(report)}\n\n{text_table(table(report))}"
    print(json.dumps(report) if args.json else text)
    return 0


def _measure(args: argparse.Namespace) -> dict[str, Any]:
    """Ask a process per configuration, one after the other."""
    from .plan import configurations
    from .process import ask

    encoder = None if args.text_encoder is None else str(args.text_encoder)
    model = {"model": args.model, "text_encoder": encoder}
    # Another process again: ours stays small, so that it takes nothing from those it measures.
    about = ask({"task": "describe", "lengths": args.lengths, "device": args.device, **model}, 1)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    plan = configurations(
        devices=about.pop("devices"),
        threads=args.threads,
        lengths=about.pop("lengths"),
        variations=args.variations,
        published="none" if args.without_published else "all" if args.published_in_full else "some",
    )
    rows = []
    with bar("benchmark", total=len(plan), silent=args.json, unit="process") as progress:
        for item in plan:
            request = {"task": "measure", "repeats": args.repeats, **model, **item.as_dict()}
            rows.append(ask(request, item.threads))
            progress.update()
    return {**about, "load_average": load, "rows": rows}
