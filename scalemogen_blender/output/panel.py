"""Panel "Bake & Export"."""

import bpy

from .. import interface


class SCALEMOGEN_PT_output(interface.SidebarPanel, bpy.types.Panel):
    """Which frames, at which rate, to keys or to a file."""

    bl_idname = "SCALEMOGEN_PT_output"
    bl_label = "Bake & Export"
    bl_order = 5
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Show range and rate, which serve both, then the ways out."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings = context.scene.scalemogen.output
        column = layout.column()
        column.prop(settings, "range")
        if settings.range == "CUSTOM":
            ends = column.column(align=True)
            ends.prop(settings, "frame_start")
            ends.prop(settings, "frame_end")
        column.prop(settings, "rate")
        if settings.rate == "CUSTOM":
            column.prop(settings, "fps", text="FPS")
        layout.separator()
        column = layout.column()
        column.prop(settings, "target")
        if settings.target == "ADDITIVE":
            column.prop(settings, "reference")
        column.prop(settings, "start")
        if settings.start == "CUSTOM":
            column.prop(settings, "start_frame")
        column.prop(settings, "simplify")
        if settings.simplify:
            limits = column.column(align=True)
            limits.prop(settings, "simplify_angle")
            limits.prop(settings, "simplify_distance")
        column.operator("scalemogen.bake", icon="ACTION")
        layout.separator()
        column = layout.column()
        column.prop(settings, "fbx_for")
        row = column.row(align=True)
        row.operator("scalemogen.export_fbx", text="FBX", icon="EXPORT")
        row.operator("scalemogen.export_gltf", text="glTF")
        row.operator("scalemogen.export_bvh", text="BVH")


classes = (SCALEMOGEN_PT_output,)

register, unregister = bpy.utils.register_classes_factory(classes)
