"""Measured rows as text, Markdown and JSON; numpy only."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .metrics import Interval

#: Figure -> (heading, decimals).
COLUMNS: dict[str, tuple[str, int]] = {
    "top1": ("R top-1 ↑", 3),
    "top2": ("R top-2 ↑", 3),
    "top3": ("R top-3 ↑", 3),
    "top1_all": ("R top-1 of all ↑", 3),
    "fid": ("FID ↓", 4),
    "mm_dist": ("MM dist ↓", 3),
    "diversity": ("diversity →", 3),
    "multimodality": ("multimod.", 3),
    "sliding": ("sliding cm/s", 2),
    "sliding_ratio": ("× real", 2),
    "sliding_low": ("low foot cm/s", 1),
    "penetration": ("floor mm", 2),
    "acceleration": ("acc. m/s²", 2),
    "acceleration_ratio": ("× real", 2),
    "jerk": ("jerk m/s³", 0),
    "jerk_ratio": ("× real", 2),
    "bones": ("bones %", 2),
    "impossible": ("impossible %", 2),
}
#: Figures that need an evaluator, and the others.
METRICS = tuple(COLUMNS)[: list(COLUMNS).index("multimodality") + 1]
PHYSICS = tuple(name for name in COLUMNS if name not in METRICS)


def cell(value: Interval, decimals: int) -> str:
    """``0.512 ± 0.010``; without an interval only the mean; a dash where there is nothing."""
    if not math.isfinite(value.mean):
        return "–"
    text = f"{value.mean:.{decimals}f}"
    if math.isfinite(value.half) and value.half > 0:
        text += f" ± {value.half:.{decimals}f}"
    return text


def figure_table(
    rows: Sequence[tuple[str, Mapping[str, Interval]]], columns: Sequence[str]
) -> list[list[str]]:
    """Heading and cells of some columns; a column that no row has is left out."""
    shown = [c for c in columns if any(c in f and math.isfinite(f[c].mean) for _, f in rows)]
    table = [["", *(COLUMNS[c][0] for c in shown)]]
    none = Interval(math.nan, math.nan)
    for name, figures in rows:
        table.append([name, *(cell(figures.get(c, none), COLUMNS[c][1]) for c in shown)])
    return table


def class_table(classes: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """A line per action: place of its own caption, sliding and acceleration, of every row."""
    if not classes:
        return []
    names = list(classes[0]["rows"])
    table = [["place / sliding cm/s / acc. m/s²", "clips", *names]]
    for entry in classes:
        line = [str(entry["class"]), str(entry["clips"])]
        for name in names:
            figures = entry["rows"][name]
            numbers = (figures[key] for key in ("place", "sliding", "acceleration"))
            line.append(" / ".join(cell(Interval(value, math.nan), 1) for value in numbers))
        table.append(line)
    return table


def plain(table: Sequence[Sequence[str]]) -> str:
    """Aligned columns for a terminal."""
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    lines = []
    for line in table:
        first = line[0].ljust(widths[0])
        rest = (text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True))
        lines.append("  ".join([first, *rest]).rstrip())
    return "\n".join(lines)


def markdown(table: Sequence[Sequence[str]]) -> str:
    """The same as a Markdown table."""
    lines = [list(table[0]), ["---", *["---:"] * (len(table[0]) - 1)], *map(list, table[1:])]
    return "\n".join(
        "| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines
    )


def as_json(figures: Mapping[str, Interval]) -> dict[str, dict[str, float | None]]:
    """Means and half widths; null where there is none, because JSON knows no NaN."""
    return {
        name: {"mean": _known(value.mean), "half": _known(value.half)}
        for name, value in figures.items()
    }


def without_nan(value: Any) -> Any:
    """The same structure with null for every number that is none."""
    if isinstance(value, float):
        return _known(value)
    if isinstance(value, Mapping):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return value


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
