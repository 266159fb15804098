"""A canonical motion as pose-bone channels of a rig.

World-space rotation transfer: a mapped bone's world rotation is its joint's global rotation times
the alignment of the two rest poses (:mod:`core.retarget.alignment`) times its own rest rotation.
Unmapped bones keep their rest pose relative to their parent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ScaleMoGenError
from ..motion import Motion
from ..rotations import (
    matrix_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    slerp,
)
from ..skeleton import Skeleton
from .alignment import IDENTITY, Driver, drivers
from .body_frame import BodyFrame, ankle_rest_height, body_frame
from .bone_map import SIDES, BoneMap
from .feet import planted
from .options import RetargetOptions
from .pose import JointPose, PoseChannels
from .rest_rig import RestRig

_DEFAULTS = RetargetOptions()


@dataclass(frozen=True)
class Retargeter:
    """A rig, measured once; then any number of motions can be put on it."""

    rig: RestRig
    bone_map: BoneMap
    skeleton: Skeleton
    body: BodyFrame
    drivers: tuple[Driver, ...]

    @classmethod
    def build(cls, rig: RestRig, bone_map: BoneMap, skeleton: Skeleton) -> "Retargeter":
        """Measure a rig whose map has hips and legs."""
        body = body_frame(rig, bone_map, skeleton)
        return cls(rig, bone_map, skeleton, body, tuple(drivers(rig, bone_map, body, skeleton)))

    @property
    def keyed_bones(self) -> list[int]:
        """Mapped bones and all their ancestors: what decides where the mapped bones are."""
        needed = {driver.bone for driver in self.drivers}
        for bone in list(needed):
            needed.update(self.rig.ancestors(bone))
        return sorted(needed)

    @property
    def mover(self) -> int:
        """The bone that carries the root motion: the pelvis, or what it is stuck to."""
        pelvis = self.bone_map.bone("pelvis")
        assert pelvis is not None  # map_bones saw to it
        bone = self.rig.index(pelvis)
        while self.rig.connected[bone] and self.rig.parents[bone] >= 0:
            bone = self.rig.parents[bone]
        return bone

    def transfer(
        self,
        motion: Motion,
        options: RetargetOptions = _DEFAULTS,
        start_at_rig: bool = True,
    ) -> PoseChannels:
        """Channels of a motion, one row a frame.

        The hip joints go where the motion's hips are, scaled by the ratio of the leg lengths and
        lifted by the difference of the ankle heights, so that standing feet stand.  With
        ``start_at_rig`` the first frame stands where the rig stands, wherever the motion starts.
        """
        pose = self.joint_pose(motion, start_at_rig)
        pose = planted(self, motion, pose, options.feet)
        return self.channels(pose, options)

    def joint_pose(self, motion: Motion, start_at_rig: bool = True) -> JointPose:
        """The motion's joint rotations, and its path at the rig's size."""
        if motion.skeleton.joint_names != self.skeleton.joint_names:
            raise ScaleMoGenError(
                f"The motion is on the skeleton '{motion.skeleton.name}'; convert it to "
                f"'{self.skeleton.name}' before retargeting."
            )
        return JointPose(motion.global_rotations(), self.hip_targets(motion, start_at_rig))

    def channels(self, pose: JointPose, options: RetargetOptions = _DEFAULTS) -> PoseChannels:
        """What to key so that the rig takes a pose."""
        turns = self.bone_turns(pose.turns)
        gap = pose.hips - self.hip_middle(turns)
        return PoseChannels(
            bones=tuple(self.rig.bone_names[b] for b in self.keyed_bones),
            rotations=self._pose_basis(turns),
            locations={self.rig.bone_names[self.mover]: self._locations(turns, gap)},
        )

    def bone_heads(self, pose: JointPose, bones: Sequence[int]) -> np.ndarray:
        """Where some bones' heads are [T, len(bones), 3] in a pose, in the body's frame, metres."""
        turns = self.bone_turns(pose.turns)
        gap = pose.hips - self.hip_middle(turns)
        heads, parents = self.body.heads, self.rig.parents
        found = np.zeros((len(turns), len(bones), 3))
        for column, bone in enumerate(bones):
            shifted = bone == self.mover or self.mover in self.rig.ancestors(bone)
            while (parent := parents[bone]) >= 0:
                found[:, column] += quaternion_rotate(turns[:, parent], heads[bone] - heads[parent])
                bone = parent
            found[:, column] += heads[bone] + (gap if shifted else 0.0)
        return found

    def bone_turns(self, joints: np.ndarray) -> np.ndarray:
        """World rotations away from rest [T, B, 4] of all bones, in the body's frame.

        ``joints`` are global joint rotations [T, J, 4].
        """
        turns = np.tile(IDENTITY, (len(joints), self.rig.bone_count, 1))
        driven = {driver.bone: driver for driver in self.drivers}
        for bone in range(self.rig.bone_count):
            if (driver := driven.get(bone)) is not None:
                turn = joints[:, driver.joint]
                if driver.blend > 0.0:
                    turn = slerp(turn, joints[:, driver.other], np.array(driver.blend))
                turns[:, bone] = quaternion_multiply(turn, driver.alignment)
            elif (parent := self.rig.turn_parent(bone)) >= 0:
                turns[:, bone] = turns[:, parent]
        return turns

    def hip_targets(self, motion: Motion, start_at_rig: bool) -> np.ndarray:
        """Where the middle between the rig's hip joints belongs [T, 3], in the body's frame."""
        offsets = self.skeleton.rest_offsets
        middle = np.mean([offsets[self.skeleton.index(f"{s}_hip")] for s in SIDES], axis=0)
        hips = motion.root_positions + quaternion_rotate(motion.rotations[:, 0], middle)
        if start_at_rig:
            hips = hips - hips[:1] * np.array([1.0, 0.0, 1.0])
        lift = self.body.ankle_height - self.body.scale * ankle_rest_height(self.skeleton)
        lifted: np.ndarray = self.body.scale * hips + np.array([0.0, lift, 0.0])
        return lifted

    def hip_middle(self, turns: np.ndarray) -> np.ndarray:
        """Middle between the rig's hip joints [T, 3] while bones turn [T, B, 4] but none moves."""
        heads = self.body.heads
        middle = np.zeros((len(turns), 3))
        for side in SIDES:
            name = self.bone_map.bone(f"{side}_hip")
            assert name is not None  # map_bones saw to it
            bone = self.rig.index(name)
            while (parent := self.rig.parents[bone]) >= 0:
                middle += quaternion_rotate(turns[:, parent], heads[bone] - heads[parent])
                bone = parent
            middle += heads[bone]
        middle /= len(SIDES)
        return middle

    def parent_turns(self, turns: np.ndarray, bone: int) -> np.ndarray:
        """Turn [T, 4] of the frame in which a bone's pose is expressed."""
        return _turn_of(turns, self.rig.turn_parent(bone))

    def _pose_basis(self, turns: np.ndarray) -> np.ndarray:
        """rest_local^-1 parent_world^-1 world, which is rest^-1 parent_turn^-1 turn rest."""
        columns = []
        for bone in self.keyed_bones:
            rest = self.body.rotations[bone]
            relative = quaternion_multiply(
                quaternion_conjugate(self.parent_turns(turns, bone)), turns[:, bone]
            )
            columns.append(
                quaternion_multiply(quaternion_conjugate(rest), quaternion_multiply(relative, rest))
            )
        return np.stack(columns, axis=1)

    def _locations(self, turns: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """The mover's location channel [T, 3] that shifts the body by ``gap`` metres."""
        axes = quaternion_conjugate(self.location_axes(turns))
        shifted: np.ndarray = quaternion_rotate(axes, gap) / self.rig.scale
        return shifted

    def location_axes(self, turns: np.ndarray) -> np.ndarray:
        """Rotation [T, 4] from the mover's location channels to the body's frame."""
        mover = self.mover
        above = self.rig.location_parent(mover)
        if self.rig.local_location[mover]:
            axes = self.body.rotations[mover]
        elif above >= 0:
            axes = self.body.rotations[above]
        else:
            axes = _armature_axes(self.rig, self.body)
        return quaternion_multiply(_turn_of(turns, above), axes)


def _turn_of(turns: np.ndarray, bone: int) -> np.ndarray:
    """Turn [T, 4] of a bone, or of the armature (-1)."""
    return np.tile(IDENTITY, (len(turns), 1)) if bone < 0 else turns[:, bone]


def _armature_axes(rig: RestRig, body: BodyFrame) -> np.ndarray:
    """Rotation [4] from armature space to the body's frame."""
    return quaternion_multiply(
        quaternion_conjugate(body.turn), matrix_to_quaternion(rig.object_rotation)
    )
