"""Panel "Rig": which armature, what was found on it, and the list to put it right."""

import bpy

from .. import interface
from .._core import retarget
from . import folder, rows, selection, state
from .map_ops import status_line
from .sub_panel import RigSubPanel
from .summary import RigSummary, summary_of

#: Of more doubtful joints only so many are named.
_MOST_LISTED = 4


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
        layout.operator("scalemogen.rig_map_import", text="Import…", icon="IMPORT").filepath = ""
        if saved:
            layout.menu("SCALEMOGEN_MT_rig_maps_remove", icon="REMOVE")
        layout.separator()
        layout.operator("scalemogen.rig_map_reset", text="Reset", icon="LOOP_BACK").slot = ""


class SCALEMOGEN_MT_rig_maps_remove(bpy.types.Menu):
    """Saved bone maps, to be deleted."""

    bl_idname = "SCALEMOGEN_MT_rig_maps_remove"
    bl_label = "Remove"

    def draw(self, _context: bpy.types.Context) -> None:
        """List the user's folder."""
        self.layout.operator_context = "INVOKE_DEFAULT"
        for path in folder.saved_maps():
            remove = self.layout.operator(
                "scalemogen.rig_map_remove", text=path.stem, translate=False
            )
            remove.name = path.stem


class SCALEMOGEN_PT_rig(interface.SidebarPanel, bpy.types.Panel):
    """The armature that motions go to."""

    bl_idname = "SCALEMOGEN_PT_rig"
    bl_label = "Rig"
    bl_order = 4

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
        if found.doubtful and not found.problem:
            _draw_doubts(self.layout, found)
        if rig.data.pose_position == "REST":
            row = self.layout.row()
            row.label(text="In Rest Position, no motion shows", icon="INFO")
            row.prop_enum(rig.data, "pose_position", "POSE", text="", icon="POSE_HLT")


class SCALEMOGEN_PT_rig_bone_map(RigSubPanel, bpy.types.Panel):
    """The joints and their bones."""

    bl_idname = "SCALEMOGEN_PT_rig_bone_map"
    bl_label = "Bone Map"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the list, which is filled a moment after it is first looked at."""
        layout = self.layout
        group = context.scene.scalemogen.rig
        if rows.are_there(context.scene):
            layout.template_list(
                "SCALEMOGEN_UL_bone_map", "", group, "rows", group, "active_row", rows=8
            )
            _draw_chain(layout, context)
            _draw_reason(layout, context)
        else:
            rows.fill_soon()
        rig = selection.target(context)
        missing = summary_of(rig).missing if rig is not None else ()
        if missing:
            words = ", ".join(interface.label(word) for word in missing)
            interface.paragraph(
                layout, interface.label("Without a bone: {joints}", joints=words), "INFO"
            )


def _draw_doubts(layout: bpy.types.UILayout, found: RigSummary) -> None:
    """Which joints the artist should check, and a button to say that they are right."""
    row = layout.row()
    text = row.column()
    if found.swapped:
        words = interface.label("Left and right look swapped: the feet point backwards")
    else:
        words = interface.label("Check: {joints}", joints=_listed(found.doubtful))
    interface.paragraph(text, words, icon="QUESTION")
    row.operator("scalemogen.rig_map_confirm", text="", icon="CHECKMARK").slot = ""


def _listed(joints: tuple[str, ...]) -> str:
    """The first few joints, and how many there are besides."""
    words = [interface.label(word) for word in joints]
    if len(words) <= _MOST_LISTED:
        return ", ".join(words)
    shown = _MOST_LISTED - 1
    return interface.label(
        "{joints} and {number} more", joints=", ".join(words[:shown]), number=len(words) - shown
    )


def _draw_reason(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Why the joint that is active in the list has its bone."""
    group, rig = context.scene.scalemogen.rig, selection.target(context)
    if rig is None or not 0 <= group.active_row < len(group.rows):
        return
    slot = group.rows[group.active_row].name
    found = state.recent_state(rig).bone_map
    if slot in found.evidence:
        icon = "QUESTION" if slot in found.doubtful else "INFO"
        interface.paragraph(layout, interface.label(found.evidence[slot].reason), icon=icon)


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


classes = (
    SCALEMOGEN_MT_rig_maps,
    SCALEMOGEN_MT_rig_maps_remove,
    SCALEMOGEN_PT_rig,
    SCALEMOGEN_PT_rig_bone_map,
)

register, unregister = bpy.utils.register_classes_factory(classes)
