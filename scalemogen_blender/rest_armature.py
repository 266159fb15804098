"""Armature objects from plain arrays: the way back from :func:`.armature.read_rest_rig`."""

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Euler, Matrix

from ._core import coordinates, retarget

#: Where the empty stands above an armature, when one is asked for.
_ABOVE = Matrix.LocRotScale((0.3, -0.6, 0.2), Euler((0.4, -0.3, 0.9)), (2.5, 2.5, 2.5))


def build(rest: "retarget.RestRig", name: str, parent: bool = False) -> bpy.types.Object:
    """An armature in the scene, with these rest matrices and this transform, as the active object.

    With ``parent`` it hangs below a turned and scaled empty, and stands where it stood without.
    """
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    bpy.context.scene.collection.objects.link(rig)
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    _add_bones(armature.edit_bones, rest)
    bpy.ops.object.mode_set(mode="OBJECT")
    _place(rig, rest, parent)
    bpy.context.view_layer.update()
    return rig


def _add_bones(bones: bpy.types.ArmatureEditBones, rest: "retarget.RestRig") -> None:
    made = [bones.new(bone_name) for bone_name in rest.bone_names]
    lengths = np.linalg.norm(rest.tails - rest.rest[:, :3, 3], axis=-1)
    for index, bone in enumerate(made):
        if rest.parents[index] >= 0:
            bone.parent = made[rest.parents[index]]
        bone.head = (0.0, 0.0, 0.0)
        bone.tail = (0.0, float(lengths[index]), 0.0)
        bone.matrix = Matrix(rest.rest[index].tolist())
    for index, bone in enumerate(made):  # only now do the parents' tails lie where they belong
        bone.use_connect = bool(rest.connected[index])
        bone.use_inherit_rotation = bool(rest.inherits_rotation[index])
        bone.use_local_location = bool(rest.local_location[index])


def _place(rig: bpy.types.Object, rest: "retarget.RestRig", parent: bool) -> None:
    to_blender = np.eye(4)
    to_blender[:3, :3] = coordinates.CANONICAL_TO_BLENDER
    world = Matrix(_rows(to_blender @ rest.to_world))
    if not parent:
        rig.matrix_basis = world
        return
    empty = bpy.data.objects.new(f"{rig.name} Parent", None)
    bpy.context.scene.collection.objects.link(empty)
    empty.matrix_basis = _ABOVE
    rig.parent = empty
    rig.matrix_basis = _ABOVE.inverted() @ world


def _rows(matrix: np.ndarray) -> Sequence[Sequence[float]]:
    rows: list[list[float]] = matrix.tolist()
    return rows
