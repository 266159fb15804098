"""The running job in other panels: its bar with the cross, and what went wrong."""

from __future__ import annotations

import bpy

from .. import interface, session
from .panel import draw_preferences_button


def draw_bar(row: bpy.types.UILayout) -> bool:
    """Progress and the way to cancel it; False (and nothing drawn) when nothing is under way."""
    status = session.status()
    if not status.busy:
        return False
    row.progress(text=status.step, factor=status.progress, translate=False)
    cancel = row.row(align=True)
    cancel.enabled = not status.cancelling
    cancel.operator("scalemogen.cancel", text="", icon="X")
    return True


def draw_news(layout: bpy.types.UILayout, edits: bool = False) -> None:
    """What went wrong, and what to do about it.

    ``edits``: only of the last job, and only if that was an edit; otherwise all but that.
    """
    status = session.status()
    if status.state == "missing":
        if not edits:
            interface.paragraph(layout, status.problem, icon="ERROR")
            draw_preferences_button(layout, "Open Preferences")
    elif _last_was_an_edit() != edits:
        return
    elif status.failed:
        interface.paragraph(layout, status.failed, icon="ERROR")
        if status.needs_repair:
            draw_preferences_button(layout, "Open Preferences")
        elif status.state == "failed":
            layout.operator("scalemogen.engine_restart", icon="FILE_REFRESH")
    elif status.notice:
        interface.paragraph(layout, status.notice, icon="INFO")


def _last_was_an_edit() -> bool:
    """Whether the job that ended last changed frames of a motion; False before the first."""
    owner = session._session
    last = owner.last if owner is not None else None
    return hasattr(getattr(last, "request", None), "edit")
