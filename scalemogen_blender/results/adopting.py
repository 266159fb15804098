"""What has changed in a copy of an action goes into the action itself, and nothing else does."""

from __future__ import annotations

import bpy

from .. import compat
from ..edit.key_table import KEY


def adopt(rig: bpy.types.Object, copy: bpy.types.Action, slot: int | None) -> None:
    """Let the curves of the rig's action be those of ``slot`` of a changed copy of it.

    Curves that are the same are not touched; those that are gone in the copy go here, too.
    """
    action = rig.animation_data.action
    mine = {
        (curve.data_path, curve.array_index): curve
        for curve in compat.action_curves(action, compat.slot_handle(rig.animation_data))
    }
    theirs = {(c.data_path, c.array_index): c for c in compat.action_curves(copy, slot)}
    gone = [curve for key, curve in mine.items() if key not in theirs]
    for (path, index), curve in theirs.items():
        own = mine.get((path, index))
        keys = compat.read_key_table(curve, KEY)
        if own is None:
            group = curve.group.name if curve.group is not None else rig.name
            own = compat.ensure_curve(rig, path, index, group)
            own.extrapolation, own.color_mode = curve.extrapolation, curve.color_mode
            own.color = curve.color
        elif keys.tobytes() == compat.read_key_table(own, KEY).tobytes():
            continue
        compat.put_key_table(own, keys)
    for curve in gone:
        compat.remove_curve(rig, curve)
    action.update_tag()
