"""What lies between an edited range and the next keys outside, which must stay as it is.

Keys outside are never touched, so the curve can only be held by keys of our own: at whole frames,
with the value that was there.  A gap begins with the few that its shape needs; where Blender then
finds another value at a whole frame, in whatever bit, that frame becomes a key, too.
No bpy here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .key_table import BEZIER, CONSTANT, LINEAR, joined, linear_keys, times
from .segments import Bezier, handle_of_slope, point_of_slope, slope
from .thinning import Scratch


@dataclass(frozen=True)
class Shape:
    """How a curve went between two neighbouring keys, or beyond its ends.

    kind: CONSTANT, LINEAR, BEZIER, or another number for Blender's easing curves.
    bezier: the segment, where the kind is BEZIER; flat: the same value everywhere.
    """

    kind: int
    bezier: Bezier | None = None
    flat: bool = False


@dataclass
class Gap:
    """One side of the range.

    frames, values: [N] whole frames that lie in it, and what the curve was there.
    shape: how it was.  unchanged: the key on the border keeps the value that was there.
    outer: the next key outside, None where the curve has none on this side.
    end_slope: with which slope the curve goes on beyond its last key on this side, where that has
        to be kept by a key of ours; None where the curve keeps its value there anyway.
    neighbour_slope: of the outer key to its neighbour inside, where Blender goes on with it.
    pivots: keys that keep it; lost: there is no way to.
    pieces: parts of the segment that were found to be right.
    """

    frames: np.ndarray
    values: np.ndarray
    shape: Shape
    unchanged: bool
    outer: np.ndarray | None
    end_slope: np.float32 | None = None
    neighbour_slope: np.float32 | None = None
    chosen: np.ndarray = field(init=False)
    lost: bool = field(init=False, default=False)
    pivots: int = field(init=False, default=0)
    pieces: dict[tuple[float, float], np.ndarray] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.chosen = np.zeros(len(self.frames), dtype=bool)
        self.chosen[self._first_choice()] = True

    def _first_choice(self) -> list[int]:
        raise NotImplementedError

    @property
    def extra(self) -> np.ndarray:
        """Indices of the frames that are keys."""
        return np.flatnonzero(self.chosen)

    def _samples(self) -> np.ndarray:
        return linear_keys(self.frames[self.chosen], self.values[self.chosen])

    @property
    def is_curved(self) -> bool:
        """Whether the gap is a part of a Bezier segment that may do with few keys."""
        return self._bezier is not None and self.chosen[:1].any() and len(self.frames) > 2

    @property
    def _bezier(self) -> Bezier | None:
        return None if self.outer is None or self.shape.flat else self.shape.bezier

    def thin(self, scratch: Scratch) -> None:
        """Have few keys, with handles that make the rest right."""
        assert self.shape.bezier is not None
        self.chosen, self.pieces = scratch.few(self.shape.bezier, self.frames, self.values)

    def _piece(self, low: float, high: float) -> np.ndarray:
        assert self.shape.bezier is not None
        found = self.pieces.get((low, high))
        return self.shape.bezier.piece(low, high) if found is None else found

    def _pivot(self, low: float, high: float) -> np.ndarray | None:
        """A key that keeps the slope with which Blender goes on beyond the outer key."""
        assert self.outer is not None
        assert self.neighbour_slope is not None
        found = point_of_slope(self.outer["co"][0], self.neighbour_slope, low, high)
        self.lost, self.pivots = found is None, int(found is not None)
        return None if found is None else linear_keys(found[:1], found[1:])


class GapBefore(Gap):
    """What lies before the range; the key outside says how the curve leaves it."""

    def _first_choice(self) -> list[int]:
        last = len(self.frames) - 1
        if last < 0:
            return []
        if self.outer is None:
            return [] if self.unchanged and self.end_slope is None else [last]
        leaving = int(self.outer["interpolation"][0])
        if leaving == CONSTANT:
            return []
        if leaving > BEZIER and not self.shape.flat:
            return list(range(len(self.frames)))
        border = [] if self.unchanged else [last]
        bulging = leaving == BEZIER and self.outer["handle_right"][0, 1] != self.outer["co"][0, 1]
        straight = leaving == LINEAR or (self.shape.flat and not bulging and leaving == BEZIER)
        return border if straight else [0, *border]

    def keys(self, first: np.ndarray) -> np.ndarray:
        """Keys of the gap; the range's first key [1] gets the left handle that belongs to them."""
        kept, places = self._samples(), self.frames[self.chosen]
        bezier = self._bezier
        if self.outer is not None and self.outer["interpolation"][0] == BEZIER:
            # The handle outside is made for a longer way: one without length meets it best.
            if len(kept):
                kept["handle_left"][0] = kept["co"][0]
            else:
                first["handle_left"] = first["co"]
        if bezier is not None:
            for i, (low, high) in enumerate(
                zip(places[:-1].tolist(), places[1:].tolist(), strict=True)
            ):
                _bend(kept[i : i + 2], self._piece(low, high))
            if self.unchanged and len(kept):
                piece = bezier.piece(float(places[-1]), float(times(first)[0]))
                first["handle_left"] = piece[2]
                _bend(kept[-1:], piece)
        if self.outer is None and self.end_slope is not None and len(kept):
            kept["handle_left"][0] = handle_of_slope(kept["co"][0], self.end_slope, -1.0)
            kept["interpolation"][0] = BEZIER
        return self._with_pivot(kept, first)

    def _with_pivot(self, kept: np.ndarray, first: np.ndarray) -> np.ndarray:
        self.pivots, self.lost = 0, False
        if self.outer is None or self.neighbour_slope is None:
            return kept
        following = kept if len(kept) else first
        if slope(self.outer["co"][0], following["co"][0]) == self.neighbour_slope:
            return kept
        limit = self.frames[0] if len(self.frames) else times(first)[0]
        pivot = self._pivot(float(times(self.outer)[0]), float(limit))
        return kept if pivot is None else joined(pivot, kept)


