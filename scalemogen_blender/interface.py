"""What all panels and operators of the add-on share: their place, and words that translate."""

import textwrap

import bpy
from bpy.app.translations import pgettext_iface, pgettext_rpt

#: Tab of the sidebar in the 3D viewport.
CATEGORY = "ScaleMoGen"
#: Pixels at a resolution scale of 1: beside a panel's text (with an icon), and of a usual letter.
_MARGINS, _LETTER = 60, 7


class SidebarPanel:
    """Mix-in of every panel; ``bl_order`` says which comes first."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY


def label(text: str, **values: object) -> str:
    """Interface text in the artist's language, with ``{name}`` filled in from ``values``.

    Plain literals given to ``text=`` are translated by Blender; this is for composed ones.
    """
    translated = pgettext_iface(text)
    return translated.format(**values) if values else translated


def report(text: str, **values: object) -> str:
    """A message for ``Operator.report`` or ``poll_message_set`` in the artist's language."""
    translated = pgettext_rpt(text)
    return translated.format(**values) if values else translated


def paragraph(layout: bpy.types.UILayout, text: str, icon: str = "NONE") -> None:
    """Text in as many lines as the region's width asks for, beside the icon."""
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(text, _letters_in_a_line())):
        beside = "NONE" if icon == "NONE" else "BLANK1"
        column.label(text=line, icon=beside if number else icon, translate=False)


def _letters_in_a_line() -> int:
    region = bpy.context.region
    if region is None:
        return 40
    width = region.width / bpy.context.preferences.system.ui_scale
    return max(20, int((width - _MARGINS) / _LETTER))


def redraw() -> None:
    """Draw all 3D viewports and the timeline again: the add-on's state is not Blender's data."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "DOPESHEET_EDITOR", "PREFERENCES"}:
                area.tag_redraw()
