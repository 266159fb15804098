"""Whether this is a good moment to change the artist's scene."""

import contextlib
from collections.abc import Iterator

import bpy

#: Blender's own jobs that read the scene from another thread.
_JOBS = ("RENDER", "OBJECT_BAKE")
#: Modal operators of Blender itself end when the artist lets go.  Those of add-ons may run for
#: as long as Blender does (a display of pressed keys); after this many seconds we go on.
ADDON_PATIENCE_SECONDS = 5.0


def obstacles() -> list[str]:
    """What the artist or Blender is in the middle of; animation playback does not count.

    Names of modal operators, Python ones with ``addon:`` in front.
    """
    found = [f"job:{job}" for job in _JOBS if bpy.app.is_job_running(job)]
    manager = bpy.context.window_manager
    if manager is None:
        return ["no windows"]
    if manager.is_interface_locked:
        found.append("locked")
    for window in manager.windows:
        found.extend(_named(operator.bl_idname) for operator in window.modal_operators)
    return found


def _named(idname: str) -> str:
    is_python = bpy.types.Operator.bl_rna_get_subclass_py(idname) is not None
    return f"addon:{idname}" if is_python else idname


def is_good(found: list[str], waited: float) -> bool:
    """Whether a result may land now that it has waited for so many seconds."""
    if waited >= ADDON_PATIENCE_SECONDS:
        found = [name for name in found if not name.startswith("addon:")]
    return not found


def window_of(scene: bpy.types.Scene) -> bpy.types.Window | None:
    """A window that shows the scene, else any: timers have none of their own."""
    manager = bpy.context.window_manager
    windows = list(manager.windows) if manager else []
    showing = [window for window in windows if window.scene == scene]
    return next(iter(showing + windows), None)


@contextlib.contextmanager
def place(scene: bpy.types.Scene) -> Iterator[None]:
    """A context in which operators work and the scene is the current one."""
    with contextlib.ExitStack() as stack:
        window = bpy.context.window or window_of(scene)
        if bpy.context.window is None and window is not None:
            stack.enter_context(bpy.context.temp_override(window=window))
        if bpy.context.scene != scene:  # apart from the window, which would win
            layer = scene.view_layers[0]
            stack.enter_context(bpy.context.temp_override(scene=scene, view_layer=layer))
        yield


def push_undo(message: str, scene: bpy.types.Scene) -> None:
    """One undo step for everything that was written since the last one."""
    window = bpy.context.window or window_of(scene)
    if window is None or not bpy.context.preferences.edit.use_global_undo:
        return
    with place(window.scene):
        if bpy.ops.ed.undo_push.poll():
            bpy.ops.ed.undo_push(message=message)
