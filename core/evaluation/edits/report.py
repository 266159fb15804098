"""What the probes came to, as tables, Markdown and JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..table import markdown, plain, without_nan
from .running import EDIT, Outcome, bare_source
from .seams import Seam

_DASH = "–"


@dataclass
class EditReport:
    """scratch: outcomes from scratch, with [seeds] whether they still are the source's motion.

    facts: model, seeds and so on.  similarity: row -> mean cosine of sentence and motion.
    """

    facts: dict[str, Any]
    outcomes: list[Outcome]
    scratch: list[tuple[Outcome, np.ndarray]]
    sequences: list[Seam] = field(default_factory=list)
    loops: list[Seam] = field(default_factory=list)
    similarity: dict[str, float] = field(default_factory=dict)

    def text(self, as_markdown: bool = False) -> str:
        """All tables; those that have nothing are left out."""
        render = markdown if as_markdown else plain
        tables = [
            ("Every probe", _probe_table(self.outcomes, self.scratch)),
            ("Together", _total_table(self.outcomes, self.scratch)),
            ("Rules and keep", _way_table(self.outcomes)),
            ("Borders", _border_table(self.outcomes)),
            ("Feet", _feet_table(self.outcomes)),
            ("Seams", _seam_table(self.sequences, self.loops)),
            ("Sentence and motion", _similarity_table(self.similarity)),
        ]
        facts = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        parts = [facts]
        for title, table in tables:
            if len(table) > 1:
                parts.append(f"## {title}" if as_markdown else title)
                parts.append(render(table))
        return "\n\n".join(parts) + "\n"

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured."""
        return without_nan(
            {
                "facts": self.facts,
                "outcomes": [_as_json(o) for o in self.outcomes],
                "scratch": [
                    {**_as_json(o), "goes_on": [bool(g) for g in goes_on]}
                    for o, goes_on in self.scratch
                ],
                "sequences": [vars(seam) for seam in self.sequences],
                "loops": [vars(seam) for seam in self.loops],
                "similarity": self.similarity,
            }
        )


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "probe": outcome.probe.name,
        "judge": outcome.probe.judge.says,
        "least": outcome.probe.judge.least,
        "origin": outcome.origin,
        "way": outcome.way,
        "source": float(outcome.source),
        "values": [float(v) for v in outcome.values],
        "distance_cm": [float(d) for d in outcome.distance],
        "border_jumps_99": float(np.percentile(outcome.jumps, 99)) if len(outcome.jumps) else None,
        "own_jumps_99": float(np.percentile(outcome.own, 99)) if len(outcome.own) else None,
        "above_own_99": outcome.above,
        "sliding_before": float(outcome.slid_before),
        "sliding": [float(s) for s in outcome.slid],
        "ms": float(outcome.milliseconds),
    }


# --- tables --------------------------------------------------------------------------------------

_Scratch = Sequence[tuple[Outcome, np.ndarray]]


def _probe_table(outcomes: Sequence[Outcome], scratch: _Scratch) -> list[list[str]]:
    table = [
        ["probe", "kind", "range s", "judge", "at least", "source", "generated", "captured",
         "from scratch", "and goes on"],
    ]  # fmt: skip
    found = {(o.probe.name, o.origin): o for o in outcomes if o.way == EDIT.name}
    alone = {o.probe.name: (o, goes_on) for o, goes_on in scratch}
    for probe in dict.fromkeys(o.probe for o in outcomes):
        ours = [found.get((probe.name, origin)) for origin in ("generated", "captured")]
        whole, goes_on = alone.get(probe.name, (None, None))
        end = "end" if probe.end is None else f"{probe.end:g}"
        span = f"end + {probe.extend:g}" if probe.extend else f"{probe.start:g} – {end}"
        both = None if whole is None else whole.passed & goes_on
        table.append(
            [
                probe.name,
                probe.kind,
                span,
                probe.judge.name,
                f"{probe.judge.least:g}",
                " / ".join(_source(o) for o in ours if o is not None),
                *(_DASH if o is None else _rate(o.passed) for o in ours),
                _DASH if whole is None else _rate(whole.passed),
                _DASH if both is None else _rate(both),
            ]
        )
    return table


def _total_table(outcomes: Sequence[Outcome], scratch: _Scratch) -> list[list[str]]:
    """Success in per cent by how much is edited; the unedited sources have to be at nought."""
    kinds = [*dict.fromkeys(o.probe.kind for o in outcomes), "all"]
    table = [["success", *kinds, "known to the model"]]
    known = {o.probe.name for o, _ in scratch if o.passed.mean() >= 0.5}

    def row(name: str, found: Sequence[tuple[Outcome, np.ndarray]]) -> None:
        cells = [name]
        for kind in kinds:
            cells.append(_mean([p for o, p in found if kind in ("all", o.probe.kind)]))
        cells.append(_mean([p for o, p in found if o.probe.name in known]))
        table.append(cells)

    for origin in dict.fromkeys(o.origin for o in outcomes):
        ours = [o for o in outcomes if (o.origin, o.way) == (origin, EDIT.name)]
        row(f"unedited, {origin}", [(o, np.array([bare_source(o)])) for o in ours])
        row(f"edited, {origin}", [(o, o.passed) for o in ours])
    if scratch:
        row("from scratch, best stretch", [(o, o.passed) for o, _ in scratch])
        row("from scratch, and goes on", [(o, o.passed & g) for o, g in scratch])
    return table


