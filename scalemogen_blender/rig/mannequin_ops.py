"""A rig for those who have none."""

import bpy

from .. import interface, mannequin
from ..operator_errors import reason
from . import rows


class SCALEMOGEN_OT_add_mannequin(bpy.types.Operator):
    """Add the mannequin where the 3D cursor is."""

    bl_idname = "scalemogen.add_mannequin"
    bl_label = "Add Mannequin"
    bl_description = (
        "Add a wooden mannequin with an armature at the 3D cursor, ready to be animated"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene is None or not context.scene.is_editable:
            cls.poll_message_set("The scene is linked from another file")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        before = {collection: set(collection) for collection in _made_in()}
        try:
            _leave_mode(context)
            rig = mannequin.build(_collection(context))
        except RuntimeError as error:
            for collection, known in before.items():
                bpy.data.batch_remove(set(collection) - known)
            self.report(
                {"ERROR"},
                interface.report(
                    "The mannequin cannot be added here ({reason}); go to Object Mode first",
                    reason=reason(error),
                ),
            )
            return {"CANCELLED"}
        rig.location = context.scene.cursor.location
        rig.scale = [_units_per_metre(context.scene)] * 3
        for other in context.view_layer.objects:
            other.select_set(False)
        rig.select_set(True)
        context.view_layer.objects.active = rig
        _show_in_local_view(context, rig)
        rows.fill(context.scene)
        interface.redraw()
        return {"FINISHED"}


def _made_in() -> tuple[bpy.types.bpy_prop_collection, ...]:
    data = bpy.data
    return data.objects, data.armatures, data.meshes, data.materials


def _collection(context: bpy.types.Context) -> bpy.types.Collection:
    """The active collection, where Blender adds objects, if what is added there can be seen."""
    layer = context.view_layer.active_layer_collection
    if layer.is_visible and not layer.exclude and layer.collection.is_editable:
        return layer.collection
    return context.scene.collection


def _units_per_metre(scene: bpy.types.Scene) -> float:
    """The mannequin is as tall as a person in every scene."""
    units = scene.unit_settings
    return 1.0 if units.system == "NONE" else 1.0 / units.scale_length


def _leave_mode(context: bpy.types.Context) -> None:
    active = context.view_layer.objects.active
    if active is not None and active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def _show_in_local_view(context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Objects that are added while the viewport shows some alone would not be seen."""
    space = context.space_data
    if space is not None and space.type == "VIEW_3D" and space.local_view:
        for o in (rig, *rig.children):
            o.local_view_set(space, True)


classes = (SCALEMOGEN_OT_add_mannequin,)

register, unregister = bpy.utils.register_classes_factory(classes)
