"""Bones that a motion cannot reach, because a constraint decides where they are."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from .._core import retarget
from . import controls


def held_bone(
    rig: bpy.types.Object, bone_map: retarget.BoneMap, slots: Iterable[str]
) -> str | None:
    """First mapped bone of some slots that no control can drive; None if all can be driven."""
    found = controls.obstacle(rig, bone_map, slots)
    return None if found is None else found.bone


def problem(rig: bpy.types.Object, bone_map: retarget.BoneMap) -> str | None:
    """Why no motion would show on hips or legs, with the remedy; None if one would.

    A body whose legs stay behind is worse than none.
    """
    found = controls.obstacle(rig, bone_map, retarget.REQUIRED)
    if found is None:
        return None
    if found.other:
        return (
            f"'{found.bone}' follows the object '{found.other}', which cannot be keyed with the "
            f"rig. Mute the constraint '{found.constraint}', or let it follow a bone of the rig"
        )
    return (
        f"'{found.bone}' follows a constraint and would not show a motion. Mute the constraint "
        f"'{found.constraint}', or pick the control bones under Bone Map"
    )
