"""A body's landmarks in a rest pose: where joints, fingers, eyes and soles are.

Everything here is in the canonical world: metres, Y up, facing +Z, the left side at +X, the soles
on the floor at height zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from core.rotations import (
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)

RestPose = Literal["T", "A", "DOWN", "BENT"]
REST_POSES: tuple[RestPose, ...] = get_args(RestPose)
SIDES = ("left", "right")
SPINE_KNOTS = ("spine_start", "lumbar", "thoracic", "neck")

#: Landmark -> (what it hangs on, the joint that turns it, its measure, offset in metres at T-pose).
#: The left side; a grown-up of 1.75 m.  A real spine is curved and a real knee lies in front.
_CENTRE = {
    "pelvis": ("", "", "legs", (0.0, 0.96, 0.0)),
    "spine_start": ("pelvis", "trunk", "torso", (0.0, 0.09, -0.008)),
    "lumbar": ("spine_start", "trunk", "torso", (0.0, 0.11, 0.012)),
    "thoracic": ("lumbar", "trunk", "torso", (0.0, 0.14, -0.030)),
    "neck": ("thoracic", "trunk", "torso", (0.0, 0.19, -0.004)),
    "head": ("neck", "trunk", "neck", (0.0, 0.09, 0.025)),
    "jaw": ("head", "trunk", "head", (0.0, 0.02, 0.03)),
    "head_top": ("head", "trunk", "head", (0.0, 0.19, 0.0)),
}
_FINGERS = {
    "thumb": ((0.025, -0.012, 0.035), (0.032, -0.010, 0.022), (0.03, 0.0, 0.012), (0.025, 0, 0.01)),
    "index": ((0.091, 0.0, 0.028), (0.036, 0.0, 0.0), (0.022, 0.0, 0.0), (0.02, 0.0, 0.0)),
    "middle": ((0.092, 0.002, 0.007), (0.040, 0.0, 0.0), (0.025, 0.0, 0.0), (0.02, 0.0, 0.0)),
    "ring": ((0.086, 0.0, -0.013), (0.037, 0.0, 0.0), (0.023, 0.0, 0.0), (0.02, 0.0, 0.0)),
    "pinky": ((0.078, -0.002, -0.031), (0.028, 0.0, 0.0), (0.018, 0.0, 0.0), (0.017, 0.0, 0.0)),
}
FINGERS = tuple(_FINGERS)
_SIDE = {
    "hip": ("pelvis", "pelvis", "hips", (0.09, -0.045, 0.0)),
    "knee": ("hip", "hip", "thighs", (0.005, -0.42, 0.008)),
    "ankle": ("knee", "knee", "shins", (0.005, -0.415, -0.028)),
    "foot": ("ankle", "ankle", "feet", (0.006, -0.06, 0.13)),
    "toe_tip": ("foot", "foot", "feet", (0.004, -0.004, 0.07)),
    "heel": ("ankle", "ankle", "feet", (0.0, -0.072, -0.055)),
    "clavicle": ("neck", "trunk", "shoulders", (0.025, -0.055, 0.04)),
    "collar": ("clavicle", "trunk", "shoulders", (0.0, 0.0, 0.0)),
    "shoulder": ("collar", "trunk", "shoulders", (0.15, 0.012, -0.05)),
    "elbow": ("shoulder", "shoulder", "upper_arms", (0.28, 0.0, -0.004)),
    "wrist": ("elbow", "elbow", "forearms", (0.25, 0.0, 0.008)),
    "eye": ("head", "trunk", "head", (0.032, 0.07, 0.085)),
}
_SOLE = 0.08  # metres from the ankle down to the floor, feet of measure one


@dataclass(frozen=True)
class Proportions:
    """Factors on a grown-up's measures; ``size`` is on everything."""

    size: float = 1.0
    hips: float = 1.0
    thighs: float = 1.0
    shins: float = 1.0
    feet: float = 1.0
    torso: float = 1.0
    neck: float = 1.0
    head: float = 1.0
    shoulders: float = 1.0
    upper_arms: float = 1.0
    forearms: float = 1.0
    hands: float = 1.0
    legs: float = field(default=1.0, repr=False)


#: Builds of the characters that artists have; measured off published rest poses, rounded.
PROPORTIONS: Mapping[str, Proportions] = {
    "adult": Proportions(),
    "unreal": Proportions(
        size=1.02, hips=1.0, thighs=1.0, shins=0.95, shoulders=1.05, upper_arms=1.06, forearms=1.05
    ),
    "genesis": Proportions(size=1.01, thighs=1.08, shins=1.04, torso=0.94, head=0.93),
    "vroid": Proportions(
        size=0.88, hips=0.85, thighs=1.02, shins=1.04, torso=0.86, neck=0.8, head=1.3,
        shoulders=0.75, upper_arms=0.85, forearms=0.88, hands=0.85, feet=0.9,
    ),
    "stylised": Proportions(
        size=0.98, thighs=0.85, shins=0.85, torso=0.95, neck=0.7, head=1.6, shoulders=0.9,
        upper_arms=0.85, forearms=0.85, hands=1.25, feet=1.2,
    ),
    "child": Proportions(
        size=0.7, thighs=0.85, shins=0.82, torso=0.95, neck=0.8, head=1.5, shoulders=0.85,
        upper_arms=0.82, forearms=0.82, hands=0.95, feet=0.95,
    ),
    "cmu": Proportions(size=0.98, thighs=1.02, shins=1.0, upper_arms=1.02, forearms=0.9),
    "giant": Proportions(
        size=1.6, hips=1.3, thighs=0.8, shins=0.75, torso=1.15, head=0.8, shoulders=1.5,
        upper_arms=1.25, forearms=1.3, hands=1.4, feet=1.3,
    ),
}  # fmt: skip


