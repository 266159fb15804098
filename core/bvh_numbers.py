"""Single numbers of a BVH file's text, replaced without touching any other character.

What nobody edits stays as it was once written: header, spaces, line ends, digits.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .bvh import BvhClip, BvhTable, parse_table
from .errors import ScaleMoGenError

_BOM = "\ufeff"
_NUMBER_OF_FRAMES = re.compile(r"^([^:]*:\s*)(\S+)(.*)$", re.DOTALL)
_FRACTION = re.compile(r"[-+]?\d*\.(\d+)")
#: Decimals where a file has none to go by, and the most that are ever written.
_USUAL_DECIMALS, _MOST_DECIMALS = 6, 12
#: So many frames tell how a file writes its numbers.
_LOOKS = 100


@dataclass(frozen=True)
class BvhText:
    """A file's text, line by line with the line ends, and what it says.

    Characters that are no UTF-8 are kept, too: :meth:`to_bytes` gives the bytes that were read.
    """

    lines: tuple[str, ...]
    clip: BvhClip
    table: BvhTable

    @classmethod
    def read(cls, path: Path | str) -> "BvhText":
        """Read a file; ScaleMoGenError names the line that is wrong."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ScaleMoGenError(
                f"Cannot read {path}: {error.strerror}. Name a readable .bvh file."
            ) from error
        try:
            return cls.parse(data)
        except ScaleMoGenError as error:
            raise ScaleMoGenError(f"{path}: {error}") from error

    @classmethod
    def parse(cls, data: bytes) -> "BvhText":
        """Parse a file's bytes; ScaleMoGenError with the line number."""
        clip, table = parse_table(data.decode("utf-8-sig", errors="replace"))
        lines = data.decode("utf-8", errors="surrogateescape").splitlines(keepends=True)
        return cls(tuple(lines), clip, table)

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        return "".join(self.lines).encode("utf-8", errors="surrogateescape")

    @property
    def frame_count(self) -> int:
        return len(self.table.frame_lines)

    def columns_of(self, joint: int, kind: str) -> tuple[int, ...]:
        """Columns of a joint's ``position`` or ``rotation`` channels, in the file's order."""
        return tuple(
            at
            for at, (owner, channel) in enumerate(self.table.columns)
            if owner == joint and channel.endswith(kind)
        )

    def with_values(self, first: int, values: np.ndarray, changed: np.ndarray) -> "BvhText":
        """The text with other numbers [T, C] from frame ``first`` on, where ``changed`` [T, C].

        Frames beyond the end are added; what does not change in them is as in the frame before.
        ``table`` is the new one, ``clip`` stays that of the text that was read.
        """
        places = {kind: self._decimals(kind) for kind in ("position", "rotation")}
        decimals = [places[channel[1:]] for _, channel in self.table.columns]
        lines, rows = list(self.lines), list(self.table.frame_lines)
        added: list[str] = []
        for offset in range(len(values)):
            frame = first + offset
            row = lines[rows[frame]] if frame < len(rows) else (added or [lines[rows[-1]]])[-1]
            columns = np.flatnonzero(changed[offset])
            if len(columns):
                new = {int(c): written(values[offset, c], decimals[c]) for c in columns}
                row = _with_words(row, new)
            if frame < len(rows):
                lines[rows[frame]] = row
            else:
                added.append(row)
        if added:
            _append(lines, rows, added)
            count = self.table.count_line
            lines[count] = _with_count(lines[count], len(rows) + len(added))
            rows += [rows[-1] + n for n in range(1, len(added) + 1)]
        held = np.minimum(np.arange(len(rows)), self.frame_count - 1)
        numbers, part = self.table.values[held], slice(first, first + len(values))
        numbers[part] = np.where(changed, values, numbers[part])
        table = replace(self.table, values=numbers, frame_lines=tuple(rows))
        return replace(self, lines=tuple(lines), table=table)

    def _decimals(self, kind: str) -> int:
        """How many decimals the file's positions or rotations usually have."""
        columns = [at for at, (_, name) in enumerate(self.table.columns) if name.endswith(kind)]
        step = max(1, self.frame_count // _LOOKS)
        counts: Counter[int] = Counter()
        for line in self.table.frame_lines[::step]:
            words = self.lines[line].split()
            found = (_FRACTION.fullmatch(words[column]) for column in columns)
            counts.update(len(match[1]) for match in found if match)
        if not counts:
            return _USUAL_DECIMALS
        most = max(counts.values())
        return min(_MOST_DECIMALS, max(d for d, count in counts.items() if count == most))


def written(value: float, decimals: int) -> str:
    """A number with so many decimals, without a minus before nothing but zeros."""
    # Adding zero turns the -0.0 that rounding leaves into 0.0.
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}"


def _with_words(line: str, new: dict[int, str]) -> str:
    """A line with some of its words replaced; what is between the words stays."""
    pieces = re.split(r"(\s+)", line)  # word, space, word, space …; the first word may be empty
    words = (at for at, piece in enumerate(pieces) if at % 2 == 0 and piece)
    for column, at in enumerate(words):
        if column in new:
            pieces[at] = new[column]
    return "".join(pieces)


def _with_count(line: str, count: int) -> str:
    match = _NUMBER_OF_FRAMES.match(line)
    assert match is not None  # the parser has read the number from there
    return f"{match[1]}{count}{match[3]}"


def _append(lines: list[str], rows: list[int], added: Iterable[str]) -> None:
    """Put lines after the last frame's, each with the line end that the file uses."""
    last = rows[-1]
    end = _line_end(lines[last]) or _line_end(lines[rows[0] - 1]) or "\n"
    is_last = not _line_end(lines[last])
    bodies = [line[: len(line) - len(_line_end(line))] for line in (lines[last], *added)]
    block = [body + end for body in bodies]
    if is_last:  # the file did not end its last line, and still does not
        block[-1] = bodies[-1]
    lines[last : last + 1] = block


def _line_end(line: str) -> str:
    """The line end of a line, as ``str.splitlines`` understands it."""
    return line[len(line.splitlines()[0]) :] if line else ""
