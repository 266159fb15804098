"""Bake a result."""

import bpy

from .. import interface
from ..operator_errors import reported
from . import baking
from .keying import Simplified


class SCALEMOGEN_OT_bake(bpy.types.Operator):
    """Key the played or active result on its rig."""

    bl_idname = "scalemogen.bake"
    bl_label = "Bake"
    bl_description = (
        "Write the played or the active result as keys, in the range and at the frame rate set "
        "here. Nothing outside the range changes; an action that other objects play, too, is "
        "copied for this rig first"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        item = baking.current(context.scene) if context.scene is not None else None
        if item is None:
            cls.poll_message_set("There is no result to bake. Type a prompt and press Generate")
            return False
        if found := baking.problem(context.scene, item):
            cls.poll_message_set(found)
            return False
        return True

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        done = baking.bake_result(scene, baking.current(scene))
        first, last = (f"{round(float(done.frames[end]), 2):g}" for end in (0, -1))
        values = {"first": first, "last": last, "name": done.action.name}
        self.report({"INFO"}, interface.report(_TEXTS[_kind(scene, done)], **values))
        if done.simplified is not None:
            self.report({"INFO"}, _simplified(done.simplified))
        interface.redraw()
        return {"FINISHED"}


_TEXTS = {
    "KEYS": "Baked frames {first} to {last} to '{name}'",
    "COPY": "Baked frames {first} to {last} to '{name}', a copy: others use the action, too",
    "LAYER": "Added frames {first} to {last} as the layer '{name}'",
}


def _kind(scene: bpy.types.Scene, done: baking.Baked) -> str:
    if scene.scalemogen.output.target == "ADDITIVE":
        return "LAYER"
    return "COPY" if done.copied else "KEYS"


def _simplified(told: Simplified) -> str:
    return interface.report(
        "{keys} of {of} keys, largest error {degrees}°, {millimetres} mm; hands and feet {ends} "
        "mm, standing feet {standing} mm",
        keys=f"{told.keys:,}",
        of=f"{told.of:,}",
        degrees=f"{told.degrees:.2f}",
        millimetres=f"{told.millimetres:.1f}",
        ends=f"{told.ends:.1f}",
        standing=f"{told.standing:.1f}",
    )


classes = (SCALEMOGEN_OT_bake,)

register, unregister = bpy.utils.register_classes_factory(classes)
