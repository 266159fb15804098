"""What no body can do is taken out: limbs bent backwards and toes turned over; numpy only.

Generated limbs that should be straight come out bent the wrong way, and whatever shortens a leg to
reach a foot afterwards would bend it further that way.  Toe joints may be turned
about the foot's own length: some captured motion counts that roll from elsewhere.
"""

from dataclasses import dataclass, replace

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

_LEFT, _UP, _AHEAD = np.eye(3)

#: Where captured limbs are straight, and how softly they get there (radians).
_KNEE = (np.radians(-2.0), np.radians(4.0))
_ELBOW = (np.radians(-8.0), np.radians(8.0))
#: What bends further back is not straight but folded, or rolled round above, and is left alone.
_NO_HINGE = np.radians(60.0)
#: How far toes bend up, down and aside, and roll (radians).
_TOES_UP, _TOES_DOWN, _TOES_ASIDE, _TOES_ROLL = np.radians([75.0, 50.0, 25.0, 20.0])


@dataclass(frozen=True)
class _Hinge:
    """A limb by its joints, the axis about which its lower bone bends, and how soft its end is."""

    joints: tuple[int, int, int]
    axis: np.ndarray
    straight: float
    soft: float


def within_limits(motion: Motion) -> Motion:
    """The motion without knees and elbows that bend backwards, and with toes in front of feet.

    Ankles and wrists keep their direction from hips and shoulders, feet and hands their rotation in
    the world.
    """
    rotations = motion.rotations.copy()
    for hinge in _hinges(motion.skeleton):
        _straighten(rotations, hinge, motion.skeleton)
    for leg in legs_of(motion.skeleton):
        _turn_toes_back(rotations, leg)
    return replace(motion, rotations=rotations)


def _hinges(skeleton: Skeleton) -> list[_Hinge]:
    """Knees and elbows; axes in the T-pose, about which they bend as they should."""
    found = [_Hinge((leg.hip, leg.knee, leg.ankle), _LEFT, *_KNEE) for leg in legs_of(skeleton)]
    for side, axis in (("left", -_UP), ("right", _UP)):
        shoulder, elbow, wrist = (
            skeleton.index(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist")
        )
        found.append(_Hinge((shoulder, elbow, wrist), axis, *_ELBOW))
    return found


def _straighten(rotations: np.ndarray, hinge: _Hinge, skeleton: Skeleton) -> None:
    root, middle, end = hinge.joints
    upper, lower = skeleton.rest_offsets[middle], skeleton.rest_offsets[end]
    first, second, third = (rotations[:, joint].copy() for joint in hinge.joints)
    bent = quaternion_rotate(second, lower)
    along = normalize(upper - (upper @ hinge.axis) * hinge.axis)
    bend = np.arctan2(bent @ np.cross(hinge.axis, along), bent @ along)
    wrong = (bend < hinge.straight + hinge.soft) & (bend > -_NO_HINGE)
    if not wrong.any():
        return
    # Up to the soft end as it is, then ever less, never beyond straight.
    within = np.maximum(hinge.straight + hinge.soft - bend, 0.0) / hinge.soft
    allowed = hinge.straight + hinge.soft / (1.0 + within)
    turn = np.where(wrong, allowed - bend, 0.0)[:, None] * hinge.axis
    new_second = quaternion_multiply(rotation_vector_to_quaternion(turn), second)
    before, after = upper + bent, upper + quaternion_rotate(new_second, lower)
    swing = quaternion_between(normalize(after), normalize(before))
    new_first = quaternion_multiply(first, swing)
    # What hangs on the limb keeps its rotation in the world.
    was, now = quaternion_multiply(first, second), quaternion_multiply(new_first, new_second)
    new_third = quaternion_multiply(quaternion_conjugate(now), quaternion_multiply(was, third))
    for joint, new in ((root, new_first), (middle, new_second), (end, new_third)):
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
    lift = rotation_vector_to_quaternion(-up[:, None] * _LEFT)
    return quaternion_multiply(lift, rotation_vector_to_quaternion(aside[:, None] * _UP))
