"""Actions, slots and F-curves in Blender 4.2 to 5.x."""

import re

import bpy
import numpy as np

_BONE_PATH = re.compile(r'pose\.bones\["((?:[^"\\]|\\.)*)"\]')
_LINEAR = 1  # value of LINEAR in the interpolation enumeration, for foreach_set


class ActionWriter:
    """An action for one object, filled curve by curve.

    Blender 4.4 and later keep curves in the channel bag of a slot; before, in the action itself.
    """

    def __init__(self, action: bpy.types.Action) -> None:
        """Go on writing to an action that :meth:`new` has made."""
        self.action = action
        if hasattr(action, "slots"):
            self._curves = action.layers[0].strips[0].channelbag(action.slots[0], ensure=True)
        else:
            self._curves = action

    @classmethod
    def new(cls, owner: bpy.types.ID, name: str) -> "ActionWriter":
        """An empty action with a slot named after its owner."""
        action = bpy.data.actions.new(name)
        if hasattr(action, "slots"):
            action.slots.new(id_type=owner.id_type, name=owner.name)
            action.layers.new("Layer").strips.new(type="KEYFRAME")
        else:
            action.id_root = owner.id_type
        return cls(action)

    def paths(self) -> set[str]:
        """What has curves already."""
        return {curve.data_path for curve in self._curves.fcurves}

    def add_curve(
        self, path: str, index: int, group: str, frames: np.ndarray, values: np.ndarray
    ) -> None:
        """One F-curve with a linear key at every frame, written in bulk."""
        curve = new_curve(self._curves, path, index, group)
        points = curve.keyframe_points
        points.add(len(frames))
        points.foreach_set("co", np.stack([frames, values], axis=-1).astype(np.float32).ravel())
        points.foreach_set("interpolation", np.full(len(frames), _LINEAR, dtype=np.int32))
        curve.update()

    def new_curve(self, path: str, index: int, group: str) -> bpy.types.FCurve:
        """An F-curve without keys."""
        return new_curve(self._curves, path, index, group)

    def assign(self, owner: bpy.types.ID) -> None:
        """Make the action its owner's active one."""
        assign_action(owner.animation_data_create(), self.action)


def new_curve(
    owner: "bpy.types.Action | bpy.types.ActionChannelbag", path: str, index: int, group: str
) -> bpy.types.FCurve:
    """An empty F-curve in a group of the same channel bag (before Blender 4.4: action)."""
    curves = owner.fcurves
    options = curves.bl_rna.functions["new"].parameters.keys()
    for option in ("group_name", "action_group"):  # 5.0 and later; 4.3 and before
        if option in options:
            return curves.new(path, index=index, **{option: group})
    curve = curves.new(path, index=index)
    curve.group = owner.groups.get(group) or owner.groups.new(group)
    return curve


def assign_action(
    user: "bpy.types.AnimData | bpy.types.NlaStrip",
    action: bpy.types.Action | None,
    slot_handle: int | None = -1,
) -> None:
    """Give an action to an object's animation data or to an NLA strip, and choose its slot.

    ``slot_handle`` None chooses none, -1 what Blender takes by itself, else the first suitable.
    """
    user.action = action
    if action is None or not hasattr(action, "slots"):
        return
    if slot_handle == -1:
        if user.action_slot is None and len(user.action_suitable_slots):
            user.action_slot = user.action_suitable_slots[0]
        return
    user.action_slot = next((s for s in action.slots if s.handle == slot_handle), None)


def slot_handle(user: "bpy.types.AnimData | bpy.types.NlaStrip") -> int | None:
    """Number of the slot in use; None for no slot, and before Blender 4.4."""
    slot = getattr(user, "action_slot", None)
    return None if slot is None else slot.handle


def own_action(animation: bpy.types.AnimData) -> tuple[bpy.types.Action | None, int | None]:
    """The object's action and its slot's number, also while a strip is tweaked in its place."""
    if not animation.use_tweak_mode:
        return animation.action, slot_handle(animation)
    action = animation.action_tweak_storage
    if action is None or not hasattr(action, "slots"):
        return action, None
    handle = animation.action_slot_handle_tweak_storage
    return action, handle if any(slot.handle == handle for slot in action.slots) else None


def last_slot(animation: bpy.types.AnimData) -> str | None:
    """Name of the slot that Blender looks for in the next action; None before Blender 4.4."""
    return getattr(animation, "last_slot_identifier", None)


def set_last_slot(animation: bpy.types.AnimData, identifier: str | None) -> None:
    """Set what :func:`last_slot` gave."""
    if identifier is not None:
        animation.last_slot_identifier = identifier


def action_curves(action: bpy.types.Action, handle: int | None = None) -> list[bpy.types.FCurve]:
    """F-curves of one slot of an action; of the whole action before Blender 4.4."""
    if not hasattr(action, "slots"):
        return list(action.fcurves)
    slot = next((s for s in action.slots if s.handle == handle), None)
    if slot is None:
        return []
    bags = [strip.channelbag(slot) for layer in action.layers for strip in layer.strips]
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def keyed_bones(action: bpy.types.Action) -> list[str]:
    """Names of the bones that an action keys, whatever the artist has made of it."""
    if hasattr(action, "slots"):
        strips = [strip for layer in action.layers for strip in layer.strips]
        curves = [c for strip in strips for bag in strip.channelbags for c in bag.fcurves]
    else:
        curves = list(action.fcurves)
    return sorted({name for curve in curves if (name := bone_of(curve.data_path)) is not None})


def bone_of(path: str) -> str | None:
    """Name of the bone that a curve's path leads to; None if it leads to something else."""
    match = _BONE_PATH.match(path)
    return None if match is None else bpy.utils.unescape_identifier(match[1])


def active_curves(owner: bpy.types.Object) -> list[bpy.types.FCurve]:
    """F-curves of the object's active action that animate the object."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return []
    return action_curves(animation.action, slot_handle(animation))


def shift_curves(curves: list[bpy.types.FCurve], frames: float) -> None:
    """Move all keys in time."""
    for curve in curves:
        points = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
        curve.keyframe_points.foreach_get("co", points)
        points[::2] += frames
        curve.keyframe_points.foreach_set("co", points)
        curve.update()


def selected_bones(rig: bpy.types.Object) -> list[str]:
    """Names of the bones that are selected in Pose Mode."""
    return [bone.name for bone in rig.pose.bones if _selection_of(bone).select]


def select_bones(rig: bpy.types.Object, names: list[str]) -> None:
    """Select these bones and no others."""
    wanted = set(names)
    for bone in rig.pose.bones:
        owner = _selection_of(bone)
        if owner.select != (bone.name in wanted):
            owner.select = bone.name in wanted


def _selection_of(bone: bpy.types.PoseBone) -> "bpy.types.PoseBone | bpy.types.Bone":
    return bone if hasattr(bone, "select") else bone.bone  # 5.0 and later; before
