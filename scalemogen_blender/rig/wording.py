"""Reasons as lines of a narrow panel."""

import textwrap

import bpy

#: Width of a letter and of a panel's margins, in pixels at interface scale 1.
_LETTER, _MARGIN = 7.0, 60.0
_FALLBACK = 40


def draw_reason(
    layout: bpy.types.UILayout, context: bpy.types.Context, reason: str, icon: str = "ERROR"
) -> None:
    """Show a sentence on as many lines as the sidebar's width needs."""
    region = context.region
    width = region.width / context.preferences.system.ui_scale if region is not None else 0.0
    letters = max(16, int((width - _MARGIN) / _LETTER)) if width > _MARGIN else _FALLBACK
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(reason, letters)):
        column.label(text=line, icon="BLANK1" if number else icon, translate=False)
