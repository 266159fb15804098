"""What carries a bone: parents, and what they follow by constraints."""

from __future__ import annotations

import bpy

from .. import compat

#: Constraints with less influence, and targets with less weight, are not in effect.
_HALF = 0.5


def _above(rig: bpy.types.Object, name: str) -> list[str]:
    return [bone.name for bone in rig.pose.bones[name].parent_recursive]


def carriers(rig: bpy.types.Object, name: str) -> set[str]:
    """Bones above a bone of an evaluated rig, and those that constraints there follow now."""
    found: set[str] = set()
    left = [name]
    while left:
        bone = rig.pose.bones[left.pop()]
        near = {followed for followed in _followed(rig, bone) if followed in rig.pose.bones}
        if bone.parent is not None:
            near.add(bone.parent.name)
        left += near - found
        found |= near
    return found - {name}


def _followed(rig: bpy.types.Object, bone: bpy.types.PoseBone) -> list[str]:
    """Bones whose place a bone takes on, or hangs on, by its constraints."""
    found = []
    for constraint in bone.constraints:
        if constraint.mute or constraint.influence < _HALF:
            continue
        if constraint.type == "ARMATURE":
            targets = [target for target in constraint.targets if target.weight > _HALF]
        elif constraint.type in {"CHILD_OF", "COPY_TRANSFORMS", "COPY_LOCATION"}:
            targets = [constraint]
        else:
            continue
        own = [target for target in targets if target.target is not None]
        found += [target.subtarget for target in own if target.target.name == rig.name]
    return found


def may_move(rig: bpy.types.Object, name: str) -> bool:
    """Whether anything may move what a bone hangs on."""
    o: bpy.types.Object | None = rig
    while o is not None:
        if len(o.constraints) or (o != rig and o.animation_data is not None):
            return True
        o = o.parent
    above = set(_above(rig, name))
    if any(len(rig.pose.bones[bone].constraints) for bone in above):
        return True
    animation = rig.animation_data
    if animation is None:
        return False
    if animation.use_nla and len(animation.nla_tracks):
        return True
    paths = [c.data_path for c in (*compat.active_curves(rig), *animation.drivers)]
    owners = {compat.bone_of(path) for path in paths}
    of_object = any(not path.startswith(("pose.", "[")) for path in paths)
    return of_object or bool(owners & above)
