"""A canonical motion as pose-bone channels of a rig.

World-space rotation transfer: a mapped bone's world rotation is its joint's global rotation times
the alignment of the two rest poses (:mod:`core.retarget.alignment`) times its own rest rotation.
Unmapped bones keep their rest pose relative to their parent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import ScaleMoGenError
from ..motion import Motion
from ..rotations import (
    matrix_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)
from ..skeleton import Skeleton
from . import reference as reference_pose
from . import root_motion
from .alignment import IDENTITY, Driver, drivers
from .body_frame import BodyFrame, ankle_rest_height, body_frame
from .bone_map import SIDES, BoneMap
from .carriers import leader, mover_of, root_bone_of
from .driver import Drivers, turn_sources, turning_with
from .feet import planted
from .hands import hands_kept
from .options import RetargetOptions
from .pose import JointPose, PoseChannels
from .pulls import with_pulls
from .rest_rig import RestRig
from .spread import limbs_spread

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
    def build(
        cls,
        rig: RestRig,
        bone_map: BoneMap,
        skeleton: Skeleton,
        reference: RestRig | None = None,
    ) -> "Retargeter":
        """Measure a rig whose map has hips and legs.

        ``reference`` is the same rig with a pose in place of its rest matrices: the pose that
        counts as standing at ease, for rigs whose rest pose is of no use.
        """
        mapped = {rig.index(name) for chain in bone_map.bones.values() for name in chain}
        if reference is None:
            body = body_frame(rig, bone_map, skeleton)
            found = drivers(rig, bone_map, body, skeleton)
        else:
            posed = reference_pose.reachable(rig, reference, mapped, mover_of(rig, bone_map))
            frame = body_frame(posed, bone_map, skeleton)
            body = reference_pose.at_rest(frame, rig)
            found = drivers(posed, bone_map, frame, skeleton)
            found = reference_pose.from_rest(found, frame, body)
        found = leader(found, rig, bone_map)
        found = with_pulls(found, rig, bone_map, body.heads, skeleton, body.scale)
        return cls(rig, bone_map, skeleton, body, tuple(found))

    @cached_property
    def keyed_bones(self) -> list[int]:
        """Mapped bones and all their ancestors: what decides where the mapped bones are.

        On control rigs, of the ancestors only what is moved.
        """
        needed = {driver.bone for driver in self.drivers}
        if self.rig.turn_parents is not None:
            return sorted({*needed, self.mover})
        for bone in list(needed):
            needed.update(self.rig.ancestors(bone))
        return sorted(needed)

    @cached_property
    def mover(self) -> int:
        """The bone that carries the root motion: the pelvis, or what it is stuck to."""
        return mover_of(self.rig, self.bone_map)

    @property
    def root_bone(self) -> int:
        """The topmost bone above the mover; ScaleMoGenError if there is none."""
        return root_bone_of(self.rig, self.mover)

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
        pose = limbs_spread(self, pose, options.arm_spread, options.leg_spread)
        if options.keep_hands:
            pose = hands_kept(self, motion, pose)
        pose = planted(self, motion, pose, options.feet)
        return self.channels(pose, options)

    def joint_pose(self, motion: Motion, start_at_rig: bool = True) -> JointPose:
        """The motion's joint rotations, and its path at the rig's size."""
        if motion.skeleton.joint_names != self.skeleton.joint_names:
            raise ScaleMoGenError(
                f"The motion is on the skeleton '{motion.skeleton.name}'; convert it to "
                f"'{self.skeleton.name}' before retargeting."
            )
        turns = motion.global_rotations()
        return JointPose(turns, self.hip_targets(motion, start_at_rig), motion.fps)

    def channels(self, pose: JointPose, options: RetargetOptions = _DEFAULTS) -> PoseChannels:
        """What to key so that the rig takes a pose.

        Every choice of root motion shows the mapped bones in the same places, but for IN_PLACE.
        ScaleMoGenError if the root bone is to carry the motion and there is none.
        """
        way, object_to_world = root_motion.way_of(pose), None
        if options.root == "OBJECT":
            pose = way.seen_from(pose)
            object_to_world = way.carrying(self.rig.to_world, self.body)
        elif options.root == "IN_PLACE":
            pose = root_motion.in_place(pose)
        turns, keyed = self.bone_turns(pose.turns), set(self.keyed_bones)
        gap, locations = pose.hips, {}
        if options.root == "ROOT_BONE":
            root = self.root_bone
            keyed.add(root)
            driven = {driver.bone for driver in self.drivers}
            turns[:, turning_with(self.rig, root, driven)] = way.turns[:, None]
            shift = way.points(self.body.heads[root]) - self.body.heads[root]
            locations[self.rig.bone_names[root]] = self._locations(turns, shift, root)
            gap = gap - shift
        gap = gap - self.hip_middle(turns)
        locations[self.rig.bone_names[self.mover]] = self._locations(turns, gap, self.mover)
        bones = sorted(keyed)
        return PoseChannels(
            bones=tuple(self.rig.bone_names[b] for b in bones),
            rotations=self._pose_basis(turns, bones),
            locations=locations,
            object_to_world=object_to_world,
        )

    def bone_heads(self, pose: JointPose, bones: Sequence[int]) -> np.ndarray:
        """Where some bones' heads are [T, len(bones), 3] in a pose, in the body's frame, metres."""
        turns = self.bone_turns(pose.turns)
        gap = pose.hips - self.hip_middle(turns)
        places: dict[int, np.ndarray] = {}
        found = np.empty((len(turns), len(bones), 3))
        for column, bone in enumerate(bones):
            carried = bone == self.mover or self.mover in self.rig.ancestors(bone)
            found[:, column] = self._head(turns, bone, places) + (gap if carried else 0.0)
        return found

    def bone_turns(self, joints: np.ndarray) -> np.ndarray:
        """World rotations away from rest [T, B, 4] of all bones, in the body's frame.

        ``joints`` are global joint rotations [T, J, 4].
        """
        found = Drivers(self.drivers).turns(joints)
        still = np.broadcast_to(IDENTITY, (len(joints), 1, 4))
        return np.take(np.concatenate([found, still], axis=1), self._sources, axis=1)

    @cached_property
    def _sources(self) -> np.ndarray:
        """Column [B] of the driver that turns each bone; the column after the last for none."""
        driven = {driver.bone: column for column, driver in enumerate(self.drivers)}
        sources = np.array(turn_sources(self.rig, driven))
        return np.where(sources < 0, len(self.drivers), sources)

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
        places: dict[int, np.ndarray] = {}
        names = [self.bone_map.bone(f"{side}_hip") for side in SIDES]
        hips = [self._head(turns, self.rig.index(name), places) for name in names if name]
        middle: np.ndarray = np.mean(hips, axis=0)
        return middle

    def _head(self, turns: np.ndarray, bone: int, places: dict[int, np.ndarray]) -> np.ndarray:
        """Where a bone's head is [T, 3] while bones turn but none moves; ``places`` are known."""
        if bone not in places:
            heads, parent = self.body.heads, self.rig.parents[bone]
            if parent < 0:
                places[bone] = np.tile(heads[bone], (len(turns), 1))
            else:
                arm = quaternion_rotate(turns[:, parent], heads[bone] - heads[parent])
                places[bone] = self._head(turns, parent, places) + arm
        return places[bone]

    def parent_turns(self, turns: np.ndarray, bone: int) -> np.ndarray:
        """Turn [T, 4] of the frame in which a bone's pose is expressed."""
        return _turn_of(turns, self.rig.turn_parent(bone))

    def location_axes(self, turns: np.ndarray, bone: int | None = None) -> np.ndarray:
        """Rotation [T, 4] from a bone's (the mover's) location channel to the body's frame."""
        bone = self.mover if bone is None else bone
        above = self.rig.location_parent(bone)
        if self.rig.local_location[bone]:
            axes = self.body.rotations[bone]
        elif above >= 0:
            axes = self.body.rotations[above]
        else:
            axes = quaternion_multiply(
                quaternion_conjugate(self.body.turn), matrix_to_quaternion(self.rig.object_rotation)
            )
        return quaternion_multiply(_turn_of(turns, above), axes)

    def _pose_basis(self, turns: np.ndarray, bones: Sequence[int]) -> np.ndarray:
        """rest_local^-1 parent_world^-1 world, which is rest^-1 parent_turn^-1 turn rest."""
        rest = self.body.rotations[list(bones)]
        parents = np.stack([self.parent_turns(turns, bone) for bone in bones], axis=1)
        relative = quaternion_multiply(quaternion_conjugate(parents), turns[:, list(bones)])
        return quaternion_multiply(quaternion_conjugate(rest), quaternion_multiply(relative, rest))

    def _locations(self, turns: np.ndarray, shift: np.ndarray, bone: int) -> np.ndarray:
        """A bone's location channel [T, 3] that moves it by ``shift`` metres."""
        axes = quaternion_conjugate(self.location_axes(turns, bone))
        shifted: np.ndarray = quaternion_rotate(axes, shift) / self.rig.scale
        return shifted


def _turn_of(turns: np.ndarray, bone: int) -> np.ndarray:
    """Turn [T, 4] of a bone, or of the armature (-1)."""
    return np.tile(IDENTITY, (len(turns), 1)) if bone < 0 else turns[:, bone]
