"""Turning points: the extremes of a movement, which an animator would key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..rotations import quaternion_conjugate, quaternion_multiply, quaternion_to_rotation_vector
from .tracks import Track

if TYPE_CHECKING:
    from .reducing import Tolerance

#: How many tolerances a movement swings at least from one turning point to the next.
_SWING = 6.0


def turning_points(
    posed: Sequence[Sequence[np.ndarray]], tracks: Sequence[Track], tolerance: Tolerance
) -> np.ndarray:
    """Frames [T, G] at which a track's main movement turns round.

    The main movement is the axis along which the track's rotation (location, where it has none)
    changes most.
    """
    if not tracks:
        return np.zeros((0, 0), dtype=bool)
    count = len(posed[0][0])
    ways = np.zeros((count, len(tracks)))
    for column, (track, poses) in enumerate(zip(tracks, posed, strict=True)):
        rotating = [pose for part, pose in zip(track.parts, poses, strict=True) if part.is_rotation]
        moving = [p for part, p in zip(track.parts, poses, strict=True) if part.kind == "LOCATION"]
        if rotating:
            middle = rotating[0][count // 2]
            turned = quaternion_multiply(quaternion_conjugate(middle), rotating[0])
            ways[:, column] = _main(quaternion_to_rotation_vector(turned)) / np.radians(
                tolerance.degrees
            )
        elif moving:
            ways[:, column] = _main(moving[0]) / tolerance.millimetres
    return _zigzag(ways, _SWING)


def _main(vectors: np.ndarray) -> np.ndarray:
    """Vectors [T, 3] along the axis of their largest spread."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return centred @ axes[:, -1]


def _zigzag(ways: np.ndarray, swing: float) -> np.ndarray:
    """Extremes [T, G] of which each is at least ``swing`` away from the one before."""
    count, tracks = ways.shape
    found = np.zeros((count, tracks), dtype=bool)
    all_tracks = np.arange(tracks)
    low = high = ways[0]
    low_at = high_at = np.zeros(tracks, dtype=int)
    rising = falling = np.zeros(tracks, dtype=bool)
    for frame in range(1, count):
        now = ways[frame]
        higher, lower = now > high, now < low
        high, high_at = np.where(higher, now, high), np.where(higher, frame, high_at)
        low, low_at = np.where(lower, now, low), np.where(lower, frame, low_at)
        turned_down = (high - now > swing) & ~falling
        turned_up = (now - low > swing) & ~rising & ~turned_down
        found[high_at[turned_down], all_tracks[turned_down]] = True
        found[low_at[turned_up], all_tracks[turned_up]] = True
        falling = (falling | turned_down) & ~turned_up
        rising = (rising | turned_up) & ~turned_down
        low, low_at = np.where(turned_down, now, low), np.where(turned_down, frame, low_at)
        high, high_at = np.where(turned_up, now, high), np.where(turned_up, frame, high_at)
    return found
