"""Showing an edit on a copy of the artist's action, and accepting it into the action itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import bpy

from .. import bake, compat
from .. import rig as rigs
from .._core import errors
from . import (
    accepting,
    adopting,
    edits,
    playback,
    preview,
    restoring,
    rig_snapshot,
    scene_snapshot,
    settling,
    standing,
)

if TYPE_CHECKING:
    from .properties import ResultItem

_TWEAKED = (
    "A strip of '{rig}' is tweaked, where edits cannot be shown. Accept puts it into the strip's "
    "action; or leave tweak mode (Tab in the Nonlinear Animation editor)"
)
#: Seconds before and after the range that are played with it.
_AROUND = 1.0


def put_on(
    scene: bpy.types.Scene, item: ResultItem, rig: bpy.types.Object, from_start: bool
) -> None:
    """Show an edit on its rig; all or nothing."""
    stored = edits.of(item)
    if rig.animation_data is not None and rig.animation_data.use_tweak_mode:
        raise errors.ScaleMoGenError(_TWEAKED.format(rig=rig.name))
    frame, ran = (scene.frame_current, scene.frame_subframe), playback.is_running()
    bounds = scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end
    preview.stop(scene, whole=False)  # the edit is one of what the artist has
    preview.end_on(rig)
    settling.forget()
    try:
        copied = _remember(scene, rig)
        applied = edits.apply(scene, rig, stored)
        _mark(scene, rig, copied)
        if from_start:
            _go_to_start(scene, stored)
        else:
            scene.use_preview_range = bounds[0]
            scene_snapshot.set_preview_bounds(scene, *bounds[1:])
            scene_snapshot.set_frame(scene, *frame)
            if ran and playback.start(scene):
                preview.note_playback(scene)
    except BaseException:
        preview.stop(scene)
        raise
    results = preview.of(scene)
    results.playing_uid, results.message = item.uid, ""
    item.bones = json.dumps(list(applied.bones))
    results.shown_with = rigs.fingerprint(rig)


def _remember(scene: bpy.types.Scene, rig: bpy.types.Object) -> bool:
    """Note everything as it is and give the rig a copy of its action; False if it has none."""
    results = preview.of(scene)
    before = json.dumps(scene_snapshot.capture(scene))
    state = json.dumps(rig_snapshot.capture(rig))
    animation = rig.animation_data
    own = animation.action if animation is not None else None
    snapshot = results.rig_snapshot
    snapshot.rig, snapshot.state, snapshot.action = rig, state, own
    standing.note_all(snapshot, rig)  # before it is evaluated with the edit in it
    results.scene_snapshot = before
    if own is None:
        return False
    slot, action = compat.slot_handle(animation), own.copy()
    action.name, action.use_fake_user = preview.PREVIEW_NAME, False
    results.preview = action
    preview.copy_snapshot(snapshot, action.scalemogen_snapshot)
    compat.assign_action(animation, action, slot)
    return True


def _mark(scene: bpy.types.Scene, rig: bpy.types.Object, copied: bool) -> None:
    """Let the action that the edit went into remember what it is a preview of."""
    results = preview.of(scene)
    action = rig.animation_data.action
    if not copied:
        action.name, results.preview = preview.PREVIEW_NAME, action
    standing.note_all(results.rig_snapshot, rig)
    preview.copy_snapshot(results.rig_snapshot, action.scalemogen_snapshot)


def _go_to_start(scene: bpy.types.Scene, stored: edits.Stored) -> None:
    """Let the range be played with a little around it; of a loop all, to see its seam."""
    around = round(_AROUND * bake.scene_fps(scene))
    # Rigs that nothing moves stand before the range, which is nothing to look at.
    begin = max(stored.made.at, min(scene.frame_start, stored.first))
    start = max(begin, stored.first - around)
    last = min(stored.end, stored.last + around)
    scene.use_preview_range = True
    whole = stored.made.operation == "LOOP"
    scene_snapshot.set_preview_bounds(scene, stored.made.at if whole else start, last)
    scene.frame_set(start)


def accept(scene: bpy.types.Scene, item: ResultItem, rig: bpy.types.Object) -> str | None:
    """Put an edit into the rig's action; the name of the copy, if others use the action, too.

    What was shown is what is there then, with all that the artist has keyed on it since.
    ScaleMoGenError if the action cannot take it; nothing has changed then.
    """
    stored = edits.of(item)
    if preview.is_shown(scene, item.uid) and restoring.shows(rig, preview.of(scene).preview):
        copied = _take_shown(scene, item, rig)
    else:
        preview.end_on(rig)
        copied = _take_hidden(scene, item, rig, stored)
    action = rig.animation_data.action
    edits.remember(action, item, stored)
    item.accepted, item.accepted_with, item.rig = action, "", rig
    if stored.made.operation == "EXTEND" and preview.of(scene).fit_scene_range:
        accepting.fit_scene_range(scene, action)
    scene_snapshot.set_frame(scene, scene.frame_current, scene.frame_subframe)
    return action.name if copied else None


def _take_shown(scene: bpy.types.Scene, item: ResultItem, rig: bpy.types.Object) -> bool:
    """The preview's action becomes the artist's, or goes into his; True if others have his."""
    slot = compat.slot_handle(rig.animation_data)
    shown = preview.release(scene)
    animation = rig.animation_data_create()
    own = animation.action
    if own is not None and own.is_editable and not compat.is_shared(rig):
        adopting.adopt(rig, shown, slot)
        restoring.drop(shown)
        return False
    compat.assign_action(animation, shown, slot if slot is not None else -1)
    if own is None and len(animation.nla_tracks):
        animation.action_extrapolation = "NOTHING"  # outside the range the strips are seen
    shown.name = own.name if own is not None else accepting.action_name(_name(item))
    return own is not None


def _take_hidden(
    scene: bpy.types.Scene, item: ResultItem, rig: bpy.types.Object, stored: edits.Stored
) -> bool:
    """Write into the artist's action what is not shown; True if that was copied for it."""
    animation = rig.animation_data_create()
    own = animation.action
    edits.apply(scene, rig, stored)
    if own is None:
        animation.action.name = accepting.action_name(_name(item))
    return own not in (None, animation.action)


def _name(item: ResultItem) -> str:
    return item.prompt or edits.TITLES[edits.operation_of(item)]
