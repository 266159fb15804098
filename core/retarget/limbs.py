"""Alignments of arms and legs: directions exact, hinges and palms as the skeleton has them.

The least rotation that lays a limb along the canonical one leaves open how far it is rolled.
Where the rest pose shows it, by a bent knee or elbow, by the palm's fingers, by where the feet
point, the roll makes the rig's hinges and palms those of the skeleton; a hinge that is not shown
is left where the least rotation puts it.
"""

import numpy as np

from ..rotations import quaternion_multiply, quaternion_rotate, rotation_vector_to_quaternion
from .driver import Driver
from .fingers import hand_turn
from .measured import IDENTITY, Measured, angle_about, ramp, rolled, straighten

FORWARD = np.array([0.0, 0.0, 1.0])

#: Knees and elbows bent less than the first of these at rest do not show their hinge: legs lie a
#: little askew in every body.  Bent more than the second, they do.
_KNEE_BEND = (np.radians(7.0), np.radians(18.0))
_ELBOW_BEND = (np.radians(8.0), np.radians(20.0))
#: A roll between these is no pose but a joint that is bent the wrong way.
_WRONG_WAY = (np.radians(100.0), np.radians(140.0))
#: How much of a foot's turn-out the leg has above it where the knee does not show it.
_TURN_OUT_OF_LEG = 0.5
#: Where the second toe is between the innermost and the outermost.
_SECOND_TOE = 0.35
_CLAVICLE_LIMIT = np.radians(30.0)
_HAND_BEND = np.radians(50.0)
#: A palm that is rolled further than this against the forearm's is misread.
_PALM_LIMIT = np.radians(120.0)
#: So much of a palm's roll the forearm takes, as in a body; the wrist has the rest.
_FOREARM_ROLL = np.radians(60.0)


def leg(measured: Measured, side: str) -> list[Driver]:
    """Thigh and shin along the canonical leg; foot and toes keep their soles flat."""
    hip, knee, ankle = (measured.bones(f"{side}_{part}")[0] for part in ("hip", "knee", "ankle"))
    heading = _foot_heading(measured, side, ankle)
    thigh_line = measured.limb(hip, measured.head_of(f"{side}_knee"))
    shin_line = measured.limb(knee, measured.head_of(f"{side}_ankle"))
    down = measured.canonical_limb(f"{side}_hip", f"{side}_knee")
    thigh = straighten(IDENTITY, thigh_line, down)
    roll, shown = 0.0, 0.0
    if shin_line is not None:
        roll, shown = _hinge_roll(quaternion_rotate(thigh, shin_line), down, -FORWARD, _KNEE_BEND)
    # The foot's heading is about the vertical, the roll about the leg, which points down.
    if heading is None:
        heading = shown * roll
    thigh = rolled(thigh, down, shown * roll + (1.0 - shown) * _TURN_OUT_OF_LEG * heading)
    shin = straighten(thigh, shin_line, measured.canonical_limb(f"{side}_knee", f"{side}_ankle"))
    # Soles are flat in both rest poses, whatever the slope from ankle to toe joint.
    flat = rotation_vector_to_quaternion(np.array([0.0, -heading, 0.0]))
    return [
        measured.driver(hip, f"{side}_hip", thigh),
        measured.driver(knee, f"{side}_knee", shin),
        measured.driver(ankle, f"{side}_ankle", flat),
        *(measured.driver(toe, f"{side}_foot", flat) for toe in measured.bones(f"{side}_foot")),
    ]


def _hinge_roll(
    lower: np.ndarray, along: np.ndarray, bends_to: np.ndarray, shown: tuple[float, float]
) -> tuple[float, float]:
    """Roll about ``along`` (radians) that lets a bent limb bend as it should, and how sure it is.

    ``lower`` is the direction of the lower bone while the upper one lies along.
    """
    bend = float(np.arccos(np.clip(lower @ along, -1.0, 1.0)))
    roll = angle_about(along, lower, bends_to)
    return roll, ramp(bend, *shown) * (1.0 - ramp(abs(roll), *_WRONG_WAY))


def _foot_heading(measured: Measured, side: str, ankle: int) -> float | None:
    """Angle of the foot about the vertical, radians, zero forwards (+Z), positive to +X.

    None if nothing shows it.
    """
    heads, rig = measured.body.heads, measured.rig
    toes, children = measured.bones(f"{side}_foot"), rig.children(ankle)
    hints = []
    if toes:
        height = heads[toes[0], 1] - heads[ankle, 1]
        beside = [b for b in children if b in toes or _is_toe(measured, b, ankle, height)]
        hints.append(_foot_axis(heads[beside]) if len(beside) > 2 else heads[toes[0]])
    hints += [*heads[children], measured.body.tails[ankle]]
    for point in hints:
        direction = measured.limb(ankle, point)
        if direction is not None and direction[2] > 0.3:
            return float(np.arctan2(direction[0], direction[2]))
    return None


