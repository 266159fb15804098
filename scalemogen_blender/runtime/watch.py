"""Draws again while something is going on with the runtime."""

from __future__ import annotations

import bpy

from .. import interface
from . import activity

_SECONDS = 0.2


def start() -> None:
    """Begin to look; it ends by itself. May be called from drawing code."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_SECONDS, persistent=True)


def _tick() -> float | None:
    busy = activity.busy()
    interface.redraw()
    return _SECONDS if busy else None


def register() -> None:
    """Nothing to look at yet."""


def unregister() -> None:
    """End the installation and checks under way: nobody is left to show them."""
    activity.close()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
