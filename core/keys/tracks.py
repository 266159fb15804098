"""What is reduced: the channels of a bone over time, and what they mean as a pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rotations import euler_to_quaternion, normalize, rotation_angle


@dataclass(frozen=True)
class Part:
    """Curves that make one rotation, location or other property.

    values: [T, C] as keyed.  kind: QUATERNION, AXIS_ANGLE (angle first, radians), an Euler order as
    Blender names it (XYZ turns about X first; columns x, y, z in radians), LOCATION, or OTHER.
    offset: [T, C] is added before it becomes a pose, for keys that are differences.
    scale: millimetres that a unit of a location is.
    """

    values: np.ndarray
    kind: str
    offset: np.ndarray | None = None
    scale: float = 1000.0

    @property
    def is_rotation(self) -> bool:
        return self.kind not in ("LOCATION", "OTHER")

    def posed(self, values: np.ndarray, frames: np.ndarray | slice = slice(None)) -> np.ndarray:
        """The pose [K, ·] of some values: unit quaternions, millimetres, or plain numbers."""
        if self.offset is not None:
            values = values + self.offset[frames]
        if self.kind == "LOCATION":
            return values * self.scale
        if self.kind == "OTHER":
            return values
        return quaternions(values, self.kind)


@dataclass(frozen=True)
class Track:
    """What shares its key frames: all parts of a bone.

    kept: frames [K] (indices) that keep a key in any case, besides the first and the last.
    """

    name: str
    parts: tuple[Part, ...]
    kept: tuple[int, ...] = ()

    @property
    def columns(self) -> int:
        return sum(part.values.shape[1] for part in self.parts)


def quaternions(values: np.ndarray, kind: str) -> np.ndarray:
    """Unit quaternions [..., 4] of keyed rotations, as Blender makes them."""
    if kind == "QUATERNION":
        return normalize(values)
    if kind == "AXIS_ANGLE":
        half = 0.5 * values[..., :1]
        return np.concatenate([np.cos(half), np.sin(half) * normalize(values[..., 1:])], axis=-1)
    order = kind[::-1]  # our orders name the axis that turns last first
    return euler_to_quaternion(values[..., ["XYZ".index(axis) for axis in order]], order)


def degrees_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles [...] in degrees between unit quaternions."""
    return np.degrees(rotation_angle(a, b))
