"""New keys of one F-curve in a range, while everything of it outside stays.  No bpy here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .gaps import GapAfter, GapBefore, Shape
from .key_table import BEZIER, CONSTANT, LINEAR, joined, linear_keys, times
from .segments import HIT, Bezier, slope


@dataclass(frozen=True)
class Curve:
    """A curve as it is before the edit.

    keys: all of them (:data:`key_table.KEY`); none for a channel that is not animated.
    sloping: beyond its keys it goes on with its slope instead of its value.
    values_at: its values at frames, or the channel's own; in single precision, as they are played.
    """

    keys: np.ndarray
    sloping: bool
    values_at: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Inside:
    """What is to be in the range: frames of the action [K], values [K]; both ends are its borders.

    hold: the last value is kept until the next key, instead of a line to it; step: every one is.
    carried: what comes after is moved on afterwards: it is kept in shape, with a key of ours where
    it begins, but not to the last bit.
    """

    frames: np.ndarray
    values: np.ndarray
    hold: bool = False
    step: bool = False
    carried: bool = False


class Replacement:
    """All keys of a curve after the edit.

    whole_frames: gives the whole frames of the scene, in the action's time and ascending, that lie
    strictly between two frames; an infinite one stands for the end of what anybody looks at.
    """

    def __init__(
        self, curve: Curve, inside: Inside, whole_frames: Callable[[float, float], np.ndarray]
    ) -> None:
        old, first, last = curve.keys, float(inside.frames[0]), float(inside.frames[-1])
        self.border = last
        self.before = old[times(old) < first - nearest(first)]
        self.after = old[times(old) > last + nearest(last)]
        new = linear_keys(inside.frames, inside.values)
        if inside.step:
            new["interpolation"] = CONSTANT
        elif inside.hold:
            new["interpolation"][-1] = CONSTANT
        self._new, self._free_end = new, not (inside.hold or inside.step)
        self._left = _gap_before(curve, self.before, new, whole_frames)
        self._right = _gap_after(curve, self.after, new, whole_frames, inside.carried)
        self._exact_after = not inside.carried

    @property
    def frames(self) -> np.ndarray:
        """Whole frames outside at which the new keys might change the curve."""
        return np.concatenate([self._left.frames, self._right.frames])

    @property
    def lost(self) -> bool:
        """Whether the curve's slope beyond its keys cannot be kept."""
        return self._left.lost or self._right.lost

    @property
    def extra(self) -> int:
        """How many keys outside the range are ours."""
        return sum(int(gap.chosen.sum()) + gap.pivots for gap in (self._left, self._right))

    @property
    def curved(self) -> list[GapBefore | GapAfter]:
        """The gaps that may do with few keys, see :meth:`gaps.Gap.thin`."""
        gaps = [self._left, self._right] if self._exact_after else [self._left]
        return [gap for gap in gaps if gap.is_curved]

    def keys(self) -> np.ndarray:
        """All keys in order of time."""
        new = self._new.copy()
        left, right = self._left.keys(new[:1]), self._right.keys(new[-1:])
        if not self._free_end:
            new["interpolation"][-1] = CONSTANT
        return joined(self.before, left, new, right, self.after)

    def correct(self, now: np.ndarray) -> bool:
        """Given what the curve is now at :attr:`frames`: whether it is as before, to the last bit.

        Where it is not, there will be more keys.
        """
        wanted = np.concatenate([self._left.values, self._right.values])
        wrong = _bits(now) != _bits(wanted)
        count = len(self._left.frames)
        wrong[count:] &= self._exact_after
        for gap, missed in ((self._left, wrong[:count]), (self._right, wrong[count:])):
            gap.chosen |= missed
        return not wrong.any()


