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
    low = np.minimum(place.astype(int), len(joints) - 2)
    return [(int(i), float(p - i)) for i, p in zip(low, place, strict=True)]
