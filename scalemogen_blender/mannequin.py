"""The default rig: a wooden mannequin on the canonical skeleton, built by code."""

import bpy
import numpy as np
from mathutils import Vector

from . import compat, mannequin_shape
from ._core import coordinates, skeleton

NAME = "Mannequin"
_MESH_NAME = "Mannequin Body"

#: Leaf joints have no child to point at: tail relative to the head, canonical metres.
_LEAF_TAILS = {
    "head": (0.0, 0.19, 0.0),
    "left_wrist": (0.18, 0.0, 0.0),
    "right_wrist": (-0.18, 0.0, 0.0),
    "left_foot": (0.0, 0.0, 0.075),
    "right_foot": (0.0, 0.0, 0.075),
}
#: Joints with several children point at this one.
_MAIN_CHILD = {"pelvis": "spine1", "spine3": "neck"}


def build(collection: bpy.types.Collection | None = None) -> bpy.types.Object:
    """Add the mannequin to the scene: an armature at the origin, facing -Y, and its body.

    ``collection`` must be visible; default is the scene's own.
    """
    collection = collection or bpy.context.scene.collection
    armature = bpy.data.armatures.new(NAME)
    rig = bpy.data.objects.new(NAME, armature)
    collection.objects.link(rig)
    _add_bones(rig)
    rig.show_in_front = True
    armature.display_type = "STICK"  # the body shows how it is posed; bones are for selecting
    _add_body(rig, collection)
    return rig


def _add_bones(rig: bpy.types.Object) -> None:
    """One bone a joint, with the joint's name, along the limb."""
    canonical = skeleton.canonical()
    heads = mannequin_shape.joint_positions()
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bones = rig.data.edit_bones
    for joint, name in enumerate(canonical.joint_names):
        bone = bones.new(name)
        children = [canonical.joint_names[child] for child in canonical.children(joint)]
        if name in _LEAF_TAILS:
            tail = heads[name] + np.array(_LEAF_TAILS[name])
        else:
            tail = heads[_MAIN_CHILD.get(name, children[0])]
        bone.head = Vector(coordinates.vectors_to_blender(heads[name]))
        bone.tail = Vector(coordinates.vectors_to_blender(tail))
        # Knees and elbows bend about the bone's X axis, and so does the spine.
        front = coordinates.UP if name.endswith("_foot") else coordinates.FORWARD
        bone.align_roll(Vector(coordinates.vectors_to_blender(front)))
        if (parent := canonical.parents[joint]) >= 0:
            bone.parent = bones[canonical.joint_names[parent]]
            bone.use_connect = (bone.parent.tail - bone.head).length < 1e-6
    bpy.ops.object.mode_set(mode="OBJECT")


def _add_body(rig: bpy.types.Object, collection: bpy.types.Collection) -> None:
    """All parts as one mesh; every part follows its bone with full weight."""
    parts = mannequin_shape.parts()
    materials = list(mannequin_shape.COLOURS)
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    vertices = coordinates.vectors_to_blender(np.concatenate([part.vertices for part in parts]))
    faces = [
        tuple(index + int(start) for index in face)
        for part, start in zip(parts, starts, strict=False)
        for face in part.faces
    ]
    mesh = bpy.data.meshes.new(_MESH_NAME)
    mesh.from_pydata(vertices.tolist(), [], faces)
    for name in materials:
        material = bpy.data.materials.new(f"Mannequin {name}")
        compat.set_base_colour(material, mannequin_shape.COLOURS[name])
        mesh.materials.append(material)
    slots = [materials.index(part.material) for part in parts for _ in part.faces]
    mesh.polygons.foreach_set("material_index", slots)
    mesh.polygons.foreach_set("use_smooth", [True] * len(faces))
    mesh.update()

    body = bpy.data.objects.new(_MESH_NAME, mesh)
    collection.objects.link(body)
    for part, start in zip(parts, starts, strict=False):
        group = body.vertex_groups.get(part.joint) or body.vertex_groups.new(name=part.joint)
        group.add(list(range(int(start), int(start) + len(part.vertices))), 1.0, "REPLACE")
    body.parent = rig
    body.modifiers.new("Armature", "ARMATURE").object = rig
