"""Pose channels into an Action, F-curve by F-curve."""

import json
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np

from . import compat
from ._core import retarget
from .channels import channels_of

FIRST_FRAME = 1
_INT_LIMIT = 2**31


def bake(
    rig: bpy.types.Object,
    pose: "retarget.PoseChannels",
    name: str,
    properties: Mapping[str, Any] | None = None,
    start_frame: int = FIRST_FRAME,
) -> bpy.types.Action:
    """A new action on the rig with a key on every frame, from ``start_frame`` on."""
    action = new_action(rig, pose, name, start_frame)
    store_properties(action, properties or {})
    put_on(rig, action, keyed_bones(pose))
    return action


def new_action(
    rig: bpy.types.Object,
    pose: "retarget.PoseChannels",
    name: str,
    start_frame: int = FIRST_FRAME,
) -> bpy.types.Action:
    """An action for the rig with a key on every frame; the rig itself is left alone.

    Rotations go to the channels of each bone's own rotation mode.
    """
    writer = compat.ActionWriter.new(rig, name)
    write(writer, rig, pose, np.arange(pose.frame_count, dtype=np.float64) + start_frame)
    return writer.action


def write(
    writer: compat.ActionWriter,
    rig: bpy.types.Object,
    pose: "retarget.PoseChannels",
    frames: np.ndarray,
) -> None:
    """Key a motion at some frames [T]; switches get one key, at the first of them."""
    for channel in channels_of(rig, pose):
        count = 1 if channel.held else len(frames)
        for index in range(channel.values.shape[1]):
            values = channel.values[:count, index]
            single = channel.property_name.startswith("[")  # not one column of a vector
            writer.add_curve(
                channel.path, 0 if single else index, channel.group, frames[:count], values
            )


def keyed_bones(pose: "retarget.PoseChannels") -> tuple[str, ...]:
    """Names of all bones that a motion keys, turned or moved."""
    return tuple(dict.fromkeys((*pose.bones, *pose.locations)))


def put_on(rig: bpy.types.Object, action: bpy.types.Action, bones: tuple[str, ...]) -> None:
    """Make an action the rig's active one.

    What it does not key on its own bones, scale and other locations, is reset; bones that it does
    not key are left as they are.
    """
    animation = rig.animation_data_create()
    animation.action = None
    for name in bones:
        reset_bone(rig.pose.bones[name])
    compat.assign_action(animation, action)


def reset_bone(bone: bpy.types.PoseBone) -> None:
    """Put a bone into its rest pose, in its own rotation mode."""
    bone.location = (0.0, 0.0, 0.0)
    bone.scale = (1.0, 1.0, 1.0)
    if bone.rotation_mode == "QUATERNION":
        bone.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    elif bone.rotation_mode == "AXIS_ANGLE":
        bone.rotation_axis_angle = (0.0, 0.0, 1.0, 0.0)
    else:
        bone.rotation_euler = (0.0, 0.0, 0.0)


def store_properties(action: bpy.types.Action, properties: Mapping[str, Any]) -> None:
    """Remember on an action how it was made."""
    for key, value in properties.items():
        action[key] = _storable(value)


def options_properties(
    options: "retarget.RetargetOptions", uses_reference_pose: bool
) -> dict[str, Any]:
    """How a motion was put on a rig, as its action remembers it."""
    return {
        "root_motion": options.root,
        "feet": options.feet,
        "controls": options.controls,
        "arm_spread": options.arm_spread,
        "leg_spread": options.leg_spread,
        "keep_hand_contacts": options.keep_hands,
        "reference": "POSE" if uses_reference_pose else "REST",
    }


def scene_fps(scene: bpy.types.Scene) -> float:
    """Frames per second of a scene, which may be a fraction (23.976)."""
    return float(scene.render.fps / scene.render.fps_base)


def set_scene_time(
    scene: bpy.types.Scene, frame_count: int, fps: float, first: int = FIRST_FRAME
) -> None:
    """Frame rate and range of the scene; the playhead goes to the first frame."""
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps
    # Blender's range begins at 0 at the earliest; an end before the start would move it.
    start, end = max(0, first), max(0, first + frame_count - 1)
    scene.frame_end = max(end, scene.frame_end)
    scene.frame_start, scene.frame_end = start, end
    scene.frame_set(first)


def _storable(value: Any) -> Any:
    """Values that custom properties can hold; everything else as JSON text."""
    if isinstance(value, bool | float | str):
        return value
    if isinstance(value, int) and abs(value) < _INT_LIMIT:  # custom properties have 32 bits
        return value
    return json.dumps(value)
