"""What judges look at: joints of a motion in the body's own heading frame, numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...features.heading import HEADING_SIGMA, heading_angles, yaw_quaternion
from ...motion import Motion
from ...rotations import quaternion_rotate

#: Height of the canonical pelvis above the floor when the legs are straight, in metres.
STANDING = 0.98
_UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class View:
    """Frames ``first`` to ``last`` (both included) of a motion on the canonical skeleton.

    Directions are the body's: +X its left, +Y up, +Z the way that it faces; metres, seconds.
    """

    motion: Motion
    first: int = 0
    last: int = -1
    _shared: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def fps(self) -> float:
        return self.motion.fps

    @cached_property
    def frames(self) -> slice:
        last = self.last if self.last >= 0 else self.motion.frame_count + self.last
        return slice(self.first, last + 1)

    def part(self, first: int, last: int) -> View:
        """Other frames of the same motion; what has been computed for it is not done again."""
        return View(self.motion, first, last, self._shared)

    @property
    def heading(self) -> np.ndarray:
        """Yaw [n] of the facing direction in radians, growing to the body's left."""
        return self._whole()["heading"][self.frames]

    def world(self, joint: str) -> np.ndarray:
        """World positions [n, 3] of a joint."""
        return self._whole()["positions"][self.frames, self._index(joint)]

    def height(self, joint: str) -> np.ndarray:
        """Height [n] of a joint above the floor."""
        return self.world(joint)[:, 1]

    def of(self, joint: str, origin: str = "pelvis") -> np.ndarray:
        """Position [n, 3] of a joint from another one, in the body's directions."""
        return self.turned(self.world(joint) - self.world(origin))

    def turned(self, vectors: np.ndarray) -> np.ndarray:
        """World vectors [n, 3] in the body's directions of their frames."""
        return quaternion_rotate(yaw_quaternion(-self.heading), vectors)

    def forward(self, joint: str) -> np.ndarray:
        """Where a joint's own +Z axis points [n, 3], in the body's directions."""
        rotations = self._whole()["rotations"][self.frames, self._index(joint)]
        return self.turned(quaternion_rotate(rotations, np.array([0.0, 0.0, 1.0])))

    def path(self) -> np.ndarray:
        """The pelvis on the floor [n, 3] from the first frame on, in that frame's directions."""
        moved = (self.world("pelvis") - self.world("pelvis")[0]) * (1.0 - _UP)
        start = yaw_quaternion(-self.heading[:1])
        return quaternion_rotate(start, moved)

    def speed(self, joint: str) -> np.ndarray:
        """Metres a second [n - 1] of a joint in the world."""
        return np.linalg.norm(np.diff(self.world(joint), axis=0), axis=-1) * self.fps

    def _index(self, joint: str) -> int:
        return self.motion.skeleton.index(joint)

    def _whole(self) -> dict[str, np.ndarray]:
        """Positions, global rotations and heading of the whole motion, computed once."""
        if not self._shared:
            motion = self.motion
            positions = motion.positions()
            sigma = HEADING_SIGMA * motion.fps / motion.skeleton.fps
            self._shared["positions"] = positions
            self._shared["rotations"] = motion.global_rotations()
            self._shared["heading"] = -heading_angles(positions, motion.skeleton, sigma)
        return self._shared
