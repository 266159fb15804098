"""A result becomes the artist's: an action, or a strip in the NLA."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import bpy

from .. import bake, compat
from .. import rig as rigs
from .._core import errors
from ..blocks import remembering
from . import nla, preview, refreshing, remembered, restoring, scene_snapshot

if TYPE_CHECKING:
    from .._core import retarget
    from .properties import ResultItem

_NAME_BYTES = 60  # Blender before 5.0 cuts names at 63
#: What an accepted action remembers, so that it can be made again.
_KEPT = ("prompt", "seed", "seconds", "guidance", "temperature", "cleanup", "model", "device")


def accept(scene: bpy.types.Scene, uid: str, mode: str) -> str | None:
    """Give a result to its rig, as an ``ACTION`` or in the ``NLA``; an edit goes into its action.

    The name of the rig's earlier action, if it is kept only because we gave it a fake user; of an
    edit, of the copy that it went into because others use the action, too.
    ScaleMoGenError if the rig cannot take it; nothing has changed then.
    """
    item = _item(scene, uid)
    if found := preview.problem(scene, item):
        raise errors.ScaleMoGenError(found)
    refreshing.catch_up()
    rig = preview.rig_of(item)
    if item.is_edit:
        from . import edit_preview

        return edit_preview.accept(scene, item, rig)
    action = _action_of(scene, item, rig)
    bones = _bones_of(item, action, rig)
    kept = _put_into_nla(rig, action, bones) if mode == "NLA" else _assign(rig, action, bones)
    _finish(rig, bones, item)
    if scene.scalemogen.results.fit_scene_range:
        fit_scene_range(scene, action)
    scene_snapshot.set_frame(scene, scene.frame_current, scene.frame_subframe)
    return kept


def accept_all(scene: bpy.types.Scene) -> int:
    """Put every result that is no edit on a track of its own; how many there are.

    What plays (or is active) is on, the others are muted. ScaleMoGenError before anything has
    changed, if a rig cannot take them.
    """
    results = preview.of(scene)
    entries = [item for item in results.entries if not item.is_edit]
    if not entries:
        raise errors.ScaleMoGenError("All results are edits; accept them one by one.")
    for item in entries:
        if found := preview.problem(scene, item):
            raise errors.ScaleMoGenError(found)
    chosen = results.playing_uid or _active_uid(scene)
    by_rig: dict[bpy.types.Object, list[ResultItem]] = {}
    for item in entries:
        by_rig.setdefault(preview.rig_of(item), []).append(item)
    # All that can fail, before anything changes.
    refreshing.catch_up()
    channels = {
        item.uid: preview.channels_for(scene, item, rig)
        for rig, items in by_rig.items()
        for item in items
        if not _is_made(item, rig)
    }
    for rig, items in by_rig.items():
        on = next((item.uid for item in items if item.uid == chosen), items[0].uid)
        # The one on the rig first: it is the preview's own action, with what was keyed on it.
        order = sorted(items, key=lambda item: not preview.is_shown(scene, item.uid))
        actions = {i.uid: _action_of(scene, i, rig, channels.get(i.uid)) for i in order}
        for item in items:
            action = actions[item.uid]
            bones = _bones_of(item, action, rig)
            _put_into_nla(rig, action, bones, muted=item.uid != on)
            _finish(rig, bones, item)
    scene_snapshot.set_frame(scene, scene.frame_current, scene.frame_subframe)
    return len(entries)


def fit_scene_range(scene: bpy.types.Scene, action: bpy.types.Action) -> None:
    """Let the scene begin and end with the action."""
    first, last = (max(0, round(frame)) for frame in action.frame_range)
    scene.frame_end = max(last, scene.frame_end)  # an end before the start would move it
    scene.frame_start, scene.frame_end = first, last


def action_name(prompt: str) -> str:
    """A prompt as the name of a datablock."""
    name = " ".join(prompt.split()) or "ScaleMoGen"
    raw = name.encode("utf-8")
    if len(raw) <= _NAME_BYTES:
        return name
    return raw[: _NAME_BYTES - 3].decode("utf-8", errors="ignore").rstrip() + "…"


def properties_of(item: ResultItem) -> dict[str, Any]:
    """What an accepted action remembers of how it was made."""
    settings = remembered.read(item.settings)
    known = {name: settings[name] for name in _KEPT if settings.get(name) is not None}
    if settings.get("engine") is not None:
        known["engine_version"] = settings["engine"]
    return known | remembering.for_action(settings, item.fps, bake.scene_fps(item.id_data))


def _item(scene: bpy.types.Scene, uid: str) -> ResultItem:
    item = preview.find(scene, uid)
    if item is None:
        raise errors.ScaleMoGenError("This result is not in the list any more.")
    return item


def _active_uid(scene: bpy.types.Scene) -> str:
    results = preview.of(scene)
    if not 0 <= results.active_index < len(results.entries):
        return ""
    return results.entries[results.active_index].uid


def _action_of(
    scene: bpy.types.Scene,
    item: ResultItem,
    rig: bpy.types.Object,
    channels: retarget.PoseChannels | None = None,
) -> bpy.types.Action:
    """The action that a result becomes or has become; no preview is left on the rig."""
    if _is_made(item, rig):
        preview.end_on(rig)
        return item.accepted
    if preview.is_shown(scene, item.uid) and restoring.shows(rig, preview.of(scene).preview):
        action = preview.release(scene)  # with what the artist has keyed on it
    else:
        channels = channels or preview.channels_for(scene, item, rig)
        preview.end_on(rig)
        action = bake.new_action(rig, channels, preview.PREVIEW_NAME, item.start_frame)
        item.bones = json.dumps(bake.keyed_bones(channels))
    action.name = action_name(item.prompt)
    bake.store_properties(action, properties_of(item) | rigs.remembered(rig))
    item.accepted, item.accepted_with = action, rigs.fingerprint(rig)
    return action


def _is_made(item: ResultItem, rig: bpy.types.Object) -> bool:
    """Whether a result is an action already, with the options that the rig has now."""
    return item.accepted is not None and item.accepted_with in ("", rigs.fingerprint(rig))


def _bones_of(item: ResultItem, action: bpy.types.Action, rig: bpy.types.Object) -> list[str]:
    """Names of the rig's bones that a result keys; the artist may have keyed others since."""
    kept = remembered.names(item.bones) or compat.keyed_bones(action)
    return [name for name in kept if name in rig.pose.bones]