def jittered(proportions: Proportions, seed: int) -> Proportions:
    """Somebody else of this build: every measure within 8 per cent; seed 0 leaves it as it is."""
    if seed == 0:
        return proportions
    rng = np.random.default_rng(seed)
    names = [name for name in Proportions.__dataclass_fields__ if name != "legs"]
    return Proportions(
        **{name: getattr(proportions, name) * (1.0 + rng.uniform(-0.08, 0.08)) for name in names}
    )


def landmarks(
    proportions: Proportions, rest_pose: RestPose, arms: float = 45.0
) -> dict[str, np.ndarray]:
    """Positions [3] of all landmarks; ``arms`` degrees below the horizontal in an A-pose."""
    turns = joint_turns(rest_pose, arms)
    found: dict[str, np.ndarray] = {"origin": np.zeros(3)}
    for name, (above, joint, measure, offset) in _table().items():
        factor = proportions.size * getattr(proportions, measure)
        start = found[above] if above else np.zeros(3)
        found[name] = start + quaternion_rotate(turns[joint], factor * np.array(offset))
    sole = proportions.size * proportions.feet * _SOLE
    lowest = min(found[f"{side}_ankle"][1] for side in SIDES) - sole
    origin = found.pop("origin")
    found = {name: at - np.array([0.0, lowest, 0.0]) for name, at in found.items()}
    found["origin"] = origin
    for part in ("eye", "hip"):
        found[f"{part}_middle"] = 0.5 * (found[f"left_{part}"] + found[f"right_{part}"])
    return found


def _table() -> dict[str, tuple[str, str, str, tuple[float, ...]]]:
    """Every landmark of both sides, each after what it hangs on."""
    table: dict[str, tuple[str, str, str, tuple[float, ...]]] = {}
    table.update(_CENTRE)
    for side, out in (("left", 1.0), ("right", -1.0)):

        def own(name: str, side: str = side) -> str:
            return f"{side}_{name}" if name in _SIDE or name[-1].isdigit() else name

        rows = dict(_SIDE)
        for finger, joints in _FINGERS.items():
            rows[f"{finger}0"] = ("wrist", "wrist", "hands", (0.02, 0.0, joints[0][2] * 0.6))
            above = "wrist"
            for number, offset in enumerate(joints, start=1):
                rows[f"{finger}{number}"] = (above, "wrist", "hands", offset)
                above = f"{finger}{number}"
        for name, (above, joint, measure, offset) in rows.items():
            mirrored = (out * offset[0], *offset[1:])
            joint = f"{side}_{joint}" if joint in _SIDE else joint
            table[own(name)] = (own(above), joint, measure, mirrored)
    return table


def joint_turns(rest_pose: RestPose, arms: float) -> dict[str, np.ndarray]:
    """World rotation [4] of every joint away from the T-pose."""
    still = np.array([1.0, 0.0, 0.0, 0.0])
    drop = {"T": 0.0, "A": arms, "DOWN": 78.0, "BENT": 50.0}[rest_pose]
    elbow = {"T": 0.0, "A": 12.0, "DOWN": 10.0, "BENT": 45.0}[rest_pose]
    reach = {"T": 0.0, "A": 4.0, "DOWN": 4.0, "BENT": 20.0}[rest_pose]
    spread = {"T": 0.0, "A": 4.0, "DOWN": 2.0, "BENT": 12.0}[rest_pose]
    thigh = {"T": 0.0, "A": 0.0, "DOWN": 0.0, "BENT": 22.0}[rest_pose]
    knee = {"T": 0.0, "A": 0.0, "DOWN": 0.0, "BENT": 42.0}[rest_pose]
    toes = {"T": 0.0, "A": 6.0, "DOWN": 5.0, "BENT": 25.0}[rest_pose]
    lean = {"T": 0.0, "A": 0.0, "DOWN": 0.0, "BENT": 7.0}[rest_pose]
    turns = {"": still, "pelvis": still, "trunk": _turn("x", lean)}
    for side, out in (("left", 1.0), ("right", -1.0)):
        shoulder = _product(turns["trunk"], _turn("y", -out * reach), _turn("z", -out * drop))
        forearm = quaternion_multiply(shoulder, _turn("y", -out * elbow))
        hip = _product(_turn("y", out * toes), _turn("z", out * spread), _turn("x", -thigh))
        turns |= {
            f"{side}_shoulder": shoulder,
            f"{side}_elbow": forearm,
            f"{side}_wrist": quaternion_multiply(forearm, _turn("z", -out * elbow / 4)),
            f"{side}_hip": hip,
            f"{side}_knee": quaternion_multiply(hip, _turn("x", knee)),
            f"{side}_ankle": _turn("y", out * toes),
            f"{side}_foot": _turn("y", out * toes),
        }
    return turns


def _turn(axis: str, degrees: float) -> np.ndarray:
    vector = np.zeros(3)
    vector["xyz".index(axis)] = np.radians(degrees)
    return rotation_vector_to_quaternion(vector)


def _product(*turns: np.ndarray) -> np.ndarray:
    result = turns[0]
    for turn in turns[1:]:
        result = quaternion_multiply(result, turn)
    return result
