"""Sub-panel "Retargeting": how motions are put on the rig."""

import bpy

from .. import interface
from . import reference_pose, selection
from .abilities import abilities
from .options import has_arms, root_problem
from .sub_panel import RigSubPanel


class SCALEMOGEN_PT_rig_retargeting(RigSubPanel, bpy.types.Panel):
    """Root motion, feet, controls, corrections."""

    bl_idname = "SCALEMOGEN_PT_rig_retargeting"
    bl_label = "Retargeting"

    def draw(self, context: bpy.types.Context) -> None:
        """Show the options of the target."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        rig = selection.target(context)
        layout.enabled = rig.is_editable
        settings = rig.scalemogen
        column = layout.column()
        column.prop(settings, "root")
        if found := root_problem(rig, settings.root):
            interface.paragraph(column, interface.label(found), icon="INFO")
        column.prop(settings, "feet")
        if abilities(rig).both_controls:
            column.prop(settings, "controls")
        _draw_reference(layout.column(), rig)
        arms = has_arms(rig)
        column = layout.column(align=True)
        row = column.row(align=True)
        row.active = arms
        row.prop(settings, "arm_spread", slider=True)
        column.prop(settings, "leg_spread", slider=True)
        column = layout.column()
        column.active = arms
        column.prop(settings, "keep_hands")
        if not arms:
            layout.label(text="The rig has no arms to spread", icon="INFO")


def _draw_reference(layout: bpy.types.UILayout, rig: bpy.types.Object) -> None:
    """What stands for the rest pose; as other properties look, with buttons in their place."""
    split = layout.split(factor=0.4)
    left = split.row()
    left.alignment = "RIGHT"
    left.label(text="Reference")
    row = split.row(align=True)
    if reference_pose.is_stored(rig):
        row.operator("scalemogen.rig_reference_set", text="Stored Pose", icon="FILE_REFRESH")
        row.operator("scalemogen.rig_reference_clear", text="", icon="X")
    else:
        row.operator("scalemogen.rig_reference_set", icon="ARMATURE_DATA")


classes = (SCALEMOGEN_PT_rig_retargeting,)

register, unregister = bpy.utils.register_classes_factory(classes)
