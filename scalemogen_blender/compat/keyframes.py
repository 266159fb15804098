"""Keys of F-curves in bulk, and the curves of an object's own action."""

import bpy
import numpy as np

from .animation import new_curve

#: Where a key and its handles are; [frame, value] each.
_POINTS = ("co", "handle_left", "handle_right")


def read_keys(
    curve: bpy.types.FCurve, attributes: dict[str, float | int]
) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Points ([N, 2] each: key, left and right handle) and attributes ([N] each) of all keys.

    ``attributes`` maps the names wanted to a value of their kind (float or int).
    """
    keys = curve.keyframe_points
    points = []
    for name in _POINTS:
        values = np.empty(2 * len(keys), dtype=np.float32)
        keys.foreach_get(name, values)
        points.append(values.reshape(-1, 2))
    columns = {}
    for name, kind in attributes.items():
        column = np.empty(len(keys), dtype=np.float32 if isinstance(kind, float) else np.int32)
        keys.foreach_get(name, column)
        columns[name] = column
    return points, columns


def write_keys(
    curve: bpy.types.FCurve, points: list[np.ndarray], attributes: dict[str, np.ndarray]
) -> None:
    """Replace all keys; they come in order of time, and handles stay where they are put."""
    keys = curve.keyframe_points
    keys.clear()
    keys.add(len(points[0]))
    for name, column in attributes.items():
        keys.foreach_set(name, column)
    for name, values in zip(_POINTS, points, strict=True):
        keys.foreach_set(name, np.ascontiguousarray(values, dtype=np.float32).ravel())
    curve.update()
    for name, values in zip(_POINTS[1:], points[1:], strict=True):  # update() rounds them a little
        keys.foreach_set(name, np.ascontiguousarray(values, dtype=np.float32).ravel())


def ensure_curve(owner: bpy.types.Object, path: str, index: int, group: str) -> bpy.types.FCurve:
    """The curve of a channel in the object's action, made if it is not there."""
    curves = _curve_owner(owner)
    found = curves.fcurves.find(path, index=index)
    if found is not None:
        return found
    return new_curve(curves, path, index, group)


def remove_curve(owner: bpy.types.Object, curve: bpy.types.FCurve) -> None:
    """Take a curve out of the object's action."""
    _curve_owner(owner).fcurves.remove(curve)


def _curve_owner(
    owner: bpy.types.Object,
) -> "bpy.types.Action | bpy.types.ActionChannelbag":
    animation = owner.animation_data
    action = animation.action
    if not hasattr(action, "slots"):
        return action
    if animation.action_slot is None:
        animation.action_slot = action.slots.new(id_type="OBJECT", name=owner.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(animation.action_slot, ensure=True)


def is_shared(owner: bpy.types.Object) -> bool:
    """Whether something else than the object's active action plays the same curves.

    Another object, or a strip of the NLA, its own included.
    """
    animation = owner.animation_data
    action = animation.action
    slot = getattr(animation, "action_slot", None)
    for user in bpy.data.user_map(subset=[action])[action]:
        other = getattr(user, "animation_data", None)
        if other is None:
            continue
        users = [s for track in other.nla_tracks for s in strips_within(track.strips)]
        if user != owner:
            users.append(other)
        for one in users:
            theirs = getattr(one, "action_slot", None)
            if one.action == action and (slot is None or theirs in (None, slot)):
                return True
    return False


def strips_within(strips: "bpy.types.bpy_prop_collection") -> "list[bpy.types.NlaStrip]":
    """Strips and those inside meta strips."""
    return [inner for s in strips for inner in (s, *strips_within(s.strips))]


def move_keys(curve: bpy.types.FCurve, frames: float) -> None:
    """Move all keys of a curve in time, with their handles."""
    for name in _POINTS:
        values = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
        curve.keyframe_points.foreach_get(name, values)
        values[::2] += frames
        curve.keyframe_points.foreach_set(name, values)
    curve.update()


def selected_frames(curves: "list[bpy.types.FCurve]") -> tuple[float, float] | None:
    """Frames of the first and the last selected key; None if none is selected."""
    found: list[float] = []
    for curve in curves:
        keys = curve.keyframe_points
        chosen = np.empty(len(keys), dtype=bool)
        keys.foreach_get("select_control_point", chosen)
        at = np.flatnonzero(chosen)
        if len(at):
            found += [keys[int(at[0])].co[0], keys[int(at[-1])].co[0]]
    return (min(found), max(found)) if found else None
