"""The mannequin's body as plain arrays: closed low-poly parts on the canonical skeleton.

Every part is turned on a lathe, like the wooden figure on an artist's desk, and belongs to one
joint. Canonical frame, metres, the T-pose standing on the floor.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from ._core import skeleton
from .lathe import FORWARD, JOINT, LEFT, UP, WOOD, Part, ball, lathe, mirrored, rounded

#: Height of the toe joints above the floor.
_TOE_HEIGHT = 0.02

COLOURS = {WOOD: (0.80, 0.58, 0.36), JOINT: (0.36, 0.20, 0.10)}


@cache
def joint_positions() -> dict[str, np.ndarray]:
    """Joints of the T-pose standing on the floor at the origin."""
    canonical = skeleton.canonical()
    rest = canonical.rest_positions
    floor = rest[canonical.index("left_foot"), 1] - _TOE_HEIGHT
    return {
        name: rest[i] - np.array([0.0, floor, 0.0]) for i, name in enumerate(canonical.joint_names)
    }


def parts() -> list[Part]:
    """All parts, left and right being mirror images."""
    found = _trunk() + _head()
    for side in _arm() + _leg():
        found += [side, mirrored(side)]
    return found


def _trunk() -> list[Part]:
    at = joint_positions()
    x0 = np.array([0.0, 1.0, 1.0])
    hips, chest = at["pelvis"], at["spine3"]

    def height(y: float) -> np.ndarray:
        return np.array([0.0, y, 0.0])

    pelvis = lathe(
        "pelvis",
        height(hips[1] - 0.13),
        height(hips[1] + 0.06),
        rounded(
            [
                (0.0, 0.085, 0.075),
                (0.3, 0.150, 0.105),
                (0.55, 0.158, 0.108),
                (0.85, 0.135, 0.095),
                (1.0, 0.115, 0.082),
            ]
        ),
        LEFT,
    )
    thorax = lathe(
        "spine3",
        height(chest[1] - 0.035),
        height(chest[1] + 0.185),
        rounded(
            [
                (0.0, 0.105, 0.078),
                (0.2, 0.130, 0.098),
                (0.5, 0.158, 0.112),
                (0.75, 0.160, 0.105),
                (0.92, 0.125, 0.080),
                (1.0, 0.080, 0.058),
            ]
        ),
        LEFT,
    )
    return [
        pelvis,
        ball("spine1", at["spine1"] * x0 + 0.02 * UP, (0.108, 0.080, 0.084), JOINT),
        ball("spine2", at["spine2"] * x0 + 0.025 * UP, (0.116, 0.088, 0.088), WOOD),
        thorax,
    ]


def _head() -> list[Part]:
    at = joint_positions()
    neck = lathe(
        "neck",
        at["neck"] - 0.03 * UP,
        at["head"] + 0.02 * UP,
        [(0.0, 0.064, 0.058), (0.35, 0.050, 0.050), (1.0, 0.047, 0.050)],
        LEFT,
        JOINT,
    )
    # An egg with its tip at the chin, a little in front of the skull.
    chin = at["head"] + np.array([0.0, -0.048, 0.036])
    crown = at["head"] + np.array([0.0, 0.195, -0.005])
    egg = [
        (0.0, 0.022, 0.026),
        (0.06, 0.042, 0.050),
        (0.16, 0.056, 0.070),
        (0.32, 0.069, 0.087),
        (0.50, 0.077, 0.097),
        (0.68, 0.078, 0.098),
        (0.82, 0.068, 0.086),
        (0.92, 0.050, 0.064),
        (0.98, 0.026, 0.034),
    ]
    return [neck, lathe("head", chin, crown, egg, LEFT)]


def _arm() -> list[Part]:
    at = joint_positions()
    shoulder, elbow, wrist = (at[f"left_{part}"] for part in ("shoulder", "elbow", "wrist"))

    def limb(joint: str, start: np.ndarray, end: np.ndarray, radii: Sequence[float]) -> Part:
        places = np.linspace(0.0, 1.0, len(radii))
        return lathe(
            joint,
            start,
            end,
            rounded([(float(p), r, r) for p, r in zip(places, radii, strict=True)]),
            FORWARD,
        )

    along = 0.03 * LEFT
    hand = lathe(
        "left_wrist",
        wrist + 0.018 * LEFT,
        wrist + 0.19 * LEFT,
        [
            (0.0, 0.020, 0.015),
            (0.12, 0.032, 0.019),
            (0.40, 0.043, 0.018),
            (0.60, 0.042, 0.015),
            (0.85, 0.034, 0.011),
            (0.97, 0.020, 0.007),
        ],
        FORWARD,
    )
    thumb = lathe(
        "left_wrist",
        wrist + np.array([0.035, -0.004, 0.018]),
        wrist + np.array([0.105, -0.014, 0.072]),
        rounded([(0.0, 0.012, 0.012), (0.5, 0.013, 0.012), (1.0, 0.009, 0.008)]),
        UP,
    )
    return [
        ball("left_collar", at["left_collar"] + 0.05 * LEFT, (0.075, 0.045, 0.062), WOOD),
        ball("left_shoulder", shoulder, (0.056, 0.056, 0.056)),
        limb("left_shoulder", shoulder + along, elbow - along, (0.045, 0.049, 0.044, 0.036)),
        ball("left_elbow", elbow, (0.037, 0.037, 0.037)),
        limb("left_elbow", elbow + along, wrist - 0.02 * LEFT, (0.036, 0.041, 0.034, 0.025)),
        ball("left_wrist", wrist, (0.026, 0.026, 0.026)),
        hand,
        thumb,
    ]


def _leg() -> list[Part]:
    at = joint_positions()
    hip, knee, ankle, toe = (at[f"left_{part}"] for part in ("hip", "knee", "ankle", "foot"))

    def limb(joint: str, start: np.ndarray, end: np.ndarray, radii: Sequence[float]) -> Part:
        places = np.linspace(0.0, 1.0, len(radii))
        profile = [(float(p), 0.95 * r, r) for p, r in zip(places, radii, strict=True)]
        return lathe(joint, start, end, rounded(profile), LEFT)

    def sole(joint: str, back: float, front: float, profile: Sequence[Sequence[float]]) -> Part:
        """Flat underneath: (place, half width, height)."""
        start = np.array([ankle[0], 0.0, back])
        end = np.array([ankle[0], 0.0, front])
        part = lathe(joint, start, end, [(p, w, h) for p, w, h in profile], LEFT)
        part.vertices[:, 1] = np.maximum(part.vertices[:, 1], 0.0)
        part.vertices[-2:, 1] = [0.3 * profile[0][2], 0.3 * profile[-1][2]]
        return part

    foot = sole(
        "left_ankle",
        ankle[2] - 0.075,
        toe[2] - 0.004,
        [
            (0.0, 0.018, 0.030),
            (0.06, 0.031, 0.052),
            (0.25, 0.036, 0.075),
            (0.50, 0.038, 0.072),
            (0.75, 0.044, 0.054),
            (0.96, 0.047, 0.043),
            (1.0, 0.043, 0.036),
        ],
    )
    toes = sole(
        "left_foot",
        toe[2] + 0.002,
        toe[2] + 0.078,
        [
            (0.0, 0.043, 0.036),
            (0.06, 0.047, 0.041),
            (0.45, 0.045, 0.034),
            (0.80, 0.036, 0.025),
            (1.0, 0.020, 0.014),
        ],
    )
    return [
        ball("left_hip", hip, (0.074, 0.074, 0.074)),
        limb("left_hip", hip - 0.035 * UP, knee + 0.035 * UP, (0.074, 0.078, 0.066, 0.052)),
        ball("left_knee", knee, (0.050, 0.050, 0.050)),
        limb("left_knee", knee - 0.035 * UP, ankle + 0.025 * UP, (0.047, 0.055, 0.043, 0.031)),
        ball("left_ankle", ankle, (0.035, 0.035, 0.035)),
        foot,
        toes,
    ]
