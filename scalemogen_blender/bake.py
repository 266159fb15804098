"""Pose channels into an Action, F-curve by F-curve."""

import json
from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from . import compat
from ._core import retarget

FIRST_FRAME = 1
_INT_LIMIT = 2**31


def bake(
    rig: bpy.types.Object,
    channels: "retarget.PoseChannels",
    name: str,
    properties: Mapping[str, Any] | None = None,
) -> bpy.types.Action:
    """A new action on the rig with a key on every frame, from the scene's frame 1 on.

    Rotations go to the channels of each bone's own rotation mode. Bones that are not keyed are
    left as they are.
    """
    writer = compat.ActionWriter(rig, name)
    frames = np.arange(len(channels.locations), dtype=np.float64) + FIRST_FRAME
    if rig.animation_data is not None:
        rig.animation_data.action = None
    for column, bone_name in enumerate(channels.bones):
        bone = rig.pose.bones[bone_name]
        bone.matrix_basis = Matrix()  # also resets what is not keyed: scale, other locations
        basis = channels.rotations[:, column]
        channel, values = retarget.rotation_channels(basis, bone.rotation_mode)
        curves = [(channel, values)]
        if bone_name == channels.mover:
            curves.insert(0, ("location", channels.locations))
        for property_name, columns in curves:
            path = bone.path_from_id(property_name)
            for index in range(columns.shape[1]):
                writer.add_curve(path, index, bone_name, frames, columns[:, index])
    for key, value in (properties or {}).items():
        writer.action[key] = _storable(value)
    writer.assign(rig)
    return writer.action


def set_scene_time(scene: bpy.types.Scene, frame_count: int, fps: float) -> None:
    """Frame rate and range of the scene; the playhead goes to the first frame."""
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps
    scene.frame_start, scene.frame_end = FIRST_FRAME, FIRST_FRAME + frame_count - 1
    scene.frame_set(FIRST_FRAME)


def _storable(value: Any) -> Any:
    """Values that custom properties can hold; everything else as JSON text."""
    if isinstance(value, bool | float | str):
        return value
    if isinstance(value, int) and abs(value) < _INT_LIMIT:  # custom properties have 32 bits
        return value
    return json.dumps(value)
