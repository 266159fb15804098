"""The Results panel."""

from typing import Any

import bpy

from .. import interface
from . import edits, preview, remembered

_ROWS = 4
_LONGEST = 100  # letters of a setting


class SCALEMOGEN_MT_results(bpy.types.Menu):
    """What else can be done with results."""

    bl_label = "Result Specials"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("scalemogen.results_accept_all", icon="NLA")
        layout.separator()
        layout.operator("scalemogen.result_regenerate", icon="FILE_REFRESH")
        again = layout.operator("scalemogen.result_regenerate", text="New Variation")
        again.new_seed = True
        layout.separator()
        layout.operator("scalemogen.results_clear", icon="TRASH")


class SCALEMOGEN_PT_results(interface.SidebarPanel, bpy.types.Panel):
    """List of what was made, and what to do with it."""

    bl_label = "Results"
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        results = preview.of(context.scene)
        if not results.entries:
            column = layout.column()
            column.active = False
            column.label(text="Generated motions appear here")
            if results.scene_snapshot or preview.has_orphans():
                layout.operator("scalemogen.result_stop", icon="LOOP_BACK")
            return
        layout.template_list(
            "SCALEMOGEN_UL_results", "", results, "entries", results, "active_index", rows=_ROWS
        )
        _draw_actions(layout, context.scene)


def _draw_actions(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    results = preview.of(scene)
    item = active_item(scene)
    if item is None:
        return
    found = preview.problem(scene, item) or results.message
    if item.is_edit and item.is_accepted:
        interface.paragraph(layout, found, icon="CHECKMARK")
    elif found:
        _draw_problem(layout, found)
    row = layout.row(align=True)
    row.scale_y = 1.4
    row.operator("scalemogen.result_accept", icon="CHECKMARK")
    # What is accepted stays: it is only the list that it leaves.
    reject = "Remove" if item.is_accepted else "Reject"
    row.operator("scalemogen.result_reject", text=reject, icon="X")
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    row = column.row()
    if item.is_edit:
        extends = edits.operation_of(item) == "EXTEND"
        _draw_where(row.row(), item, extends)
    else:
        extends = True
        row.row().prop(results, "accept_as", expand=True)
    row.menu("SCALEMOGEN_MT_results", text="", icon="DOWNARROW_HLT")
    if extends:
        column.prop(results, "fit_scene_range")


def _draw_where(layout: bpy.types.UILayout, item: Any, extends: bool) -> None:
    """Into which action an edit goes, and whether it takes another one's place there."""
    if item.is_accepted:  # said above
        layout.label()
        return
    rig = preview.rig_of(item)
    action = preview.artists_action(rig) if rig is not None else None
    text = "Goes into a new action"
    if action is not None:
        text = "Goes on in '{name}'" if extends else "Goes into '{name}'"
        if edits.accepted_variation(item.id_data, item) is not None:
            text = "Replaces the accepted one in '{name}'"
    name = action.name if action is not None else ""
    layout.label(text=interface.label(text, name=name), icon="ACTION", translate=False)


def _draw_problem(layout: bpy.types.UILayout, text: str) -> None:
    """One sentence a line: sidebars are narrow."""
    column = layout.column(align=True)
    for index, sentence in enumerate(text.split(". ")):
        column.label(text=sentence, icon="BLANK1" if index else "ERROR", translate=False)


def active_item(scene: bpy.types.Scene) -> Any:
    """The result that the buttons work on, or None."""
    results = preview.of(scene)
    if not 0 <= results.active_index < len(results.entries):
        return None
    return results.entries[results.active_index]


class SCALEMOGEN_PT_result_details(interface.SidebarPanel, bpy.types.Panel):
    """How the active result was made."""

    bl_label = "Details"
    bl_parent_id = "SCALEMOGEN_PT_results"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return active_item(context.scene) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        results, item = preview.of(context.scene), active_item(context.scene)
        layout.prop(results, "use_playback")
        if not item.is_edit:
            layout.prop(item, "start_frame")
        column = layout.column(align=True)
        for name, value in detail_lines(item):
            split = column.split(factor=0.4)
            left = split.row()
            left.alignment = "RIGHT"
            left.label(text=name)
            split.label(text=value, translate=False)


def detail_lines(item: Any) -> list[tuple[str, str]]:
    """Names and values of what a result was made with."""
    settings = remembered.read(item.settings)
    if item.is_edit:
        parts = ", ".join(interface.label(edits.part_name(part)) for part in edits.parts_of(item))
        lines = [
            ("Operation", interface.label(edits.TITLES[edits.operation_of(item)])),
            ("Range", f"{item.first}\N{EN DASH}{item.last}"),
            ("Body Parts", parts[:_LONGEST]),
            ("Seed", item.seed),
        ]
    else:
        lines = [("Seed", item.seed), ("Frames", f"{item.frame_count} ({item.fps:g} fps)")]
    for name, key in (
        ("Guidance", "guidance"),
        ("Temperature", "temperature"),
        ("Model", "model"),
        ("Device", "device"),
    ):
        value = settings.get(key)
        if value is not None:
            lines.append(
                (name, f"{value:g}" if isinstance(value, float) else str(value)[:_LONGEST])
            )
    return lines


classes = (SCALEMOGEN_MT_results, SCALEMOGEN_PT_results, SCALEMOGEN_PT_result_details)

register, unregister = bpy.utils.register_classes_factory(classes)
