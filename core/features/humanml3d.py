"""The HumanML3D layout (Guo et al., CVPR 2022, "Generating Diverse and Natural 3D Human Motions").

Per frame 263 numbers: root [yaw rate, vx, vz, height], positions of joints 1.., rotations (6-D) of
joints 1.., velocities, contacts; metres, 20 fps.  What differs from SnapMoGen's layout: the yaw
rate is the HALF angle; the root's step t is turned by the heading of frame t + 1; velocities are
those of global positions; and a joint's rotation is the one that swings the bone ENDING in it,
found from positions alone, so twist is not represented.  Positions are therefore what is decoded.
"""

from dataclasses import replace

import numpy as np

from ..kinematics import local_rotations
from ..motion import Motion
from ..rotations import (
    make_continuous,
    matrix_to_6d,
    quaternion_between,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_matrix,
)
from ..skeleton import load_skeleton
from .fit_rotations import fit_rotations
from .heading import facing_forward, heading_angles, lowered, yaw_quaternion
from .layout import FeatureLayout

HEADING_SIGMA = 20.0
CONTACT_SQUARED_SPEED = 0.002
#: Joint chains of the published inverse kinematics, each starting from the root's rotation.
CHAINS = (
    (0, 2, 5, 8, 11),
    (0, 1, 4, 7, 10),
    (0, 3, 6, 9, 12, 15),
    (9, 14, 17, 19, 21),
    (9, 13, 16, 18, 20),
)
#: Direction in which each joint lies from the one before it in the published rest pose (arms down).
_AXES = {
    "0": (0, 0, 0),
    "+x": (1, 0, 0),
    "-x": (-1, 0, 0),
    "+y": (0, 1, 0),
    "-y": (0, -1, 0),
    "+z": (0, 0, 1),
}
REST_DIRECTIONS = np.array(
    [
        _AXES[axis]
        for axis in ("0 +x -x +y -y -y +y -y -y +y +z +z +y +x -x +z -y -y -y -y -y -y".split())
    ],
    dtype=np.float64,
)


class HumanML3DLayout(FeatureLayout):
    """See :class:`FeatureLayout`."""

    name = "humanml3d"
    width = 263

    def __init__(self) -> None:
        self.skeleton = load_skeleton("humanml3d")
        joints = self.skeleton.joint_count
        self.position_start = 4
        self.rotation_start = self.position_start + 3 * (joints - 1)
        self.velocity_start = self.rotation_start + 6 * (joints - 1)
        self.contact_start = self.velocity_start + 3 * joints
        self.root_columns = slice(0, 4)
        self.velocity_columns = slice(self.velocity_start, self.contact_start)
        self.joint_columns = tuple(self._columns_of(joint) for joint in range(joints))

    def _columns_of(self, joint: int) -> tuple[int, ...]:
        if joint == 0:
            columns = list(range(4))
        else:
            position = self.position_start + 3 * (joint - 1)
            rotation = self.rotation_start + 6 * (joint - 1)
            columns = [*range(position, position + 3), *range(rotation, rotation + 6)]
        velocity = self.velocity_start + 3 * joint
        columns += range(velocity, velocity + 3)
        if joint in self.skeleton.contact_joints:
            columns.append(self.contact_start + self.skeleton.contact_joints.index(joint))
        return tuple(columns)

    def canonicalize(self, motion: Motion) -> Motion:
        motion = facing_forward(motion, HEADING_SIGMA)
        return lowered(motion, float(motion.positions()[..., 1].min()))

    def encode(self, motion: Motion) -> np.ndarray:
        return self.encode_positions(self.canonicalize(motion).positions())

    def encode_positions(self, positions: np.ndarray) -> np.ndarray:
        """Features [T, 263] of canonical joint positions [T + 1, 22, 3] in metres."""
        yaw = heading_angles(positions, self.skeleton, HEADING_SIGMA)
        heading = yaw_quaternion(yaw)
        root = positions[:, 0]
        step = quaternion_rotate(heading[1:], root[1:] - root[:-1])
        root_features = np.stack([np.diff(yaw) / 2, step[:, 0], step[:, 2], root[:-1, 1]], axis=-1)
        local = quaternion_rotate(heading[:, None], positions - root[:, None] * [1, 0, 1])
        velocities = quaternion_rotate(heading[:-1, None], np.diff(positions, axis=0))
        feet = positions[:, list(self.skeleton.contact_joints)]
        contacts = np.sum(np.diff(feet, axis=0) ** 2, axis=-1) < CONTACT_SQUARED_SPEED
        frames = len(root) - 1
        return np.concatenate(
            [
                root_features,
                local[:-1, 1:].reshape(frames, -1),
                matrix_to_6d(quaternion_to_matrix(self._swings(positions)))[:-1, 1:].reshape(
                    frames, -1
                ),
                velocities.reshape(frames, -1),
                contacts,
            ],
            axis=-1,
        ).astype(np.float32)

    def _swings(self, positions: np.ndarray) -> np.ndarray:
        """Rotations [T, J, 4] of the bones ending in each joint, relative to the bone before."""
        swings = np.zeros((*positions.shape[:2], 4))
        swings[..., 0] = 1.0
        # The published data keep the heading itself here, not its inverse.
        swings[:, 0] = yaw_quaternion(heading_angles(positions, self.skeleton, HEADING_SIGMA))
        for chain in CHAINS:
            before = swings[:, 0]
            for joint, child in zip(chain, chain[1:], strict=False):
                bone = positions[:, child] - positions[:, joint]
                turn = quaternion_between(REST_DIRECTIONS[child], bone)
                swings[:, child] = quaternion_multiply(quaternion_conjugate(before), turn)
                before = turn
        return swings

    def decode_positions(self, features: np.ndarray) -> np.ndarray:
        """Joint positions [T, 22, 3] in metres of features [T, 263]."""
        features = np.asarray(features, dtype=np.float64)
        frames = len(features)
        yaw = 2 * np.concatenate([[0.0], np.cumsum(features[:-1, 0])])
        back = quaternion_conjugate(yaw_quaternion(yaw))
        step = np.zeros((frames, 3))
        step[1:, 0], step[1:, 2] = features[:-1, 1], features[:-1, 2]
        root = np.cumsum(quaternion_rotate(back, step), axis=0)
        local = features[:, self.position_start : self.rotation_start].reshape(frames, -1, 3)
        positions = quaternion_rotate(back[:, None], local) + root[:, None]
        root[:, 1] = features[:, 3]
        return np.concatenate([root[:, None], positions], axis=1)

    def decode(self, features: np.ndarray) -> Motion:
        positions = self.decode_positions(features)
        globals_, offsets = fit_rotations(positions, self.skeleton)
        return Motion(
            skeleton=replace(self.skeleton, rest_offsets=offsets),
            rotations=make_continuous(local_rotations(globals_, self.skeleton.parents)),
            root_positions=positions[:, 0],
            fps=self.skeleton.fps,
            contacts=np.clip(features[:, self.contact_start :], 0.0, 1.0),
        )
