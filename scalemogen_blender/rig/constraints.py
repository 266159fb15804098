"""Bones that do not show their own keys, because a constraint decides where they are."""

from collections.abc import Iterable

import bpy

from .._core import retarget

#: Constraints that leave nothing of a bone's own rotation, unless their influence is small.
_TAKING_OVER = {"COPY_TRANSFORMS", "COPY_ROTATION", "ARMATURE", "IK"}
_MOSTLY = 0.99


def held_bone(
    rig: bpy.types.Object, bone_map: retarget.BoneMap, slots: Iterable[str]
) -> str | None:
    """First mapped bone of some slots that a constraint holds; None if all are free."""
    for slot in slots:
        for name in bone_map.bones.get(slot, ()):
            bone = rig.pose.bones.get(name) if rig.pose is not None else None
            if bone is not None and any(_takes_over(c) for c in bone.constraints):
                return name
    return None


def _takes_over(constraint: bpy.types.Constraint) -> bool:
    return constraint.type in _TAKING_OVER and constraint.enabled and constraint.influence > _MOSTLY


def problem(rig: bpy.types.Object, bone_map: retarget.BoneMap) -> str | None:
    """Why no motion would show on hips or legs, with the remedy; None if one would.

    A body whose legs stay behind is worse than none.
    """
    held = held_bone(rig, bone_map, retarget.REQUIRED)
    if held is None:
        return None
    if "rig_id" in rig.data:  # what Rigify leaves on a rig that it has generated
        return (
            f"'{rig.name}' is a generated Rigify rig, whose bones follow its controls. Use its "
            "metarig: such control rigs are not supported yet"
        )
    return (
        f"'{held}' follows a constraint and would not show a motion. Mute the constraint, or pick "
        "the control bones under Bone Map"
    )
