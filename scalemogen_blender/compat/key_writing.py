"""Keys written without Blender computing any handle anew, and what an action needs for that."""

import bpy
import numpy as np

from .keyframes import _POINTS, _curve_owner, strips_within


def put_keys(
    curve: bpy.types.FCurve, points: list[np.ndarray], attributes: dict[str, np.ndarray]
) -> None:
    """Make a curve have just these keys, in order of time, to the last bit.

    Automatic handles stay where they are put until somebody edits the curve; Blender has to be
    told that the action has changed (``action.update_tag()``).
    """
    keys, count = curve.keyframe_points, len(points[0])
    if len(keys) != count:
        keys.clear()
        keys.add(count)
    for name, column in attributes.items():
        keys.foreach_set(name, np.ascontiguousarray(column))
    for name, values in zip(_POINTS, points, strict=True):
        keys.foreach_set(name, np.ascontiguousarray(values, dtype=np.float32).ravel())


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


def tweaked_strip(animation: bpy.types.AnimData) -> bpy.types.NlaStrip | None:
    """The strip that is being tweaked; None where Blender does not tell."""
    strips = [s for track in animation.nla_tracks for s in strips_within(track.strips)]
    active = [s for s in strips if s.active and s.action == animation.action]
    return active[0] if active else None
