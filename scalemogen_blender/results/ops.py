"""Play, stop, accept, reject, again."""

from typing import TYPE_CHECKING, Any

import bpy

from .. import interface
from .._core import errors
from ..operator_errors import reported
from . import accepting, landing, preview, regenerate
from .properties import MODES

if TYPE_CHECKING:
    from .properties import ResultItem

_UNSET = {"SKIP_SAVE"}
_NO_RESULTS = "There are no results yet. Type a prompt and press Generate"


class _WithIndex:
    """Operators that work on one result: the active one, unless told otherwise."""

    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(
        name="Index",
        description="Position in the list of results; -1 is the active one",
        default=-1,
        min=-1,
        options=_UNSET,
    )

    def item(self, context: bpy.types.Context) -> "ResultItem":
        """The result; ScaleMoGenError when the index is outside the list."""
        results = preview.of(context.scene)
        index = results.active_index if self.index < 0 else self.index
        if not 0 <= index < len(results.entries):
            raise errors.ScaleMoGenError(f"There is no result number {index}.")
        return results.entries[index]

    def index_of(self, context: bpy.types.Context, uid: str) -> int:
        """Position in the list."""
        entries = preview.of(context.scene).entries
        return next(i for i, item in enumerate(entries) if item.uid == uid)


class SCALEMOGEN_OT_result_play(_WithIndex, bpy.types.Operator):
    """Play a result."""

    bl_idname = "scalemogen.result_play"
    bl_label = "Play Result"
    bl_description = "Show the result on its rig; stopping brings everything back as it was"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_results(cls, context)

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


class SCALEMOGEN_OT_result_accept(_WithIndex, bpy.types.Operator):
    """Accept a result."""

    bl_idname = "scalemogen.result_accept"
    bl_label = "Accept"
    bl_description = (
        "Keep the result as an action of the rig, or as a strip in the NLA; "
        "the rig's earlier action is kept in the file"
    )

    mode: bpy.props.EnumProperty(
        name="Accept As", description="What the result becomes", items=MODES, options=_UNSET
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_results(cls, context) and _rig_is_ready(cls, context)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        given = self.properties.is_property_set("mode")
        mode = self.mode if given else preview.of(scene).accept_as
        kept = accepting.accept(scene, self.item(context).uid, mode)
        if kept is not None:
            text = "The earlier action '{name}' stays in the file, with a fake user"
            self.report({"INFO"}, interface.report(text, name=kept))
        return _done()


class SCALEMOGEN_OT_result_reject(_WithIndex, bpy.types.Operator):
    """Reject a result."""

    bl_idname = "scalemogen.result_reject"
    bl_label = "Reject"
    bl_description = (
        "Take the result out of the list and bring the rig and the scene back exactly as they "
        "were; the action of an accepted result stays"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_results(cls, context)

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
        return _has_results(cls, context) and _rig_is_ready(cls, context)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        count = accepting.accept_all(context.scene)
        self.report({"INFO"}, interface.report("{count} results are NLA strips now", count=count))
        return _done()


class SCALEMOGEN_OT_result_regenerate(_WithIndex, bpy.types.Operator):
    """Generate again."""

    bl_idname = "scalemogen.result_regenerate"
    bl_label = "Regenerate"
    bl_options = {"REGISTER"}  # the undo step comes when the motion lands

    new_seed: bpy.props.BoolProperty(
        name="New Seed", description="Another motion for the same prompt", options=_UNSET
    )
    from_action: bpy.props.BoolProperty(
        name="From Action",
        description="Take the settings that the rig's active action remembers",
        options=_UNSET,
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: Any) -> str:
        """The tooltip of each of the buttons."""
        if properties.new_seed:
            return "Generate another motion with the same settings and a new seed"
        if properties.from_action:
            return "Generate again what the rig's active action was made with"
        return "Generate once more with the same prompt, seed and settings"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        from ..generate import ops as generate_ops

        if found := generate_ops.problem(context):
            cls.poll_message_set(found)
            return False
        if preview.of(context.scene).entries or _settings_on_rig(context):
            return True
        cls.poll_message_set(_NO_RESULTS)
        return False

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        from .. import session
        from ..generate import order

        settings, rig, start = self._source(context)
        job = order.submit(
            regenerate.request_of(settings, self.new_seed),
            context.scene,
            rig,
            start,
            play=True,
            interactive=not bpy.app.background,
        )
        if bpy.app.background:
            session.wait(job)
        return {"FINISHED"}

    def _source(
        self, context: bpy.types.Context
    ) -> tuple[dict[str, Any], bpy.types.Object | None, int]:
        from .. import rig as rigs

        if self.from_action or not preview.of(context.scene).entries:
            rig = rigs.target(context)
            action = rig.animation_data.action if rig and rig.animation_data else None
            start = round(action.frame_range[0]) if action else context.scene.frame_current
            return regenerate.settings_of_action(action), rig, start
        item = self.item(context)
        return regenerate.settings_of_item(item), preview.rig_of(item), item.start_frame


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
        return _has_results(cls, context)

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


def _has_results(cls: Any, context: bpy.types.Context) -> bool:
    if context.scene is not None and len(preview.of(context.scene).entries):
        return True
    cls.poll_message_set(_NO_RESULTS)
    return False


def _rig_is_ready(cls: Any, context: bpy.types.Context) -> bool:
    results = preview.of(context.scene)
    if 0 <= results.active_index < len(results.entries):
        item = results.entries[results.active_index]
        if found := preview.problem(context.scene, item):
            cls.poll_message_set(found)
            return False
    return True


def _settings_on_rig(context: bpy.types.Context) -> dict[str, Any]:
    from .. import rig as rigs

    rig = rigs.target(context)
    animation = rig.animation_data if rig is not None else None
    return regenerate.settings_of_action(animation.action if animation is not None else None)


def _done() -> set[str]:
    interface.redraw()
    return {"FINISHED"}


classes = (
    SCALEMOGEN_OT_result_play,
    SCALEMOGEN_OT_result_stop,
    SCALEMOGEN_OT_result_accept,
    SCALEMOGEN_OT_result_reject,
    SCALEMOGEN_OT_results_accept_all,
    SCALEMOGEN_OT_result_regenerate,
    SCALEMOGEN_OT_results_clear,
)

register, unregister = bpy.utils.register_classes_factory(classes)
