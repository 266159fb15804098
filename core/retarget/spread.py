"""Arms and legs held further out than in the motion, for bodies broader or thinner than its.

Hanging arms and standing legs take the whole correction; it fades out for limbs that are raised,
whose places mean something.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..rotations import (
    normalize,
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)
from .bone_map import SIDES
from .pose import JointPose

if TYPE_CHECKING:
    from .transfer import Retargeter

DOWN, FORWARD = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])

#: Cosines of the angle between a limb and the trunk's down: nothing at the first (limbs raised by
#: more than 85 degrees; legs by 70), everything from the second on (35 degrees; 25).
_ARM_HANGS = (0.1, 0.82)
_LEG_STANDS = (0.35, 0.9)
#: Feet that differ less in height than this (metres, canonical size) both keep the ground.
_EVEN = 0.02


def limbs_spread(
    retargeter: "Retargeter", pose: JointPose, arm_spread: float, leg_spread: float
) -> JointPose:
    """The pose with arms and legs further out (degrees, negative: in).

    Feet keep their turns, so soles stay flat, and the hips go down as far as the feet would rise.
    """
    if arm_spread:
        pose = _arms(retargeter, pose, np.radians(arm_spread))
    if leg_spread and len(pose.turns):
        pose = _legs(retargeter, pose, np.radians(leg_spread))
    return pose


def _arms(retargeter: "Retargeter", pose: JointPose, angle: float) -> JointPose:
    index, rest = retargeter.skeleton.index, retargeter.skeleton.rest_offsets
    turns = pose.turns.copy()
    chest = turns[:, index("spine3")].copy()
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        upper = normalize(rest[index(f"{side}_elbow")])
        line = quaternion_rotate(turns[:, index(f"{side}_shoulder")], upper)
        out = _outwards(chest, line, sign * angle, _ARM_HANGS)
        for part in ("shoulder", "elbow", "wrist"):
            joint = index(f"{side}_{part}")
            turns[:, joint] = quaternion_multiply(out, turns[:, joint])
    return replace(pose, turns=turns)


def _legs(retargeter: "Retargeter", pose: JointPose, angle: float) -> JointPose:
    index = retargeter.skeleton.index
    names = [retargeter.bone_map.bone(f"{s}_{p}") for s in SIDES for p in ("hip", "ankle")]
    places = retargeter.bone_heads(pose, [retargeter.rig.index(name) for name in names if name])
    turns = pose.turns.copy()
    pelvis = turns[:, index("pelvis")].copy()
    before, after = [], []
    for column, (side, sign) in enumerate(zip(SIDES, (1.0, -1.0), strict=True)):
        hip, ankle = places[:, 2 * column], places[:, 2 * column + 1]
        out = _outwards(pelvis, normalize(ankle - hip), sign * angle, _LEG_STANDS)
        for part in ("hip", "knee"):
            joint = index(f"{side}_{part}")
            turns[:, joint] = quaternion_multiply(out, turns[:, joint])
        before.append(ankle[:, 1])
        after.append((hip + quaternion_rotate(out, ankle - hip))[:, 1])
    even = _EVEN * retargeter.body.scale
    risen = _lowest(np.array(after), even) - _lowest(np.array(before), even)
    return replace(pose, turns=turns, hips=pose.hips + risen[:, None] * DOWN)


def _outwards(
    trunk: np.ndarray, line: np.ndarray, angle: float, hanging: tuple[float, float]
) -> np.ndarray:
    """Turn [T, 4] of a limb about the trunk's forward axis, less for raised ones."""
    down = np.sum(line * quaternion_rotate(trunk, DOWN), axis=-1)
    t = np.clip((down - hanging[0]) / (hanging[1] - hanging[0]), 0.0, 1.0)
    weight = t * t * (3.0 - 2.0 * t)
    axis = quaternion_rotate(trunk, FORWARD)
    return rotation_vector_to_quaternion((angle * weight)[:, None] * axis)


def _lowest(heights: np.ndarray, even: float) -> np.ndarray:
    """The smaller of two heights [2, T], smoothly where they are nearly the same."""
    lowest = heights.min(axis=0)
    lower: np.ndarray = lowest - even * np.log(np.exp(-(heights - lowest) / even).sum(axis=0))
    return lower
