"""New keys in a range of an F-curve, while the curve keeps its shape outside.  No bpy in here.

At either end of the range, one frame away from it, a guard key holds what the curve was there; a
Bezier segment that crosses the end is divided in that place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

CONSTANT, LINEAR, BEZIER = 0, 1, 2  # interpolation, as Blender numbers it
FREE, ALIGNED = 0, 3  # types of handles
_CLOSE = 1e-3
#: Frames over which a slope is measured and kept: the longer, the more exact in single precision.
_FAR = 64.0

_POINTS = ("co", "handle_left", "handle_right")
#: Numbers that a key has besides the three points, and what a new key has.
ATTRIBUTES = {
    "interpolation": LINEAR,
    "easing": 0,
    "handle_left_type": FREE,
    "handle_right_type": FREE,
    "type": 0,
    "amplitude": 0.8,
    "back": 1.70158,
    "period": 4.1,
    "select_control_point": 0,
    "select_left_handle": 0,
    "select_right_handle": 0,
}


@dataclass(frozen=True)
class Keys:
    """Keys of one curve in order of time.

    co, handle_left, handle_right: [N, 2] frame and value; attributes: [N] each.
    """

    co: np.ndarray
    handle_left: np.ndarray
    handle_right: np.ndarray
    attributes: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.co)

    @property
    def frames(self) -> np.ndarray:
        return self.co[:, 0]

    def at(self, index: slice | np.ndarray) -> Keys:
        """Some of the keys."""
        return Keys(
            self.co[index],
            self.handle_left[index],
            self.handle_right[index],
            {name: column[index] for name, column in self.attributes.items()},
        )

    def changed(self, key: int, **values: object) -> Keys:
        """Copy in which one key has other numbers."""
        points = {name: getattr(self, name).copy() for name in _POINTS}
        attributes = {name: column.copy() for name, column in self.attributes.items()}
        for name, value in values.items():
            (points if name in points else attributes)[name][key] = value
        return replace(self, **points, attributes=attributes)


def linear_keys(frames: np.ndarray, values: np.ndarray) -> Keys:
    """Keys with straight lines between them."""
    co = np.stack([frames, values], axis=-1).astype(np.float32)
    side = np.array([1.0 / 3.0, 0.0], dtype=np.float32)
    attributes = {
        name: np.full(len(co), value, np.float32 if isinstance(value, float) else np.int32)
        for name, value in ATTRIBUTES.items()
    }
    return Keys(co, co - side, co + side, attributes)


def smooth_keys(frames: np.ndarray, values: np.ndarray, slopes: np.ndarray) -> Keys:
    """Keys with smooth curves between them; slopes are per frame.

    Handles of a third of the distance make the curve a cubic in time.
    """
    keys = linear_keys(frames, values)
    gaps = np.diff(frames) / 3.0
    before = np.concatenate([gaps[:1], gaps]) if len(gaps) else np.full(len(frames), 1.0 / 3.0)
    after = np.concatenate([gaps, gaps[-1:]]) if len(gaps) else before
    attributes = keys.attributes | {
        "interpolation": np.full(len(keys), BEZIER, np.int32),
        "handle_left_type": np.full(len(keys), ALIGNED, np.int32),
        "handle_right_type": np.full(len(keys), ALIGNED, np.int32),
    }
    left = np.stack([frames - before, values - slopes * before], axis=-1)
    right = np.stack([frames + after, values + slopes * after], axis=-1)
    return Keys(keys.co, left.astype(np.float32), right.astype(np.float32), attributes)


def joined(*parts: Keys) -> Keys:
    """Keys one after the other."""
    return Keys(
        *(
            np.concatenate([getattr(p, n) for p in parts])
            for n in ("co", "handle_left", "handle_right")
        ),
        {name: np.concatenate([p.attributes[name] for p in parts]) for name in ATTRIBUTES},
    )


def splice(
    old: Keys,
    new: Keys,
    value_at: Callable[[float], float],
    linear_ends: bool,
    divide: bool = True,
) -> Keys:
    """The old curve with the new keys in place of those between the first and the last of them.

    value_at: the old curve's value at a frame, or the channel's own where there is no curve.
    linear_ends: the curve goes on with its slope beyond its keys, instead of holding the value.
    divide: False samples a crossing segment on whole frames instead of dividing it.
    """
    first, last = float(new.frames[0]), float(new.frames[-1])
    before = old.at(old.frames < first - _CLOSE)
    after = old.at(old.frames > last + _CLOSE)
    left = _Left(old, before, value_at, linear_ends, divide).kept(first - 1.0)
    right = _Right(old, after, value_at, linear_ends, divide).kept(last + 1.0)
    return joined(left, new, right)


@dataclass(frozen=True)
class _Side:
    """One side of the range; ``keys`` are those of ``old`` that lie there."""

    old: Keys
    keys: Keys
    value_at: Callable[[float], float]
    linear_ends: bool
    divide: bool

    def end(self, edge: float, outwards: float) -> Keys:
        """The guard of a side without keys, for a curve that has some or none elsewhere."""
        return _end(edge, self.value_at, self.linear_ends and len(self.old) > 0, outwards)


class _Left(_Side):
    """What stays before the range."""

    def kept(self, edge: float) -> Keys:
        """The keys and a guard at the frame ``edge``, as far as one is needed."""
        count = len(self.keys)
        if count == 0:
            return self.end(edge, -1.0)
        held = _held(self.keys, count - 1)
        border = float(held.frames[-1])
        if border > edge - _CLOSE:
            return held
        mode = int(held.attributes["interpolation"][-1])
        if mode == CONSTANT:
            return held
        guard = _guard(edge, self.value_at(edge), LINEAR)
        beyond = count == len(self.old)
        if mode == LINEAR and (self.linear_ends or not beyond):
            return joined(held, guard)
        if beyond and not self.linear_ends:
            return joined(held.changed(count - 1, interpolation=CONSTANT), guard)
        if mode == BEZIER and self.divide and not beyond:
            parts = _divided(self.old, count - 1, edge)
            if parts is not None:
                return joined(
                    held.changed(count - 1, handle_right=parts[0]),
                    guard.changed(0, handle_left=parts[1]),
                )
        # The border key keeps its interpolation, which may decide how the curve begins.
        frames = np.arange(np.floor(border + _CLOSE) + 1.0, edge + 0.5)
        return joined(held, _samples(frames, self.value_at))


class _Right(_Side):
    """What stays after the range."""

    def kept(self, edge: float) -> Keys:
        """A guard at the frame ``edge``, as far as one is needed, and the keys."""
        count = len(self.keys)
        if count == 0:
            return self.end(edge, 1.0)
        held = self._ending(_held(self.keys, 0))
        border = float(held.frames[0])
        if border < edge + _CLOSE:
            return held
        if count == len(self.old):  # ahead of the first key
            mode = LINEAR if self.linear_ends else CONSTANT
            return joined(_guard(edge, self.value_at(edge), mode), held)
        above = len(self.old) - count - 1
        mode = int(self.old.attributes["interpolation"][above])
        if mode in (CONSTANT, LINEAR):
            return joined(_guard(edge, self.value_at(edge), mode), held)
        if mode == BEZIER and self.divide:
            parts = _divided(self.old, above, edge)
            if parts is not None:
                guard = _guard(edge, self.value_at(edge), BEZIER)
                return joined(
                    guard.changed(0, handle_right=parts[2]),
                    held.changed(0, handle_left=parts[3]),
                )
        frames = np.arange(edge, np.ceil(border - _CLOSE) - 0.5)
        return joined(_samples(frames, self.value_at), held)

    def _ending(self, held: Keys) -> Keys:
        """A last key with straight interpolation goes on as the line to it, which may change."""
        if not self.linear_ends or len(held) > 1 or held.attributes["interpolation"][0] != LINEAR:
            return held
        co = held.co[0]
        slope = (self.value_at(float(co[0]) + _FAR) - self.value_at(float(co[0]))) / _FAR
        side = np.array([_FAR, _FAR * slope], dtype=np.float32)
        return held.changed(0, interpolation=BEZIER, handle_right=co + side)


def _guard(frame: float, value: float, mode: int) -> Keys:
    return linear_keys(np.array([frame]), np.array([value])).changed(0, interpolation=mode)


def _samples(frames: np.ndarray, value_at: Callable[[float], float]) -> Keys:
    return linear_keys(frames, np.array([value_at(float(frame)) for frame in frames]))


def _end(edge: float, value_at: Callable[[float], float], sloping: bool, outwards: float) -> Keys:
    """The guard beyond which the curve has no key: it holds its value, or goes on sloping."""
    value = value_at(edge)
    guard = _guard(edge, value, LINEAR)
    if not sloping:
        return guard
    slope = (value_at(edge + _FAR * outwards) - value) / _FAR * outwards
    side = np.array([1.0, slope], dtype=np.float32)
    left, right = (_FAR, 1.0 / 3.0) if outwards < 0.0 else (1.0 / 3.0, _FAR)
    return guard.changed(
        0,
        interpolation=BEZIER,
        handle_left=guard.co[0] - left * side,
        handle_right=guard.co[0] + right * side,
    )


def _held(keys: Keys, border: int) -> Keys:
    """Keep the border key's handles where they are: Blender would move automatic ones."""
    return keys.changed(border, handle_left_type=FREE, handle_right_type=FREE)


