"""Play, stop, accept, reject."""

from typing import Any

import bpy

from .. import interface
from ..operator_errors import reported
from . import accepting, landing, preview
from .choosing import WithIndex, has_results
from .properties import MODES

_EARLIER_KEPT = "The earlier action '{name}' stays in the file, with a fake user"
_EDIT_COPIED = "The action is linked, or others use it; the edit is in a copy of it, '{name}'"


class SCALEMOGEN_OT_result_play(WithIndex, bpy.types.Operator):
    """Play a result."""

    bl_idname = "scalemogen.result_play"
    bl_label = "Play Result"
    bl_description = "Show the result on its rig; stopping brings everything back as it was"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_results(cls, context)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        uid = self.item(context).uid
        preview.play(context.scene, uid)
        landing.activate(context.scene, self.index_of(context, uid))
        return _done()


class SCALEMOGEN_OT_result_stop(bpy.types.Operator):
    """End the preview."""

    bl_idname = "scalemogen.result_stop"
    bl_label = "Stop Preview"
    bl_description = (
        "Stop showing results and bring the rig and the scene back exactly as they were; "
        "the results stay in the list"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        shown = context.scene is not None and preview.of(context.scene).scene_snapshot
        if shown or preview.has_orphans():
            return True
        cls.poll_message_set("No result is shown on a rig now")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        preview.stop(context.scene)
        preview.end_orphans()
        return _done()


class SCALEMOGEN_OT_result_accept(WithIndex, bpy.types.Operator):
    """Accept a result."""

    bl_idname = "scalemogen.result_accept"
    bl_label = "Accept"
    bl_description = (
        "Keep the result as an action of the rig, or as a strip in the NLA; "
        "the rig's earlier action is kept in the file. An edit goes into the rig's own action"
    )

    mode: bpy.props.EnumProperty(
        name="Accept As", description="What the result becomes", items=MODES, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_results(cls, context) and _rig_is_ready(cls, context)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        given = self.properties.is_property_set("mode")
        mode = self.mode if given else preview.of(scene).accept_as
        item = self.item(context)
        text = _EDIT_COPIED if item.is_edit else _EARLIER_KEPT
        kept = accepting.accept(scene, item.uid, mode)
        if kept is not None:
            self.report({"INFO"}, interface.report(text, name=kept))
        return _done()


class SCALEMOGEN_OT_result_reject(WithIndex, bpy.types.Operator):
    """Reject a result."""

    bl_idname = "scalemogen.result_reject"
    bl_label = "Reject"
    bl_description = (
        "Take the result out of the list and bring the rig and the scene back exactly as they "
        "were; the action of an accepted result stays"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_results(cls, context)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        landing.remove(context.scene, self.item(context).uid)
        return _done()


class SCALEMOGEN_OT_results_accept_all(bpy.types.Operator):
    """Accept everything."""

    bl_idname = "scalemogen.results_accept_all"
    bl_label = "Accept All as NLA Strips"
    bl_description = (
        "Put every result on a track of its own in the Nonlinear Animation editor; the one that "
        "plays is on, the others are muted"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_results(cls, context) and _rig_is_ready(cls, context)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        count = accepting.accept_all(context.scene)
        self.report({"INFO"}, interface.report("{count} results are NLA strips now", count=count))
        return _done()


class SCALEMOGEN_OT_results_clear(bpy.types.Operator):
    """Empty the list."""

    bl_idname = "scalemogen.results_clear"
    bl_label = "Clear Results"
    bl_description = (
        "Take all results out of the list; what was accepted stays, and so does everything else "
        "of yours"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_results(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        waiting = sum(not item.is_accepted for item in preview.of(context.scene).entries)
        if not waiting:
            return self.execute(context)
        text = interface.label("{count} results were not accepted and will be lost", count=waiting)
        return context.window_manager.invoke_confirm(
            self, event, title="Clear Results", message=text, confirm_text="Clear", icon="WARNING"
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        landing.clear(context.scene)
        return _done()


def _rig_is_ready(cls: Any, context: bpy.types.Context) -> bool:
    results = preview.of(context.scene)
    if 0 <= results.active_index < len(results.entries):
        item = results.entries[results.active_index]
        if found := preview.problem(context.scene, item):
            cls.poll_message_set(found)
            return False
    return True


def _done() -> set[str]:
    interface.redraw()
    return {"FINISHED"}


classes = (
    SCALEMOGEN_OT_result_play,
    SCALEMOGEN_OT_result_stop,
    SCALEMOGEN_OT_result_accept,
    SCALEMOGEN_OT_result_reject,
    SCALEMOGEN_OT_results_accept_all,
    SCALEMOGEN_OT_results_clear,
)

register, unregister = bpy.utils.register_classes_factory(classes)
