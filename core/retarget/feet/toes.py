"""Toes that bend: flat on the floor while the heel lifts, numpy only."""

from dataclasses import replace

import numpy as np

from ...cleanup.filters import runs
from ...rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    slerp,
)
from .easing import nearness
from .foot import RigFoot
from .shape import UP

#: The soles of a foot whose upward axis points up less than this (cosine) face backwards, as those
#: of who kneels: such toes may lie as they like.  From there on they are held out of the floor.
_BACKWARDS, _TURNING = -0.1, 0.3


def toes_on_floor(foot: RigFoot, before: np.ndarray) -> RigFoot:
    """Standing toes flat on the floor while the heel lifts, and never in it.

    ``before`` [T, 4] is the rotation the foot had: where it was changed the toes go with it.
    """
    change = quaternion_multiply(foot.rotation, quaternion_conjugate(before))
    carried = np.any(foot.rotation != before, axis=-1)[:, None]
    toes = np.where(carried, quaternion_multiply(change, foot.toe_rotation), foot.toe_rotation)
    flat = foot.toe_stands & (foot.standing.elevated < 0.5)
    for first, last in runs(foot.toe_stands):
        flat[first : last + 1] &= bool(foot.standing.sole_down[first : last + 1].mean() > 0.5)
    # Off the floor they straighten again, no faster than it lets them.
    level = _level(foot)
    tip, lifted = (quaternion_rotate(turn, foot.shape.tip)[:, 1] for turn in (toes, level))
    short = foot.shape.sole - foot.toe[:, 1] - tip
    needed = np.clip(short / np.maximum(lifted - tip, 1e-9), 0.0, 1.0)
    upright = quaternion_rotate(foot.rotation, UP)[:, 1]
    needed *= np.clip((upright - _BACKWARDS) / _TURNING, 0.0, 1.0)
    share = np.maximum(nearness(flat, foot.fps), needed)
    turned = slerp(toes, level, share)
    return replace(foot, toe_rotation=np.where((share > 0.0)[:, None], turned, toes))


def _level(foot: RigFoot) -> np.ndarray:
    """Rotation [T, 4] of toes that lie flat and point where the foot does, however steep it is."""
    ahead, up = (quaternion_rotate(foot.rotation, axis) for axis in (np.eye(3)[2], UP))
    heading = normalize((ahead + up) * [1.0, 0.0, 1.0])
    axes = np.stack([np.cross(UP, heading), np.broadcast_to(UP, heading.shape), heading], axis=-1)
    return matrix_to_quaternion(axes)
