"""Results arrive in the list, and a click in the list plays them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import bpy

from .._core import errors
from . import edits, preview, storage

if TYPE_CHECKING:
    from ..client.messages import Finished
    from .properties import ResultItem

#: While True, a change of the active item is ours and plays nothing.
_quiet = False


def land(
    scene: bpy.types.Scene,
    rig: bpy.types.Object | None,
    finished: Finished,
    start_frame: int,
    play: bool,
) -> list[str]:
    """See :func:`scalemogen_blender.results.land`."""
    uids = []
    for motion, seed in zip(finished.motions, finished.seeds, strict=True):
        item = _add(scene, rig, finished, seed)
        item.seconds, item.motion = motion.seconds, storage.pack(motion)
        item.frame_count, item.fps = motion.frame_count, motion.fps
        item.start_frame = start_frame
        uids.append(item.uid)
    _begin(scene, uids, play)
    return uids


def land_edits(
    scene: bpy.types.Scene,
    rig: bpy.types.Object | None,
    finished: Finished,
    made: edits.Made,
    play: bool,
) -> list[str]:
    """See :func:`scalemogen_blender.results.land_edits`."""
    uids = []
    for edited, seed in zip(finished.edited, finished.seeds, strict=True):
        item = _add(scene, rig, finished, seed)
        edits.fill(item, edited, made)
        uids.append(item.uid)
    _begin(scene, uids, play)
    return uids


def _add(
    scene: bpy.types.Scene, rig: bpy.types.Object | None, finished: Finished, seed: int
) -> ResultItem:
    item = preview.of(scene).entries.add()
    item.uid = uuid.uuid4().hex
    item.prompt = str(finished.settings.get("prompt", ""))
    item.seed, item.rig = str(seed), rig
    item.settings = json.dumps(dict(finished.settings) | {"seed": seed}, default=str)
    return item


def _begin(scene: bpy.types.Scene, uids: list[str], play: bool) -> None:
    """Go to the first of the new results."""
    if uids:
        activate(scene, len(preview.of(scene).entries) - len(uids))
        if play:
            try_to_play(scene, uids[0])


def activate(scene: bpy.types.Scene, index: int) -> None:
    """Make an item the active one without playing it."""
    global _quiet
    before, _quiet = _quiet, True
    try:
        preview.of(scene).active_index = index
    finally:
        _quiet = before


def clicked(scene: bpy.types.Scene) -> None:
    """The artist has chosen another item."""
    results = preview.of(scene)
    if _quiet or not 0 <= results.active_index < len(results.entries):
        return
    item = results.entries[results.active_index]
    if item.is_edit and item.is_accepted:
        results.message = ""
    elif not preview.is_shown(scene, item.uid):
        try_to_play(scene, item.uid, compare=True)


def moved(scene: bpy.types.Scene, uid: str) -> None:
    """The artist has changed where a result begins: if it is shown, it is shown there now."""
    if preview.is_shown(scene, uid):
        try_to_play(scene, uid)


def try_to_play(scene: bpy.types.Scene, uid: str, compare: bool = False) -> bool:
    """Play where nobody could be told what is wrong; the panel says it instead."""
    try:
        preview.play(scene, uid, compare)
    except errors.ScaleMoGenError as error:
        preview.of(scene).message = str(error)
        return False
    return True


def remove(scene: bpy.types.Scene, uid: str) -> None:
    """Take a result out of the list; if it is shown, everything is as before first."""
    results = preview.of(scene)
    if results.playing_uid == uid:
        preview.stop(scene)
    index = next(i for i, item in enumerate(results.entries) if item.uid == uid)
    results.entries.remove(index)
    last = len(results.entries) - 1
    moved = results.active_index - 1 if index < results.active_index else results.active_index
    activate(scene, max(0, min(moved, last)))
    results.message = ""


def clear(scene: bpy.types.Scene) -> None:
    """Empty the list; if a result is shown, everything is as before first."""
    preview.stop(scene)
    preview.of(scene).entries.clear()
    preview.of(scene).message = ""
    activate(scene, 0)
