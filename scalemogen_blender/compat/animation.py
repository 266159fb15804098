"""Actions, slots and F-curves in Blender 4.2 to 5.x."""

import bpy
import numpy as np

_LINEAR = 1  # value of LINEAR in the interpolation enumeration, for foreach_set


class ActionWriter:
    """A new action for one object, filled curve by curve.

    Blender 4.4 and later keep curves in the channel bag of a slot; before, in the action itself.
    """

    def __init__(self, owner: bpy.types.Object, name: str) -> None:
        self.action = bpy.data.actions.new(name)
        self._slot = None
        if hasattr(self.action, "slots"):
            self._slot = self.action.slots.new(id_type="OBJECT", name=owner.name)
            strip = self.action.layers.new("Layer").strips.new(type="KEYFRAME")
            self._curves = strip.channelbag(self._slot, ensure=True)
        else:
            self.action.id_root = "OBJECT"
            self._curves = self.action

    def add_curve(
        self, path: str, index: int, group: str, frames: np.ndarray, values: np.ndarray
    ) -> None:
        """One F-curve with a linear key at every frame, written in bulk."""
        curve = self._new_curve(path, index, group)
        points = curve.keyframe_points
        points.add(len(frames))
        points.foreach_set("co", np.stack([frames, values], axis=-1).astype(np.float32).ravel())
        points.foreach_set("interpolation", np.full(len(frames), _LINEAR, dtype=np.int32))
        curve.update()

    def _new_curve(self, path: str, index: int, group: str) -> bpy.types.FCurve:
        curves = self._curves.fcurves
        options = curves.bl_rna.functions["new"].parameters.keys()
        for option in ("group_name", "action_group"):  # 5.0 and later; 4.3 and before
            if option in options:
                return curves.new(path, index=index, **{option: group})
        curve = curves.new(path, index=index)
        groups = self._curves.groups
        curve.group = groups.get(group) or groups.new(group)
        return curve

    def assign(self, owner: bpy.types.Object) -> None:
        """Make the action the object's active one."""
        animation = owner.animation_data_create()
        animation.action = self.action
        if self._slot is not None:
            animation.action_slot = self._slot


def active_curves(owner: bpy.types.Object) -> list[bpy.types.FCurve]:
    """F-curves of the object's active action that animate the object."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return []
    if not hasattr(animation.action, "slots"):
        return list(animation.action.fcurves)
    bags = [
        strip.channelbag(animation.action_slot)
        for layer in animation.action.layers
        for strip in layer.strips
    ]
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def shift_curves(curves: list[bpy.types.FCurve], frames: float) -> None:
    """Move all keys in time."""
    for curve in curves:
        points = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
        curve.keyframe_points.foreach_get("co", points)
        points[::2] += frames
        curve.keyframe_points.foreach_set("co", points)
        curve.update()
