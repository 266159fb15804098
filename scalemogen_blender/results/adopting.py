"""What has changed in a copy of an action goes into the action itself, and nothing else does."""

from __future__ import annotations

import bpy
import numpy as np

from .. import compat

#: Numbers of a key besides its points; floats are told by their value here.
_ATTRIBUTES: dict[str, float | int] = {
    "interpolation": 0,
    "easing": 0,
    "handle_left_type": 0,
    "handle_right_type": 0,
    "type": 0,
    "amplitude": 0.0,
    "back": 0.0,
    "period": 0.0,
    "select_control_point": 0,
    "select_left_handle": 0,
    "select_right_handle": 0,
}
_Keys = tuple[list[np.ndarray], dict[str, np.ndarray]]


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
        keys = compat.read_keys(curve, _ATTRIBUTES)
        if own is None:
            group = curve.group.name if curve.group is not None else rig.name
            own = compat.ensure_curve(rig, path, index, group)
            own.extrapolation, own.color_mode = curve.extrapolation, curve.color_mode
            own.color = curve.color
        elif _same(keys, compat.read_keys(own, _ATTRIBUTES)):
            continue
        compat.put_keys(own, *keys)
    for curve in gone:
        compat.remove_curve(rig, curve)
    action.update_tag()


def _same(one: _Keys, other: _Keys) -> bool:
    return all(
        a.tobytes() == b.tobytes()
        for a, b in zip([*one[0], *one[1].values()], [*other[0], *other[1].values()], strict=True)
    )
