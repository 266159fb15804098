"""Bake a result."""

import bpy

from .. import interface
from ..operator_errors import reported
from ..results import preview
from . import baking


class SCALEMOGEN_OT_bake(bpy.types.Operator):
    """Key the played or active result on its rig."""

    bl_idname = "scalemogen.bake"
    bl_label = "Bake"
    bl_description = (
        "Write the played or the active result as keys, in the range and at the frame rate set "
        "here. Overwrite keeps all keys and the pose outside the range; an action that other "
        "objects play, too, is copied for this rig first"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        item = baking.current(context.scene) if context.scene is not None else None
        if item is None:
            cls.poll_message_set("There is no result to bake. Type a prompt and press Generate")
            return False
        if found := preview.problem(context.scene, item):
            cls.poll_message_set(found)
            return False
        return True

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        done = baking.bake_result(scene, baking.current(scene))
        text = "Baked frames {first} to {last} to '{name}'"
        if done.copied:
            text = "Baked frames {first} to {last} to '{name}', a copy: others use the action, too"
        first, last = (round(float(done.frames[end]), 2) for end in (0, -1))
        self.report(
            {"INFO"},
            interface.report(text, first=f"{first:g}", last=f"{last:g}", name=done.action.name),
        )
        interface.redraw()
        return {"FINISHED"}


classes = (SCALEMOGEN_OT_bake,)

register, unregister = bpy.utils.register_classes_factory(classes)
