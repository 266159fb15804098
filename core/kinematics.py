"""Forward kinematics, vectorised over frames, numpy only."""

from collections.abc import Sequence

import numpy as np

from .rotations import quaternion_conjugate, quaternion_multiply, quaternion_rotate


def global_rotations(local: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Global joint rotations [..., J, 4] of local ones (relative to the parent)."""
    result = np.empty_like(local)
    for joint, parent in enumerate(parents):
        own = local[..., joint, :]
        result[..., joint, :] = (
            own if parent < 0 else quaternion_multiply(result[..., parent, :], own)
        )
    return result


def local_rotations(globals_: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Inverse of :func:`global_rotations`."""
    parent_index = np.maximum(np.asarray(parents), 0)
    local = quaternion_multiply(quaternion_conjugate(globals_[..., parent_index, :]), globals_)
    roots = np.asarray(parents) < 0
    local[..., roots, :] = globals_[..., roots, :]
    return local


def joint_positions(
    globals_: np.ndarray, root_positions: np.ndarray, parents: Sequence[int], offsets: np.ndarray
) -> np.ndarray:
    """Joint positions [..., J, 3] from global rotations [..., J, 4] and root positions [..., 3].

    ``offsets`` [J, 3] are the rest offsets from the parent; the root's own offset is not used.
    """
    positions = np.empty((*globals_.shape[:-1], 3), dtype=globals_.dtype)
    for joint, parent in enumerate(parents):
        if parent < 0:
            positions[..., joint, :] = root_positions
        else:
            turned = quaternion_rotate(globals_[..., parent, :], offsets[joint])
            positions[..., joint, :] = positions[..., parent, :] + turned
    return positions
