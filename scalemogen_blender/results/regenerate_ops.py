"""Generate a result again, or another one like it."""

from typing import Any

import bpy

from .. import rig as rigs
from .. import session
from .._core import errors
from ..generate import ops as generate_ops
from ..generate import order
from ..operator_errors import reported
from . import edits, preview, regenerate
from .choosing import NO_RESULTS, WithIndex


class SCALEMOGEN_OT_result_regenerate(WithIndex, bpy.types.Operator):
    """Generate again."""

    bl_idname = "scalemogen.result_regenerate"
    bl_label = "Regenerate"
    bl_options = {"REGISTER"}  # the undo step comes when the motion lands

    new_seed: bpy.props.BoolProperty(
        name="New Seed", description="Another motion for the same prompt", options={"SKIP_SAVE"}
    )
    from_action: bpy.props.BoolProperty(
        name="From Action",
        description="Take the settings that the rig's active action remembers",
        options={"SKIP_SAVE"},
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
        if found := generate_ops.problem(context):
            cls.poll_message_set(found)
            return False
        if preview.of(context.scene).entries or _settings_on_rig(context):
            return True
        cls.poll_message_set(NO_RESULTS)
        return False

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        if self._is_edit(context):
            return self._edit_again(context)
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

    def _is_edit(self, context: bpy.types.Context) -> bool:
        return (
            not self.from_action
            and bool(preview.of(context.scene).entries)
            and (self.item(context).is_edit)
        )

    def _edit_again(self, context: bpy.types.Context) -> set[str]:
        """The same edit of the motion that was there then, from the list."""
        from ..edit import order as edit_order

        item, scene = self.item(context), context.scene
        rig = preview.rig_of(item)
        if rig is None:
            raise errors.ScaleMoGenError("There is no armature to edit; pick it under Rig.")
        stored = edits.of(item)
        job = edit_order.send(
            regenerate.edit_request_of(regenerate.settings_of_item(item), stored, self.new_seed),
            stored.made,
            scene,
            rig,
            stored.first,
            interactive=not bpy.app.background,
        )
        if bpy.app.background:
            session.wait(job)
        return {"FINISHED"}

    def _source(
        self, context: bpy.types.Context
    ) -> tuple[dict[str, Any], bpy.types.Object | None, int]:
        if self.from_action or not preview.of(context.scene).entries:
            rig = rigs.target(context)
            action = rig.animation_data.action if rig and rig.animation_data else None
            start = round(action.frame_range[0]) if action else context.scene.frame_current
            return regenerate.settings_of_action(action), rig, start
        item = self.item(context)
        return regenerate.settings_of_item(item), preview.rig_of(item), item.start_frame


def _settings_on_rig(context: bpy.types.Context) -> dict[str, Any]:
    rig = rigs.target(context)
    animation = rig.animation_data if rig is not None else None
    return regenerate.settings_of_action(animation.action if animation is not None else None)


classes = (SCALEMOGEN_OT_result_regenerate,)

register, unregister = bpy.utils.register_classes_factory(classes)
