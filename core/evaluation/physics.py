"""Physical soundness of motions on the canonical skeleton, numpy only: metres and seconds.

The same rules for every row of a table, whatever its source says about contacts itself.
"""

from collections.abc import Iterable

import numpy as np

from ..motion import Motion
from ..retarget.body_frame import TOE_HEIGHT
from .joint_limits import impossible_frames

#: A toe joint lower than this stands or passes low (it rests 2 cm above the floor).
STANDING_HEIGHT = 0.05
#: One that is low and slower than this stands; above, a real foot swings (m/s).
STANDING_SPEED = 0.8

FIGURES = (
    "sliding",
    "sliding_low",
    "penetration",
    "acceleration",
    "jerk",
    "bones",
    "impossible",
)


def clip_physics(motion: Motion) -> dict[str, float]:
    """The figures of one clip; nan where it has nothing to measure them on.

    sliding: mean horizontal speed of toe joints in contact (lower than ``STANDING_HEIGHT`` and
    slower than ``STANDING_SPEED``).  sliding_low: the same by height alone.  penetration: mean over
    frames of how deep the deepest sole (``TOE_HEIGHT`` below its joint) or other joint is below the
    floor.  acceleration, jerk: mean length over joints and frames.  bones: greatest change of a
    bone's length over the clip.  impossible: share of frames (joint_limits.py).
    """
    positions = motion.positions()
    toes = [motion.skeleton.index(f"{side}_foot") for side in ("left", "right")]
    steps = np.diff(positions[:, toes], axis=0) * motion.fps
    across = np.linalg.norm(steps[..., [0, 2]], axis=-1)
    low = positions[:-1, toes, 1] < STANDING_HEIGHT
    standing = low & (np.linalg.norm(steps, axis=-1) < STANDING_SPEED)
    heights = positions[..., 1].copy()
    heights[:, toes] -= TOE_HEIGHT
    return {
        "sliding": 100.0 * _mean(across[standing]),
        "sliding_low": 100.0 * _mean(across[low]),
        "penetration": 1000.0 * _mean(np.maximum(0.0, -heights.min(axis=1))),
        "acceleration": _rate(positions, motion.fps, 2),
        "jerk": _rate(positions, motion.fps, 3),
        "bones": bone_change(positions, motion.skeleton.parents),
        "impossible": 100.0 * _mean(impossible_frames(motion)),
    }


def mean_physics(clips: Iterable[dict[str, float]]) -> dict[str, float]:
    """Means over the clips that have a figure; nan where none has."""
    table = list(clips)
    values = {name: np.array([clip[name] for clip in table]) for name in FIGURES}
    return {name: _mean(column[np.isfinite(column)]) for name, column in values.items()}


def bone_change(positions: np.ndarray, parents: Iterable[int]) -> float:
    """Greatest deviation of a bone's length from its mean, in percent, of positions [T, J, 3].

    Nought for rotations on a rigid skeleton; files with moving joints, and positions, may differ.
    """
    bones = [(joint, parent) for joint, parent in enumerate(parents) if parent >= 0]
    ends, starts = zip(*bones, strict=True)
    lengths = np.linalg.norm(positions[:, list(ends)] - positions[:, list(starts)], axis=-1)
    mean = lengths.mean(0)
    there = mean > 1e-6
    if not there.any():
        return float("nan")
    return float(100.0 * (np.abs(lengths - mean)[:, there] / mean[there]).max())


def _rate(positions: np.ndarray, fps: float, order: int) -> float:
    """Mean length of the joints' derivative of an order, over joints and frames."""
    change = np.diff(positions, n=order, axis=0) * fps**order
    return _mean(np.linalg.norm(change, axis=-1))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")
