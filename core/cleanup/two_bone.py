"""Two-bone inverse kinematics in closed form, vectorised over frames, numpy only."""

from dataclasses import dataclass

import numpy as np

from ..rotations import (
    normalize,
    quaternion_between,
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)

#: How strongly the hinge axis decides where the limb is nearly straight: it rules below the sine of
#: about 3 degrees of bend, where the plane of the three joints is mostly noise.
_HINGE_WEIGHT = 0.05
_TINY = 1e-9


@dataclass(frozen=True)
class TwoBoneSolution:
    """Turns to be put before the global rotations of the two bones, and where the joints end.

    upper, lower: [T, 4] quaternions; middle, end: [T, 3].
    """

    upper: np.ndarray
    lower: np.ndarray
    middle: np.ndarray
    end: np.ndarray


def solve_two_bones(
    root: np.ndarray,
    middle: np.ndarray,
    end: np.ndarray,
    target: np.ndarray,
    hinge: np.ndarray,
    hinge_weight: float = _HINGE_WEIGHT,
) -> TwoBoneSolution:
    """Bend and swing root-middle-end (hip, knee, ankle) so that the end reaches the target.

    All [T, 3].  ``hinge`` is the axis about which the middle joint bends, for limbs that are nearly
    straight; bent ones keep the plane they are in, turned by the smallest rotation that takes the
    old direction of the end into the new one.  A target out of reach is approached in its
    direction, with the limb straight; one too near (thigh and shin differ) likewise.
    ``hinge_weight`` is the sine of the bend below which the hinge rules.
    """
    thigh, shin = _length(middle - root), _length(end - middle)
    old, new = normalize(end - root), normalize(target - root)
    new = np.where(_length(target - root) < _TINY, old, new)
    normal = _plane_normal(middle - root, end - middle, old, hinge_weight * normalize(hinge))
    swing = quaternion_between(old, new)
    new_normal = quaternion_rotate(swing, normal)
    side = np.cross(new, new_normal)  # towards the knee
    distance = np.clip(_length(target - root), np.abs(thigh - shin) + _TINY, thigh + shin)
    along = (thigh**2 - shin**2 + distance**2) / (2.0 * distance)
    across = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    new_middle = root + along * new + across * side
    new_end = root + distance * new
    old_side = np.cross(old, normal)
    upper = _turn(swing, middle - root, new_middle - root, (old, old_side), (new, side))
    lower = _turn(swing, end - middle, new_end - new_middle, (old, old_side), (new, side))
    return TwoBoneSolution(upper, lower, new_middle, new_end)


def _plane_normal(
    upper: np.ndarray, lower: np.ndarray, direction: np.ndarray, hinge: np.ndarray
) -> np.ndarray:
    """Unit axis [T, 3] of the bend, perpendicular to the direction from root to end."""
    axis = np.cross(normalize(upper), normalize(lower)) + hinge
    axis = axis - np.sum(axis * direction, axis=-1, keepdims=True) * direction
    return normalize(axis)


def _turn(
    swing: np.ndarray,
    old_bone: np.ndarray,
    new_bone: np.ndarray,
    old_plane: tuple[np.ndarray, np.ndarray],
    new_plane: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The rotation [T, 4] of one bone: the swing, a bend within the plane, and an exact rest."""
    before = _angle(old_bone, *old_plane)
    after = _angle(new_bone, *new_plane)
    axis = np.cross(*new_plane)
    bend = rotation_vector_to_quaternion((after - before)[..., None] * axis)
    turn = quaternion_multiply(bend, swing)
    # Nothing for a bone in the plane; a nearly straight limb may stand a little out of it.
    rest = quaternion_between(quaternion_rotate(turn, old_bone), new_bone)
    return quaternion_multiply(rest, turn)


def _angle(bone: np.ndarray, along: np.ndarray, side: np.ndarray) -> np.ndarray:
    return np.arctan2(np.sum(bone * side, axis=-1), np.sum(bone * along, axis=-1))


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1, keepdims=True)
