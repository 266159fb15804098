"""Every difference between Blender 4.2, 4.5 and 5.x that the add-on meets.

Nothing else in the add-on asks for a version or for the presence of a function.
"""

from typing import Any

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


def import_fbx(path: str) -> None:
    """Add an FBX file's objects, without its animation, to the scene."""
    if "fbx_import" in dir(bpy.ops.wm):  # 4.5 and later; also reads ASCII files
        bpy.ops.wm.fbx_import(filepath=path, use_anim=False)
    else:
        bpy.ops.import_scene.fbx(filepath=path, use_anim=False)


def call_operator(operator: Any, **options: Any) -> None:
    """Call an operator with those of the options that this version knows."""
    known = operator.get_rna_type().properties.keys()
    operator(**{name: value for name, value in options.items() if name in known})


def enable_bundled_addon(name: str) -> bool:
    """Enable an add-on that comes with Blender; False if it is not there."""
    import addon_utils

    # default_set=False makes Rigify's register() fail: it looks up its own preferences.
    return addon_utils.enable(name, default_set=True) is not None


def set_base_colour(material: bpy.types.Material, colour: tuple[float, float, float]) -> None:
    """Colour for the solid viewport and, through the shader, for FBX and glTF."""
    material.diffuse_color = (*colour, 1.0)
    if not material.node_tree:  # later versions always have nodes
        material.use_nodes = True
    for node in material.node_tree.nodes:
        if node.type == "BSDF_PRINCIPLED":
            node.inputs["Base Color"].default_value = (*colour, 1.0)
            node.inputs["Roughness"].default_value = 0.6


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
