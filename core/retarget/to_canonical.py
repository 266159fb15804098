"""Motions on the published skeletons, put on the canonical one."""

import numpy as np

from ..coordinates import CENTIMETRES_PER_METRE
from ..kinematics import joint_positions
from ..motion import Motion
from ..skeleton import Skeleton, canonical
from .bone_map import SIDES, map_bones
from .recover import recover_motion
from .rest_rig import RestRig
from .transfer import Retargeter


def onto_canonical(motion: Motion) -> Motion:
    """The motion on the canonical skeleton and at its frame rate, scaled by leg length.

    Limb directions are kept; the path is scaled so that feet stay on the floor.
    """
    target = canonical()
    if motion.skeleton is target:
        return motion
    rig = skeleton_rig(motion.skeleton)
    bone_map = map_bones(rig.bone_names, rig.parents, motion.skeleton.name, rig.heads)
    retargeter = Retargeter.build(rig, bone_map, target)
    rotations = motion.global_rotations()
    positions = joint_positions(
        rotations, motion.root_positions, motion.skeleton.parents, motion.skeleton.rest_offsets
    )
    hips = [bone_map.bone(f"{side}_hip") for side in SIDES]
    middle = np.mean([positions[:, rig.index(bone)] for bone in hips if bone], axis=0)
    made = recover_motion(retargeter, rotations, middle * rig.scale, motion.fps)
    contacts = Motion(target, made.rotations, made.root_positions, made.fps, motion.contacts)
    return contacts.resampled(target.fps)


def skeleton_rig(skeleton: Skeleton) -> RestRig:
    """A skeleton's rest pose, standing on the floor, as a rig whose bones have the world's axes."""
    count = skeleton.joint_count
    heads = skeleton.rest_positions
    heads = heads - np.array([0.0, heads[:, 1].min(), 0.0])
    rest = np.tile(np.eye(4), (count, 1, 1))
    rest[:, :3, 3] = heads
    tails = heads.copy()
    for joint in range(count):
        children = skeleton.children(joint)
        tails[joint] += skeleton.rest_offsets[children[0]] if children else [0.0, 1.0, 0.0]
    unit = 1.0 if skeleton.units == "metres" else 1.0 / CENTIMETRES_PER_METRE
    return RestRig(
        name=skeleton.name,
        bone_names=skeleton.joint_names,
        parents=skeleton.parents,
        rest=rest,
        to_world=np.diag([unit] * 3 + [1.0]),
        tails=tails,
        connected=np.zeros(count, dtype=bool),
        inherits_rotation=np.ones(count, dtype=bool),
        local_location=np.ones(count, dtype=bool),
    )