def _divided(keys: Keys, index: int, frame: float) -> tuple[np.ndarray, ...] | None:
    """Handles of a Bezier segment divided at a frame (de Casteljau); None where that is no use.

    In order: right of the key before, left and right of the new key, left of the key after.
    """
    points = np.array(
        [keys.co[index], keys.handle_right[index], keys.handle_left[index + 1], keys.co[index + 1]],
        dtype=np.float64,
    )
    length = points[3, 0] - points[0, 0]
    for handle, key in ((1, 0), (2, 3)):  # as Blender does, when handles are too long
        reach = abs(points[handle, 0] - points[key, 0])
        if reach > length:
            points[handle] = points[key] + (points[handle] - points[key]) * length / reach
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if _bezier(points[:, 0], middle) < frame:
            low = middle
        else:
            high = middle
    t = 0.5 * (low + high)
    a, b, c = (points[i] + t * (points[i + 1] - points[i]) for i in range(3))
    left, right = a + t * (b - a), b + t * (c - b)
    if not (points[0, 0] <= a[0] <= frame <= c[0] <= points[3, 0]):
        return None
    return a, left, right, c


def _bezier(x: np.ndarray, t: float) -> float:
    s = 1.0 - t
    return float(s**3 * x[0] + 3 * s * s * t * x[1] + 3 * s * t * t * x[2] + t**3 * x[3])
