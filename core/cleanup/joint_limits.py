"""What no body can do is taken out: knees bent backwards and toes turned over; numpy only.

Generated legs that should be straight come out bent a few degrees the wrong way, and whatever
shortens them to reach a foot afterwards would bend them further that way.  Toe joints may be turned
about the foot's own length: some captured motion counts that roll from elsewhere.
"""

from dataclasses import replace

import numpy as np

from ..motion import Motion
from ..rotations import (
    make_continuous,
    normalize,
    quaternion_between,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)
from ..skeleton import Skeleton
from .legs import Leg, legs_of

_HINGE, _UP, _AHEAD = np.eye(3)

#: Captured legs are straight within this (radians); a knee approaches that end of its way softly.
_STRAIGHT, _SOFT = np.radians(-2.0), np.radians(4.0)
#: A hinge that bends further back than this is no knee that is straight: a body that lies folded
#: in itself, or a thigh that is rolled round.  Such legs are left alone.
_NO_KNEE = np.radians(60.0)
#: How far toes bend up, down and aside, and roll (radians).
_TOES_UP, _TOES_DOWN, _TOES_ASIDE, _TOES_ROLL = np.radians([75.0, 50.0, 25.0, 20.0])


def within_limits(motion: Motion) -> Motion:
    """The motion with knees that do not bend backwards and toes that lie in front of their feet.

    Ankles keep their direction from the hips, feet their rotation in the world.
    """
    rotations = motion.rotations.copy()
    for leg in legs_of(motion.skeleton):
        _straighten_knee(rotations, leg, motion.skeleton)
        _turn_toes_back(rotations, leg)
    return replace(motion, rotations=rotations)


def _straighten_knee(rotations: np.ndarray, leg: Leg, skeleton: Skeleton) -> None:
    thigh, shin = skeleton.rest_offsets[leg.knee], skeleton.rest_offsets[leg.ankle]
    hip, knee, ankle = (rotations[:, joint].copy() for joint in (leg.hip, leg.knee, leg.ankle))
    down = quaternion_rotate(knee, shin)
    rest = np.arctan2(-thigh[2], -thigh[1])
    bend = np.arctan2(-down[:, 2], -down[:, 1]) - rest
    bend = (bend + np.pi) % (2.0 * np.pi) - np.pi
    wrong = (bend < _STRAIGHT + _SOFT) & (bend > -_NO_KNEE)
    if not wrong.any():
        return
    # Up to the soft end as it is, then ever less, never beyond straight.
    within = (_STRAIGHT + _SOFT - bend) / _SOFT
    allowed = _STRAIGHT + _SOFT / (1.0 + np.maximum(within, 0.0))
    turn = rotation_vector_to_quaternion(np.where(wrong, allowed - bend, 0.0)[:, None] * _HINGE)
    new_knee = quaternion_multiply(turn, knee)
    before, after = thigh + down, thigh + quaternion_rotate(new_knee, shin)
    new_hip = quaternion_multiply(hip, quaternion_between(normalize(after), normalize(before)))
    # The foot keeps its rotation in the world.
    shin_was, shin_is = quaternion_multiply(hip, knee), quaternion_multiply(new_hip, new_knee)
    new_ankle = quaternion_multiply(
        quaternion_conjugate(shin_is), quaternion_multiply(shin_was, ankle)
    )
    for joint, new in ((leg.hip, new_hip), (leg.knee, new_knee), (leg.ankle, new_ankle)):
        rotations[wrong, joint] = normalize(new[wrong])
        rotations[:, joint] = make_continuous(rotations[:, joint])


def _turn_toes_back(rotations: np.ndarray, leg: Leg) -> None:
    toes = rotations[:, leg.toe]
    ahead = quaternion_rotate(toes, _AHEAD)
    aside = np.arcsin(np.clip(ahead[:, 0], -1.0, 1.0))
    up = np.arctan2(ahead[:, 1], ahead[:, 2])
    unrolled = _pointing(aside, up)
    rolled = quaternion_multiply(quaternion_conjugate(unrolled), toes)
    roll = 2.0 * np.arctan2(rolled[:, 3], rolled[:, 0])
    roll = (roll + np.pi) % (2.0 * np.pi) - np.pi
    inside = (np.abs(aside) <= _TOES_ASIDE) & (up <= _TOES_UP) & (up >= -_TOES_DOWN)
    wrong = ~inside | (np.abs(roll) > _TOES_ROLL)
    if not wrong.any():
        return
    # Toes that are turned right over are as good as not rolled at all.
    least = np.minimum(np.abs(roll), _TOES_ROLL * (np.pi - np.abs(roll)) / (np.pi - _TOES_ROLL))
    aside, up = np.clip(aside, -_TOES_ASIDE, _TOES_ASIDE), np.clip(up, -_TOES_DOWN, _TOES_UP)
    kept = rotation_vector_to_quaternion((np.sign(roll) * least)[:, None] * _AHEAD)
    rotations[wrong, leg.toe] = quaternion_multiply(_pointing(aside, up), kept)[wrong]
    rotations[:, leg.toe] = make_continuous(rotations[:, leg.toe])


def _pointing(aside: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Turns [T, 4] that take straight ahead so far up, and so far aside."""
    lift = rotation_vector_to_quaternion(-up[:, None] * _HINGE)
    return quaternion_multiply(lift, rotation_vector_to_quaternion(aside[:, None] * _UP))
