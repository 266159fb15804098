"""Showing a result on a rig for a while, and putting everything back as it was.

While a result is shown, the rig has an action of ours. Before the first one, rig and scene are
remembered (:mod:`.rig_snapshot`, :mod:`.scene_snapshot`); going from one result to the next keeps
that memory, and :func:`stop` brings it back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import bpy

from .. import bake
from .. import rig as rigs
from .._core import errors
from . import (
    playback,
    remembered,
    restoring,
    rig_snapshot,
    scene_snapshot,
    settling,
    standing,
    storage,
)

if TYPE_CHECKING:
    from .._core import retarget
    from .properties import ResultItem, ResultsProperties, RigSnapshot

PREVIEW_NAME = "ScaleMoGen Preview"


def of(scene: bpy.types.Scene) -> ResultsProperties:
    """The scene's results."""
    return scene.scalemogen.results


def find(scene: bpy.types.Scene, uid: str) -> ResultItem | None:
    """A result by its uid."""
    return next((item for item in of(scene).entries if item.uid == uid), None)


def rig_of(item: ResultItem) -> bpy.types.Object | None:
    """The rig that a result is for: the one it was made for, else the one picked now."""
    rig = item.rig
    if rig is not None and rig.type == "ARMATURE" and rigs.is_in_file(rig):
        return rig
    return rigs.target(bpy.context)


def problem(scene: bpy.types.Scene, item: ResultItem) -> str | None:
    """Why a result cannot be shown on its rig now, with the remedy; cheap enough for panels."""
    rig = rig_of(item)
    if rig is None:
        return "There is no armature to play on. Select one, or pick it under Rig"
    if not rigs.is_in_scene(scene, rig):
        return f"'{rig.name}' is not in this scene. Switch to its scene, or link it here"
    if item.is_edit and item.is_accepted:
        return f"This edit is in '{item.accepted.name}' already"
    return rigs.rig_problem(rig)


def is_shown(scene: bpy.types.Scene, uid: str) -> bool:
    """Whether a result is what its rig shows."""
    results = of(scene)
    return bool(uid) and results.playing_uid == uid and results.preview is not None


def play(scene: bpy.types.Scene, uid: str, compare: bool = False) -> None:
    """Show a result on its rig; ScaleMoGenError if that cannot be, and nothing has changed.

    ``compare``: if another edit of the same frames is shown, time goes on, or stands, where it is.
    """
    item = find(scene, uid)
    if item is None:
        raise errors.ScaleMoGenError("This result is not in the list any more.")
    if found := problem(scene, item):
        raise errors.ScaleMoGenError(found)
    goes_on = compare and _is_beside_shown(scene, item)
    _show_item(scene, item, rig_of(item), from_start=not goes_on)
    if not goes_on and of(scene).use_playback and playback.start(scene):
        note_playback(scene)


def _is_beside_shown(scene: bpy.types.Scene, item: ResultItem) -> bool:
    """Whether the rig shows another edit of the same frames."""
    shown = find(scene, of(scene).playing_uid)
    return (
        shown is not None
        and item.is_edit
        and shown.is_edit
        and shown_rig(scene) == rig_of(item)
        and (shown.first, shown.last) == (item.first, item.last)
    )


def show_again(scene: bpy.types.Scene) -> None:
    """Show the same result anew, because the rig's options have changed; time goes on.

    ScaleMoGenError if that cannot be; what was shown is still shown then.
    """
    item, rig = find(scene, of(scene).playing_uid), shown_rig(scene)
    if item is None or rig is None:
        return
    if found := rigs.rig_problem(rig):
        raise errors.ScaleMoGenError(found)
    _show_item(scene, item, rig, from_start=False)


def artists_action(rig: bpy.types.Object) -> bpy.types.Action | None:
    """The rig's own action, also while a result is shown in its place."""
    for action in restoring.marked():
        if restoring.shows(rig, action):
            return action.scalemogen_snapshot.action
    return rig.animation_data.action if rig.animation_data is not None else None


