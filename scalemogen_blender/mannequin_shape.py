"""The mannequin's body as plain arrays: closed low-poly parts on the canonical skeleton.

Every part is turned on a lathe, like the wooden figure on an artist's desk, and belongs to one
joint. Canonical frame, metres, the T-pose standing on the floor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ._core import rotations, skeleton

_AROUND = 16
_UP = np.array([0.0, 1.0, 0.0])
_LEFT = np.array([1.0, 0.0, 0.0])
_FORWARD = np.array([0.0, 0.0, 1.0])

#: Height of the toe joints above the floor.
_TOE_HEIGHT = 0.02

WOOD, JOINT = "wood", "joint"
COLOURS = {WOOD: (0.80, 0.58, 0.36), JOINT: (0.36, 0.20, 0.10)}


@dataclass(frozen=True)
class Part:
    """One closed body of a single material that moves with one joint.

    vertices: [V, 3]; faces: tuples of vertex indices, counter-clockwise from outside.
    """

    joint: str
    material: str
    vertices: np.ndarray
    faces: tuple[tuple[int, ...], ...]


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
        found += [side, _mirrored(side)]
    return found


# --- making parts ---------------------------------------------------------------------------------


def lathe(
    joint: str,
    start: np.ndarray,
    end: np.ndarray,
    profile: Sequence[tuple[float, float, float]],
    across: np.ndarray,
    material: str = WOOD,
) -> Part:
    """A body turned about the axis from start to end.

    ``profile`` lists (place along the axis, half width along ``across``, half depth) from end to
    end; place 0 is the start and 1 the end, and both caps are closed by a point.
    """
    axis = end - start
    deep = np.cross(rotations.normalize(axis), across)
    rings = []
    angles = np.arange(_AROUND) * 2.0 * np.pi / _AROUND
    for place, width, depth in profile:
        circle = np.outer(np.cos(angles) * width, across) + np.outer(np.sin(angles) * depth, deep)
        rings.append(start + place * axis + circle)
    caps = [start + profile[0][0] * axis, start + profile[-1][0] * axis]
    return Part(joint, material, np.concatenate([*rings, caps]), _lathe_faces(len(profile)))


def _lathe_faces(rings: int) -> tuple[tuple[int, ...], ...]:
    """Quads between neighbouring rings, triangles to the two cap points at the end."""
    faces: list[tuple[int, ...]] = []
    first_cap, last_cap = rings * _AROUND, rings * _AROUND + 1
    for i in range(_AROUND):
        j = (i + 1) % _AROUND
        faces.append((j, i, first_cap))
        top = (rings - 1) * _AROUND
        faces.append((top + i, top + j, last_cap))
        for ring in range(rings - 1):
            low, high = ring * _AROUND, (ring + 1) * _AROUND
            faces.append((low + i, low + j, high + j, high + i))
    return tuple(faces)


def _rounded(profile: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """A profile with its two ends drawn in, so that the caps are domes and not discs."""
    (p0, w0, d0), (p1, w1, d1) = profile[0], profile[-1]
    pull = 0.04 * (p1 - p0)
    return [
        (p0 - pull, 0.45 * w0, 0.45 * d0),
        (p0 - 0.6 * pull, 0.8 * w0, 0.8 * d0),
        *profile,
        (p1 + 0.6 * pull, 0.8 * w1, 0.8 * d1),
        (p1 + pull, 0.45 * w1, 0.45 * d1),
    ]


def _ball(
    joint: str, centre: np.ndarray, radii: tuple[float, float, float], material: str = JOINT
) -> Part:
    """An ellipsoid with half axes along x, y and z."""
    turns = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 10)[1:-1]
    profile = [(0.5 + 0.5 * np.sin(t), radii[0] * np.cos(t), radii[2] * np.cos(t)) for t in turns]
    half = radii[1] * _UP
    # The caps would flatten the poles: put them where the ellipsoid ends.
    part = lathe(joint, centre - half, centre + half, profile, _LEFT, material)
    part.vertices[-2:] = centre - half, centre + half
    return part


def _mirrored(part: Part) -> Part:
    """The same part on the right."""
    return Part(
        part.joint.replace("left", "right"),
        part.material,
        part.vertices * np.array([-1.0, 1.0, 1.0]),
        tuple(face[::-1] for face in part.faces),
    )


# --- the body -------------------------------------------------------------------------------------


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
        _rounded(
            [
                (0.0, 0.085, 0.075),
                (0.3, 0.150, 0.105),
                (0.55, 0.158, 0.108),
                (0.85, 0.135, 0.095),
                (1.0, 0.115, 0.082),
            ]
        ),
        _LEFT,
    )
    thorax = lathe(
        "spine3",
        height(chest[1] - 0.035),
        height(chest[1] + 0.185),
        _rounded(
            [
                (0.0, 0.105, 0.078),
                (0.2, 0.130, 0.098),
                (0.5, 0.158, 0.112),
                (0.75, 0.160, 0.105),
                (0.92, 0.125, 0.080),
                (1.0, 0.080, 0.058),
            ]
        ),
        _LEFT,
    )
    return [
        pelvis,
        _ball("spine1", at["spine1"] * x0 + 0.02 * _UP, (0.108, 0.080, 0.084), JOINT),
        _ball("spine2", at["spine2"] * x0 + 0.025 * _UP, (0.116, 0.088, 0.088), WOOD),
        thorax,
    ]


def _head() -> list[Part]:
    at = joint_positions()
    neck = lathe(
        "neck",
        at["neck"] - 0.03 * _UP,
        at["head"] + 0.02 * _UP,
        [(0.0, 0.064, 0.058), (0.35, 0.050, 0.050), (1.0, 0.047, 0.050)],
        _LEFT,
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
    return [neck, lathe("head", chin, crown, egg, _LEFT)]


def _arm() -> list[Part]:
    at = joint_positions()
    shoulder, elbow, wrist = (at[f"left_{part}"] for part in ("shoulder", "elbow", "wrist"))

    def limb(joint: str, start: np.ndarray, end: np.ndarray, radii: Sequence[float]) -> Part:
        places = np.linspace(0.0, 1.0, len(radii))
        return lathe(
            joint,
            start,
            end,
            _rounded([(float(p), r, r) for p, r in zip(places, radii, strict=True)]),
            _FORWARD,
        )

    along = 0.03 * _LEFT
    hand = lathe(
        "left_wrist",
        wrist + 0.018 * _LEFT,
        wrist + 0.19 * _LEFT,
        [
            (0.0, 0.020, 0.015),
            (0.12, 0.032, 0.019),
            (0.40, 0.043, 0.018),
            (0.60, 0.042, 0.015),
            (0.85, 0.034, 0.011),
            (0.97, 0.020, 0.007),
        ],
        _FORWARD,
    )
    thumb = lathe(
        "left_wrist",
        wrist + np.array([0.035, -0.004, 0.018]),
        wrist + np.array([0.105, -0.014, 0.072]),
        _rounded([(0.0, 0.012, 0.012), (0.5, 0.013, 0.012), (1.0, 0.009, 0.008)]),
        _UP,
    )
    return [
        _ball("left_collar", at["left_collar"] + 0.05 * _LEFT, (0.075, 0.045, 0.062), WOOD),
        _ball("left_shoulder", shoulder, (0.056, 0.056, 0.056)),
        limb("left_shoulder", shoulder + along, elbow - along, (0.045, 0.049, 0.044, 0.036)),
        _ball("left_elbow", elbow, (0.037, 0.037, 0.037)),
        limb("left_elbow", elbow + along, wrist - 0.02 * _LEFT, (0.036, 0.041, 0.034, 0.025)),
        _ball("left_wrist", wrist, (0.026, 0.026, 0.026)),
        hand,
        thumb,
    ]


def _leg() -> list[Part]:
    at = joint_positions()
    hip, knee, ankle, toe = (at[f"left_{part}"] for part in ("hip", "knee", "ankle", "foot"))

    def limb(joint: str, start: np.ndarray, end: np.ndarray, radii: Sequence[float]) -> Part:
        places = np.linspace(0.0, 1.0, len(radii))
        profile = [(float(p), 0.95 * r, r) for p, r in zip(places, radii, strict=True)]
        return lathe(joint, start, end, _rounded(profile), _LEFT)

    def sole(joint: str, back: float, front: float, profile: Sequence[Sequence[float]]) -> Part:
        """Flat underneath: (place, half width, height)."""
        start = np.array([ankle[0], 0.0, back])
        end = np.array([ankle[0], 0.0, front])
        part = lathe(joint, start, end, [(p, w, h) for p, w, h in profile], _LEFT)
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
        _ball("left_hip", hip, (0.074, 0.074, 0.074)),
        limb("left_hip", hip - 0.035 * _UP, knee + 0.035 * _UP, (0.074, 0.078, 0.066, 0.052)),
        _ball("left_knee", knee, (0.050, 0.050, 0.050)),
        limb("left_knee", knee - 0.035 * _UP, ankle + 0.025 * _UP, (0.047, 0.055, 0.043, 0.031)),
        _ball("left_ankle", ankle, (0.035, 0.035, 0.035)),
        foot,
        toes,
    ]
