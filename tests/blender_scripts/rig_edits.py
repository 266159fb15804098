"""Edits on rigs for tests: some joints turned otherwise, put on the rig, and read back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy
import numpy as np

from core import editing, retarget
from core.motion import Motion
from core.rotations import (
    quaternion_multiply,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from scalemogen_blender import bake, compat, pipeline
from scalemogen_blender.edit import applying, reading
from scalemogen_blender.edit import region as regions

_transferred: dict[object, tuple[retarget.PoseChannels, Motion]] = {}


def changed(
    source: Motion, joints: tuple[str, ...], first: int, last: int, reach: float = 0.5
) -> editing.Edited:
    """The source with some joints turned, and the root moved, between two of its frames."""
    rng = np.random.default_rng(0)
    rotations, root = source.rotations.copy(), source.root_positions.copy()
    count, part = last - first + 1, slice(first, last + 1)
    wave = np.sin(np.pi * (np.arange(count) + 1) / (count + 1))[:, None]
    for joint in joints:
        vector = rng.uniform(-reach, reach, 3)
        if joint.endswith("knee"):
            vector = np.array([abs(vector[0]), 0.0, 0.0])
        if joint.endswith("elbow"):
            vector = np.array([0.0, -abs(vector[1]) if "left" in joint else abs(vector[1]), 0.0])
        index = source.skeleton.index(joint)
        turned = rotation_vector_to_quaternion(wave * vector)
        rotations[part, index] = quaternion_multiply(rotations[part, index], turned)
    if "pelvis" in joints:
        root[part] += wave * np.array([0.04, -0.1, 0.03])
    edit = editing.Edit(joints, first, last)
    motion = replace(source, rotations=rotations, root_positions=root)
    return editing.Edited(motion, editing.Report(edit, (first, last), (0, len(rotations) - 1)))


@dataclass(frozen=True)
class Errors:
    """Of the asked joints inside the range in degrees and millimetres (canonical size).

    carried: how far bones are from where they were outside the range; channels: the same of the
    channels of all bones that were not asked for, at all frames.  bones: what was keyed.
    """

    degrees: float
    millimetres: float
    carried: float
    channels: float
    bones: tuple[str, ...]
    region: regions.Region


def put_on(
    rig: bpy.types.Object,
    names: list[str],
    first: int,
    last: int,
    shown: tuple[int, int],
    *,
    parts: bool = True,
    bone_map: retarget.BoneMap | None = None,
) -> Errors:
    """Edit a rig's present action from one scene frame to another, and measure what came of it."""
    bone_map = bone_map or pipeline.recognised(rig)
    before = reading.read(rig, *shown, bone_map)
    region = regions.region(rig, names, first, last, parts=parts, bone_map=bone_map)
    edited = changed(before.motion, region.joints, first - shown[0], last - shown[0])
    applied = applying.apply(rig, before, edited, region)
    after = reading.read(rig, *shown, bone_map)
    inside = np.zeros(len(before.frames), bool)
    inside[first - shown[0] : last - shown[0] + 1] = True
    columns = [before.motion.skeleton.index(joint) for joint in region.joints]
    turns = [m.global_rotations()[:, columns] for m in (edited.motion, after.motion)]
    places = [m.positions()[:, columns] for m in (edited.motion, after.motion)]
    others = [i for i, name in enumerate(before.pose.names) if name not in applied.bones]
    away = after.pose.matrices[~inside] - before.pose.matrices[~inside]
    own = after.pose.basis[:, others] - before.pose.basis[:, others]
    return Errors(
        degrees=float(np.degrees(rotation_angle(*turns)[inside].max())),
        millimetres=float(1e3 * np.linalg.norm(places[1] - places[0], axis=-1)[inside].max()),
        carried=float(np.abs(away).max()),
        channels=float(np.abs(own).max()),
        bones=applied.bones,
        region=region,
    )


def animated(
    rig: bpy.types.Object,
    motion: Motion,
    options: retarget.RetargetOptions | None = None,
    start: float = 1.0,
) -> None:
    """A new action with a motion, its keys from ``start`` on, at fractions of frames perhaps."""
    if rig.animation_data is not None:
        rig.animation_data.action = None
    key = rig.session_uid, id(motion), options
    if key not in _transferred:
        chosen = options or retarget.RetargetOptions()
        _transferred[key] = pipeline.retargeter(rig).transfer(motion, chosen), motion
    made, _ = _transferred[key]
    bake.bake(rig, made, "shown")
    for curve in compat.active_curves(rig):
        compat.move_keys(curve, start - 1.0)


def set_switch(rig: bpy.types.Object, name: str, value: float) -> None:
    """Set the keys of all custom properties of a name."""
    for curve in compat.active_curves(rig):
        if f'["{name}"]' in curve.data_path:
            for key in curve.keyframe_points:
                key.co[1] = value
            curve.update()
