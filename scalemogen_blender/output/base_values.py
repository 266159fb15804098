"""What a rig plays now: its action alone, or everything in its NLA."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import bpy
import numpy as np

from .. import compat
from ..channels import Channel
from . import skeletons


def played(
    rig: bpy.types.Object, channels: Sequence[Channel], frames: np.ndarray
) -> list[np.ndarray]:
    """Values [K, C] of each channel's property at frames [K] of the action; nothing is changed."""
    animation = rig.animation_data
    if animation is not None and animation.use_nla and len(animation.nla_tracks):
        return _of_nla(rig, channels, frames)
    return _of_action(rig, channels, frames)


def static(channel: Channel) -> np.ndarray:
    """The property's values now [C]."""
    return np.array(channel.now())


def animated(rig: bpy.types.Object) -> set[tuple[str, int]]:
    """Paths and indices of all curves that are in effect: the action's and the NLA strips'."""
    animation = rig.animation_data
    if animation is None:
        return set()
    curves = compat.active_curves(rig)
    if animation.use_nla:
        for track in animation.nla_tracks:
            for strip in compat.strips_within(track.strips) if not track.mute else ():
                if strip.action is not None and not strip.mute:
                    curves += compat.action_curves(strip.action, compat.slot_handle(strip))
    return {(curve.data_path, curve.array_index) for curve in curves if not _is_mute(curve)}


def _of_action(
    rig: bpy.types.Object, channels: Sequence[Channel], frames: np.ndarray
) -> list[np.ndarray]:
    curves = {(c.data_path, c.array_index): c for c in compat.active_curves(rig) if not _is_mute(c)}
    found = []
    for channel in channels:
        values = np.tile(static(channel), (len(frames), 1))
        for index in range(values.shape[1]):
            curve = curves.get((channel.path, index))
            if curve is not None and not curve.is_empty:
                values[:, index] = [curve.evaluate(frame) for frame in frames.tolist()]
        found.append(values)
    return found


def _of_nla(
    rig: bpy.types.Object, channels: Sequence[Channel], frames: np.ndarray
) -> list[np.ndarray]:
    """Blender itself mixes the strips, on a copy of the rig that nothing else moves."""
    found = [np.empty((len(frames), c.values.shape[1])) for c in channels]
    bones = {c.owner.name for c in channels if isinstance(c.owner, bpy.types.PoseBone)}
    with _bare_copy(rig, bones) as (scene, copy):
        graph = scene.view_layers[0].depsgraph
        for row, frame in enumerate(frames.tolist()):
            whole = int(np.floor(frame))
            scene.frame_set(whole, subframe=frame - whole)
            shown = copy.evaluated_get(graph)
            bones = shown.pose.bones
            for channel, values in zip(channels, found, strict=True):
                is_bone = isinstance(channel.owner, bpy.types.PoseBone)
                owner = bones[channel.owner.name] if is_bone else shown
                values[row] = channel.now(owner)
    return found


@contextlib.contextmanager
def _bare_copy(
    rig: bpy.types.Object, bones: set[str]
) -> Iterator[tuple[bpy.types.Scene, bpy.types.Object]]:
    """A copy of the rig, alone in a scene, for a while.

    It has some of its bones and no drivers, constraints or parent: Blender takes milliseconds a
    frame for a whole control rig, and a tenth of one for this.
    """
    scene = bpy.data.scenes.new("ScaleMoGen base")
    copy, data = rig.copy(), rig.data.copy()
    try:
        copy.parent = None
        copy.data = data
        data.animation_data_clear()
        for owner in (copy, *copy.pose.bones):
            for constraint in list(owner.constraints):
                owner.constraints.remove(constraint)
        for driver in list(copy.animation_data.drivers):
            copy.animation_data.drivers.remove(driver)
        copy.hide_viewport = False
        scene.collection.objects.link(copy)
        layer = scene.view_layers[0]
        with bpy.context.temp_override(
            scene=scene, view_layer=layer, active_object=copy, object=copy
        ):
            skeletons.reduce_to(copy, dict.fromkeys(bones))
        layer.update()
        yield scene, copy
    finally:
        bpy.data.objects.remove(copy)
        bpy.data.armatures.remove(data)
        bpy.data.scenes.remove(scene)


def _is_mute(curve: bpy.types.FCurve) -> bool:
    return bool(curve.mute or (curve.group is not None and curve.group.mute))
