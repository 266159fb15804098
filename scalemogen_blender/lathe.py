"""Closed low-poly bodies turned on a lathe, as plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._core import coordinates, rotations

LEFT, UP, FORWARD = coordinates.LEFT, coordinates.UP, coordinates.FORWARD
WOOD, JOINT = "wood", "joint"
_AROUND = 16


@dataclass(frozen=True)
class Part:
    """One closed body of a single material that moves with one joint.

    vertices: [V, 3]; faces: tuples of vertex indices, counter-clockwise from outside.
    """

    joint: str
    material: str
    vertices: np.ndarray
    faces: tuple[tuple[int, ...], ...]


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


def rounded(profile: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
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


def ball(
    joint: str, centre: np.ndarray, radii: tuple[float, float, float], material: str = JOINT
) -> Part:
    """An ellipsoid with half axes along x, y and z."""
    turns = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 10)[1:-1]
    profile = [(0.5 + 0.5 * np.sin(t), radii[0] * np.cos(t), radii[2] * np.cos(t)) for t in turns]
    half = radii[1] * UP
    # The caps would flatten the poles: put them where the ellipsoid ends.
    part = lathe(joint, centre - half, centre + half, profile, LEFT, material)
    part.vertices[-2:] = centre - half, centre + half
    return part


def mirrored(part: Part) -> Part:
    """The same part on the right."""
    return Part(
        part.joint.replace("left", "right"),
        part.material,
        part.vertices * np.array([-1.0, 1.0, 1.0]),
        tuple(face[::-1] for face in part.faces),
    )