def nearest(frame: float) -> float:
    """Keys that are no further from a border than this lie on it: Blender tells them not apart."""
    return max(2.0 * HIT, 2.0 * float(np.spacing(np.float32(abs(frame)))))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether numbers are the same in single precision, to the last bit."""
    return bool((_bits(one) == _bits(other)).all())


def _bits(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32).view(np.int32)


def _gap_before(
    curve: Curve,
    before: np.ndarray,
    new: np.ndarray,
    whole_frames: Callable[[float, float], np.ndarray],
) -> GapBefore:
    first = float(times(new)[0])
    outer = before[-1:] if len(before) else None
    end = _end_slope(curve, 0)
    low = float(times(outer)[0]) if outer is not None else -np.inf
    if outer is not None:
        shape = _shape(curve, len(before) - 1)
    else:
        shape = Shape(LINEAR, flat=not end)
    frames = _within(whole_frames, low, first)
    if outer is None and not end:
        frames = frames[-1:]
    return GapBefore(
        frames,
        curve.values_at(frames),
        shape,
        same(curve.values_at(times(new)[:1]), new["co"][:1, 1]),
        outer,
        end if outer is None and curve.sloping else None,
        _neighbour_slope(curve, 0) if len(before) == 1 else None,
    )


def _gap_after(
    curve: Curve,
    after: np.ndarray,
    new: np.ndarray,
    whole_frames: Callable[[float, float], np.ndarray],
    carried: bool,
) -> GapAfter:
    old, last = curve.keys, float(times(new)[-1])
    outer = after[:1] if len(after) else None
    end = _end_slope(curve, -1)
    high = float(times(outer)[0]) if outer is not None else np.inf
    if outer is not None:
        shape = _shape(curve, len(old) - len(after) - 1)
        if carried:
            shape = Shape(shape.kind, shape.bezier)
    else:
        shape = Shape(LINEAR, flat=not end)
    frames = _within(whole_frames, last, high)
    if outer is None and not end:
        frames = frames[:1]
    return GapAfter(
        frames,
        curve.values_at(frames),
        shape,
        not carried and same(curve.values_at(times(new)[-1:]), new["co"][-1:, 1]),
        outer,
        end if outer is None and curve.sloping else None,
        _neighbour_slope(curve, -1) if len(after) == 1 else None,
    )


def _within(
    whole_frames: Callable[[float, float], np.ndarray], low: float, high: float
) -> np.ndarray:
    """Whole frames between two keys that Blender does not take for one of them."""
    found = whole_frames(low, high)
    return found[(found > low + HIT) & (found < high - HIT)]


def _shape(curve: Curve, index: int) -> Shape:
    """How the curve goes from a key to the next; -1 stands for what lies before the first."""
    old = curve.keys
    if index == -1 or index == len(old) - 1:
        flat = not _end_slope(curve, 0 if index == -1 else -1)
        return Shape(CONSTANT if flat and index == -1 else LINEAR, flat=flat)
    one, other = old[index], old[index + 1]
    kind = int(one["interpolation"])
    points = [one["co"], one["handle_right"], other["handle_left"], other["co"]]
    bezier = Bezier(np.array(points)) if kind == BEZIER else None
    flat = kind == CONSTANT or bool(
        one["co"][1] == other["co"][1]
        and (kind == LINEAR or (bezier is not None and bezier.is_flat))
    )
    return Shape(kind, bezier, flat)


def _end_slope(curve: Curve, end: int) -> np.float32:
    """Slope beyond the first (0) or last (-1) key."""
    old = curve.keys
    if not curve.sloping or not len(old):
        return np.float32(0.0)
    kind = int(old["interpolation"][end])
    if kind == CONSTANT:
        return np.float32(0.0)
    if kind == LINEAR:
        return _to_neighbour(old, end)
    handle = old["handle_left"][0] if end == 0 else old["handle_right"][-1]
    return slope(old["co"][end], handle)


def _neighbour_slope(curve: Curve, end: int) -> np.float32 | None:
    """What :func:`_end_slope` is where it depends on the next key, None elsewhere."""
    old = curve.keys
    if not curve.sloping or int(old["interpolation"][end]) != LINEAR:
        return None
    return _to_neighbour(old, end)


def _to_neighbour(old: np.ndarray, end: int) -> np.float32:
    if len(old) < 2:
        return np.float32(0.0)
    return slope(old["co"][end], old["co"][1 if end == 0 else -2])
