"""Matrices over time as keys of an object or a bone."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from .. import compat
from .._core import rotations

_SMALL = 1e-6
#: Share of its way by which single precision lets an object tremble that stays where it is.
_STILL = 1e-5


def rigid(world: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Way and turn [T, 4, 4] of an object in the new unit, and what is left: its size."""
    scaled = np.diag([unit, unit, unit, 1.0]) @ world
    at = np.tile(np.eye(4), (len(world), 1, 1))
    at[:, :3, :3] = nearest_rotations(scaled[:, :3, :3])
    at[:, :3, 3] = scaled[:, :3, 3]
    return at, np.linalg.inv(at) @ scaled


def key_transform(
    writer: compat.ActionWriter,
    path: str,
    group: str,
    frames: np.ndarray,
    matrices: np.ndarray,
    always: bool = False,
) -> np.ndarray:
    """Keys of location, quaternion and scale for matrices [T, 4, 4], where they are not at rest.

    The matrices that the keys make: the same without their shear.
    """
    axes = matrices[:, :3, :3]
    scale = np.linalg.norm(axes, axis=-2)
    scale[:, 0] *= np.where(np.linalg.det(axes) < 0.0, -1.0, 1.0)
    turns = rotations.matrix_to_quaternion(nearest_rotations(axes / scale[:, None]))
    channels = (
        ("location", matrices[:, :3, 3], (0.0, 0.0, 0.0)),
        ("rotation_quaternion", rotations.make_continuous(turns), (1.0, 0.0, 0.0, 0.0)),
        ("scale", scale, (1.0, 1.0, 1.0)),
    )
    for name, values, rest in channels:
        if always or np.abs(values - np.array(rest)).max(initial=0.0) > _SMALL:
            for column in range(values.shape[1]):
                writer.add_curve(path + name, column, group, frames, values[:, column])
    made = matrices.copy()
    made[:, :3, :3] = rotations.quaternion_to_matrix(turns) * scale[:, None]
    return made


def nearest_rotations(axes: np.ndarray) -> np.ndarray:
    """Rotations [..., 3, 3] nearest to axes that shear or are mirrored."""
    u, _, vt = np.linalg.svd(axes)
    u[np.linalg.det(u @ vt) < 0.0, :, -1] *= -1.0
    return np.asarray(u @ vt)


def place(
    o: bpy.types.Object, frames: np.ndarray, matrices: np.ndarray, name: str
) -> bpy.types.Action | None:
    """Put an object where matrices [T, 4, 4] say; the action with its keys, if it moves."""
    o.rotation_mode = "QUATERNION"
    o.matrix_basis = Matrix(matrices[0])
    if np.abs(matrices - matrices[0]).max() <= _STILL * np.abs(matrices).max():
        return None
    writer = compat.ActionWriter.new(o, name)
    key_transform(writer, "", o.name, frames, matrices, always=True)
    writer.assign(o)
    return writer.action
