"""Chains of n bones over m joints."""

from collections.abc import Sequence

import numpy as np


def middles(points: Sequence[np.ndarray]) -> list[float]:
    """Middles of a polyline's segments along its arc, as fractions of its length."""
    lengths = np.linalg.norm(np.diff(np.asarray(points), axis=0), axis=-1)
    ends = np.cumsum(lengths)
    total = max(float(ends[-1]), 1e-9)
    return [float(m) for m in (ends - lengths / 2) / total]


def spread(
    bone_middles: Sequence[float], joint_middles: Sequence[float]
) -> list[tuple[int, float]]:
    """Joint index (into the chain) and blend towards the next joint for every bone of a chain.

    Both lists are where the segments' middles lie along the chain's arc, ascending.  The ends are
    matched to each other, so that the topmost bone follows the topmost joint exactly; equally
    many bones and joints go one to one.
    """
    bones, joints = np.asarray(bone_middles, float), np.asarray(joint_middles, float)
    if len(bones) == len(joints):
        return [(i, 0.0) for i in range(len(bones))]
    if len(bones) > 1 and bones[-1] > bones[0]:
        at = (bones - bones[0]) / (bones[-1] - bones[0])
        bones = joints[0] + at * (joints[-1] - joints[0])
    place = np.interp(bones, joints, np.arange(len(joints)))
    whole = np.round(place)
    place = np.where(np.abs(place - whole) < 1e-9, whole, place)
    low = place.astype(int)
    return [(int(i), float(p - i)) for i, p in zip(low, place, strict=True)]


def shared(bone_middles: Sequence[float]) -> list[tuple[int, float]]:
    """Places of a neck's bones between chest (0), neck (1) and head (2), like :func:`spread`.

    A lone bone is the neck; of several, those below its middle go from the chest to the neck, the
    others on to the head, so that every bone has its part of the bend.
    """
    if len(bone_middles) == 1:
        return [(1, 0.0)]
    places = [2.0 * float(np.clip(middle, 0.0, 1.0)) for middle in bone_middles]
    return [(min(int(place), 1), place - min(int(place), 1)) for place in places]
