"""Undo brings poses back exactly; and when the add-on goes, rigs get back what is theirs."""

import sys
import traceback

import bpy
from bpy.app.handlers import persistent

from .. import interface
from .. import rig as armatures
from . import preview, refreshing, rig_snapshot, seen, settling

#: What the scenes' rigs showed and which rigs those were, just before an undo or redo.
_before: tuple[list[object], set[int]] = ([], set())


def _shown() -> list[object]:
    """Changes when a step gives a rig another action because of us."""
    return [
        (scene.name, results.playing_uid, [item.is_accepted for item in results.entries])
        for scene in bpy.data.scenes
        for results in [preview.of(scene)]
    ]


def _rigs() -> set[int]:
    """``session_uid`` of all rigs that results are for: it survives undo, pointers do not."""
    found = set()
    for scene in bpy.data.scenes:
        results = preview.of(scene)
        owners = [results.rig_snapshot, *results.entries]
        found |= {owner.rig.session_uid for owner in owners if owner.rig is not None}
    return found


@persistent
def _remember(*_: object) -> None:
    global _before
    _before = (_shown(), _rigs())


@persistent
def _keep_poses(*_: object) -> None:
    """Poses that are not keyed survive undo.

    After a step that changes the action Blender evaluates the new one, which overwrites the pose
    that the step has just brought back.
    """
    refreshing.after_undo()
    seen.after_undo()
    shown, uids = _before
    if _shown() == shown:
        return
    uids = uids | _rigs()
    # Without a pose: not an armature, or one that was never evaluated.
    rigs = [o for o in bpy.data.objects if o.session_uid in uids and o.pose is not None]
    states = [(rig, rig_snapshot.capture(rig)) for rig in rigs]
    for scene in bpy.data.scenes:
        if any(armatures.is_in_scene(scene, rig) for rig in rigs):
            for layer in scene.view_layers:
                layer.update()
    for rig, state in states:
        rig_snapshot.restore_pose(rig, state)
        rig.update_tag()


@persistent
def _forget_deleted(*_: object) -> None:
    """Results let go of deleted rigs: a pointer would keep them in the file."""
    for scene in bpy.data.scenes:
        if not scene.is_editable:
            continue
        results = preview.of(scene)
        shown = results.rig_snapshot.rig
        if shown is not None and not armatures.is_in_file(shown):
            preview.stop(scene, whole=False)
        for item in results.entries:
            if item.rig is not None and not armatures.is_in_file(item.rig):
                item.rig = None


def register() -> None:
    """Watch undo and saving.  Previews that were saved with a file go on."""
    handlers = bpy.app.handlers
    handlers.save_pre.append(_forget_deleted)
    for event in (handlers.undo_pre, handlers.redo_pre):
        event.append(_remember)
    for event in (handlers.undo_post, handlers.redo_post):
        event.append(_keep_poses)


def unregister() -> None:
    """End all previews, while there still is somebody who knows how."""
    handlers = bpy.app.handlers
    interface.stop_listening(handlers.save_pre, _forget_deleted)
    for event in (handlers.undo_pre, handlers.redo_pre):
        interface.stop_listening(event, _remember)
    for event in (handlers.undo_post, handlers.redo_post):
        interface.stop_listening(event, _keep_poses)
    try:
        preview.stop_all()
    except Exception:  # a file that is in no state for it must not keep the add-on from going
        traceback.print_exc(file=sys.stderr)
    settling.forget()
    refreshing.forget()
    seen.forget()
