"""What a rig shows over time, whatever animates it, in its body's frame; numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..rotations import (
    matrix_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)
from .body_frame import BodyFrame
from .rest_rig import RestRig


@dataclass(frozen=True, eq=False)
class ShownRig:
    """Evaluated bones over frames [T]; looked at one by one.

    names: B bones.  matrices: [T, B, 4, 4] in armature space; basis: [T, B, 4, 4] the bones' own
    channels; world: [T, 4, 4] from armature space to the canonical world.  rest: all bones at rest.
    body: the frame (metres) that everything is given in.  seen: bones that show what others, by
    whose names they are known, only nearly do.
    """

    names: Sequence[str]
    matrices: np.ndarray
    basis: np.ndarray
    world: np.ndarray
    rest: RestRig
    body: BodyFrame
    seen: Mapping[str, str] = field(default_factory=dict)

    @property
    def frame_count(self) -> int:
        return len(self.world)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {name: column for column, name in enumerate(self.names)}

    @cached_property
    def _placing(self) -> tuple[np.ndarray, np.ndarray]:
        """Rotation [T, 4] from armature space to the body's frame, and metres per unit [T]."""
        u, _, vt = np.linalg.svd(self.world[:, :3, :3])
        turn = quaternion_multiply(
            quaternion_conjugate(self.body.turn), matrix_to_quaternion(u @ vt)
        )
        return turn, np.cbrt(np.linalg.det(self.world[:, :3, :3]))

    def turn(self, name: str) -> np.ndarray:
        """Rotation [T, 4] of a bone's axes."""
        axes = self.matrices[:, self._columns[name], :3, :3]
        return quaternion_multiply(self._placing[0], matrix_to_quaternion(_unit(axes)))

    def head(self, name: str) -> np.ndarray:
        """Where a bone's head is [T, 3]."""
        return self._placed(self.matrices[:, self._columns[name], :3, 3])

    def tail(self, name: str) -> np.ndarray:
        """Where a bone's tail is [T, 3]."""
        row = self.rest.index(name)
        local = np.linalg.inv(self.rest.rest[row]) @ np.append(self.rest.tails[row], 1.0)
        return self._placed((self.matrices[:, self._columns[name]] @ local)[:, :3])

    def own_rotation(self, name: str) -> np.ndarray:
        """A bone's own rotation [T, 4], as its channels have it."""
        return matrix_to_quaternion(_unit(self.basis[:, self._columns[name], :3, :3]))

    def location(self, name: str) -> np.ndarray:
        """A bone's location channel [T, 3]."""
        location: np.ndarray = self.basis[:, self._columns[name], :3, 3]
        return location

    def unit(self, name: str) -> np.ndarray:
        """Metres per unit [T] of a bone's location channel."""
        column = self._columns[name]
        posed, own = (
            np.linalg.norm(m[:, column, :3, :3], axis=-2).mean(axis=-1)
            for m in (self.matrices, self.basis)
        )
        metres: np.ndarray = self._placing[1] * posed / np.maximum(own, 1e-12)
        return metres

    def frame(self, name: str) -> np.ndarray:
        """Rotation [T, 4] that a bone would have with channels at zero and no constraints."""
        row = self.rest.index(name)
        parent = self.rest.parents[row]
        rest = matrix_to_quaternion(self.rest.rest[:, :3, :3][[row, parent]])
        if parent < 0 or not self.rest.inherits_rotation[row]:
            return quaternion_multiply(self._placing[0], rest[0])
        local = quaternion_multiply(quaternion_conjugate(rest[1]), rest[0])
        return quaternion_multiply(self.turn(self.rest.bone_names[parent]), local)

    def location_axes(self, name: str) -> np.ndarray:
        """Rotation [T, 4] from a bone's location channel to the body's frame.

        Blender lets a bone that does not inherit rotation still be moved along its parent's axes.
        """
        row = self.rest.index(name)
        parent = self.rest.parents[row]
        rest = matrix_to_quaternion(self.rest.rest[:, :3, :3][[row, parent]])
        if parent < 0:
            turn = self._placing[0]
            return quaternion_multiply(turn, rest[0]) if self.rest.local_location[row] else turn
        above = self.turn(self.rest.bone_names[parent])
        if not self.rest.local_location[row]:
            return above
        return quaternion_multiply(
            above, quaternion_multiply(quaternion_conjugate(rest[1]), rest[0])
        )

    def _placed(self, points: np.ndarray) -> np.ndarray:
        """Points [T, 3] of armature space, scaled evenly whatever the object's scale."""
        turn, scale = self._placing
        origin = self.body.to_body(self.world[:, :3, 3])
        placed: np.ndarray = origin + quaternion_rotate(turn, points * scale[:, None])
        return placed


def _unit(axes: np.ndarray) -> np.ndarray:
    """Axes [..., 3, 3] of length one, a mirrored one turned back."""
    unit = axes / np.maximum(np.linalg.norm(axes, axis=-2, keepdims=True), 1e-12)
    mirrored = np.linalg.det(unit) < 0.0
    return np.where(mirrored[..., None, None], -unit, unit)
