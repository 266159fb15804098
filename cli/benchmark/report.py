"""The tables of a benchmark, as text and as Markdown; growth with length and ratios of sizes."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """``note`` says what the numbers are; all cells are ready to print."""

    title: str
    note: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


def as_text(report: dict[str, Any]) -> str:
    """All tables with aligned columns."""
    return "\n\n".join([headline(report), *(text_table(table) for table in tables(report))])


def text_table(table: Table) -> str:
    """One table with aligned columns."""
    cells = [table.header, *table.rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.header))]
    lines = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in cells)
    ]
    return "\n".join([f"{table.title}: {table.note}", *lines])


def as_markdown(report: dict[str, Any]) -> str:
    """All tables as a Markdown page."""
    parts = ["# Benchmark", headline(report)]
    for table in tables(report):
        parts += markdown_table(table)
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> list[str]:
    """Title, note and lines of one table."""
    rule = ["---", *["---:"] * (len(table.header) - 1)]
    lines = [f"| {' | '.join(row)} |" for row in (table.header, rule, *table.rows)]
    note = table.note[:1].upper() + table.note[1:] + "."
    return [f"## {table.title}", note, "\n".join(lines)]


def headline(report: dict[str, Any]) -> str:
    """What was measured, where, and whether the machine was idle."""
    gpu = f", {report['gpu']}" if report["gpu"] else ""
    load = report["load_average"]
    busy = "" if load is None else f", load average before: {load:.1f}"
    return (
        f"{report['model']}; {report['machine']}, {report['cpu_count']} processors{gpu}; "
        f"Python {report['python']}, torch {report['torch']}{busy}"
    )


def tables(report: dict[str, Any]) -> list[Table]:
    """All tables that the measured rows fill."""
    rows: list[Row] = report["rows"]
    made = [_stages(rows), _start(rows), _growth(rows), _ratios(rows)]
    return [table for table in made if table.rows]


def _stages(rows: list[Row]) -> Table:
    others = _other_stages(rows)
    header = (
        "model", "device", "threads", "variations", "seconds", "text", "each scale",
        *(stage.removesuffix("_ms") for stage in others), "total", "cold total", "CPU ms",
        "peak MB", "GPU MB",
    )  # fmt: skip
    lines = [
        (
            *_where(row),
            str(row["variations"]),
            f"{row['seconds']:g}",
            _number(row["warm"]["text_ms"]),
            " ".join(_number(ms) for ms in row["warm"]["scales_ms"]),
            *(_number(row["warm"].get(stage)) for stage in others),
            _number(row["warm"]["total_ms"]),
            _number(row["cold"]["total_ms"]),
            _number(row["warm_cpu_ms"]),
            _number(row["peak_mb"]),
            _number(row["gpu_peak_mb"]),
        )
        for row in rows
    ]
    note = (
        "milliseconds of a warm pass (median); cold: the first pass of a process, its weights "
        "loaded; CPU: processor time of all threads in a warm pass; peak: resident memory of that "
        "process. The published size has no text encoder"
    )
    return Table("Stages", note, header, lines)


def _start(rows: list[Row]) -> Table:
    """Medians over all processes of a model on a device with a number of threads."""
    header = (
        "model", "device", "threads", "interpreter", "imports", "weights", "text encoder",
        "import to ready", "first clip", "all",
    )  # fmt: skip
    lines = []
    for where, same in _grouped(r for r in rows if not r["published"]):
        stages = {
            stage: statistics.median(row["start"][stage] for row in same)
            for stage in same[0]["start"]
        }
        ready = sum(stages.values()) - stages["interpreter_ms"]
        shortest = min(same, key=lambda row: (row["variations"], row["seconds"]))
        first = shortest["cold"]["total_ms"]
        whole = stages["interpreter_ms"] + ready + first
        lines.append((*where, *map(_number, [*stages.values(), ready, first, whole])))
    note = (
        "milliseconds from the start of a process to its first clip (the shortest that was "
        "measured); medians over all processes"
    )
    return Table("Start", note, header, lines)


def _growth(rows: list[Row]) -> Table:
    header = (
        "model", "device", "threads", "variations", "fixed ms", "ms per second of motion",
        "exponent",
    )  # fmt: skip
    lines = []
    by_count: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        by_count[(*_where(row), str(row["variations"]))].append(row)
    for where, same in by_count.items():
        points = [(row["seconds"], row["warm"]["total_ms"]) for row in same]
        if len({seconds for seconds, _ in points}) < 2:
            continue
        fixed, slope, exponent = growth(points)
        lines.append((*where, _number(fixed), _number(slope), f"{exponent:.2f}"))
    note = (
        "warm total = fixed + slope x seconds (least squares), and the exponent of "
        "total ~ seconds^exponent: 1 is linear"
    )
    return Table("Growth with length", note, header, lines)


def growth(points: list[tuple[float, float]]) -> tuple[float, float, float]:
    """(fixed ms, ms per second, exponent) of (seconds, ms) points, by least squares."""
    seconds, times = zip(*points, strict=True)
    line = statistics.linear_regression(seconds, times)
    power = statistics.linear_regression(
        [math.log(s) for s in seconds], [math.log(max(t, 1e-6)) for t in times]
    )
    return line.intercept, line.slope, power.slope


def _ratios(rows: list[Row]) -> Table:
    """The published size over the model asked for, where both made the same clips."""
    keys = ("device", "threads", "variations", "seconds")
    ours = {tuple(row[k] for k in keys): row for row in rows if not row["published"]}
    header = (
        "device", "threads", "variations", "seconds", "scales", "decode", "total without text",
        "processor time", "peak memory", "parameters",
    )  # fmt: skip
    lines = []
    for row in rows:
        small = ours.get(tuple(row[k] for k in keys))
        if not row["published"] or small is None:
            continue
        pairs = [
            *((_part(row, part), _part(small, part)) for part in ("scales", "decode", "rest")),
            (row["warm_cpu_ms"], small["warm_cpu_ms"]),
            (row["peak_mb"], small["peak_mb"]),
            (row["parameters"], small["parameters"]),
        ]
        lines.append(
            (
                row["device"],
                str(row["threads"]),
                str(row["variations"]),
                f"{row['seconds']:g}",
                *(f"{large / max(less, 1e-6):.1f}" for large, less in pairs),
            )
        )
    note = (
        "how many times as much the published size takes as this model; processor time (of all "
        "threads) is the one to trust on a busy machine"
    )
    return Table("Published size against this model", note, header, lines)


def _part(row: Row, part: str) -> float:
    warm = row["warm"]
    if part == "scales":
        return float(sum(warm["scales_ms"]))
    if part == "decode":
        return float(warm["decode_ms"])
    return float(warm["total_ms"] - warm["text_ms"])


def _other_stages(rows: list[Row]) -> list[str]:
    """Stages after the scales, in the order in which the engine tells them."""
    known = {"text_ms", "scales_ms", "total_ms"}
    return [s for s in dict.fromkeys(s for row in rows for s in row["warm"]) if s not in known]


def _where(row: Row) -> tuple[str, str, str]:
    return ("published size" if row["published"] else row["model"], row["device"],
            str(row["threads"]))  # fmt: skip


def _grouped(rows: Iterable[Row]) -> list[tuple[tuple[str, ...], list[Row]]]:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[_where(row)].append(row)
    return list(groups.items())


def _number(value: float | None) -> str:
    """Three significant digits are enough; a dash where there is nothing."""
    if value is None:
        return "-"
    return f"{value:.1f}" if abs(value) < 10 else f"{value:.0f}"
