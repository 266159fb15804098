"""Rigs under a motion in Blender itself, for measuring: built, mapped, baked, evaluated."""

import time
from dataclasses import dataclass

import bpy
import numpy as np

from . import armature, bake, pipeline, rest_armature
from ._core import motion as motions
from ._core import retarget


@dataclass(frozen=True)
class Posed:
    """Bone heads [T, B, 3] in the canonical world, metres, and the bones' axes [T, B, 3, 3] there.

    seconds: how long the transfer took.
    """

    bone_names: tuple[str, ...]
    heads: np.ndarray
    axes: np.ndarray
    seconds: float


class BlenderSubject:
    """An armature of a scene of its own, with a rig's rest pose.

    mapping_seconds: how long reading, mapping and measuring took. ScaleMoGenError if the rig has
    no hips or legs. Everything that was open is closed.
    """

    def __init__(self, rest: "retarget.RestRig") -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.rig = rest_armature.build(rest, "Rig", parent=True)
        started = time.perf_counter()
        self._retargeter = pipeline.retargeter(self.rig)
        self.mapping_seconds = time.perf_counter() - started

    @property
    def bone_map(self) -> "retarget.BoneMap":
        return self._retargeter.bone_map

    def posed(self, motion: "motions.Motion", options: "retarget.RetargetOptions") -> Posed:
        """The evaluated pose in every frame of a motion, on an action baked for it."""
        started = time.perf_counter()
        channels = self._retargeter.transfer(motion, options)
        seconds = time.perf_counter() - started
        bake.set_scene_time(bpy.context.scene, motion.frame_count, motion.fps)
        action = bake.bake(self.rig, channels, "Judged")
        frames = np.arange(motion.frame_count) + bake.FIRST_FRAME
        names, axes, heads = armature.sample_pose(self.rig, frames)
        self.rig.animation_data.action = None
        bpy.data.actions.remove(action)
        axes /= np.linalg.norm(axes, axis=-2, keepdims=True)
        return Posed(tuple(names), heads, axes, seconds)