def _assign(rig: bpy.types.Object, action: bpy.types.Action, bones: Sequence[str]) -> str | None:
    animation = rig.animation_data_create()
    animation.use_tweak_mode = False
    nla.cover(rig, action, bones)
    earlier = animation.action
    compat.assign_action(animation, action)
    animation.action_blend_type, animation.action_influence = "REPLACE", 1.0
    for track in animation.nla_tracks:  # Blender leaves out the active action otherwise
        if track.is_solo:
            track.is_solo = False
    if earlier is not None and earlier != action and earlier.users == 0:
        earlier.use_fake_user = True
        return earlier.name
    return None


def _put_into_nla(
    rig: bpy.types.Object,
    action: bpy.types.Action,
    bones: Sequence[str],
    muted: bool = False,
) -> str | None:
    animation = rig.animation_data_create()
    animation.use_tweak_mode = False
    kept = None
    earlier = animation.action
    if earlier == action:
        animation.action = None
    elif earlier is not None and nla.push_down(rig) is None:
        animation.action = None
        if earlier.users == 0:  # nothing in it to make a strip of
            earlier.use_fake_user = True
            kept = earlier.name
    track = nla.track_of(rig, action)
    if track is None:
        nla.cover(rig, action, bones)
        track = nla.add_result(rig, action, alone=not len(animation.nla_tracks))
    track.mute = muted
    nla.make_visible(rig)
    return kept


def _finish(rig: bpy.types.Object, bones: Sequence[str], item: ResultItem) -> None:
    """What was seen in the preview is what is there now."""
    for name in bones:
        bake.reset_bone(rig.pose.bones[name])
    if rig.data.pose_position != "POSE":
        rig.data.pose_position = "POSE"
    item.rig = rig
