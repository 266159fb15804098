"""Meshes of a character: what carries them, and copies of their data."""

from __future__ import annotations

import bpy


def carrier(mesh: bpy.types.Object, rig: bpy.types.Object) -> str | None:
    """Name of the bone that carries a mesh, through the objects between them; None for the rig."""
    o: bpy.types.Object | None = mesh
    while o is not None:
        if o.parent == rig:
            return o.parent_bone if o.parent_type == "BONE" else None
        o = o.parent
    return None


def armature_modifier(
    mesh: bpy.types.Object, rig: bpy.types.Object
) -> bpy.types.ArmatureModifier | None:
    """The modifier by which a rig deforms a mesh; parents that deform without one count not."""
    found = [m for m in mesh.modifiers if m.type == "ARMATURE" and m.object == rig]
    return found[0] if found else None


def mesh_data(mesh: bpy.types.Object) -> bpy.types.Mesh:
    """A mesh as its modifiers but for armatures make it; with shape keys, as it was modelled.

    Blender cannot apply modifiers to shape keys.
    """
    if mesh.data.shape_keys is not None:
        data = mesh.data.copy()
        data.shape_keys.animation_data_clear()
        return data
    others = [m for m in mesh.modifiers if m.type != "ARMATURE" and m.show_viewport]
    if not others:
        return mesh.data.copy()
    bare = mesh.copy()
    try:
        for modifier in list(bare.modifiers):
            if modifier.type == "ARMATURE":
                bare.modifiers.remove(modifier)
        bpy.context.scene.collection.objects.link(bare)
        graph = bpy.context.evaluated_depsgraph_get()
        return bpy.data.meshes.new_from_object(
            bare.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph
        )
    finally:
        bpy.data.objects.remove(bare)


def copy_materials(mesh: bpy.types.Object, other: bpy.types.Object) -> None:
    """Materials that hang on the object instead of its data, and its vertex groups' names."""
    for slot, own in zip(mesh.material_slots, other.material_slots, strict=False):
        if slot.link == "OBJECT":
            own.link, own.material = "OBJECT", slot.material
    for group in mesh.vertex_groups:
        if group.name not in other.vertex_groups:
            other.vertex_groups.new(name=group.name)
