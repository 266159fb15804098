"""Smooth curves through keys, for many tracks at once.

A table of curves is [T, N]: N columns, sampled on T frames; ``owner`` [N] tells each column's
track, and ``mask`` [T, G] which frames are keys of each of the G tracks.  Between two keys a curve
is the cubic with given values and slopes at both, which is what Blender's Bezier curves are with
handles of a third of the distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Pull of the measured slope where a segment has no frames inside that could decide it.
_REGULAR = 1e-3


@dataclass(frozen=True)
class Segments:
    """For every frame and track the keys around it [T, G], and where it lies between them."""

    left: np.ndarray
    right: np.ndarray
    #: Distance of the keys (never 0) and place between them, 0 to 1.
    length: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, mask: np.ndarray, times: np.ndarray) -> Segments:
        count = len(mask)
        index = np.arange(count)[:, None]
        left = np.maximum.accumulate(np.where(mask, index, 0), axis=0)
        after = np.where(mask, index, count - 1)
        right = np.minimum.accumulate(after[::-1], axis=0)[::-1]
        # A key belongs to the segment that begins there; the last one to none.
        right = np.concatenate([right[1:], right[-1:]])
        right = np.maximum(right, left)
        length = times[right] - times[left]
        safe = np.where(length > 0.0, length, 1.0)
        return cls(left, right, safe, (times[:, None] - times[left]) / safe)


def basis(place: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weights of left value, left slope, right value and right slope (slopes times length)."""
    back = 1.0 - place
    return (
        (1.0 + 2.0 * place) * back * back,
        place * back * back,
        place * place * (3.0 - 2.0 * place),
        -place * place * back,
    )


def measured_slopes(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Slopes [T, N] of sampled curves: central differences."""
    if len(times) < 2:
        return np.zeros_like(values)
    return np.gradient(values, times, axis=0)


def fit(
    values: np.ndarray, times: np.ndarray, owner: np.ndarray, mask: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Smooth curves [T, N] through the keys and their slopes [T, N] (at keys; elsewhere zero).

    The slopes are those that come closest to all frames (least squares, one slope per key).
    """
    segments = Segments.of(mask, times)
    h00, h10, h01, h11 = basis(segments.place)
    h10, h11 = h10 * segments.length, h11 * segments.length
    columns = np.arange(values.shape[1])
    before, after = (
        values[segments.left[:, owner], columns],
        values[segments.right[:, owner], columns],
    )
    straight = h00[:, owner] * before + h01[:, owner] * after
    rest = values - straight

    def summed(per_frame: np.ndarray) -> np.ndarray:
        """Sums over each key's segment to the right, at the row of the key [T, ·]."""
        total = np.concatenate([np.zeros((1, per_frame.shape[1])), np.cumsum(per_frame, axis=0)])
        return total[1:]

    # The keys of all tracks, one after the other.
    track, row = np.nonzero(mask.T)
    first = np.concatenate([[True], track[1:] != track[:-1]])
    last = np.concatenate([track[1:] != track[:-1], [True]])
    until = np.where(last, row, np.concatenate([row[1:], [0]]))

    def between(per_frame: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Sum over each key's segment to the right; ``chosen`` are columns, one or many a key."""
        total = summed(per_frame)
        if chosen.ndim == 2:
            return total[until[:, None], chosen] - total[row[:, None], chosen]
        return total[until, chosen] - total[row, chosen]

    gathered = _gathered(owner, mask.shape[1])  # [G, C] columns of a track, -1 where none
    own = gathered[track]
    padded = np.concatenate([rest, np.zeros((len(rest), 1))], axis=1)  # column -1 is nothing
    wide_owner = np.concatenate([owner, [0]])
    to_right = between(padded * h10[:, wide_owner], own)
    to_left = between(padded * h11[:, wide_owner], own)
    right_right = between(h10 * h10, track)
    right_left = between(h10 * h11, track)
    left_left = between(h11 * h11, track)

    def shifted(a: np.ndarray) -> np.ndarray:
        moved = np.concatenate([np.zeros_like(a[:1]), a[:-1]])
        moved[first] = 0.0
        return moved

    span = np.where(last, 0.0, times[until] - times[row])
    scale = _REGULAR * (span**2 + shifted(span) ** 2) + 1e-12
    known = np.concatenate([slopes, np.zeros((len(slopes), 1))], axis=1)[row[:, None], own]
    diagonal = right_right + shifted(left_left) + scale
    wanted = to_right + shifted(to_left) + scale[:, None] * known
    upper = np.where(last, 0.0, right_left)
    solved = _tridiagonal(shifted(upper), diagonal, upper, wanted)

    found = np.zeros((values.shape[0], values.shape[1] + 1))
    found[row[:, None], own] = solved
    found = found[:, :-1]
    made = (
        straight
        + h10[:, owner] * found[segments.left[:, owner], columns]
        + h11[:, owner] * found[segments.right[:, owner], columns]
    )
    return made, found


def _gathered(owner: np.ndarray, tracks: int) -> np.ndarray:
    """Columns [G, C] of each track, filled up with -1."""
    counts = np.bincount(owner, minlength=tracks)
    found = np.full((tracks, int(counts.max(initial=0))), -1)
    order = np.argsort(owner, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    found[owner[order], np.arange(len(owner)) - starts[owner[order]]] = order
    return found


def _tridiagonal(
    lower: np.ndarray, diagonal: np.ndarray, upper: np.ndarray, wanted: np.ndarray
) -> np.ndarray:
    """Solve diagonally dominant equations [K] for right sides [K, C] by cyclic reduction.

    All rows at once, in as many steps as K has binary digits.
    """
    count, step = len(diagonal), 1
    a, b, c, d = lower.copy(), diagonal.copy(), upper.copy(), wanted.copy()
    while step < count:
        above, below = np.zeros(count), np.zeros(count)
        above[step:] = -a[step:] / b[:-step]
        below[:-step] = -c[:-step] / b[step:]
        if not above.any() and not below.any():
            break
        next_b, next_d = b.copy(), d.copy()
        next_a, next_c = np.zeros(count), np.zeros(count)
        next_b[step:] += above[step:] * c[:-step]
        next_b[:-step] += below[:-step] * a[step:]
        next_d[step:] += above[step:, None] * d[:-step]
        next_d[:-step] += below[:-step, None] * d[step:]
        next_a[step:] = above[step:] * a[:-step]
        next_c[:-step] = below[:-step] * c[step:]
        a, b, c, d, step = next_a, next_b, next_c, next_d, 2 * step
    return d / b[:, None]
