"""Legs that reach their feet: the pelvis' height, and two bones each; numpy only."""

from dataclasses import replace

import numpy as np

from ...cleanup.curves import smoothest
from ...cleanup.filters import highest_around
from ...cleanup.two_bone import solve_two_bones
from ...rotations import (
    normalize,
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)
from .easing import nearness
from .foot import LegPath, RigFoot
from .shape import UP

#: The pelvis goes up and down with its feet over about this many seconds, by at most so much (m).
_SETTLE_SECONDS, _SETTLED = 0.25, 0.1
#: It is lowered by at most this much (m), over about so many seconds, to bring feet within reach.
_LOWERED, _LOWER_SECONDS = 0.08, 0.2
#: Pull to nothing where no foot stands.
_REST = 0.01
#: What a pelvis that comes down leaves of that reach.
_EASY_REACH = 0.985
#: A leg that is free approaches full reach gently, from this share on, and so long (s) before it
#: lands or after it has left.
_SOFT, _SOFT_SECONDS = 0.95, 0.1
#: Recorded legs may be perfectly straight, or bent a little the wrong way: the thigh's own
#: hinge rules up to about fifteen degrees of bend.
_HINGE_WEIGHT = 0.25
#: No leg is folded further than this share to keep a foot that does not stand out of the floor.
_FOLDED = 0.3
#: Feet flex by at most this much (radians).
_MOST_FLEX = np.radians(50.0)
#: Smaller changes (canonical metres, quaternion components) leave a leg untouched.
_NOTHING = 1e-9


def settled(demands: list[tuple[np.ndarray, np.ndarray]], fps: float, scale: float) -> np.ndarray:
    """How far up [T] the pelvis goes so that standing feet are about as high as they belong.

    ``demands``: for each foot the height it lacks [T] and the frames in which it stands [T].  Knees
    of straight legs would bend a lot for the centimetre that the pelvis takes up unseen.
    """
    weight = np.sum([stands for _, stands in demands], axis=0).astype(float)
    lacking = np.sum([np.where(stands, lack, 0.0) for lack, stands in demands], axis=0)
    if not np.any(lacking):
        return np.zeros(len(weight))
    demand = lacking / np.maximum(weight, 1.0)
    stiffness = (_SETTLE_SECONDS * fps) ** 2
    height = smoothest(demand[:, None], weight + _REST, slope_penalty=stiffness)[:, 0]
    return np.clip(height, -_SETTLED * scale, _SETTLED * scale)


def lowering(
    legs: list[tuple[LegPath, RigFoot]], height: np.ndarray, fps: float, scale: float
) -> np.ndarray:
    """How far down [T] the pelvis has to go for standing feet to be in reach of upright legs.

    ``height`` [T] is how far up it has gone already.
    """
    needed = np.zeros(len(height))
    for leg, foot in legs:
        limit = np.maximum(leg.own, _EASY_REACH * leg.length)
        away = leg.hip + height[:, None] * UP - foot.ankle
        beside = np.sum(away[:, [0, 2]] ** 2, axis=-1)
        lacking = away[:, 1] - np.sqrt(np.maximum(limit**2 - beside, 0.0))
        # Also just before a foot lands and after it has left: the leg is not yet straight then.
        stands = nearness(foot.ankle_stands | foot.toe_stands, fps, _SOFT_SECONDS) > 0.0
        upright = away[:, 1] > 0.5 * limit
        needed = np.maximum(needed, np.where(stands & upright, lacking, 0.0))
    if not needed.any():
        return needed
    around = max(2, 2 * round(0.5 * _LOWER_SECONDS * fps))
    # Two moving means that together look no further than the maximum: never below what is needed.
    result = highest_around(np.minimum(needed, _LOWERED * scale), around)
    for _ in range(2):
        padded = np.pad(result, around // 2, mode="edge")
        result = np.convolve(padded, np.full(around + 1, 1.0 / (around + 1)), mode="valid")
    return result


def within_reach(leg: LegPath, height: np.ndarray, foot: RigFoot) -> RigFoot:
    """The foot where the leg can take it, ``height`` [T] being how far up the pelvis has gone.

    Where a folded leg cannot lift the ball of a foot out of the floor, the foot flexes.
    """
    hip = leg.hip + height[:, None] * UP
    away = foot.ankle - hip
    distance = np.linalg.norm(away, axis=-1)
    stands = foot.toe_stands | foot.ankle_stands
    free = 1.0 - nearness(stands, foot.fps)
    nearest = np.minimum(leg.own, _FOLDED * leg.length * free)
    free = 1.0 - nearness(stands, foot.fps, _SOFT_SECONDS)
    allowed = np.minimum(distance, leg.limit)
    allowed += free * (np.minimum(distance, leg.softened(distance, _SOFT, leg.limit)) - allowed)
    allowed = np.maximum(allowed, nearest)
    share = np.where(allowed == distance, 1.0, allowed / np.maximum(distance, 1e-12))[:, None]
    foot = replace(foot, ankle=np.where(share == 1.0, foot.ankle, hip + share * away))
    folded = distance < nearest
    if not folded.any():
        return foot
    ball = quaternion_rotate(foot.rotation, foot.shape.toe)
    size = np.linalg.norm(foot.shape.toe)
    wanted = np.arcsin(np.clip((foot.shape.toe_height - foot.ankle[:, 1]) / size, -1.0, 1.0))
    lack = wanted - np.arcsin(np.clip(ball[:, 1] / size, -1.0, 1.0))
    flex = np.where(folded, np.clip(lack, 0.0, _MOST_FLEX), 0.0)[:, None]
    turn = rotation_vector_to_quaternion(flex * normalize(np.cross(ball, UP)))
    turned = quaternion_multiply(turn, foot.rotation)
    return replace(foot, rotation=np.where(flex > 0.0, turned, foot.rotation))


def reach(leg: LegPath, height: np.ndarray, foot: RigFoot, turns: np.ndarray) -> None:
    """Turn hip, knee, ankle and toe joint of ``turns`` [T, J, 4] so that the leg ends in the foot.

    ``height`` [T] is how far up the pelvis has gone.  Frames in which nothing moves stay as they
    are, to the bit.
    """
    joints, up = foot.shape.leg, height[:, None] * UP
    hip, knee, ankle = leg.hip + up, leg.knee + up, leg.ankle + up
    moved = np.linalg.norm(foot.ankle - ankle, axis=-1) > _NOTHING * foot.scale
    if moved.any():
        hinge = quaternion_rotate(turns[moved, joints.hip], np.array([1.0, 0.0, 0.0]))
        solved = solve_two_bones(
            hip[moved], knee[moved], ankle[moved], foot.ankle[moved], hinge, _HINGE_WEIGHT
        )
        for joint, turn in ((joints.hip, solved.upper), (joints.knee, solved.lower)):
            turns[moved, joint] = normalize(quaternion_multiply(turn, turns[moved, joint]))
    turns[:, joints.ankle] = _where_changed(foot.rotation, turns[:, joints.ankle])
    if foot.shape.has_toes:
        turns[:, joints.toe] = _where_changed(foot.toe_rotation, turns[:, joints.toe])


def _where_changed(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Quaternions [T, 4], the old ones where they are as good as the same."""
    changed = np.abs(new - old).max(axis=-1) > _NOTHING
    return np.where(changed[:, None], normalize(new), old)
