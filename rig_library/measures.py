"""How well a posed rig shows a motion: pure functions of joint positions.

Both sides come as a :class:`Figure` in the canonical frame (Y up, facing +Z at rest, metres), the
motion's own joints and the rig's bones that play them, each with its own size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.rotations import (
    normalize,
    quaternion_between,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    rotation_angle,
)

SIDES = ("left", "right")
#: Limb -> the slots where it begins and ends.
LIMBS = {
    f"{side} {name}": (f"{side}_{start}", f"{side}_{end}")
    for side in SIDES
    for name, start, end in (
        ("thigh", "hip", "knee"),
        ("shin", "knee", "ankle"),
        ("upper arm", "shoulder", "elbow"),
        ("forearm", "elbow", "wrist"),
    )
}
#: Joints whose standing is measured, in the order of a motion's contact columns.
FEET = ("left_ankle", "left_foot", "right_ankle", "right_foot")
#: What has a front that everybody sees.
TURNED = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
#: Hands meet when the motion's wrists are nearer than this, in metres.
HANDS_MEET = 0.16
#: Per cent of the leg: what is lifted by less above a foot's lowest standing height is no step.
#: Per cent of the frames: standing joints are this often so low that they count as down.
HOVER, FLATTEST = 2.5, 20.0
#: Less bent than this (radians) a limb does not say which way it bends.
_STRAIGHT = np.radians(10.0)


@dataclass(frozen=True)
class Figure:
    """Joint positions over time and at rest, by slot: [T, 3] and [3]; hinges by limb's lower slot.

    "spine" and "neck" are the first bones of their chains.  ``turns`` [T, 4] are the joints' world
    rotations away from the body's T-pose, however it rests.  ``hinges`` [T, 3] are the axes about
    which knees (``left_knee``) and elbows flex; only the motion has them.
    """

    moving: Mapping[str, np.ndarray]
    rest: Mapping[str, np.ndarray]
    hinges: Mapping[str, np.ndarray]
    turns: Mapping[str, np.ndarray]

    def has(self, *slots: str) -> bool:
        return all(slot in self.moving for slot in slots)

    def hips(self) -> np.ndarray:
        """Middle between the hip joints [T, 3]."""
        middle: np.ndarray = 0.5 * (self.moving["left_hip"] + self.moving["right_hip"])
        return middle

    def length(self, *parts: str) -> float:
        """Mean over both sides of a limb's length at rest, joint by joint."""
        found = [
            np.linalg.norm(self.rest[f"{side}_{a}"] - self.rest[f"{side}_{b}"])
            for side in SIDES
            for a, b in zip(parts, parts[1:], strict=False)
        ]
        return float(np.sum(found)) / len(SIDES)

    @property
    def leg(self) -> float:
        return self.length("hip", "knee", "ankle")

    @property
    def arm(self) -> float:
        return self.length("shoulder", "elbow", "wrist")


def facing(figure: Figure) -> np.ndarray:
    """Rotation [4] about the vertical that turns a figure's rest pose to face +Z."""
    line = figure.rest["left_hip"] - figure.rest["right_hip"]
    level = np.array([line[0], 0.0, line[2]])
    return quaternion_between(level, np.array([1.0, 0.0, 0.0]))


def aligned(figure: Figure) -> Figure:
    """The figure turned about the vertical so that its rest pose faces +Z."""
    turn = facing(figure)
    return Figure(
        {slot: quaternion_rotate(turn, at) for slot, at in figure.moving.items()},
        {slot: quaternion_rotate(turn, at) for slot, at in figure.rest.items()},
        {slot: quaternion_rotate(turn, axis) for slot, axis in figure.hinges.items()},
        {
            slot: quaternion_multiply(quaternion_multiply(turn, q), quaternion_conjugate(turn))
            for slot, q in figure.turns.items()
        },
    )


def direction_errors(source: Figure, posed: Figure) -> dict[str, np.ndarray]:
    """Degrees [T] between every limb's directions in motion and rig, and the trunk's."""
    errors = {}
    for limb, (start, end) in LIMBS.items():
        if posed.has(start, end):
            errors[limb] = _degrees(
                source.moving[end] - source.moving[start], posed.moving[end] - posed.moving[start]
            )
    errors["trunk"] = _degrees(*(_trunk(figure, posed) for figure in (source, posed)))
    return errors


def _trunk(figure: Figure, posed: Figure) -> np.ndarray:
    """From the hips up to the neck; to the middle of the shoulders if the rig has no neck."""
    if posed.has("neck"):
        top = figure.moving["neck"]
    else:
        top = 0.5 * (figure.moving["left_shoulder"] + figure.moving["right_shoulder"])
    up: np.ndarray = top - figure.hips()
    return up


def _degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    angles: np.ndarray = np.degrees(np.arctan2(across, np.sum(a * b, axis=-1)))
    return angles


def turn_errors(source: Figure, posed: Figure) -> dict[str, np.ndarray]:
    """Degrees [T] by which hips, head, hands and feet are turned otherwise than the motion's."""
    return {
        slot: np.degrees(rotation_angle(source.turns[slot], posed.turns[slot]))
        for slot in TURNED
        if slot in posed.turns
    }


