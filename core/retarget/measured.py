"""A rig and the skeleton side by side at rest: what directions its limbs have, numpy only."""

from dataclasses import dataclass

import numpy as np

from ..rotations import (
    normalize,
    quaternion_between,
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)
from ..skeleton import Skeleton
from .body_frame import BodyFrame
from .bone_map import BoneMap
from .driver import Driver
from .rest_rig import RestRig

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
UP = np.array([0.0, 1.0, 0.0])

#: A limb shorter than this (metres, on a body of canonical size) has no direction.
_SHORTEST = 1e-3


@dataclass(frozen=True)
class Measured:
    """A rig whose alignment is asked for; ``body`` is its reference pose, usually at rest."""

    rig: RestRig
    map: BoneMap
    body: BodyFrame
    skeleton: Skeleton

    def bones(self, slot: str) -> list[int]:
        """All bones of a slot, parents first."""
        return [self.rig.index(name) for name in self.map.bones.get(slot, ())]

    def head_of(self, slot: str) -> np.ndarray | None:
        """Where a slot's first bone begins [3]; None if it has none."""
        chain = self.bones(slot)
        return self.body.heads[chain[0]] if chain else None

    def driver(self, bone: int, joint: str, alignment: np.ndarray) -> Driver:
        """A bone that follows one joint."""
        index = self.skeleton.index(joint)
        return Driver(bone, index, index, 0.0, alignment)

    def limb(self, start: int, end: np.ndarray | None) -> np.ndarray | None:
        """Direction from a bone's head to a point; None if there is no such point."""
        if end is None:
            return None
        line = end - self.body.heads[start]
        return normalize(line) if np.linalg.norm(line) > _SHORTEST * self.body.scale else None

    def canonical_limb(self, joint: str, child: str) -> np.ndarray:
        """Direction between two of the skeleton's joints."""
        rest = self.skeleton.rest_positions
        return normalize(rest[self.skeleton.index(child)] - rest[self.skeleton.index(joint)])


def straighten(carried: np.ndarray, direction: np.ndarray | None, target: np.ndarray) -> np.ndarray:
    """Carry a rest direction with the bone above, then turn it the rest of the way."""
    if direction is None:
        return carried
    turned = quaternion_rotate(carried, direction)
    return quaternion_multiply(quaternion_between(turned, target), carried)


def rolled(alignment: np.ndarray, axis: np.ndarray, angle: float) -> np.ndarray:
    """An alignment turned further about a canonical axis, in radians."""
    return quaternion_multiply(rotation_vector_to_quaternion(angle * axis), alignment)


def angle_about(axis: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """Signed angle about a unit axis from one direction to another, in radians."""
    return float(np.arctan2(np.cross(start, end) @ axis, start @ end - start @ axis * (end @ axis)))


def ramp(value: float, low: float, high: float) -> float:
    """0 below ``low``, 1 above ``high``, smooth in between; falls instead if high < low."""
    t = float(np.clip((value - low) / (high - low), 0.0, 1.0))
    return t * t * (3.0 - 2.0 * t)
