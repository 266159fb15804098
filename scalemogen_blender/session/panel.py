"""The Engine panel: what runs, where, and how to set it right."""

import bpy

from .. import interface, session
from .status import Status, device_name

_LOG_LINES = 4


class SCALEMOGEN_PT_engine(interface.SidebarPanel, bpy.types.Panel):
    """State of the engine."""

    bl_label = "Engine"
    bl_order = 6
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        status = session.status()
        column = layout.column()
        column.label(text=status.words, icon=status.icon, translate=False)
        if status.problem:
            interface.paragraph(column, status.problem)
        if status.state in {"failed", "silent"} and status.log:
            box = layout.box().column(align=True)
            for line in status.log[-_LOG_LINES:]:
                box.label(text=line, translate=False)
        if status.info is not None:
            _draw_info(layout, status)
        row = layout.row(align=True)
        row.operator("scalemogen.engine_restart", text="Restart", icon="FILE_REFRESH")
        row.operator("scalemogen.engine_stop", text="Stop", icon="CANCEL")
        row = layout.row(align=True)
        row.operator("scalemogen.engine_log", icon="TEXT")
        draw_preferences_button(row, "Preferences")


def _draw_info(layout: bpy.types.UILayout, status: Status) -> None:
    info = status.info
    split = layout.split(factor=0.4)
    names, values = split.column(align=True), split.column(align=True)
    names.alignment = "RIGHT"
    memory = {device.id: device.memory_mb for device in info.devices}.get(info.device)
    lines = [("Device", device_name(info)), ("Model", info.model)]
    if memory is not None:
        lines.append(("Memory", f"{memory / 1024:.1f} GB"))
    lines.append(("PyTorch", info.torch_version))
    for name, value in lines:
        names.label(text=name)
        values.label(text=value, translate=False)


def draw_preferences_button(layout: bpy.types.UILayout, text: str) -> None:
    """The way to the add-on's page in the preferences."""
    show = layout.operator("preferences.addon_show", text=text, icon="PREFERENCES")
    show.module = __package__.rpartition(".")[0]


classes = (SCALEMOGEN_PT_engine,)

register, unregister = bpy.utils.register_classes_factory(classes)
