"""The SnapMoGen layout (arXiv 2507.09122), for its own 24 joints in cm and our 22 in metres.

Per frame: root [yaw rate, vx, vz, height], global rotations (6-D), positions, velocities, contacts.
Rotations, positions and velocities are in the heading frame: yaw removed, the body faces +Z.
"""

import numpy as np

from ..kinematics import local_rotations
from ..motion import Motion
from ..rotations import (
    make_continuous,
    matrix_from_6d,
    matrix_to_6d,
    matrix_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_matrix,
)
from ..skeleton import load_skeleton
from .heading import HEADING_SIGMA, facing_forward, heading_angles, lowered, yaw_quaternion
from .layout import FeatureLayout

#: Greatest squared speed (units per frame, squared) and heights of (ankle, toe) of a standing foot.
#: SnapMoGen's character is about 1.1 m tall; ours is 1.7 m, so its limits are scaled to match.
_CONTACT_LIMITS = {"snapmogen": (0.11, 9.0, 4.0), "canonical": (4.4e-5, 0.12, 0.05)}


class SnapMoGenLayout(FeatureLayout):
    """See :class:`FeatureLayout`; ``name`` is ``snapmogen`` (296 wide) or ``canonical`` (272)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.skeleton = load_skeleton(name)
        joints = self.skeleton.joint_count
        self.rotation_start = 4
        self.position_start = self.rotation_start + 6 * joints
        self.velocity_start = self.position_start + 3 * joints
        self.contact_start = self.velocity_start + 3 * joints
        self.width = self.contact_start + 4
        self.root_columns = slice(0, 4)
        self.velocity_columns = slice(self.velocity_start, self.contact_start)
        self.joint_columns = tuple(self._columns_of(joint) for joint in range(joints))

    def _columns_of(self, joint: int) -> tuple[int, ...]:
        columns = list(range(4)) if joint == 0 else []
        columns += range(self.rotation_start + 6 * joint, self.rotation_start + 6 * joint + 6)
        columns += range(self.position_start + 3 * joint, self.position_start + 3 * joint + 3)
        columns += range(self.velocity_start + 3 * joint, self.velocity_start + 3 * joint + 3)
        if joint in self.skeleton.contact_joints:
            columns.append(self.contact_start + self.skeleton.contact_joints.index(joint))
        return tuple(columns)

    def canonicalize(self, motion: Motion) -> Motion:
        motion = facing_forward(motion, HEADING_SIGMA)
        if self.name != "snapmogen":
            # Our own data set already stands on a measured floor; lowering a clip by its own feet
            # would sink one that only jumps or sits.
            return motion
        feet = np.sort(motion.positions()[:, list(self.skeleton.contact_joints), 1], axis=None)
        return lowered(motion, float(feet[: max(1, len(feet) // 10)].mean()))

    def encode(self, motion: Motion) -> np.ndarray:
        motion = self.canonicalize(motion)
        positions = motion.positions()
        root = motion.root_positions
        yaw = heading_angles(positions, self.skeleton, HEADING_SIGMA)
        # Frame 0 faces +Z by definition; smoothing sees T + 1 frames here and T on the way back.
        heading = yaw_quaternion(yaw)
        step = quaternion_rotate(heading[:-1], root[1:] - root[:-1])
        root_features = np.stack([np.diff(yaw), step[:, 0], step[:, 2], root[:-1, 1]], axis=-1)
        rotations = quaternion_multiply(heading[:, None], motion.global_rotations())
        local = quaternion_rotate(heading[:, None], positions - root[:, None] * [1, 0, 1])
        frames = len(root) - 1
        return np.concatenate(
            [
                root_features,
                matrix_to_6d(quaternion_to_matrix(rotations[:-1])).reshape(frames, -1),
                local[:-1].reshape(frames, -1),
                np.diff(local, axis=0).reshape(frames, -1),
                self.contacts(positions),
            ],
            axis=-1,
        ).astype(np.float32)

    def contacts(self, positions: np.ndarray) -> np.ndarray:
        """1 where a foot joint is slow and low, [T, 4], from joint positions [T + 1, J, 3]."""
        speed_limit, ankle, toe = _CONTACT_LIMITS[self.name]
        feet = positions[:, list(self.skeleton.contact_joints)]
        slow = np.sum(np.diff(feet, axis=0) ** 2, axis=-1) < speed_limit
        low = feet[:-1, :, 1] < np.array([ankle, toe, ankle, toe])
        return (slow & low).astype(np.float64)

    def decode(self, features: np.ndarray) -> Motion:
        features = np.asarray(features, dtype=np.float64)
        frames = len(features)
        yaw = np.concatenate([[0.0], np.cumsum(features[:-1, 0])])
        back = quaternion_conjugate(yaw_quaternion(yaw))
        step = np.zeros((frames, 3))
        step[:, 0], step[:, 2] = features[:, 1], features[:, 2]
        path = np.cumsum(quaternion_rotate(back, step), axis=0)
        root = np.concatenate([np.zeros((1, 3)), path[:-1]])
        root[:, 1] = features[:, 3]
        d6 = features[:, self.rotation_start : self.position_start].reshape(frames, -1, 6)
        turned = matrix_to_quaternion(matrix_from_6d(d6))
        globals_ = quaternion_multiply(back[:, None], turned)
        return Motion(
            skeleton=self.skeleton,
            rotations=make_continuous(local_rotations(globals_, self.skeleton.parents)),
            root_positions=root,
            fps=self.skeleton.fps,
            contacts=np.clip(features[:, self.contact_start :], 0.0, 1.0),
        )
