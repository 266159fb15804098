"""Poses that have to outlast the end of playback.

When the timeline is stopped, Blender evaluates the frame once more a moment later. That would
overwrite a pose that is not keyed, so it is put back then.
"""

from __future__ import annotations

from typing import Any

import bpy

from . import rig_snapshot

#: Blender evaluates before it draws again; whoever changes the frame later means it.
_SECONDS = 0.5

_scene: int | None = None
_states: dict[int, dict[str, Any]] = {}


def keep_poses(scene: bpy.types.Scene, rigs: list[tuple[bpy.types.Object, dict[str, Any]]]) -> None:
    """Put these poses back when the scene's frame is evaluated in the next moment."""
    global _scene
    forget()
    _scene = scene.session_uid
    _states.update({rig.session_uid: state for rig, state in rigs})
    bpy.app.handlers.frame_change_post.append(_put_back)
    bpy.app.timers.register(forget, first_interval=_SECONDS)


def forget() -> None:
    """Put nothing back any more."""
    global _scene
    _scene = None
    _states.clear()
    if _put_back in bpy.app.handlers.frame_change_post:
        bpy.app.handlers.frame_change_post.remove(_put_back)
    if bpy.app.timers.is_registered(forget):
        bpy.app.timers.unregister(forget)


def _put_back(scene: bpy.types.Scene, *_: object) -> None:
    if scene.session_uid != _scene:
        return
    states = dict(_states)
    forget()  # first: whatever happens, this is done once
    for rig in bpy.data.objects:
        if rig.session_uid in states:
            rig_snapshot.restore_pose(rig, states[rig.session_uid])
            rig.update_tag()
