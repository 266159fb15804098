"""Simple physical figures of motions, numpy only: jitter and sliding feet."""

from collections.abc import Iterable

import numpy as np

from ..motion import Motion

#: A toe joint lower than this stands (it rests 2 cm above the floor).
STANDING_HEIGHT = 0.05


def mean_acceleration(motions: Iterable[Motion]) -> float:
    """Mean length of the joints' acceleration in m/s², over joints, frames and then clips."""
    each = []
    for motion in motions:
        if motion.frame_count > 2:
            steps = np.diff(motion.positions(), n=2, axis=0) * motion.fps**2
            each.append(np.linalg.norm(steps, axis=-1).mean())
    return float(np.mean(each)) if each else float("nan")


def foot_sliding(motions: Iterable[Motion]) -> float:
    """Mean horizontal speed in cm/s of toe joints while low, over the clips that have any such."""
    each = []
    for motion in motions:
        toes = [motion.skeleton.index(f"{side}_foot") for side in ("left", "right")]
        positions = motion.positions()[:, toes]
        speed = np.linalg.norm(np.diff(positions[..., [0, 2]], axis=0), axis=-1) * motion.fps
        standing = positions[:-1, :, 1] < STANDING_HEIGHT
        if standing.any():
            each.append(100.0 * speed[standing].mean())
    return float(np.mean(each)) if each else float("nan")
