"""The rows of a measurement as a table: Markdown, JSON and the worst of everything."""

import math
from collections.abc import Sequence
from dataclasses import asdict, replace

from .judging import TARGETS, Row

HEADINGS = (
    "scheme",
    "rest",
    "mapped",
    "directions worst (mean) °",
    "trunk °",
    "turns °",
    "hips %",
    "feet %",
    "sliding mean / 95 % cm/s before",
    "after",
    "hyperext. °",
    "hands %",
    "ms/s",
    "",
)


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table; values that miss their target are marked."""
    missed = set(row.missed())
    mapped = f"{row.mapped}/{row.joints}"
    if row.error:
        return row.scheme, row.rest_pose, mapped, f"refused: {row.error}", *[""] * 9, "✗"
    if row.wrong:
        mapped += f", wrong: {', '.join(row.wrong)}"

    def marked(name: str, text: str) -> str:
        return f"{text} ✗" if name in missed else text

    return (
        row.scheme,
        row.rest_pose,
        marked("mapping", mapped),
        marked("direction", f"{_number(row.direction)} ({_number(row.direction_mean)})"),
        marked("trunk", _number(row.trunk, 1)),
        _number(row.turns, 1),
        marked("hip_height", _number(row.hip_height)),
        marked("foot_height", _number(row.foot_height)),
        " / ".join(_number(value, 1) for value in row.sliding_before),
        marked("sliding", " / ".join(_number(value, 1) for value in row.sliding)),
        marked("hyperextension", _number(row.hyperextension, 1)),
        marked("hands", _number(row.hands, 1)),
        _number(1000.0 * row.time, 0),
        "✗" if missed else "✓",
    )


def worst_of(rows: Sequence[Row]) -> Row:
    """The worst value of every column over the rigs that could be used."""
    used = [row for row in rows if not row.error]
    if not used:
        return replace(rows[0], scheme="worst of all", rest_pose="")

    def worst(name: str) -> float:
        values = [getattr(row, name) for row in used if not math.isnan(getattr(row, name))]
        return max(values, default=math.nan)

    def pair(name: str) -> tuple[float, float]:
        return (
            max(getattr(row, name)[0] for row in used),
            max(getattr(row, name)[1] for row in used),
        )

    return Row(
        scheme="worst of all",
        rest_pose="",
        mapped=sum(row.mapped for row in rows),
        joints=sum(row.joints for row in rows),
        wrong=tuple(f"{row.scheme} {slot}" for row in used for slot in row.wrong),
        direction=worst("direction"),
        direction_mean=worst("direction_mean"),
        trunk=worst("trunk"),
        turns=worst("turns"),
        hip_height=worst("hip_height"),
        foot_height=worst("foot_height"),
        foot_height_mean=worst("foot_height_mean"),
        sliding_before=pair("sliding_before"),
        sliding=pair("sliding"),
        hyperextension=worst("hyperextension"),
        hands=worst("hands"),
        time=worst("time"),
    )


def markdown(rows: Sequence[Row], about: Sequence[str]) -> str:
    """The whole table with what was measured, how, and the targets."""
    lines = ["# Retargeting, measured", "", *about, "", _targets(), ""]
    lines += [_line(HEADINGS), _line(["---"] * len(HEADINGS))]
    lines += [_line(cells(row)) for row in rows]
    if rows:
        lines.append(_line(cells(worst_of(rows))))
    met = sum(not row.missed() for row in rows)
    return "\n".join([*lines, "", f"{met} of {len(rows)} rigs meet every target.", ""])


def as_json(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Every measure by name; what could not be measured is null."""
    return [
        {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in (asdict(row) | {"missed": row.missed()}).items()
        }
        for row in rows
    ]


def _targets() -> str:
    return (
        f"Targets: directions and trunk below {TARGETS.direction:g}°, hips and standing feet "
        f"within {TARGETS.foot_height:g} % of the leg, sliding below {TARGETS.sliding:g} cm/s "
        f"while locked, knees and elbows not beyond straight by {TARGETS.hyperextension:g}°, "
        f"hands that meet within {TARGETS.hands:g} % of the arm."
    )


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _number(value: float, digits: int = 2) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"
