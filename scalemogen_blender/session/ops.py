"""Operators on the running job and on the engine."""

import bpy

from .. import session
from ..operator_errors import reported


class SCALEMOGEN_OT_cancel(bpy.types.Operator):
    """Stop generating."""

    bl_idname = "scalemogen.cancel"
    bl_label = "Cancel Generating"
    bl_description = "Stop generating; nothing in the scene has been changed"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while something is generated."""
        if not session.busy():
            cls.poll_message_set("Nothing is being generated")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        session.cancel()
        return {"FINISHED"}


class SCALEMOGEN_OT_engine_restart(bpy.types.Operator):
    """Start the engine anew."""

    bl_idname = "scalemogen.engine_restart"
    bl_label = "Restart Engine"
    bl_description = "End the engine, if it runs, and start it with the present settings"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Needs an installed engine."""
        if session.status().state == "missing":
            cls.poll_message_set("The engine is not installed; install it in the preferences")
            return False
        return True

    @reported
    def execute(self, _context: bpy.types.Context) -> set[str]:
        session.restart()
        return {"FINISHED"}


class SCALEMOGEN_OT_engine_stop(bpy.types.Operator):
    """End the engine."""

    bl_idname = "scalemogen.engine_stop"
    bl_label = "Stop Engine"
    bl_description = "End the engine and free its memory; it starts again when it is needed"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while it runs."""
        if not session.status().runs:
            cls.poll_message_set("The engine is not running")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        session.stop_engine()
        return {"FINISHED"}


class SCALEMOGEN_OT_engine_log(bpy.types.Operator):
    """Show what the engine has written."""

    bl_idname = "scalemogen.engine_log"
    bl_label = "Open Log"
    bl_description = "Open the folder of the engine's log in the system's file browser"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only if there is one."""
        if not session.log_path().is_file():
            cls.poll_message_set("The engine has not written a log yet")
            return False
        return True

    def execute(self, _context: bpy.types.Context) -> set[str]:
        path = session.log_path()
        if bpy.app.background:
            self.report({"INFO"}, str(path))
        else:
            bpy.ops.wm.path_open(filepath=str(path.parent))
        return {"FINISHED"}


classes = (
    SCALEMOGEN_OT_cancel,
    SCALEMOGEN_OT_engine_restart,
    SCALEMOGEN_OT_engine_stop,
    SCALEMOGEN_OT_engine_log,
)

register, unregister = bpy.utils.register_classes_factory(classes)
