"""Joint rotations from joint positions, for layouts that store positions only."""

import numpy as np

from ..rotations import (
    matrix_to_quaternion,
    quaternion_between,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)
from ..skeleton import Skeleton


def fit_rotations(positions: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Global rotations [T, J, 4] and rest offsets [J, 3] that reproduce positions [T, J, 3].

    A joint with several children takes the rotation that fits their directions best (Kabsch 1976);
    one with a single child swings with it and takes no twist of its own; a leaf follows its parent.
    The offsets are the mean bones in those frames, so bones of constant length come back exactly.
    """
    frames = len(positions)
    globals_ = np.zeros((frames, skeleton.joint_count, 4))
    globals_[..., 0] = 1.0
    offsets = skeleton.rest_offsets.copy()
    for joint, parent in enumerate(skeleton.parents):
        before = globals_[:, max(parent, 0)]
        children = skeleton.children(joint)
        bones = positions[:, children] - positions[:, joint, None]
        rest = skeleton.rest_offsets[children]
        if len(children) > 1:
            globals_[:, joint] = _kabsch(rest, bones)
        elif children:
            swing = quaternion_between(quaternion_rotate(before, rest[0]), bones[:, 0])
            globals_[:, joint] = quaternion_multiply(swing, before)
        else:
            globals_[:, joint] = before
        back = quaternion_conjugate(globals_[:, joint, None])
        offsets[children] = quaternion_rotate(back, bones).mean(axis=0)
    return globals_, offsets


def _kabsch(rest: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Rotations [T, 4] that turn the vectors rest [N, 3] onto bones [T, N, 3], least squares."""
    u, _, vt = np.linalg.svd(np.einsum("tni,nj->tij", bones, rest))
    flip = np.ones((len(bones), 3))
    flip[:, 2] = np.linalg.det(u @ vt)
    return matrix_to_quaternion((u * flip[:, None]) @ vt)
