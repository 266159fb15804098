"""The rows of the Bone Map list, in every scene that shows it."""

import bpy

from .._core import retarget


def are_there(scene: bpy.types.Scene) -> bool:
    """Whether the scene's list has its rows."""
    return tuple(row.name for row in scene.scalemogen.rig.rows) == retarget.SLOTS


def fill(scene: bpy.types.Scene) -> None:
    """Give the scene's list its rows."""
    if scene.is_editable and not are_there(scene):
        rows = scene.scalemogen.rig.rows
        rows.clear()
        for slot in retarget.SLOTS:
            rows.add().name = slot


def fill_soon() -> None:
    """Give all scenes their rows in a moment: nothing can be written while Blender draws."""
    if not bpy.app.timers.is_registered(_fill_all):
        bpy.app.timers.register(_fill_all)


def _fill_all() -> None:
    for scene in bpy.data.scenes:
        if hasattr(scene, "scalemogen"):
            fill(scene)


def cancel() -> None:
    """Call off what :func:`fill_soon` has asked for."""
    if bpy.app.timers.is_registered(_fill_all):
        bpy.app.timers.unregister(_fill_all)
