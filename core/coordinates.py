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


def metres_to_centimetres(lengths: np.ndarray) -> np.ndarray:
    """BVH files and the SnapMoGen layout are in centimetres."""
    return lengths * CENTIMETRES_PER_METRE


def centimetres_to_metres(lengths: np.ndarray) -> np.ndarray:
    """Inverse of :func:`metres_to_centimetres`."""
    return lengths / CENTIMETRES_PER_METRE