def hip_height_error(source: Figure, posed: Figure) -> np.ndarray:
    """Per cent of the leg [T] that the hips are too high or low above the resting ankles."""

    def height(figure: Figure) -> np.ndarray:
        ankles = np.mean([figure.rest[f"{side}_ankle"][1] for side in SIDES])
        relative: np.ndarray = (figure.hips()[:, 1] - ankles) / figure.leg
        return relative

    error: np.ndarray = 100.0 * np.abs(height(posed) - height(source))
    return error


def foot_height_error(source: Figure, posed: Figure, planted: np.ndarray) -> np.ndarray:
    """Per cent of the leg, for every standing joint and frame [n].

    ``planted`` [T, 4] says which of FEET stand.  Heights are above each joint's own at rest.  A
    standing joint belongs as high as the motion's, and a heel that is lifted stays up.  But motions
    hover or sink a little, or stand on pitched feet throughout: where a joint is within HOVER of
    its usual lowest standing height, the floor, or what lies between, is just as right.
    """
    errors = []
    for column, slot in enumerate(FEET):
        # A foot on its heel alone is as high as the heel's shape makes it: with the toe it tells.
        stands = planted[:, column] & planted[:, column | 1]
        if posed.has(slot) and stands.any():
            found, wanted = (
                100.0 * (figure.moving[slot][stands, 1] - figure.rest[slot][1]) / figure.leg
                for figure in (posed, source)
            )
            lifted = wanted - max(0.0, float(np.percentile(wanted, FLATTEST)))
            flat = np.where(lifted < HOVER, 0.0, np.minimum(lifted, wanted))
            low, high = np.minimum(wanted, flat), np.maximum(wanted, flat)
            errors.append(np.maximum(low - found, found - high).clip(0.0))
    return np.concatenate([np.zeros(0), *errors])


def sliding(posed: Figure, planted: np.ndarray, fps: float, leg: float) -> np.ndarray:
    """Horizontal speed [n] in cm/s of joints that stand, as if the legs were ``leg`` metres."""
    speeds = []
    for column, slot in enumerate(FEET):
        if posed.has(slot):
            steps = np.diff(posed.moving[slot][:, [0, 2]], axis=0)
            both = planted[1:, column] & planted[:-1, column]
            speeds.append(np.linalg.norm(steps[both], axis=-1) * fps)
    metres: np.ndarray = np.concatenate(speeds) * leg / posed.leg
    return 100.0 * metres


def hyperextension(source: Figure, posed: Figure) -> np.ndarray:
    """Degrees [T] that the worst knee or elbow bends the wrong way, beyond what the motion does."""
    worst = np.zeros(len(source.hips()))
    for side in SIDES:
        for slots in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            top, middle, end = (f"{side}_{slot}" for slot in slots)
            if posed.has(top, middle, end):
                flexed = [
                    _flexion(figure, source, (top, middle, end)) for figure in (source, posed)
                ]
                beyond = np.minimum(flexed[0], 0.0) - flexed[1]
                worst = np.maximum(worst, np.degrees(beyond))
    return worst


def _flexion(figure: Figure, source: Figure, slots: Sequence[str]) -> np.ndarray:
    """Radians [T] of a limb's bend, negative against the way in which the motion bends it."""
    upper, lower = _segments(figure, slots)
    model_upper, model_lower = _segments(source, slots)
    normal = np.cross(model_upper, model_lower)
    bent = np.linalg.norm(normal, axis=-1) > np.sin(_STRAIGHT)
    axis = np.where(bent[:, None], normalize(normal), source.hinges[slots[1]])
    # The rig's upper limb may point elsewhere; the axis goes along with it.
    axis = quaternion_rotate(quaternion_between(model_upper, upper), axis)
    across = np.cross(upper, lower)
    size = np.arctan2(np.linalg.norm(across, axis=-1), np.sum(upper * lower, axis=-1))
    sign = np.where(np.sum(across * axis, axis=-1) < 0.0, -1.0, 1.0)
    signed: np.ndarray = sign * size
    return signed


def _segments(figure: Figure, slots: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    top, middle, end = (figure.moving[slot] for slot in slots)
    return normalize(middle - top), normalize(end - middle)


def hands_error(source: Figure, posed: Figure) -> np.ndarray:
    """Per cent of the arm [n] by which one wrist misses its place beside the other.

    In the frames where the motion's hands meet; its distances count in arm lengths.
    """
    if not posed.has("left_wrist", "right_wrist"):
        return np.zeros(0)
    apart = [
        figure.moving["right_wrist"] - figure.moving["left_wrist"] for figure in (source, posed)
    ]
    meet = np.linalg.norm(apart[0], axis=-1) < HANDS_MEET
    missed: np.ndarray = np.linalg.norm(apart[1] / posed.arm - apart[0] / source.arm, axis=-1)[meet]
    return 100.0 * missed
