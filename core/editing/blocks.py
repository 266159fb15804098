"""Motion blocks: prompts that follow one another in one continuous motion."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

#: Cells on either side of what is made that are seen, too.
_CONTEXT_CELLS = 8
#: Cells on either side of a border between blocks that are made again, to fit both.
_SEAM_CELLS = 2

#: First and one past the last cell.
Cells = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """One action of a sequence.

    seconds: how long it takes; None leaves that to the model.
    """

    prompt: str
    seconds: float | None = None


def cell_borders(seconds: Sequence[float], fps: float, stride: int) -> list[int]:
    """The cells at which blocks of these lengths begin, and one past the last; each has its own."""
    borders = [0]
    for end in accumulate(seconds):
        borders.append(max(borders[-1] + 1, round(end * fps / stride)))
    frames = max(1, round(sum(seconds) * fps))
    borders[-1] = max(borders[-2] + 1, -(-frames // stride))
    return borders


def block_windows(borders: Sequence[int], longest: int) -> list[tuple[Cells, Cells]]:
    """(cells that are seen, cells that are made) for each block, one after another."""
    found = []
    for begin, end in pairwise(borders):
        context = min(_CONTEXT_CELLS, begin, longest - (end - begin))
        found.append(((begin - context, end), (begin, end)))
    return found


def seam_windows(borders: Sequence[int], longest: int) -> list[tuple[Cells, Cells]]:
    """(cells that are seen, cells that are made again) where two blocks meet."""
    around = min(_CONTEXT_CELLS + _SEAM_CELLS, longest // 2)
    return [
        (
            (max(0, border - around), min(borders[-1], border + around)),
            (max(0, border - _SEAM_CELLS), min(borders[-1], border + _SEAM_CELLS)),
        )
        for border in borders[1:-1]
    ]
