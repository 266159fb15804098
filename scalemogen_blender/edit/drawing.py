"""Showing what an edit would change: bones in the 3D viewport, frames in the Dope Sheet."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any

import bpy

from .. import interface, rig
from . import affected, timeline, viewport

#: Seconds for which what was found is drawn again without asking; many areas draw at once.
_FRESH = 0.1

_handlers: list[tuple[type, object]] = []
#: When the region was last found, for which scene, and what it was.
_found: tuple[float, int, affected.Affected | None] = (0.0, 0, None)
#: Whether there was something to draw the last time.
_shows = False
#: After an error nothing is drawn any more: the console would be flooded.
_failed = False


def _wanted(context: bpy.types.Context) -> tuple[bpy.types.Object, affected.Affected] | None:
    """The rig that is posed and what an edit of it would change; None if nothing is to be drawn."""
    global _found
    scene, o = context.scene, context.view_layer.objects.active
    if scene is None or o is None or o.mode != "POSE" or not hasattr(scene, "scalemogen"):
        return None
    settings = scene.scalemogen.edit
    if not settings.show_region or not interface.is_open():
        return None
    when, uid, known = _found
    if uid != o.session_uid or time.monotonic() - when > _FRESH:
        known = None
        if o == rig.target(context) and not rig.rig_problem(o):
            known = affected.affected(scene, o, settings)
        _found = (time.monotonic(), o.session_uid, known)
    return None if known is None else (o, known)


def _guarded(draw: Any) -> None:
    global _failed, _shows
    if _failed:
        return
    try:
        wanted = _wanted(bpy.context)
        if (wanted is not None) != _shows:  # a tab or a mode: the other editors do not notice
            _shows = wanted is not None
            interface.redraw()
        if wanted is not None:
            draw(bpy.context, *wanted)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        _failed = True


def _in_viewport() -> None:
    _guarded(viewport.draw)


def _in_dope_sheet() -> None:
    _guarded(timeline.draw)


def register() -> None:
    """Draw from now on; nothing is drawn without a window."""
    global _failed
    _failed = False
    if bpy.app.background:
        return
    for space, function, when in (
        (bpy.types.SpaceView3D, _in_viewport, "POST_VIEW"),
        (bpy.types.SpaceDopeSheetEditor, _in_dope_sheet, "POST_VIEW"),
    ):
        handle = space.draw_handler_add(function, (), "WINDOW", when)
        _handlers.append((space, handle))


def unregister() -> None:
    """Draw no more."""
    while _handlers:
        space, handle = _handlers.pop()
        space.draw_handler_remove(handle, "WINDOW")
    affected.forget()
    _forget()


def _forget() -> None:
    global _found
    _found = (0.0, 0, None)
