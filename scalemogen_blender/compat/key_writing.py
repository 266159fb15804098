"""Keys written without Blender computing any handle anew, and what an action needs for that."""

import bpy
import numpy as np

from .animation import active_curves
from .keyframes import _curve_owner, strips_within


def read_key_table(curve: bpy.types.FCurve, columns: np.dtype) -> np.ndarray:
    """All keys of a curve, a row each; ``columns`` are named as Blender names them."""
    keys = curve.keyframe_points
    table = np.empty(len(keys), columns)
    for name in columns.names or ():
        column = np.empty(table[name].shape, table[name].dtype)
        keys.foreach_get(name, column.reshape(-1))
        table[name] = column
    return table


def put_key_table(
    curve: bpy.types.FCurve, table: np.ndarray, known: np.ndarray | None = None
) -> None:
    """Make a curve have just these keys, in order of time, to the last bit.

    ``known``: those that it has, where that is known.  Automatic handles stay where they are put
    until somebody edits the curve; Blender has to be told that the action has changed
    (``action.update_tag()``).
    """
    keys = curve.keyframe_points
    if len(keys) != len(table):
        keys.clear()
        keys.add(len(table))
        known = None
    for name in table.dtype.names or ():
        column = np.ascontiguousarray(table[name])
        if known is None or not np.array_equal(column, known[name]):
            keys.foreach_set(name, column.reshape(-1))


def find_curve(owner: bpy.types.Object, path: str, index: int) -> bpy.types.FCurve | None:
    """The curve of a channel in the object's action; None where there is none."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return None
    if hasattr(animation.action, "slots"):
        slot = animation.action_slot
        if slot is None:
            return None
        strips = [strip for layer in animation.action.layers for strip in layer.strips]
        bags = [bag for strip in strips if (bag := strip.channelbag(slot)) is not None]
        found = (bag.fcurves.find(path, index=index) for bag in bags)
        return next((curve for curve in found if curve is not None), None)
    return animation.action.fcurves.find(path, index=index)


def group_names(owner: bpy.types.Object) -> set[str]:
    """Names of the groups of curves in the object's action."""
    animation = owner.animation_data
    if hasattr(animation.action, "slots") and animation.action_slot is None:
        return set()
    return {group.name for group in _curve_owner(owner).groups}


def remove_groups(owner: bpy.types.Object, names: set[str]) -> None:
    """Take groups without curves out of the object's action."""
    if not names:
        return
    groups = _curve_owner(owner).groups
    for group in [group for group in groups if group.name in names]:
        if not len(group.channels):
            groups.remove(group)


def tweaked_strip(owner: bpy.types.Object) -> bpy.types.NlaStrip | None:
    """The strip that is being tweaked; None if the object's action is played elsewhere, too.

    Blender does not tell which it is, but then it is the only one with the action.
    """
    animation = owner.animation_data
    action, slot = animation.action, getattr(animation, "action_slot", None)
    found = []
    for user in bpy.data.user_map(subset=[action])[action]:
        other = getattr(user, "animation_data", None)
        if other is None:
            continue
        if user != owner and other.action == action and _same_slot(other, slot):
            return None
        strips = [s for track in other.nla_tracks for s in strips_within(track.strips)]
        found += [(user, s) for s in strips if s.action == action and _same_slot(s, slot)]
    return found[0][1] if len(found) == 1 and found[0][0] == owner else None


def _same_slot(
    user: "bpy.types.AnimData | bpy.types.NlaStrip", slot: "bpy.types.ActionSlot | None"
) -> bool:
    return slot is None or getattr(user, "action_slot", None) in (None, slot)


def played_range(animation: bpy.types.AnimData) -> tuple[float, float]:
    """Frames between which the action has keys, or which it says it has; the slot's own."""
    action, slot = animation.action, getattr(animation, "action_slot", None)
    if action.use_frame_range:
        return action.frame_start, action.frame_end
    curves = active_curves(animation.id_data)
    if slot is None:
        low, high = action.curve_frame_range
        return low, high
    ends = [end for c in curves if len(c.keyframe_points) for end in c.range()]
    return (min(ends), max(ends)) if ends else (0.0, 0.0)


def scratch_curve(action: bpy.types.Action) -> bpy.types.FCurve:
    """A curve in an action that nothing plays."""
    if not hasattr(action, "slots"):
        return action.fcurves.new("location")
    slot = action.slots.new(id_type="OBJECT", name="Scratch")
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True).fcurves.new("location")
