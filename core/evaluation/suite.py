"""The whole evaluation of a split: all rows, one report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..engine import Engine
from ..features.snapmogen import SnapMoGenLayout
from ..training.corpus import Clip
from ..training.tokenizer_task import reconstruction_of_clips
from .embedding import Embedder
from .many import Setting
from .report import Measured, by_class, measure, pool_size
from .retrieval import NearestCaption
from .rows import (
    Row,
    Watch,
    folder_row,
    model_row,
    real_row,
    reconstruction_row,
    retrieval_row,
    unwatched,
)
from .table import (
    METRICS,
    PHYSICS,
    as_json,
    class_table,
    figure_table,
    markdown,
    plain,
    without_nan,
)


@dataclass
class Report:
    """What was measured, ready to be printed or kept."""

    facts: dict[str, Any]
    rows: list[Measured]
    reconstruction: dict[str, dict[str, float]] = field(default_factory=dict)
    classes: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """A structure for JSON: null stands for what could not be measured."""
        rows = [
            {
                "name": row.name,
                "motions": len(row.captions),
                "figures": as_json(row.figures),
                "left_out": [{"file": name, "why": why} for name, why in row.left_out],
            }
            for row in self.rows
        ]
        whole = {"format": 1, **self.facts, "rows": rows}
        whole |= {"reconstruction": self.reconstruction, "classes": self.classes}
        made: dict[str, Any] = without_nan(whole)
        return made

    def text(self, as_markdown: bool = False) -> str:
        """The tables for a terminal or for Markdown, with what is needed to read them."""
        draw = markdown if as_markdown else plain
        named = [(row.name, row.figures) for row in self.rows]
        parts = [_about(self.facts), draw(figure_table(named, METRICS))]
        physics = figure_table(named, PHYSICS)
        if len(physics[0]) > 1:
            parts.append(draw(physics))
        for name, errors in self.reconstruction.items():
            figures = ", ".join(f"{key} {value:.3f}" for key, value in errors.items())
            parts.append(f"{name}, whole clips through bits and back: {figures}")
        if self.classes:
            parts.append(draw(class_table(self.classes)))
        return "\n\n".join(parts) + "\n"


def evaluate(
    engines: Sequence[Engine],
    clips: Sequence[Clip],
    training: Sequence[Clip],
    embedder: Embedder,
    *,
    settings: Sequence[Setting] = (Setting(),),
    folders: Sequence[Path] = (),
    repeats: int = 5,
    seed: int = 1,
    batch: int = 32,
    classes: bool = False,
    watch: Watch = unwatched,
) -> Report:
    """Measure real motion, reconstructions, models, the baseline and folders on ``clips``.

    training: the clips that the baseline may give back; none leaves it out.
    ScaleMoGenError when a folder cannot be read or there is too little to measure.
    """
    rows: list[Row] = [real_row(clips)]
    shared = [0]  # rows that the table by class shows: made for the same captions
    for engine in engines:
        rows.append(reconstruction_row(engine, clips, watch))
        shared += [len(rows) - 1, len(rows)]
        rows += [model_row(engine, clips, s, seed, batch, watch) for s in settings]
    if training:
        rows.append(retrieval_row(NearestCaption(training, embedder.states), clips, seed))
    rows += [folder_row(folder, watch) for folder in folders]
    measured = measure(rows, embedder, repeats, seed)
    report = Report(
        {
            "motions": len(clips),
            "captions": len({clip.captions[0] for clip in clips}),
            "pool": pool_size(measured),
            "repeats": repeats,
            "seed": seed,
            "evaluator": embedder.evaluator.config.name,
            "layout": embedder.evaluator.config.layout,
        },
        measured,
    )
    for engine in engines:
        model = engine.model
        if not isinstance(engine.layout, SnapMoGenLayout):
            continue  # positions only: the row of the table has to do
        report.reconstruction[engine.name] = reconstruction_of_clips(
            model.tokenizer, clips, model.mean, model.std
        )
    if classes:
        report.classes = by_class([measured[i] for i in shared], [action(clip) for clip in clips])
    return report


def action(clip: Clip) -> str:
    """The class of a clip: its label with its source, or else its first caption."""
    return f"{clip.row['source']}: {clip.row.get('label') or clip.captions[0]}"


def _about(facts: dict[str, Any]) -> str:
    known = {
        "split": "split {split}",
        "motions": "{motions} motions",
        "captions": "{captions} distinct captions",
        "repeats": "{repeats} repeats",
        "evaluator": "evaluator {evaluator} ({layout})",
    }
    parts = [text.format(**facts) for key, text in known.items() if key in facts]
    return (
        f"{', '.join(parts)}. R-precision: own caption among {facts['pool']} (or "
        f"all {facts['captions']}), the others all different from each other and from the motion's "
        "own. ± is Student's 95 % interval."
    )
