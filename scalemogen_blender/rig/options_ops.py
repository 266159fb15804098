"""The reference pose: take the present one, or the rest pose again."""

import bpy

from .. import interface
from ..operator_errors import reported
from . import reference_pose, state
from .selection import target


def _rig_of(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bpy.types.Object | None:
    rig = target(context)
    if rig is None:
        cls.poll_message_set("Select an armature, or pick it under Rig")
    elif found := state.rig_problem(rig):
        cls.poll_message_set(interface.report(found))
    else:
        return rig
    return None


class SCALEMOGEN_OT_rig_reference_set(bpy.types.Operator):
    """Remember the pose."""

    bl_idname = "scalemogen.rig_reference_set"
    bl_label = "Use Current Pose"
    bl_description = (
        "Let the pose that the rig shows now stand for its rest pose: for rigs that do not rest in "
        "a standing pose. Put it into a T-pose or A-pose first"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        rig = _rig_of(cls, context)
        if rig is None:
            return False
        from ..results import refreshing

        if refreshing.is_shown_on(rig):
            cls.poll_message_set("A result is shown on the rig. Stop it, and pose the rig")
            return False
        if rig.data.pose_position == "REST":
            cls.poll_message_set("The armature is in Rest Position, where it shows no pose")
            return False
        return True

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        reference_pose.remember(target(context))
        interface.redraw()
        return {"FINISHED"}


class SCALEMOGEN_OT_rig_reference_clear(bpy.types.Operator):
    """Forget the pose."""

    bl_idname = "scalemogen.rig_reference_clear"
    bl_label = "Clear Reference Pose"
    bl_description = "Use the rest pose as the reference again"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        rig = _rig_of(cls, context)
        if rig is None:
            return False
        if not reference_pose.is_stored(rig):
            cls.poll_message_set("The rest pose is the reference already")
            return False
        return True

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        reference_pose.forget(target(context))
        interface.redraw()
        return {"FINISHED"}


classes = (SCALEMOGEN_OT_rig_reference_set, SCALEMOGEN_OT_rig_reference_clear)

register, unregister = bpy.utils.register_classes_factory(classes)