def _foot_axis(toes: np.ndarray) -> np.ndarray:
    """Where the axis of a foot meets its toes' heads [N, 3]: next to the big toe."""
    inner, *_, outer = toes[np.argsort(np.abs(toes[:, 0]))]
    axis: np.ndarray = inner + _SECOND_TOE * (outer - inner)
    return axis


def _is_toe(measured: Measured, bone: int, ankle: int, height: float) -> bool:
    """Whether a child of a foot begins as far in front and below as a toe does."""
    line = measured.body.heads[bone] - measured.body.heads[ankle]
    return bool(line[2] > 0.0 and abs(line[1] - height) < 0.4 * abs(height))


def arm(measured: Measured, side: str) -> list[Driver]:
    """Clavicle, upper arm, forearm and hand."""
    found = [
        measured.driver(bone, f"{side}_collar", _clavicle(measured, side, bone))
        for bone in measured.bones(f"{side}_collar")
    ]
    shoulder, elbow, wrist = (
        measured.bones(f"{side}_{part}")[:1] for part in ("shoulder", "elbow", "wrist")
    )
    out = measured.canonical_limb(f"{side}_shoulder", f"{side}_elbow")
    upper = forearm = IDENTITY
    forearm_line = measured.limb(elbow[0], measured.head_of(f"{side}_wrist")) if elbow else None
    if shoulder:
        line = measured.limb(shoulder[0], measured.head_of(f"{side}_elbow"))
        upper = straighten(IDENTITY, line, out)
        if line is not None and forearm_line is not None:
            bent = quaternion_rotate(upper, forearm_line)
            roll, shown = _hinge_roll(bent, out, FORWARD, _ELBOW_BEND)
            upper = rolled(upper, out, shown * roll)
        found.append(measured.driver(shoulder[0], f"{side}_shoulder", upper))
    along = measured.canonical_limb(f"{side}_elbow", f"{side}_wrist")
    forearm = straighten(upper, forearm_line, along)
    turn = _hand_turn(measured, wrist[0], along, forearm) if wrist else IDENTITY
    hand = quaternion_multiply(turn, forearm)
    if elbow:
        # A palm turns with the forearm, as far as it can.
        roll = 2.0 * np.arctan2(turn[1:] @ along, turn[0])
        forearm = rolled(forearm, along, float(np.clip(roll, -_FOREARM_ROLL, _FOREARM_ROLL)))
        found.append(measured.driver(elbow[0], f"{side}_elbow", forearm))
    if wrist:
        found.append(measured.driver(wrist[0], f"{side}_wrist", hand))
    return found


def _hand_turn(
    measured: Measured, wrist: int, along: np.ndarray, forearm: np.ndarray
) -> np.ndarray:
    """Turn [4], w not negative, from a hand that is straight with its forearm to the T-pose's."""
    turn = hand_turn(measured, wrist, float(np.sign(along[0])), forearm)
    if turn is None:
        return IDENTITY
    turn = turn if turn[0] >= 0.0 else -turn
    roll = 2.0 * np.arctan2(abs(turn[1:] @ along), turn[0])
    bend = np.arccos(np.clip(quaternion_rotate(turn, along) @ along, -1.0, 1.0))
    return turn if roll < _PALM_LIMIT and bend < _HAND_BEND else IDENTITY


def _clavicle(measured: Measured, side: str, bone: int) -> np.ndarray:
    """Level the clavicle as the canonical one is, but keep how far it points back.

    Rigs begin their clavicles anywhere between breastbone and spine, so its heading is the build
    of the rig and not its pose; and a slope far from ours is a build, too.
    """
    direction = measured.limb(bone, measured.head_of(f"{side}_shoulder"))
    if direction is None:
        return IDENTITY
    target = measured.canonical_limb(f"{side}_collar", f"{side}_shoulder")
    rise = np.arctan2(target[1], abs(target[0])) - np.arctan2(direction[1], abs(direction[0]))
    rise = float(np.clip(rise, -_CLAVICLE_LIMIT, _CLAVICLE_LIMIT))
    return rotation_vector_to_quaternion(np.array([0.0, 0.0, np.sign(target[0]) * rise]))
