"""Pieces of F-curves: how a curve goes between two keys, and beyond its last ones.  No bpy here.

Everything is as Blender computes it, so that a piece can be given keys of its own.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

#: Blender takes a key for what is asked for when it is no further away than this, in frames.
HIT = 1e-4
_ROUNDS = 50
#: Places for a key that are tried, of which one in thousands may do.
_TRIED = 1 << 17


class Bezier:
    """A segment from one key to the next: [4, 2] frames and values of keys and handles."""

    def __init__(self, points: np.ndarray) -> None:
        self.points = unfolded(np.asarray(points, dtype=np.float64))
        self._x, self._y = self.points.T.tolist()
        self._known: dict[float, float] = {}

    @property
    def is_flat(self) -> bool:
        """Whether keys and handles have one value."""
        return bool((self.points[:, 1] == self.points[0, 1]).all())

    def piece(self, low: float, high: float) -> np.ndarray:
        """Keys and handles [4, 2] of what lies between two frames (de Casteljau)."""
        a, b = self._parameter(low), self._parameter(high)
        corners = ((a, a, a), (a, a, b), (a, b, b), (b, b, b))
        return np.array([[_blossom(self._x, c), _blossom(self._y, c)] for c in corners])

    def _parameter(self, frame: float) -> float:
        if frame not in self._known:
            low, high = 0.0, 1.0
            for _ in range(_ROUNDS):
                middle = 0.5 * (low + high)
                if _at(self._x, middle) < frame:
                    low = middle
                else:
                    high = middle
            self._known[frame] = 0.5 * (low + high)
        return self._known[frame]


def _at(p: list[float], t: float) -> float:
    s = 1.0 - t
    return s * s * (s * p[0] + 3.0 * t * p[1]) + t * t * (3.0 * s * p[2] + t * p[3])


def _blossom(p: list[float], parameters: tuple[float, float, float]) -> float:
    for t in parameters:
        p = [one + t * (other - one) for one, other in pairwise(p)]
    return p[0]


def unfolded(points: np.ndarray) -> np.ndarray:
    """Keys and handles [4, 2]; handles longer than the segment are shortened, as Blender does."""
    points = points.copy()
    length = points[3, 0] - points[0, 0]
    for handle, key in ((1, 0), (2, 3)):
        reach = abs(points[handle, 0] - points[key, 0])
        if reach > length:
            points[handle] = points[key] + (points[handle] - points[key]) * (length / reach)
    return points


def slope(key: np.ndarray, other: np.ndarray) -> np.float32:
    """Slope from a key to its handle or its neighbour, [2] each, rounded as Blender does."""
    key, other = np.float32(key), np.float32(other)
    run = np.float32(other[0] - key[0])
    if run == 0.0:
        return np.float32(0.0)
    return np.float32(np.float32(other[1] - key[1]) / run)


def handle_of_slope(key: np.ndarray, wanted: np.float32, outwards: float) -> np.ndarray:
    """A handle [2] beyond a key, so that Blender finds the wanted slope, to the last bit if it can.

    outwards: -1 for a handle before the key, 1 for one after it.
    """
    key = np.asarray(key, dtype=np.float32)
    best = key + np.array([outwards, outwards * wanted], dtype=np.float32)
    for power in range(12):
        reach = outwards * 2.0**power
        x = np.float32(key[0] + np.float32(reach))
        y = np.float32(float(key[1]) + float(wanted) * (float(x) - float(key[0])))
        for candidate in _nudged(y):
            handle = np.array([x, candidate], dtype=np.float32)
            if slope(key, handle) == wanted:
                return handle
            if _miss(key, handle, wanted) < _miss(key, best, wanted):
                best = handle
    return best


def point_of_slope(
    key: np.ndarray, wanted: np.float32, low: float, high: float
) -> np.ndarray | None:
    """A point [2] between two frames at which a line from a key has exactly the wanted slope.

    None if there is none.
    """
    key = np.asarray(key, dtype=np.float32)
    x = np.unique(np.linspace(low, high, _TRIED)[1:-1].astype(np.float32))
    x = x[(x > low) & (x < high)]
    run = x - key[0]
    y = (np.float64(key[1]) + np.float64(wanted) * run.astype(np.float64)).astype(np.float32)
    for candidate in _nudged(y):
        hit = np.flatnonzero((candidate - key[1]) / run == wanted)
        if len(hit):
            at = hit[len(hit) // 2]
            return np.array([x[at], candidate[at]], dtype=np.float32)
    return None


def _nudged(value: np.ndarray | np.float32) -> list[np.ndarray]:
    """A number and its neighbours in single precision."""
    single = np.asarray(value, dtype=np.float32)
    up, down = np.float32(np.inf), np.float32(-np.inf)
    return [single, np.nextafter(single, up), np.nextafter(single, down)]


def _miss(key: np.ndarray, handle: np.ndarray, wanted: np.float32) -> float:
    return abs(float(slope(key, handle)) - float(wanted))