def shown_rig(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The rig that shows a result of the scene."""
    results = of(scene)
    rig = results.rig_snapshot.rig
    if rig is None or results.preview is None or not restoring.shows(rig, results.preview):
        return None
    return rig


def _show_item(
    scene: bpy.types.Scene, item: ResultItem, rig: bpy.types.Object, from_start: bool
) -> None:
    if item.is_edit:
        from . import edit_preview

        edit_preview.put_on(scene, item, rig, from_start)
    else:
        _put_on(scene, item, rig, from_start)


def _put_on(
    scene: bpy.types.Scene, item: ResultItem, rig: bpy.types.Object, from_start: bool
) -> None:
    """Make a result's action and give it to the rig; all or nothing."""
    channels = channels_for(scene, item, rig)
    action = bake.new_action(rig, channels, PREVIEW_NAME, item.start_frame)
    made = action.session_uid
    try:
        _take_over(scene, rig, action)
        _show(rig, action, channels)
        if from_start:
            _go_to_start(scene, action)
        else:
            scene_snapshot.set_frame(scene, scene.frame_current, scene.frame_subframe)
    except BaseException:
        stop(scene)
        for left in [a for a in bpy.data.actions if a.session_uid == made]:
            restoring.drop(left)
        raise
    results = of(scene)
    results.playing_uid, results.message = item.uid, ""
    item.bones = json.dumps(bake.keyed_bones(channels))
    results.shown_with = rigs.fingerprint(rig)


def channels_for(
    scene: bpy.types.Scene, item: ResultItem, rig: bpy.types.Object
) -> retarget.PoseChannels:
    """What a result keys on a rig, at the scene's frame rate."""
    motion = storage.unpack(item.motion)
    if motion.frame_count == 0:
        raise errors.ScaleMoGenError("The motion has no frames; generate it again.")
    made = motion.resampled(bake.scene_fps(scene))
    return rigs.retargeter(rig).transfer(made, rigs.options(rig))


def stop(scene: bpy.types.Scene, whole: bool = True) -> None:
    """End the scene's preview: rig and scene are exactly as before it.

    ``whole`` False leaves the selection, the mode and the scene's frame rate and range as they
    are now: for ends that the artist has not asked for.
    """
    action, ended, played = _end(scene, whole)
    if played:
        settling.keep_poses(scene, ended)
    if action is not None:
        restoring.drop(action)


def release(scene: bpy.types.Scene) -> bpy.types.Action | None:
    """End the scene's preview, but leave its action, unused, for the caller to use."""
    return _end(scene, whole=False)[0]


def _end(
    scene: bpy.types.Scene, whole: bool
) -> tuple[bpy.types.Action | None, list[restoring.RestoredRig], bool]:
    """The preview's action, the rigs that are as before, whether the timeline was stopped."""
    results = of(scene)
    if not results.scene_snapshot:
        return None, [], False
    before = remembered.read(results.scene_snapshot)
    action = results.preview
    played = bool(before.get("playback")) and playback.stop()
    if whole:
        scene_snapshot.restore_selection(scene, before)
        scene_snapshot.restore_time(scene, before)
    scene_snapshot.restore_preview_range(scene, before)
    ended = restoring.rigs(action, results.rig_snapshot)
    restoring.forget(results.rig_snapshot)
    results.property_unset("preview")
    results.scene_snapshot = results.playing_uid = results.shown_with = ""
    scene_snapshot.restore_frame(scene, before)
    restoring.poses(scene, ended, whole)
    return action, ended, played


def end_on(rig: bpy.types.Object) -> None:
    """End the preview on a rig, from whichever scene it comes."""
    for scene in bpy.data.scenes:
        if of(scene).preview is not None and restoring.shows(rig, of(scene).preview):
            stop(scene, whole=False)
    end_orphans()


def end_orphans() -> int:
    """End previews whose scene is gone; how many there were."""
    claimed = [of(scene).preview for scene in bpy.data.scenes]
    orphans = [action for action in restoring.marked() if action not in claimed]
    for action in orphans:
        ended = restoring.rigs(action, action.scalemogen_snapshot)
        bpy.context.view_layer.update()
        restoring.poses(bpy.context.scene, ended, whole=False)
        restoring.drop(action)
    return len(orphans)


def has_orphans() -> bool:
    """Whether a rig shows a result for a scene that is gone; cheap enough for panels."""
    marked = restoring.marked()
    if not marked:
        return False
    claimed = [of(scene).preview for scene in bpy.data.scenes]
    return any(action not in claimed for action in marked)


def stop_all() -> None:
    """End all previews of the file, because the add-on goes away."""
    for scene in bpy.data.scenes:
        stop(scene, whole=False)
    end_orphans()


def _take_over(scene: bpy.types.Scene, rig: bpy.types.Object, action: bpy.types.Action) -> None:
    """Remember rig and scene, unless the scene shows another result on this rig already."""
    results = of(scene)
    current = results.preview
    if current is not None and restoring.shows(rig, current):
        rig_snapshot.leave_tweak_mode(rig)
        standing.hand_over(rig, remembered.read(results.rig_snapshot.state), current)
        standing.note(results.rig_snapshot, rig, action)
        copy_snapshot(results.rig_snapshot, action.scalemogen_snapshot)
        results.preview = action
        rig.animation_data.action = action
        restoring.drop(current)
        action.name = PREVIEW_NAME
        return
    stop(scene, whole=False)
    end_on(rig)
    results.scene_snapshot = json.dumps(scene_snapshot.capture(scene))
    snapshot = action.scalemogen_snapshot
    snapshot.rig, snapshot.state = rig, json.dumps(rig_snapshot.capture(rig))
    standing.note(snapshot, rig, action)
    rig_snapshot.leave_tweak_mode(rig)
    snapshot.action = rig.animation_data.action if rig.animation_data else None
    copy_snapshot(snapshot, results.rig_snapshot)
    results.preview = action


def _show(rig: bpy.types.Object, action: bpy.types.Action, channels: retarget.PoseChannels) -> None:
    bake.put_on(rig, action, bake.keyed_bones(channels))
    rig.animation_data.use_nla = False  # also makes blend type and influence meaningless
    if rig.data.pose_position != "POSE":
        rig.data.pose_position = "POSE"


def _go_to_start(scene: bpy.types.Scene, action: bpy.types.Action) -> None:
    first, last = (round(frame) for frame in action.frame_range)
    scene.use_preview_range = True
    scene_snapshot.set_preview_bounds(scene, first, last)
    scene.frame_set(first)


def copy_snapshot(source: RigSnapshot, target: RigSnapshot) -> None:
    """Let one snapshot be the same as another."""
    target.rig, target.action, target.state = source.rig, source.action, source.state


def note_playback(scene: bpy.types.Scene) -> None:
    """Remember that it was we who started the timeline."""
    before = remembered.read(of(scene).scene_snapshot)
    before["playback"] = True
    of(scene).scene_snapshot = json.dumps(before)
