"""A word to the artist when nobody is pressing a button: timers have no ``report``."""

import textwrap

import bpy

from .. import interface

_LINE = 60


def show(title: str, message: str) -> None:
    """A small pop-up at the mouse, unless a panel that says it is open.

    One that a timer brings up stays until it is clicked, and covers what is below it.
    """
    manager = bpy.context.window_manager
    if bpy.app.background or manager is None or not manager.windows or interface.is_open():
        return
    lines = textwrap.wrap(message, _LINE)

    def draw(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
        for line in lines:
            menu.layout.label(text=line, translate=False)

    window = bpy.context.window or manager.windows[0]
    with bpy.context.temp_override(window=window):
        manager.popup_menu(draw, title=title, icon="ERROR")
