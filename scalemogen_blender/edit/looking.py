"""Operators that look at what a rig does before they work, and let Blender go on meanwhile.

Evaluating a control rig at all frames of a clip takes seconds. With a window it is done a little
at a time: the interface is drawn, playback goes on, Escape ends it. Keys and clicks wait, so that
nothing changes in the middle. Scripts, and Blender without a window, do it in one go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import bpy
from bpy.app.handlers import persistent

from .. import interface
from .._core import errors
from ..operator_errors import reported

#: Seconds: of work at a time, and until the next time.
_SLICE, _PAUSE = 0.04, 0.005
_STATUS = "Reading the motion of the rig; Escape cancels"

#: What is being looked at, and how far it is, from 0 to 1; None when nothing is.
_work: Generator[float, None, object] | None = None
_progress: float | None = None


def progress() -> float | None:
    """How far it is, from 0 to 1; None when nothing is looked at."""
    return _progress


class LooksFirst:
    """Mix-in of operators: pressed as a button, ``execute`` runs when all has been looked at."""

    _timer: bpy.types.Timer | None = None

    def looking(self, context: bpy.types.Context) -> Generator[float, None, object]:
        """What ``execute`` would have to wait for, in steps; yields how far it is."""
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if bpy.app.background or getattr(self, "wait", False):
            return self.execute(context)
        return self._begin(context)

    @reported
    def _begin(self, context: bpy.types.Context) -> set[str]:
        global _work
        _interrupt()
        _work = self.looking(context)
        if self._advanced(context):
            self._end(context)
            return self.execute(context)
        manager = context.window_manager
        self._timer = manager.event_timer_add(_PAUSE, window=context.window)
        manager.modal_handler_add(self)
        context.workspace.status_text_set(interface.label(_STATUS))
        for event in _interruptions():
            event.append(_interrupt)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if _work is None or (event.type == "ESC" and event.value == "PRESS"):
            self._end(context)
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}
        result = self._go_on(context)
        return {"PASS_THROUGH"} if result == {"RUNNING_MODAL"} else result

    @reported
    def _go_on(self, context: bpy.types.Context) -> set[str]:
        if not self._advanced(context):
            return {"RUNNING_MODAL"}
        self._end(context)
        return self.execute(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator: another file is opened."""
        self._end(context)

    def _advanced(self, context: bpy.types.Context) -> bool:
        """Look on for a moment; True at the end."""
        global _progress
        until = time.monotonic() + _SLICE
        try:
            while time.monotonic() < until:
                _progress = next(_work)
        except StopIteration:
            return True
        except ReferenceError as error:
            self._end(context)
            raise errors.ScaleMoGenError("The rig is gone.") from error
        except BaseException:
            self._end(context)
            raise
        if context.region is not None:
            context.region.tag_redraw()
        return False

    def _end(self, context: bpy.types.Context) -> None:
        _interrupt()
        for event in _interruptions():
            interface.stop_listening(event, _interrupt)
        timer, self._timer = self._timer, None
        if timer is not None:
            context.window_manager.event_timer_remove(timer)
            context.workspace.status_text_set(None)
        interface.redraw()


@persistent
def _interrupt(*_: object) -> None:
    """Nothing of what is being looked at may get into a file or an undo step."""
    global _work, _progress
    work, _work, _progress = _work, None, None
    if work is not None:
        work.close()


def _interruptions() -> tuple[list[Callable[..., None]], ...]:
    handlers = bpy.app.handlers
    return handlers.save_pre, handlers.undo_pre, handlers.redo_pre, handlers.load_pre
