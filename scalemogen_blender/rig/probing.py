"""Posing a copy of a rig at random, to see what carries its controls.

The artist's rig is not touched: a copy in a scene of its own is posed and thrown away.  No undo
step, no change of mode, selection, playhead or animation can follow from that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np

from .._core import retarget, rotations
from . import probe_key

#: Poses beside the rest pose; two would do, the third is against coincidences.
_POSES = 3
#: Largest angle (radians) and shift (shares of the rig's size) of a control in them.
_REACH = 0.5
_SHIFT = 0.1

#: What was found, by rig, and what it was found for.
_known: dict[int, tuple[object, retarget.controls.Probes]] = {}
_MOST_RIGS = 8

_CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle")


def probes_of(
    rig: bpy.types.Object,
    plan: retarget.controls.ControlPlan,
    settings: Sequence[retarget.Setting],
) -> retarget.controls.Probes:
    """What :func:`probe` finds, or has found on the rig as it is now."""
    own = probe_key.key(rig)
    if own is None:
        return probe(rig, plan, settings)
    key = own, plan, tuple(settings)
    known = _known.pop(rig.session_uid, None)
    found = known[1] if known is not None and known[0] == key else probe(rig, plan, settings)
    while len(_known) >= _MOST_RIGS:
        del _known[next(iter(_known))]
    _known[rig.session_uid] = key, found
    return found


def probe(
    rig: bpy.types.Object,
    plan: retarget.controls.ControlPlan,
    settings: Sequence[retarget.Setting],
) -> retarget.controls.Probes:
    """The controls of a plan at rest and in a few poses, while the settings are made."""
    names = (*plan.keyed, *plan.watched)
    posed, moved = set(plan.posed), set(plan.moved)
    rng = np.random.default_rng(7)  # the same poses, and so the same answer, every time
    count = len(names)
    basis = np.tile(np.eye(4), (1 + _POSES, count, 1, 1))
    turning = [i for i, name in enumerate(names) if name in posed]
    vectors = rng.uniform(-_REACH, _REACH, (_POSES, count, 3))
    turns = rotations.quaternion_to_matrix(rotations.rotation_vector_to_quaternion(vectors))
    basis[1:, turning, :3, :3] = turns[:, turning]
    moving = [i for i, name in enumerate(names) if name in moved]
    heads = np.array([rig.data.bones[name].head_local for name in names])
    size = max(float(np.ptp(heads, axis=0).max()), 1e-6)
    shifts = rng.uniform(-_SHIFT, _SHIFT, (_POSES, count, 3)) * size
    basis[1:, :, :3, 3][:, moving] = shifts[:, moving]

    with _stage(rig) as (copy, layer):
        _apply(copy, settings)
        _free(copy, plan.keyed, plan.solvers)
        controls = [copy.pose.bones[name] for name in names]
        for control in controls:
            control.rotation_mode = "QUATERNION"
        poses = np.array([_posed(copy, layer, controls, row) for row in basis])
    axes = poses[..., :3, :3]
    poses[..., :3, :3] = axes / np.maximum(np.linalg.norm(axes, axis=-2, keepdims=True), 1e-12)
    location_axes = np.array([_location_axes(rig.data.bones[name]) for name in names])
    return retarget.controls.Probes(names, poses, basis, location_axes)


def _location_axes(bone: bpy.types.Bone) -> np.ndarray:
    """Axes [3, 3] of a bone's location channel at rest, in armature space."""
    owner = bone if bone.use_local_location else bone.parent
    return np.eye(3) if owner is None else np.array(owner.matrix_local)[:3, :3]


def _posed(
    copy: bpy.types.Object,
    layer: bpy.types.ViewLayer,
    controls: Sequence[bpy.types.PoseBone],
    basis: np.ndarray,
) -> np.ndarray:
    """Matrices [C, 4, 4] of the controls in armature space while their channels are ``basis``."""
    quaternions = rotations.matrix_to_quaternion(basis[:, :3, :3])
    for control, quaternion, location in zip(controls, quaternions, basis[:, :3, 3], strict=True):
        control.rotation_quaternion = quaternion
        control.location = location
    copy.update_tag()
    layer.update()
    bones = copy.evaluated_get(layer.depsgraph).pose.bones
    return np.array([bones[control.name].matrix for control in controls], dtype=np.float64)


@contextmanager
def _stage(rig: bpy.types.Object) -> Iterator[tuple[bpy.types.Object, bpy.types.ViewLayer]]:
    """A copy of a rig, unposed and without animation, in a scene of its own."""
    made: list[bpy.types.ID] = []
    try:
        copy = rig.copy()
        made.append(copy)
        copy.data = rig.data.copy()
        made.append(copy.data)
        scene = bpy.data.scenes.new(rig.name)
        made.append(scene)
        scene.collection.objects.link(copy)
        copy.data.pose_position = "POSE"
        copy.hide_viewport = False
        if copy.animation_data is not None:  # its drivers stay
            copy.animation_data.use_tweak_mode = False
            copy.animation_data.action = None
            copy.animation_data.use_nla = False
        _unpose(copy)
        yield copy, scene.view_layers[0]
    finally:
        bpy.data.batch_remove(made)


def _unpose(rig: bpy.types.Object) -> None:
    bones = rig.pose.bones
    zeros = np.zeros(3 * len(bones), dtype=np.float32)
    bones.foreach_set("location", zeros)
    bones.foreach_set("rotation_euler", zeros)
    bones.foreach_set("scale", np.ones_like(zeros))
    identity = np.zeros((len(bones), 4), dtype=np.float32)
    identity[:, 0] = 1.0
    bones.foreach_set("rotation_quaternion", identity.ravel())
    for bone in bones:
        if bone.rotation_mode == "AXIS_ANGLE":
            bone.rotation_axis_angle = (0.0, 0.0, 1.0, 0.0)


def _apply(rig: bpy.types.Object, settings: Sequence[retarget.Setting]) -> None:
    for setting in settings:
        owner = rig.pose.bones[setting.bone] if setting.bone else rig
        if setting.custom:
            kind = type(owner[setting.property_name])
            owner[setting.property_name] = kind(setting.value)
        else:
            setattr(owner, setting.property_name, setting.value)


def _free(rig: bpy.types.Object, names: Sequence[str], solvers: Sequence[tuple[str, str]]) -> None:
    """Let controls move as far as probing poses them, and limbs apart from their targets."""
    for name in names:
        for channel in _CHANNELS:  # a driver of one of them is what the artist wants of the bone
            rig.pose.bones[name].driver_remove(channel)
        for constraint in rig.pose.bones[name].constraints:
            if constraint.type.startswith("LIMIT_"):
                constraint.mute = True
    for bone, name in solvers:
        constraint = rig.pose.bones[bone].constraints[name]
        constraint.driver_remove("mute")
        constraint.mute = True
