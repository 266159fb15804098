"""What is shown on a rig follows its options: at once, or in a moment where that takes longer."""

from __future__ import annotations

import time

import bpy

from .. import rig as rigs
from .._core import errors
from . import preview, restoring

#: Seconds. A result that takes longer to show is shown when the artist has stopped dragging.
_AT_ONCE = 0.1
_QUIET = 0.25

_took = 0.0
_waiting: set[int] = set()


def is_shown_on(rig: bpy.types.Object) -> bool:
    """Whether any scene shows a result on a rig."""
    return bool(_scenes_showing(rig))


def rig_changed(rig: bpy.types.Object) -> None:
    """An option or the map of a rig has changed: what is shown on it is shown anew."""
    for scene in _scenes_showing(rig):
        if bpy.app.background or _took < _AT_ONCE:
            _refresh(scene)
        else:
            _refresh_soon(scene)


def catch_up() -> None:
    """Do now what is waiting: somebody is about to use what is shown."""
    waiting = [scene for scene in bpy.data.scenes if scene.session_uid in _waiting]
    forget()
    for scene in waiting:
        _refresh(scene)


def after_undo() -> None:
    """Undo may bring back options without the result that was shown with them, a moment later."""
    for scene in bpy.data.scenes:
        if preview.of(scene).preview is not None and _is_outdated(scene):
            _refresh_soon(scene)


def forget() -> None:
    """Show nothing anew any more."""
    _waiting.clear()
    if bpy.app.timers.is_registered(_catch_up_soon):
        bpy.app.timers.unregister(_catch_up_soon)


def _scenes_showing(rig: bpy.types.Object) -> list[bpy.types.Scene]:
    return [
        scene
        for scene in bpy.data.scenes
        if preview.of(scene).preview is not None and restoring.shows(rig, preview.of(scene).preview)
    ]


def _is_outdated(scene: bpy.types.Scene) -> bool:
    rig = preview.shown_rig(scene)
    return rig is not None and preview.of(scene).shown_with != rigs.fingerprint(rig)


def _refresh_soon(scene: bpy.types.Scene) -> None:
    _waiting.add(scene.session_uid)
    if bpy.app.timers.is_registered(_catch_up_soon):
        bpy.app.timers.unregister(_catch_up_soon)
    bpy.app.timers.register(_catch_up_soon, first_interval=_QUIET)


def _catch_up_soon() -> None:
    catch_up()


def _refresh(scene: bpy.types.Scene) -> None:
    """Nobody could be told here what is wrong; the panel says it instead."""
    global _took
    if preview.of(scene).preview is None or not _is_outdated(scene):
        return
    began = time.perf_counter()
    try:
        preview.show_again(scene)
    except errors.ScaleMoGenError as error:
        preview.of(scene).message = str(error)
    _took = time.perf_counter() - began
