"""The one owner of axes, units and quaternion order.

Canonical frame (the engine's): right-handed, Y up, the body faces +Z, its left is +X, metres.
Blender frame: right-handed, Z up, characters face -Y, their left is +X, metres.
Quaternions everywhere are (w, x, y, z), which is also Blender's order.
"""

import numpy as np

CENTIMETRES_PER_METRE = 100.0

#: Rotation matrix that takes canonical vectors to Blender vectors: (x, y, z) -> (x, -z, y).
CANONICAL_TO_BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
BLENDER_TO_CANONICAL = CANONICAL_TO_BLENDER.T

UP = np.array([0.0, 1.0, 0.0])
FORWARD = np.array([0.0, 0.0, 1.0])
LEFT = np.array([1.0, 0.0, 0.0])


def vectors_to_blender(vectors: np.ndarray) -> np.ndarray:
    """Canonical vectors [..., 3] in Blender's frame."""
    return vectors @ CANONICAL_TO_BLENDER.T


def vectors_to_canonical(vectors: np.ndarray) -> np.ndarray:
    """Blender vectors [..., 3] in the canonical frame."""
    return vectors @ BLENDER_TO_CANONICAL.T


def matrices_to_blender(rotations: np.ndarray) -> np.ndarray:
    """Canonical rotation matrices [..., 3, 3] expressed in Blender's frame (a change of basis)."""
    return CANONICAL_TO_BLENDER @ rotations @ BLENDER_TO_CANONICAL


def matrices_to_canonical(rotations: np.ndarray) -> np.ndarray:
    """Blender rotation matrices [..., 3, 3] expressed in the canonical frame."""
    return BLENDER_TO_CANONICAL @ rotations @ CANONICAL_TO_BLENDER


def xyzw_to_wxyz(quaternions: np.ndarray) -> np.ndarray:
    """Reorder scalar-last quaternions (glTF, SciPy) [..., 4]."""
    return np.roll(quaternions, 1, axis=-1)


def wxyz_to_xyzw(quaternions: np.ndarray) -> np.ndarray:
    """Reorder scalar-first quaternions [..., 4] to scalar-last."""
    return np.roll(quaternions, -1, axis=-1)


def metres_to_centimetres(lengths: np.ndarray) -> np.ndarray:
    """BVH files and the SnapMoGen layout are in centimetres."""
    return lengths * CENTIMETRES_PER_METRE


def centimetres_to_metres(lengths: np.ndarray) -> np.ndarray:
    """Inverse of :func:`metres_to_centimetres`."""
    return lengths / CENTIMETRES_PER_METRE
