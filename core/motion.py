"""A motion clip: local joint rotations and a root path on a skeleton, numpy only."""

from dataclasses import dataclass, replace

import numpy as np

from . import kinematics
from .rotations import make_continuous, slerp
from .skeleton import Skeleton


@dataclass(frozen=True)
class Motion:
    """One clip in the canonical frame (Y up, facing +Z at rest) and the skeleton's units.

    rotations: [T, J, 4] unit quaternions (w, x, y, z), local to the parent joint.
    root_positions: [T, 3] position of joint 0.
    contacts: [T, 4] probability that each of ``skeleton.contact_joints`` stands, or None.
    """

    skeleton: Skeleton
    rotations: np.ndarray
    root_positions: np.ndarray
    fps: float
    contacts: np.ndarray | None = None

    @property
    def frame_count(self) -> int:
        return len(self.rotations)

    @property
    def seconds(self) -> float:
        return self.frame_count / self.fps

    def global_rotations(self) -> np.ndarray:
        """Global joint rotations [T, J, 4]."""
        return kinematics.global_rotations(self.rotations, self.skeleton.parents)

    def positions(self) -> np.ndarray:
        """Joint positions [T, J, 3] in the canonical frame."""
        return kinematics.joint_positions(
            self.global_rotations(),
            self.root_positions,
            self.skeleton.parents,
            self.skeleton.rest_offsets,
        )

    def at_frames(self, index: slice | np.ndarray) -> "Motion":
        """The frames of a slice, or of an index array (which may repeat a frame to hold it)."""
        return replace(
            self,
            rotations=self.rotations[index],
            root_positions=self.root_positions[index],
            contacts=None if self.contacts is None else self.contacts[index],
        )

    def resampled(self, fps: float) -> "Motion":
        """The same motion at another frame rate: slerp for rotations, linear for positions.

        The first frame keeps its time; the last new frame lies within the old clip.
        """
        if fps == self.fps or self.frame_count < 2:
            return replace(self, fps=fps)
        count = int(np.floor((self.frame_count - 1) / self.fps * fps + 1e-6)) + 1
        at = np.minimum(np.arange(count) * self.fps / fps, self.frame_count - 1)
        low = np.minimum(at.astype(int), self.frame_count - 2)
        t = at - low
        blend = t[:, None]

        def linear(values: np.ndarray) -> np.ndarray:
            return values[low] * (1 - blend) + values[low + 1] * blend

        return replace(
            self,
            fps=fps,
            rotations=make_continuous(
                slerp(self.rotations[low], self.rotations[low + 1], t[:, None])
            ),
            root_positions=linear(self.root_positions),
            contacts=None if self.contacts is None else linear(self.contacts),
        )
