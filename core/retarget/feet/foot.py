"""One leg and one foot of a rig in a motion, numpy only."""

from dataclasses import dataclass, replace

import numpy as np

from ...rotations import quaternion_rotate
from .shape import FootShape
from .standing import Standing

#: A leg is not stretched further than this share of its length, unless the motion itself did.
_FULL_REACH = 0.993


@dataclass(frozen=True)
class LegPath:
    """Hip, knee and ankle of one leg [T, 3] before anything is moved."""

    hip: np.ndarray
    knee: np.ndarray
    ankle: np.ndarray
    length: float

    @property
    def own(self) -> np.ndarray:
        """Distance [T] from hip to ankle."""
        distance: np.ndarray = np.linalg.norm(self.ankle - self.hip, axis=-1)
        return distance

    @property
    def limit(self) -> np.ndarray:
        """The longest distance [T] from hip to ankle that the leg may take."""
        return np.maximum(self.own, _FULL_REACH * self.length)

    def softened(self, distance: np.ndarray, share: float, most: np.ndarray) -> np.ndarray:
        """Distances [T] that approach ``most`` [T] gently from a share of the leg's length on.

        What the motion itself has stretched as far is left alone.
        """
        start = np.maximum(self.own, share * self.length)
        room = np.maximum(most - start, 1e-6 * self.length)
        over = np.maximum(distance - start, 0.0)
        return np.where(over > 0.0, start + room * (1.0 - np.exp(-over / room)), distance)


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
