"""Which bones of a rig go into a file, and how they hang together there."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np

from .. import character, compat
from . import carried


def is_controlled(rig: bpy.types.Object) -> bool:
    """Whether constraints on its deforming bones move a rig: then its controls are no skeleton."""
    return any(
        bone.bone.use_deform and any(c.enabled and c.influence > 0.0 for c in bone.constraints)
        for bone in rig.pose.bones
    )


def deform_bones_suffice(rig: bpy.types.Object) -> bool:
    """Whether controls may be left out: all keyed bones, and all that carry objects, stay."""
    kept = _with_ancestors(rig, _deforming(rig))
    needed = _carriers(rig)
    needed |= {curve.group.name for curve in compat.active_curves(rig) if curve.group}
    needed &= set(rig.data.bones.keys())
    return bool(kept) and needed <= kept


def exported(rig: bpy.types.Object) -> dict[str, str | None]:
    """Names of the bones to export and of their parents.

    Of a control rig those that deform, on each other and on its root bones; otherwise all, or
    those that deform and what is above them.
    """
    bones = rig.data.bones
    deforming = _deforming(rig)
    if deforming and is_controlled(rig):
        wanted = deforming | _carriers(rig)
        hung = _hung(rig, wanted | {_root(bones[name]).name for name in deforming})
        # Roots of the controls alone have nothing to do in the file.
        return {name: above for name, above in hung.items() if name in {*wanted, *hung.values()}}
    kept = _with_ancestors(rig, deforming) if deform_bones_suffice(rig) else set(bones.keys())
    return {name: getattr(bones[name].parent, "name", None) for name in kept}


def reduce_to(copy: bpy.types.Object, parents: Mapping[str, str | None]) -> None:
    """Leave these bones of an armature object, whose data nothing else uses, with these parents.

    The object becomes the active one of the context's view layer; it has to be in Object Mode.
    """
    layer = bpy.context.view_layer
    for o in layer.objects:
        o.select_set(o == copy)
    layer.objects.active = copy
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        bones = copy.data.edit_bones
        for bone in list(bones):
            bone.use_connect = False
            if bone.name not in parents:
                bones.remove(bone)
        for name in parents:
            bones[name].parent = None
        for name, parent in parents.items():
            bones[name].parent = bones[parent] if parent else None
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def set_free(copy: bpy.types.Object) -> None:
    """Nothing but their keys places the bones of an armature object."""
    for bone in copy.data.bones:
        bone.use_inherit_rotation = bone.use_local_location = True
        bone.inherit_scale = "FULL"
    for bone in copy.pose.bones:
        bone.rotation_mode = "QUATERNION"


def parents_first(data: bpy.types.Armature) -> list[bpy.types.Bone]:
    """All bones, every parent before its children."""
    return [b for root in data.bones if root.parent is None for b in (root, *_below(root))]


def _below(bone: bpy.types.Bone) -> list[bpy.types.Bone]:
    return [b for child in bone.children for b in (child, *_below(child))]


def _deforming(rig: bpy.types.Object) -> set[str]:
    return {bone.name for bone in rig.data.bones if bone.use_deform}


def _with_ancestors(rig: bpy.types.Object, names: set[str]) -> set[str]:
    above = {p.name for name in names for p in rig.data.bones[name].parent_recursive}
    return names | above


def _carriers(rig: bpy.types.Object) -> set[str]:
    """Bones that carry objects."""
    found = {carried.carrier(o, rig) for o in character.members(rig) if o != rig}
    return {name for name in found if name and name in rig.data.bones}


def _root(bone: bpy.types.Bone) -> bpy.types.Bone:
    return bone.parent_recursive[-1] if bone.parent is not None else bone


def _hung(rig: bpy.types.Object, kept: set[str]) -> dict[str, str | None]:
    """Each kept bone on the nearest kept one above it, or on one that lies where that does.

    A control rig doubles its bones: what hangs on a hidden one belongs on the deforming one that
    lies in the same place.
    """
    bones = rig.data.bones
    size = max(np.ptp([bone.head_local[:] for bone in bones], axis=0).max(), 1e-9)
    place = {name: np.array([*bones[name].head_local, *bones[name].tail_local]) for name in kept}
    found: dict[str, str | None] = {}

    def above(name: str) -> str | None:
        for parent in bones[name].parent_recursive:
            if parent.name in kept:
                return parent.name
            spot = np.array([*parent.head_local, *parent.tail_local])
            for other, there in place.items():
                if np.abs(there - spot).max() < 1e-4 * size and not _is_below(found, other, name):
                    return other
        return None

    for bone in bones:
        if bone.name in kept:
            found[bone.name] = above(bone.name)
    return found


def _is_below(parents: Mapping[str, str | None], name: str, upper: str) -> bool:
    """Whether a bone hangs on another one or is it, as far as parents are known."""
    at: str | None = name
    while at is not None:
        if at == upper:
            return True
        at = parents.get(at)
    return False
