"""Scenes and rigs by ``session_uid``, the one name that undo and renaming leave alone."""

import bpy

from ..rig import is_in_file


def scene(uid: int | None) -> bpy.types.Scene | None:
    """The scene, wherever its window is; None when it was deleted."""
    return next((s for s in bpy.data.scenes if s.session_uid == uid), None)


def rig(uid: int | None) -> bpy.types.Object | None:
    """The armature object; None when it was deleted, or unlinked from everywhere."""
    found = (o for o in bpy.data.objects if o.session_uid == uid and o.type == "ARMATURE")
    armature = next(found, None)
    return armature if armature is not None and is_in_file(armature) else None
