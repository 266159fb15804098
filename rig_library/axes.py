"""How the bones of a rig are turned at rest, and how its armature stands in the world."""

from collections.abc import Mapping

import numpy as np

from core.coordinates import BLENDER_TO_CANONICAL
from core.rotations import normalize, quaternion_to_matrix, rotation_vector_to_quaternion

FORWARD = np.array([0.0, 0.0, 1.0])
UP = np.array([0.0, 1.0, 0.0])
_EMPTY_TURN = (0.0, 35.0, 0.0)
_EMPTY_SCALE = 1.4
_EMPTY_LOCATION = (0.7, 0.0, -0.4)


def _matrix(rotation: np.ndarray, unit: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * unit
    return matrix


#: From armature space to the canonical world.  Files with Y up stand below an object turned by 90
#: degrees; files in centimetres below an object scaled by 0.01.
PLACEMENTS: Mapping[str, np.ndarray] = {
    "blender": _matrix(BLENDER_TO_CANONICAL, 1.0),
    "mmd": _matrix(BLENDER_TO_CANONICAL, 0.08),
    "gltf": _matrix(np.eye(3), 1.0),
    "fbx_metres": _matrix(np.eye(3), 1.0),
    "fbx_centimetres": _matrix(np.eye(3), 0.01),
    "fbx_z_up": _matrix(BLENDER_TO_CANONICAL, 0.01),
    "bvh_centimetres": _matrix(np.eye(3), 0.01),
    "bvh_inches": _matrix(np.eye(3), 0.0254 / 0.45),
    "source_inches": _matrix(BLENDER_TO_CANONICAL, 0.0254),
}


def empty() -> np.ndarray:
    """The turned and scaled parent [4, 4] of an armature, in the canonical world."""
    turn = rotation_vector_to_quaternion(np.radians(np.array(_EMPTY_TURN)))
    matrix = _matrix(quaternion_to_matrix(turn), _EMPTY_SCALE)
    matrix[:3, 3] = _EMPTY_LOCATION
    return matrix


def heading(degrees: float) -> np.ndarray:
    """A turn [4, 4] about the vertical."""
    turn = rotation_vector_to_quaternion(np.array([0.0, np.radians(degrees), 0.0]))
    return _matrix(quaternion_to_matrix(turn), 1.0)


def along(direction: np.ndarray, roll: float) -> np.ndarray:
    """Y along the bone, Z as far forwards as may be (upwards for feet), rolled by radians."""
    y = normalize(direction)
    hint = FORWARD if abs(y @ FORWARD) < 0.8 else UP
    z = normalize(hint - hint @ y * y)
    x = np.cross(y, z)
    cos, sin = np.cos(roll), np.sin(roll)
    return np.stack([cos * x - sin * z, y, sin * x + cos * z], axis=-1)


def unreal(direction: np.ndarray, mirrored: bool, roll: float) -> np.ndarray:
    """X along the bone, against it on the mirrored side; Blender then shows it sticking out."""
    x, y, z = along(direction, roll).T
    sign = -1.0 if mirrored else 1.0
    return np.stack([sign * y, -sign * x, z], axis=-1)


def scattered(rng: np.random.Generator) -> np.ndarray:
    """Any rotation at all."""
    columns, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    if np.linalg.det(columns) < 0.0:
        columns[:, 0] = -columns[:, 0]
    return columns
