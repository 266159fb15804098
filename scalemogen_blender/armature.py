"""Armature objects as the plain arrays of core, and evaluated poses."""

import bpy
import numpy as np

from ._core import coordinates, retarget


def bones_parents_first(rig: bpy.types.Object) -> list[bpy.types.Bone]:
    """The armature's bones, every parent before its children."""
    ordered: list[bpy.types.Bone] = []
    waiting = [bone for bone in reversed(rig.data.bones) if bone.parent is None]
    while waiting:
        bone = waiting.pop()
        ordered.append(bone)
        waiting.extend(reversed(bone.children))
    return ordered


def names_and_parents(rig: bpy.types.Object) -> tuple[list[str], list[int]]:
    """Bone names and parent indices, parents first."""
    bones = bones_parents_first(rig)
    index = {bone.name: i for i, bone in enumerate(bones)}
    parents = [index[bone.parent.name] if bone.parent else -1 for bone in bones]
    return [bone.name for bone in bones], parents


def rest_heads(rig: bpy.types.Object) -> np.ndarray:
    """Heads [B, 3] of the bones at rest, in armature space, parents first."""
    heads = [bone.head_local for bone in bones_parents_first(rig)]
    return np.array(heads, dtype=np.float64).reshape(-1, 3)


def read_rest_rig(rig: bpy.types.Object) -> "retarget.RestRig":
    """The armature's rest pose, with the object's transform as it is now."""
    names, parents = names_and_parents(rig)
    bones = bones_parents_first(rig)
    return retarget.RestRig(
        name=rig.name,
        bone_names=tuple(names),
        parents=tuple(parents),
        rest=np.array([bone.matrix_local for bone in bones], dtype=np.float64).reshape(-1, 4, 4),
        to_world=canonical_world(rig),
        tails=np.array([bone.tail_local for bone in bones], dtype=np.float64).reshape(-1, 3),
        connected=np.array([bone.use_connect and bone.parent is not None for bone in bones]),
        inherits_rotation=np.array([bone.use_inherit_rotation for bone in bones]),
        local_location=np.array([bone.use_local_location for bone in bones]),
    )


def canonical_world(rig: bpy.types.Object) -> np.ndarray:
    """The object's matrix_world [4, 4] with the canonical world (Y up) as target."""
    matrix = np.array(rig.matrix_world, dtype=np.float64)
    to_canonical = np.eye(4)
    to_canonical[:3, :3] = coordinates.BLENDER_TO_CANONICAL
    return to_canonical @ matrix


def pose_matrices(rig: bpy.types.Object) -> np.ndarray:
    """Matrices [B, 4, 4] of the bones as they are now, in armature space, parents first.

    The rig has to be visible (:func:`character.evaluated`).
    """
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
    names, _ = names_and_parents(rig)
    return np.array([posed[name].matrix for name in names], dtype=np.float64).reshape(-1, 4, 4)


def sample_pose(
    rig: bpy.types.Object, frames: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Bone names (parents first), their axes [T, B, 3, 3] and heads [T, B, 3] at scene frames.

    In the canonical world, metres, with constraints evaluated; columns of the axes are not scaled
    to length one.
    """
    scene = bpy.context.scene
    kept = scene.frame_current
    names, _ = names_and_parents(rig)
    poses = np.empty((len(frames), len(names), 4, 4))
    try:
        for row, frame in enumerate(frames):
            scene.frame_set(int(np.floor(frame)), subframe=float(frame % 1.0))
            evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
            world = canonical_world(evaluated)
            matrices = np.array([evaluated.pose.bones[name].matrix for name in names])
            poses[row] = world @ matrices.reshape(-1, 4, 4)
    finally:
        scene.frame_set(kept)
    return names, poses[..., :3, :3], poses[..., :3, 3]
