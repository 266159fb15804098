"""What all panels and operators of the add-on share: their place, and words that translate."""

import textwrap
from collections.abc import Callable

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
    return _filled_in(text, pgettext_iface(text), values)


def report(text: str, **values: object) -> str:
    """A message for ``Operator.report`` or ``poll_message_set`` in the artist's language."""
    return _filled_in(text, pgettext_rpt(text), values)


def _filled_in(text: str, translated: str, values: dict[str, object]) -> str:
    if not values:
        return translated
    try:
        return translated.format(**values)
    except (KeyError, IndexError, ValueError):  # somebody's translation has other names in it
        return text.format(**values)


def paragraph(
    layout: bpy.types.UILayout, text: str, icon: str = "NONE", letters: int | None = None
) -> None:
    """Text beside the icon, in lines of so many letters (None: what a sidebar's width allows)."""
    column = layout.column(align=True)
    for number, line in enumerate(textwrap.wrap(printable(text), letters or _letters_in_a_line())):
        beside = "NONE" if icon == "NONE" else "BLANK1"
        column.label(text=line, icon=beside if number else icon, translate=False)


def printable(text: str) -> str:
    """Text that Blender takes: names of files may have bytes in them that are no characters."""
    return text.encode(errors="replace").decode()


def _letters_in_a_line() -> int:
    region = bpy.context.region
    if region is None:
        return 40
    width = region.width / bpy.context.preferences.system.ui_scale
    return max(20, int((width - _MARGINS) / _LETTER))


def stop_listening(event: list[Callable[..., None]], function: Callable[..., None]) -> None:
    """Take a function out of one of ``bpy.app.handlers``, unless somebody has emptied that."""
    if function in event:
        event.remove(function)


def redraw() -> None:
    """Draw all 3D viewports and the timeline again: the add-on's state is not Blender's data."""
    manager = bpy.context.window_manager
    for window in manager.windows if manager is not None else ():
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "DOPESHEET_EDITOR", "PREFERENCES"}:
                area.tag_redraw()


def is_open() -> bool:
    """Whether the add-on's tab is open in a sidebar of any window."""
    manager = bpy.context.window_manager
    spaces = [
        (area.spaces.active, region)
        for window in (manager.windows if manager is not None else ())
        for area in window.screen.areas
        if area.type == "VIEW_3D"
        for region in area.regions
        if region.type == "UI"
    ]
    return any(
        space.show_region_ui and getattr(region, "active_panel_category", "") == CATEGORY
        for space, region in spaces
    )
