"""Training log as CSV and loss curves as PNG."""

import csv
from pathlib import Path

from ..files import make_folder


class Log:
    """Appends to ``log.csv`` and ``validation.csv`` in a folder, and redraws ``curves.png``.

    Rows after the step that is resumed from are dropped, so that a curve never runs backwards.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.folder = folder
        make_folder(folder)
        self._train = _Table(folder / "log.csv", step)
        self._validation = _Table(folder / "validation.csv", step)

    def train(
        self,
        step: int,
        seconds: float,
        rate: float,
        loss: float,
        gradient_norm: float,
        parts: dict[str, float],
    ) -> None:
        """One line of figures of a training step."""
        row = {"step": step, "seconds": round(seconds, 2), "learning_rate": rate, "loss": loss}
        self._train.add({**row, "gradient_norm": gradient_norm, **parts})

    def validation(self, step: int, figures: dict[str, float]) -> None:
        """One line of validation figures; the curves are drawn anew."""
        self._validation.add({"step": step, **figures})
        draw_curves(self.folder)

    def close(self) -> None:
        self._train.close()
        self._validation.close()


class _Table:
    """A CSV file whose columns are those of its first row."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        kept = [row for row in read_table(path) if int(row["step"]) <= step]
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer: csv.DictWriter[str] | None = None
        for row in kept:
            self.add(row)

    def add(self, row: dict[str, float] | dict[str, str]) -> None:
        if self._writer is None:
            self._writer = csv.DictWriter(self._file, list(row), extrasaction="ignore")
            self._writer.writeheader()
        self._writer.writerow(row)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a header; empty when there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def draw_curves(folder: Path) -> None:
    """``curves.png``: every figure of the two tables over the steps, each in a panel of its own."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels: list[tuple[str, list[float], list[float]]] = []
    for name in ("log", "validation"):
        rows = read_table(folder / f"{name}.csv")
        for column in rows[0] if rows else ():
            if column in ("step", "seconds"):
                continue
            points = [(float(r["step"]), float(r[column])) for r in rows if r[column]]
            label = column if name == "log" else f"validation: {column}"
            panels.append((label, [x for x, _ in points], [y for _, y in points]))
    if not panels:
        return
    columns = 4
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4 * columns, 2.6 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    for index, (label, x, y) in enumerate(panels):
        axes = figure.add_subplot(lines, columns, index + 1)
        axes.plot(x, y, marker="o" if label.startswith("validation") else None, linewidth=1)
        axes.set_title(label, fontsize=9)
        if min(y) > 0 and "loss" in label:
            axes.set_yscale("log")
        axes.grid(alpha=0.3)
    figure.savefig(folder / "curves.png", dpi=70)
