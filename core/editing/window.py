"""The frames that the model looks at for an edit, and the token cells that it lays over them.

The model works at its own frame rate and in cells of several frames.  The cells are laid so that
their borders fall on the borders of the range as nearly as they can.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor

import numpy as np

from ..motion import Motion
from ..rotations import (
    make_continuous,
    quaternion_conjugate,
    quaternion_multiply,
    slerp,
)
from .edit import Edit

#: Seconds on either side of the range that the model sees.
CONTEXT_SECONDS = 2.0
#: Seconds of it that a long range leaves at least; a longer range is edited in pieces.
LEAST_CONTEXT_SECONDS = 1.0
#: The longest window of the bundled models.
LONGEST_SECONDS = 320 / 30
#: A cell with fewer frames of the motion than this tells the model nothing.
_LEAST_FRAMES = 3
#: A piece of a long range is made as the middle of a clip that is so many cells longer at a side.
_BEYOND = 4


def window(
    edit: Edit, frame_count: int, fps: float, longest_seconds: float = LONGEST_SECONDS
) -> tuple[int, int]:
    """First and last frame that the model should see: the range, and what is around it.

    The first is a frame of the motion; the last lies beyond its end only where the range does.  A
    range that is longer than ``longest_seconds`` is edited in pieces: its window is longer, too.
    """
    context = _context(edit.frame_count / fps, longest_seconds)
    around = ceil(context * fps)
    last = min(frame_count - 1, edit.last + around)
    return max(0, min(edit.first, frame_count) - around), max(edit.last, last)


def _context(seconds: float, longest_seconds: float) -> float:
    room = (longest_seconds - seconds) / 2
    return min(CONTEXT_SECONDS, room) if room >= LEAST_CONTEXT_SECONDS else CONTEXT_SECONDS


@dataclass(frozen=True)
class Piece:
    """A window of cells that the model sees at once, and which of them it makes anew."""

    window: tuple[int, int]
    masked: tuple[int, int]


@dataclass(frozen=True)
class Grid:
    """Token cells over a motion; a cell has ``stride`` frames of the model.

    start: the motion's frame at the first cell's first frame, which may be a fraction, and less
    than 0; step: frames of the motion for one of the model.
    cells: how many; masked: the first and one past the last that lie in the range; known: how many,
    from the first, hold frames of the motion (the others are beyond its end).
    """

    start: float
    step: float
    stride: int
    cells: int
    masked: tuple[int, int]
    known: int

    @property
    def frame_count(self) -> int:
        """The model's frames."""
        return self.cells * self.stride

    def pieces(self, longest: int) -> list["Piece"]:
        """Windows of at most ``longest`` cells that together cover the masked ones, in order.

        Each sees what those before it made; only the last one sees what follows the range.
        """
        first, last = self.masked
        if self.cells <= longest:
            return [Piece((0, self.cells), self.masked)]
        around = max(first, self.cells - last, floor(longest / 8))
        count = ceil((last - first) / max(longest - 2 * around, 1))
        borders = [first + (last - first) * k // count for k in range(count + 1)]
        return [
            Piece(
                (max(0, begin - around), end if end < last else min(self.cells, end + around)),
                (begin, end),
            )
            for begin, end in pairwise(borders)
        ]

    def beyond(self, piece: Piece, longest: int) -> tuple[int, int]:
        """So many cells before and after a piece belong to the range, too, as far as fits."""
        first, last = piece.masked
        more = (first > self.masked[0], last < self.masked[1])
        room = min(longest - (last - first), _BEYOND * sum(more)) // max(sum(more), 1)
        return room * more[0], room * more[1]

    def frames_of(self, first: int, last: int) -> tuple[int, int]:
        """First and last whole frame of the motion in cells ``first`` to ``last`` - 1."""
        begin = self.start + first * self.stride * self.step
        end = self.start + (last * self.stride - 1) * self.step
        return ceil(begin - 1e-6), floor(end + 1e-6)


def lay_grid(
    edit: Edit,
    frame_count: int,
    fps: float,
    *,
    model_fps: float,
    stride: int,
    longest: int,
) -> Grid:
    """The grid of an edit of a motion of ``frame_count`` frames.

    It has at most ``longest`` cells, unless the range is so long that it is edited in pieces.
    """
    rate = model_fps / fps
    longest_seconds = longest * stride / model_fps
    first_seen, last_seen = window(edit, frame_count, fps, longest_seconds)
    # All in the model's frames from here on.
    begin = edit.first * rate
    span = (edit.last - edit.first) * rate + 1
    ends = edit.last >= frame_count - 1
    if edit.first == 0 or ends:
        # Where the motion itself begins or ends, the cells must reach its end.
        masked = ceil(span / stride - 1e-6) if ends else max(1, round(span / stride))
        start = begin
    else:
        # At most a quarter of a cell too much or too little on either side: blending covers it.
        masked = max(1, round(span / stride))
        start = begin - (masked * stride - span) / 2
    known_end = (frame_count - 1) * rate + 1
    spare = stride - _LEAST_FRAMES
    least = floor(LEAST_CONTEXT_SECONDS * model_fps / stride)
    before = max(0, floor((start - first_seen * rate + spare) / stride))
    end = start + masked * stride
    after = max(0, floor((min(last_seen * rate + 1, known_end) - end + spare) / stride))
    while before + masked + after > longest and min(before, after) > least:
        before, after = (before - 1, after) if before >= after else (before, after - 1)
    start -= before * stride
    cells = before + masked + after
    known = floor((known_end - start + spare) / stride)
    return Grid(
        start / rate,
        1 / rate,
        stride,
        cells,
        (before, before + masked),
        int(np.clip(known, 1, cells)),
    )


def sampled_at(motion: Motion, at: np.ndarray, fps: float) -> Motion:
    """The motion at fractional frames ``at`` [N], as one of ``fps``: slerp, and linear for paths.

    Before its first and after its last frame it goes on as it came: turned about that frame, so
    that neither pose nor velocity jumps.
    """
    last = motion.frame_count - 1
    inside = np.where(at < 0, -at, np.where(at > last, 2 * last - at, at))
    inside = np.clip(inside, 0, last)
    low = np.minimum(inside.astype(int), max(last - 1, 0))
    high = np.minimum(low + 1, last)
    t = inside - low
    rotations = slerp(motion.rotations[low], motion.rotations[high], t[:, None])
    roots = motion.root_positions[low] * (1 - t[:, None]) + motion.root_positions[high] * t[:, None]
    for outside, edge in ((at < 0, 0), (at > last, last)):
        pose, root = motion.rotations[edge], motion.root_positions[edge]
        back = quaternion_multiply(pose, quaternion_conjugate(rotations[outside]))
        rotations[outside] = quaternion_multiply(back, np.broadcast_to(pose, back.shape))
        roots[outside] = 2 * root - roots[outside]
    contacts = None
    if motion.contacts is not None:
        blend = t[:, None]
        contacts = motion.contacts[low] * (1 - blend) + motion.contacts[high] * blend
    return replace(
        motion,
        rotations=make_continuous(rotations),
        root_positions=roots,
        fps=fps,
        contacts=contacts,
    )
