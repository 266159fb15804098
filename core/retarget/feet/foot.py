"""One foot of a rig in a motion, numpy only."""

from dataclasses import dataclass, replace

import numpy as np

from ...rotations import quaternion_rotate
from .shape import FootShape
from .standing import Standing


@dataclass(frozen=True)
class RigFoot:
    """Where a foot is, and what of it stands.

    ankle: [T, 3] metres; rotation, toe_rotation: [T, 4] joint rotations of ankle and toe.
    toe_stands, ankle_stands: [T] bool, the joints that keep their places: both on a flat foot.
    scale, motion_scale: how large rig and motion are beside the canonical body.
    """

    shape: FootShape
    standing: Standing
    ankle: np.ndarray
    rotation: np.ndarray
    toe_rotation: np.ndarray
    toe_stands: np.ndarray
    ankle_stands: np.ndarray
    fps: float
    scale: float
    motion_scale: float

    @property
    def toe(self) -> np.ndarray:
        """The ball of the foot [T, 3]."""
        return self.ankle + quaternion_rotate(self.rotation, self.shape.toe)

    @property
    def heel(self) -> np.ndarray:
        """The sole below the heel [T, 3]."""
        return self.ankle + quaternion_rotate(self.rotation, self.shape.heel)

    @property
    def on_floor(self) -> np.ndarray:
        """Frames [T] in which the sole faces the floor and no step or box is below it."""
        return self.standing.sole_down & (self.standing.elevated < 0.5)

    def turned_about_ball(self, rotation: np.ndarray) -> "RigFoot":
        """The foot with another rotation [T, 4] and the ball where it was."""
        ankle = self.toe - quaternion_rotate(rotation, self.shape.toe)
        same = np.all(rotation == self.rotation, axis=-1)[:, None]
        return replace(self, rotation=rotation, ankle=np.where(same, self.ankle, ankle))
