"""Panel "Rig": which armature, what was found on it, and the list to put it right."""

import bpy

from .. import interface
from .._core import retarget
from . import folder, rows, selection
from .map_ops import status_line
from .summary import RigSummary, summary_of


class SCALEMOGEN_MT_rig_maps(bpy.types.Menu):
    """Saved bone maps, and what can be done with the present one."""

    bl_idname = "SCALEMOGEN_MT_rig_maps"
    bl_label = "Bone Maps"

    def draw(self, _context: bpy.types.Context) -> None:
        """List the user's folder, then save, load and reset."""
        layout = self.layout
        saved = folder.saved_maps()
        for path in saved:
            load = layout.operator("scalemogen.rig_map_load", text=path.stem, translate=False)
            load.filepath = str(path)
        if saved:
            layout.separator()
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("scalemogen.rig_map_save", text="Save…", icon="FILE_TICK")
        layout.operator("scalemogen.rig_map_load", text="Load…", icon="FILE_FOLDER").filepath = ""
        layout.operator("scalemogen.rig_map_reset", text="Reset", icon="LOOP_BACK").slot = ""


class SCALEMOGEN_PT_rig(interface.SidebarPanel, bpy.types.Panel):
    """The armature that motions go to."""

    bl_idname = "SCALEMOGEN_PT_rig"
    bl_label = "Rig"
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        """Show the target and what was found on it."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        group = context.scene.scalemogen.rig
        layout.prop(group, "target")
        rig = selection.target(context)
        if rig is None:
            if selection.armatures(context.scene):
                interface.paragraph(layout, selection.problem(context) or "", icon="INFO")
            else:
                layout.label(text="No armature in the scene", icon="INFO")
                layout.operator("scalemogen.add_mannequin", icon="OUTLINER_OB_ARMATURE")
            return
        found = summary_of(rig)
        self._draw_found(context, rig, found, picked=group.target == rig)
        row = layout.row(align=True)
        row.operator("scalemogen.rig_map_detect", text="Detect", icon="VIEWZOOM")
        row.menu("SCALEMOGEN_MT_rig_maps", text="", icon="DOWNARROW_HLT")

    def _draw_found(
        self, context: bpy.types.Context, rig: bpy.types.Object, found: RigSummary, picked: bool
    ) -> None:
        column = self.layout.column(align=True)
        if not picked:
            column.label(text=rig.name, icon="ARMATURE_DATA", translate=False)
        icon = "ERROR" if found.problem else "CHECKMARK"
        line = status_line(found.title, found.mapped, found.of)
        interface.paragraph(column, line, icon=icon)
        if found.problem:
            interface.paragraph(self.layout, found.problem, icon="BLANK1")
        elif found.facing not in {"", "-Y"}:
            column.label(
                text=interface.label("Facing {axis}", axis=found.facing),
                icon="BLANK1",
                translate=False,
            )
        if found.hint:
            interface.paragraph(self.layout, found.hint, icon="INFO")
        if rig.data.pose_position == "REST":
            row = self.layout.row()
            row.label(text="In Rest Position, no motion shows", icon="INFO")
            row.prop_enum(rig.data, "pose_position", "POSE", text="", icon="POSE_HLT")


class SCALEMOGEN_PT_rig_bone_map(interface.SidebarPanel, bpy.types.Panel):
    """The joints and their bones."""

    bl_idname = "SCALEMOGEN_PT_rig_bone_map"
    bl_parent_id = "SCALEMOGEN_PT_rig"
    bl_label = "Bone Map"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        rig = selection.target(context)
        return rig is not None and bool(rig.data.bones)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the list, which is filled a moment after it is first looked at."""
        layout = self.layout
        group = context.scene.scalemogen.rig
        if rows.are_there(context.scene):
            layout.template_list(
                "SCALEMOGEN_UL_bone_map", "", group, "rows", group, "active_row", rows=8
            )
            _draw_chain(layout, context)
        else:
            rows.fill_soon()
        rig = selection.target(context)
        missing = summary_of(rig).missing if rig is not None else ()
        if missing:
            words = ", ".join(interface.label(word) for word in missing)
            interface.paragraph(
                layout, interface.label("Without a bone: {joints}", joints=words), "INFO"
            )


def _draw_chain(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Both ends of the chain that is active in the list."""
    group, rig = context.scene.scalemogen.rig, selection.target(context)
    active = group.rows[group.active_row] if 0 <= group.active_row < len(group.rows) else None
    if rig is None or active is None or active.name not in retarget.CHAINS:
        return
    column = layout.column(align=True)
    column.use_property_split, column.use_property_decorate = True, False
    column.prop_search(active, "bone", rig.data, "bones", text="First Bone")
    column.prop_search(active, "last_bone", rig.data, "bones", text="Last Bone")


classes = (SCALEMOGEN_MT_rig_maps, SCALEMOGEN_PT_rig, SCALEMOGEN_PT_rig_bone_map)

register, unregister = bpy.utils.register_classes_factory(classes)
