"""Rigs under a motion in Blender itself, for measuring: built, mapped, baked, evaluated."""

import time
from dataclasses import dataclass

import bpy
import numpy as np

from . import armature, bake, pipeline, rest_armature, rigify_rig
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


def rest_subject(rest: "retarget.RestRig") -> "BlenderSubject":
    """An armature with a rig's rest pose, in an empty scene: everything that was open is closed."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return BlenderSubject(rest_armature.build(rest, "Rig", parent=True))


def generated_rigify() -> "BlenderSubject":
    """The control rig that Rigify generates from its human metarig, likewise."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rigify_rig.build()
    bpy.ops.pose.rigify_generate()
    return BlenderSubject(bpy.context.view_layer.objects.active)


class BlenderSubject:
    """An armature object that has been mapped and can be put through motions.

    mapping_seconds: how long reading, mapping and measuring took. ScaleMoGenError if the rig has
    no hips or legs.
    """

    def __init__(self, rig: bpy.types.Object) -> None:
        self.rig = rig
        started = time.perf_counter()
        self._retargeter = pipeline.retargeter(self.rig)
        self.mapping_seconds = time.perf_counter() - started

    @property
    def bone_map(self) -> "retarget.BoneMap":
        return self._retargeter.bone_map

    @property
    def rest(self) -> "retarget.RestRig":
        """The armature at rest, all its bones."""
        return armature.read_rest_rig(self.rig)

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