def _way_table(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """The generated sources, which are edited in every way, so that the rows compare."""
    ways = list(dict.fromkeys(o.way for o in outcomes))
    table = [["way", "success %", "single part", "several parts", "whole body", "under 2 s",
              "distance cm"]]  # fmt: skip
    for way in ways if len(ways) > 1 else []:
        ours = [o for o in outcomes if o.way == way and o.origin == "generated"]

        def mean(kept: Callable[[Outcome], bool], found: Sequence[Outcome] = ours) -> str:
            return _mean([o.passed for o in found if kept(o)])

        distance = np.concatenate([o.distance for o in ours])
        table.append(
            [
                way,
                mean(lambda o: True),
                *(
                    mean(lambda o, kind=kind: o.probe.kind == kind)  # type: ignore[misc]
                    for kind in ("single part", "several parts", "whole body")
                ),
                mean(_is_short),
                _number(float(np.nanmean(distance)), 1),
            ]
        )
    return table


def _is_short(outcome: Outcome) -> bool:
    probe = outcome.probe
    return probe.end is not None and not probe.extend and probe.end - probe.start < 2.0


def _border_table(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Velocity jumps in m/s over all edits of a kind."""
    table = [["velocity jump m/s", "edits", "borders 50 %", "borders 99 %", "worst",
              "elsewhere 50 %", "elsewhere 99 %", "above own 99 %"]]  # fmt: skip
    ours = [o for o in outcomes if o.way == EDIT.name]
    for kind in [*dict.fromkeys(o.probe.kind for o in ours), "all"]:
        found = [o for o in ours if kind in ("all", o.probe.kind)]
        jumps = np.concatenate([o.jumps for o in found])
        own = np.concatenate([o.own for o in found])
        if len(jumps):
            figures = [*np.percentile(jumps, [50, 99, 100]), *np.percentile(own, [50, 99])]
            count = str(sum(len(o.values) for o in found))
            above = 100.0 * np.mean([share for o in found for share in o.above])
            cells = [*(_number(float(f), 2) for f in figures), f"{above:.0f} %"]
            table.append([kind, count, *cells])
    return table


def _feet_table(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """Means over the probes that have standing feet before and after."""
    table = [["sliding in the range, cm/s", "edits", "before", "after"]]
    ours = [o for o in outcomes if o.way == EDIT.name and not math.isnan(o.slid_before)]
    groups = {
        f"{'legs edited' if legs else 'legs not edited'}, {origin}": [
            o for o in ours if o.origin == origin and ("left_leg" in o.probe.parts) == legs
        ]
        for origin in dict.fromkeys(o.origin for o in ours)
        for legs in (False, True)
    }
    for name, found in groups.items():
        after = np.array([s for o in found for s in o.slid if not math.isnan(s)])
        if len(after):
            before = float(np.mean([o.slid_before for o in found]))
            table.append(
                [name, str(len(after)), _number(before, 1), _number(float(after.mean()), 1)]
            )
    return table


def _seam_table(sequences: Sequence[Seam], loops: Sequence[Seam]) -> list[list[str]]:
    table = [["seam, velocity jump m/s", "seams", "median", "worst", "own 99 %", "above own 99 %",
              "before"]]  # fmt: skip
    for name, seams in (("30 s of blocks", sequences), ("loops", loops)):
        if seams:
            jumps, own = np.array([s.jump for s in seams]), np.array([s.own for s in seams])
            before = float(np.mean([s.before for s in seams]))
            table.append(
                [
                    name,
                    str(len(seams)),
                    _number(float(np.median(jumps)), 2),
                    _number(float(jumps.max()), 2),
                    _number(float(np.mean(own)), 2),
                    f"{100 * np.mean(jumps > own):.0f} %",
                    _number(before, 2),
                ]
            )
    return table


def _similarity_table(similarity: dict[str, float]) -> list[list[str]]:
    rows = [[name, _number(value, 3)] for name, value in similarity.items()]
    return [["mean cosine of the whole clip and the sentence", "evaluator"], *rows]


def _source(outcome: Outcome) -> str:
    mark = " (passes!)" if bare_source(outcome) else ""
    return _number(outcome.source, 2) + mark


def _rate(passed: np.ndarray) -> str:
    return f"{int(passed.sum())}/{len(passed)}"


def _mean(found: Sequence[np.ndarray]) -> str:
    return _number(100.0 * float(np.mean([p.mean() for p in found])), 0) if found else _DASH


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if math.isfinite(value) else _DASH