class GapAfter(Gap):
    """What lies after the range; our own keys say how the curve goes on to the key outside."""

    def _first_choice(self) -> list[int]:
        last = len(self.frames) - 1
        if last < 0:
            return []
        if self.outer is None:
            return [] if self.unchanged and self.end_slope is None else [0]
        if self.shape.kind > BEZIER and not self.shape.flat:
            return list(range(len(self.frames)))
        border = [] if self.unchanged else [0]
        curved = self.shape.kind == BEZIER and not self.shape.flat
        return [*border, last] if curved else border

    def keys(self, last: np.ndarray) -> np.ndarray:
        """Keys of the gap; the range's last key [1] gets what leads to them."""
        kept, places = self._samples(), self.frames[self.chosen]
        if self.outer is not None and self.shape.kind == CONSTANT:
            kept["interpolation"] = CONSTANT
            if self.unchanged and len(self.frames):
                last["interpolation"] = CONSTANT
        bezier = self._bezier
        if bezier is not None:
            for i, (low, high) in enumerate(
                zip(places[:-1].tolist(), places[1:].tolist(), strict=True)
            ):
                _bend(kept[i : i + 2], self._piece(low, high))
            if len(kept):
                kept["interpolation"][-1] = BEZIER
                kept["handle_right"][-1] = kept["co"][-1]
            if self.unchanged and len(kept):
                piece = bezier.piece(float(times(last)[0]), float(places[0]))
                _bend(last, piece)
                kept["handle_left"][0] = piece[2]
        if self.outer is None and self.end_slope is not None and len(kept):
            kept["handle_right"][-1] = handle_of_slope(kept["co"][-1], self.end_slope, 1.0)
            kept["interpolation"][-1] = BEZIER if self.end_slope else CONSTANT
        return self._with_pivot(kept, last)

    def _with_pivot(self, kept: np.ndarray, last: np.ndarray) -> np.ndarray:
        self.pivots, self.lost = 0, False
        if self.outer is None or self.neighbour_slope is None:
            return kept
        before = kept if len(kept) else last
        if slope(self.outer["co"][0], before["co"][-1]) == self.neighbour_slope:
            return kept
        limit = self.frames[-1] if len(self.frames) else times(last)[0]
        pivot = self._pivot(float(limit), float(times(self.outer)[0]))
        return kept if pivot is None else joined(kept, pivot)


def _bend(keys: np.ndarray, piece: np.ndarray) -> None:
    """Make the way from the first of one or two keys to the next a piece of a Bezier segment."""
    keys["interpolation"][0] = BEZIER
    keys["handle_right"][0] = piece[1]
    keys["handle_left"][1:] = piece[2]
