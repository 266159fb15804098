"""Pose basis quaternions as the channels of a bone's own rotation mode, continuous in time."""

import numpy as np

from ..rotations import continuous_euler, make_continuous, quaternion_to_matrix


def rotation_channels(basis: np.ndarray, mode: str) -> tuple[str, np.ndarray]:
    """Blender's channel name and its values [T, C] for pose basis quaternions [T, 4].

    ``mode`` is a Blender rotation mode: QUATERNION, AXIS_ANGLE, or an Euler order such as XYZ
    (X turns first).
    """
    if mode == "QUATERNION":
        return "rotation_quaternion", make_continuous(basis)
    if mode == "AXIS_ANGLE":
        return "rotation_axis_angle", axis_angles(basis)
    return "rotation_euler", eulers(basis, mode)


def eulers(basis: np.ndarray, order: str) -> np.ndarray:
    """Continuous Euler angles [T, 3] in radians, columns x, y, z whatever the order."""
    # Blender's XYZ turns about X first, so its matrix is Rz Ry Rx: our order, backwards.
    found = continuous_euler(quaternion_to_matrix(basis), order[::-1])
    named = np.empty_like(found)
    named[:, ["XYZ".index(axis) for axis in order[::-1]]] = found
    return named


def axis_angles(basis: np.ndarray) -> np.ndarray:
    """Continuous angle and unit axis [T, 4] (angle first, radians)."""
    q = make_continuous(basis)
    sines = np.linalg.norm(q[:, 1:], axis=-1)
    angles = 2.0 * np.arctan2(sines, q[:, 0])
    turned = np.flatnonzero(sines > 1e-9)
    # Axes do not turn round; where nothing turns, the axis before stays.
    axes = np.concatenate([[[0.0, 1.0, 0.0]], q[turned, 1:] / sines[turned, None]])
    signs = np.cumprod(np.where(np.sum(axes[1:] * axes[:-1], axis=-1) < 0.0, -1.0, 1.0))
    axes[1:] *= signs[:, None]
    angles[turned] *= signs
    last = np.searchsorted(turned, np.arange(len(q)), side="right")
    unwound = np.unwrap(np.concatenate([[0.0], angles]))[1:]
    return np.concatenate([unwound[:, None], axes[last]], axis=-1)
