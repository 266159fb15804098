"""``evaluate --edits``: how well edits by text follow their prompts and sit in their motions."""

import argparse
import contextlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ScaleMoGenError
from core.files import check_writable, make_folder, replacing, write_bytes

from . import values
from .data import data_folder
from .progress import bar

if TYPE_CHECKING:
    from core.editor import Editor
    from core.evaluation.edits.probes import Probe
    from core.evaluation.edits.report import EditReport
    from core.evaluation.edits.running import Outcome
    from core.motion import Motion

_SEEDS = 8
#: Variations in a contact sheet.
_SHOWN = 3
_SEAM_SEEDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--edits`` and what goes with it; ``--seeds``, ``--out`` and the model are shared."""
    group = parser.add_argument_group(
        "edits by text",
        "With --edits the probes of core/evaluation/edits are edited and judged: on generated "
        "motions, and on captured ones where the motion set is. DIR gets report.md, report.json "
        f"and sheets/PROBE.png. --seeds is {_SEEDS} then unless given.",
    )
    group.add_argument("--edits", action="store_true", help="judge edits; needs --out DIR")
    group.add_argument(
        "--probe", nargs="+", default=[], metavar="WORDS", help="only probes whose name has WORDS"
    )
    group.add_argument(
        "--ways",
        choices=("all", "edit"),
        default="all",
        help="all: also the other rule, keep 0.4 and 0.8 and other wordings, on generated motions "
        "(default); edit: none",
    )
    group.add_argument(
        "--way-seeds",
        type=values.whole_number(1, 64),
        metavar="N",
        help="seeds of those other ways (default: as many as --seeds)",
    )
    group.add_argument("--without-seams", action="store_true", help="no block sequences, no loops")


def run(args: argparse.Namespace) -> int:
    """Edit, judge, write and tell."""
    if args.out is None:
        raise ScaleMoGenError("--edits needs a folder for its report; add --out DIR")
    make_folder(args.out / "sheets")
    check_writable(args.out / "report.md")

    from core.editor import Editor
    from core.engine import Engine

    probes = _probes(args.probe)
    editor = Editor(Engine.load(args.model, args.device, args.text_encoder))
    report = _measured(args, editor, probes)
    text = report.text(as_markdown=True)
    write_bytes(args.out / "report.md", text.encode())
    write_bytes(args.out / "report.json", (json.dumps(report.as_json(), indent=1) + "\n").encode())
    print(report.text(), end="")
    return 0


def _probes(words: list[str]) -> "list[Probe]":
    from core.evaluation.edits.probes import PROBES

    chosen = [p for p in PROBES if not words or any(w.lower() in p.name for w in words)]
    if not chosen:
        names = ", ".join(p.name for p in PROBES)
        raise ScaleMoGenError(f"no probe has {' or '.join(words)} in its name; there are: {names}")
    return chosen


def _measured(args: argparse.Namespace, editor: "Editor", probes: "list[Probe]") -> "EditReport":
    from core.evaluation.edits.report import EditReport
    from core.evaluation.edits.running import EDIT, WAYS, edit_probes, from_scratch
    from core.evaluation.edits.seams import SEQUENCES, loop_seams, sequence_seams

    count = args.seeds or _SEEDS
    seeds = [args.seed + n for n in range(count)]
    few = seeds[: args.way_seeds]
    origins = _sources(args, editor)
    ways = WAYS[1:] if args.ways == "all" else ()
    total = len(probes) * len(ways) + sum(p.source in m for m in origins.values() for p in probes)
    outcomes = []
    with bar("edits", total=total, unit="edit") as progress:

        def watch(name: str) -> None:
            progress.set_postfix_str(name)
            progress.update()

        for origin, motions in origins.items():
            outcomes += edit_probes(editor, probes, motions, origin, [EDIT], seeds, watch)
            _draw(args.out, [o for o in outcomes if o.origin == origin], motions)
        motions = origins["generated"]
        outcomes += edit_probes(editor, probes, motions, "generated", ways, few, watch)
    scratch = from_scratch(editor.engine, probes, seeds)
    report = EditReport(
        {
            "model": editor.engine.name,
            "device": editor.engine.device,
            "probes": len(probes),
            "seeds": count,
            "seeds of other ways": len(few),
        },
        outcomes,
        scratch,
    )
    report.similarity = _similarity(outcomes, scratch, origins)
    if not args.without_seams:
        fewer = seeds[:_SEAM_SEEDS]
        report.sequences, made = sequence_seams(editor, fewer)
        _draw_sequences(args.out, made[:: len(fewer)], len(SEQUENCES))
        for motions in origins.values():
            report.loops += loop_seams(editor, motions, fewer)
    return report


def _sources(args: argparse.Namespace, editor: "Editor") -> "dict[str, dict[str, Motion]]":
    """Generated motions, and captured ones where the motion set is found."""
    from core.evaluation.edits.sources import SOURCES, captured, generated

    origins = {"generated": {name: generated(editor.engine, name) for name in SOURCES}}
    folder = data_folder(args.data) if args.data is not None else None
    with contextlib.suppress(ScaleMoGenError):
        folder = folder or data_folder(None)
    if folder is None:
        print("there is no motion set: only generated motions are edited", file=sys.stderr)
    else:
        origins["captured"] = captured(folder)
    return origins


def _draw(folder: Path, outcomes: "list[Outcome]", motions: "dict[str, Motion]") -> None:
    from core.evaluation.edits.running import EDIT
    from core.preview import before_and_after

    for outcome in outcomes:
        probe = outcome.probe
        if outcome.way != EDIT.name:
            continue
        source = motions[probe.source].resampled(probe.fps)
        judge = probe.judge
        rows = [(f"before: {judge.name} {outcome.source:.2f}", source)]
        for number, motion in enumerate(outcome.motions[:_SHOWN]):
            told = "yes" if outcome.passed[number] else "no"
            value = f"{outcome.values[number]:.2f} of {judge.least:g}: {told}"
            rows.append((f"after, variation {number + 1}: {judge.name} {value}", motion))
        title = f"{probe.name} ({outcome.origin}): “{probe.prompt}”, {', '.join(probe.parts)}"
        sheet = before_and_after(title, rows, *probe.range_of(source))
        with replacing(
            folder / "sheets" / f"{_file(probe.name)}_{outcome.origin}.png"
        ) as temporary:
            sheet.save(temporary, "PNG")


def _draw_sequences(folder: Path, motions: "list[Motion]", count: int) -> None:
    from core.preview import contact_sheet

    rows = [(f"sequence {n + 1} of {count}", motion) for n, motion in enumerate(motions)]
    with replacing(folder / "sheets" / "sequences.png") as temporary:
        contact_sheet(rows, 20).save(temporary, "PNG")


def _similarity(
    outcomes: "list[Outcome]",
    scratch: "list[tuple[Outcome, object]]",
    origins: "dict[str, dict[str, Motion]]",
) -> dict[str, float]:
    """Mean cosine of whole clips and the sentences that tell what they show now."""
    from core.evaluation.edits.running import EDIT
    from core.evaluation.embedding import Embedder
    from core.evaluation.storage import BUNDLED_EVALUATOR

    embedder = Embedder.load(BUNDLED_EVALUATOR)
    groups: dict[str, list[tuple[str, Motion]]] = {}
    for outcome in outcomes:
        if outcome.way == EDIT.name:
            sentence = outcome.probe.sentence
            source = origins[outcome.origin][outcome.probe.source]
            groups.setdefault(f"unedited, {outcome.origin}", []).append((sentence, source))
            pairs = [(sentence, motion) for motion in outcome.motions]
            groups.setdefault(f"edited, {outcome.origin}", []).extend(pairs)
    groups["from scratch"] = [(o.probe.sentence, m) for o, _ in scratch for m in o.motions]
    result = {}
    for name, pairs in groups.items():
        texts = embedder.texts([sentence for sentence, _ in pairs])
        vectors = embedder.motions([motion for _, motion in pairs])
        result[name] = float((texts * vectors).sum(-1).mean())
    return result


def _file(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
