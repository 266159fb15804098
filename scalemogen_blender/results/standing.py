"""What previews change on a rig besides its bones: where the object stands, and switches.

Before a preview keys such a value, the artist's own is noted in the rig's snapshot (``touched``);
it is there for putting back, and for measuring the rig where it really stands.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import bpy

from .. import compat
from . import animated_values, remembered, restoring, rig_snapshot
from .animated_values import TRANSFORM

if TYPE_CHECKING:
    from .properties import RigSnapshot


def keyed_values(action: bpy.types.Action) -> list[str]:
    """Paths of what an action keys besides the channels of bones."""
    paths = [p for p in compat.ActionWriter(action).paths() if not animated_values.is_bone(p)]
    if any(path in TRANSFORM for path in paths):
        return [
            *TRANSFORM,
            *(path for path in paths if path not in TRANSFORM),
        ]
    return paths


def note(snapshot: RigSnapshot, rig: bpy.types.Object, action: bpy.types.Action) -> None:
    """Remember what an action is about to change, unless a preview before it has changed it."""
    note_paths(snapshot, rig, keyed_values(action))


def note_all(snapshot: RigSnapshot, rig: bpy.types.Object) -> None:
    """Remember where the object stands, and all that the rig's action keys besides bones."""
    keyed = (curve.data_path for curve in compat.active_curves(rig))
    paths = dict.fromkeys(path for path in keyed if not animated_values.is_bone(path))
    note_paths(snapshot, rig, [*TRANSFORM, *(path for path in paths if path not in TRANSFORM)])


def note_paths(snapshot: RigSnapshot, rig: bpy.types.Object, paths: list[str]) -> None:
    """Remember some values, as far as they are not remembered yet."""
    if not paths:
        return
    state = remembered.read(snapshot.state)
    touched = state.setdefault("touched", {})
    touched.update(animated_values.capture_paths(rig, [p for p in paths if p not in touched]))
    snapshot.state = json.dumps(state)


def hand_over(rig: bpy.types.Object, state: dict[str, Any], old: bpy.types.Action) -> None:
    """Put back what the preview before has changed, for one that may key something else."""
    animated_values.restore(rig, _touched(state))
    rig_snapshot.restore_bones(rig, state, compat.keyed_bones(old))


@contextlib.contextmanager
def before_preview(rig: bpy.types.Object) -> Iterator[None]:
    """The rig where it stands without a preview, for a while; it has to be visible."""
    before = _touched(_state_on(rig))
    if not before:
        yield
        return
    now = animated_values.capture_paths(rig, before)
    try:
        # Values that are set stay until the frame changes, although an action keys them.
        animated_values.restore(rig, before)
        bpy.context.view_layer.update()
        yield
    finally:
        animated_values.restore(rig, now)
        bpy.context.view_layer.update()


def _state_on(rig: bpy.types.Object) -> dict[str, Any]:
    """What the preview on a rig remembers, whichever scene it is from; empty without one."""
    for action in restoring.marked():
        if restoring.shows(rig, action):
            return remembered.read(action.scalemogen_snapshot.state)
    return {}


def _touched(state: dict[str, Any]) -> dict[str, Any]:
    touched = state.get("touched")
    return touched if isinstance(touched, dict) else {}
