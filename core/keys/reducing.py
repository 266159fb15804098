"""Which frames get keys: as few as keep every track within its tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import hermite
from .tracks import Track, degrees_between
from .turning import turning_points

#: Largest relative error of properties that are neither rotation nor location.
_OTHER = 1e-3
#: What single precision leaves of a tolerance.
_MARGIN = 0.98
_PRUNINGS = 6


@dataclass(frozen=True)
class Tolerance:
    """How far a reduced motion may be from the given one, at every frame."""

    degrees: float = 0.5
    millimetres: float = 2.0


@dataclass(frozen=True)
class Reduced:
    """Key frames of a track, and the curves through them.

    index: [K] frames that have keys (indices).  slopes: for each part [K, C] per unit of time.
    values: for each part [T, C], the curves at every frame.  degrees, millimetres: largest errors.
    """

    index: np.ndarray
    slopes: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    degrees: float
    millimetres: float


def reduce(
    tracks: Sequence[Track],
    times: np.ndarray,
    tolerance: Tolerance,
    strictness: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> list[Reduced]:
    """Key frames of each track for samples at times [T], in ascending order.

    Turning points that stand out, the first and last frame and what a track keeps have keys.
    strictness: [T, G] divides the tolerance of a track at a frame (1 or more).
    start: [T, G] key frames to begin with; none is taken away then.
    """
    if not tracks:
        return []
    return _Table(tracks, times, tolerance, strictness).reduced(start)


class _Table:
    """All curves of all tracks side by side."""

    def __init__(
        self,
        tracks: Sequence[Track],
        times: np.ndarray,
        tolerance: Tolerance,
        strictness: np.ndarray | None,
    ) -> None:
        self.tracks, self.tolerance = tracks, tolerance
        self.times = np.asarray(times, dtype=np.float64)
        self.values = np.concatenate(
            [part.values for track in tracks for part in track.parts], axis=1
        ).astype(np.float64)
        self.owner = np.repeat(np.arange(len(tracks)), [track.columns for track in tracks])
        self.slopes = hermite.measured_slopes(self.values, self.times)
        shape = (len(self.times), len(tracks))
        self.strictness = np.ones(shape) if strictness is None else strictness
        self.wanted = [[p.posed(p.values) for p in track.parts] for track in tracks]

    def reduced(self, start: np.ndarray | None) -> list[Reduced]:
        fixed = self._fixed()
        if start is not None:
            fixed |= start
        mask = self._inserted(fixed.copy(), np.arange(len(self.tracks)))
        for turn in range(_PRUNINGS if start is None else 0):
            fewer = self._pruned(mask, fixed, turn)
            again = self._inserted(fewer, np.arange(len(self.tracks)))
            better = again.sum(axis=0) < mask.sum(axis=0)
            mask = np.where(better, again, mask)
        return self._results(mask)

    def _fixed(self) -> np.ndarray:
        fixed = np.zeros((len(self.times), len(self.tracks)), dtype=bool)
        fixed[[0, -1]] = True
        for column, track in enumerate(self.tracks):
            fixed[list(track.kept), column] = True
        return fixed | turning_points(self.wanted, self.tracks, self.tolerance)

    def _inserted(self, mask: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Keys added where the curves are too far off, until they are nowhere."""
        while len(active):
            error = self._error(mask, active)
            worst = self._worst(error, mask[:, active])
            mask[:, active] |= worst
            active = active[worst.any(axis=0)]
        return mask

    def _pruned(self, mask: np.ndarray, fixed: np.ndarray, turn: int) -> np.ndarray:
        """Without every second key, as far as the curves stay close without them."""
        order = np.cumsum(mask & ~fixed, axis=0)
        removed = mask & ~fixed & (order % 2 == turn % 2)
        fewer = mask & ~removed
        error = self._error(fewer, np.arange(len(self.tracks)))
        bad = _per_segment(error, fewer) > _MARGIN
        return fewer | (removed & bad)

    def _worst(self, error: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """The frame of the largest error of each segment that has one above 1."""
        largest = _per_segment(error, mask)
        at = (error >= largest) & (largest > _MARGIN)
        # One frame a segment, should two be equally far off.
        segment = np.cumsum(mask, axis=0)
        track, row = np.nonzero(at.T)
        key = track * (len(mask) + 1) + segment[row, track]
        once = np.unique(key, return_index=True)[1]
        found = np.zeros_like(mask)
        found[row[once], track[once]] = True
        return found & ~mask

    def _fit(self, mask: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chosen = np.isin(self.owner, active)
        owner = np.searchsorted(active, self.owner[chosen])
        return hermite.fit(
            self.values[:, chosen], self.times, owner, mask[:, active], self.slopes[:, chosen]
        )

    def _error(self, mask: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Errors [T, A] of some tracks, as a share of what is allowed."""
        made, _ = self._fit(mask, active)
        errors = np.zeros((len(self.times), len(active)))
        at = 0
        for column, index in enumerate(active):
            for part, wanted in zip(self.tracks[index].parts, self.wanted[index], strict=True):
                size = part.values.shape[1]
                posed = part.posed(made[:, at : at + size])
                at += size
                error = self._off(part.kind, posed, wanted)
                np.maximum(errors[:, column], error, out=errors[:, column])
        return errors * self.strictness[:, active]

    def _off(self, kind: str, posed: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        if kind == "LOCATION":
            return np.linalg.norm(posed - wanted, axis=-1) / self.tolerance.millimetres
        if kind == "OTHER":
            size = np.maximum(1.0, np.abs(wanted).max(initial=0.0))
            return np.abs(posed - wanted).max(axis=-1, initial=0.0) / (_OTHER * size)
        return degrees_between(posed, wanted) / self.tolerance.degrees

    def _results(self, mask: np.ndarray) -> list[Reduced]:
        everything = np.arange(len(self.tracks))
        made, slopes = self._fit(mask, everything)
        results = []
        at = 0
        for column, track in enumerate(self.tracks):
            index = np.flatnonzero(mask[:, column])
            curves, tangents, degrees, millimetres = [], [], 0.0, 0.0
            for part, wanted in zip(track.parts, self.wanted[column], strict=True):
                size = part.values.shape[1]
                curve = made[:, at : at + size]
                curves.append(curve)
                tangents.append(slopes[index, at : at + size])
                at += size
                posed = part.posed(curve)
                if part.kind == "LOCATION":
                    off = np.linalg.norm(posed - wanted, axis=-1).max(initial=0.0)
                    millimetres = max(millimetres, float(off))
                elif part.is_rotation:
                    off = degrees_between(posed, wanted).max(initial=0.0)
                    degrees = max(degrees, float(off))
            results.append(Reduced(index, tuple(tangents), tuple(curves), degrees, millimetres))
        return results


def _per_segment(error: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Largest error [T, G] of the segment that each frame is in."""
    flat, starts = error.T.ravel(), np.flatnonzero(mask.T.ravel())
    largest = np.maximum.reduceat(flat, starts)
    lengths = np.diff(np.concatenate([starts, [len(flat)]]))
    return np.repeat(largest, lengths).reshape(error.T.shape).T
