"""What cannot be written into without changing something else, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from .. import compat
from .._core import errors


def check_stack(rig: bpy.types.Object) -> None:
    """ScaleMoGenError where keys in the rig's action would not be what is shown."""
    animation = rig.animation_data
    if animation is None or not animation.use_nla or not len(animation.nla_tracks):
        return
    if animation.use_tweak_mode:
        _check_tweaked(rig)
        return
    if any(track.is_solo for track in animation.nla_tracks):
        raise errors.ScaleMoGenError(
            f"A track of '{rig.name}' is played solo, so that its action is not shown; "
            "switch Solo off in the NLA Editor."
        )
    if animation.action is None:
        return
    if animation.action_blend_type != "REPLACE" or animation.action_influence != 1.0:
        raise errors.ScaleMoGenError(
            f"The action of '{rig.name}' is mixed with the NLA below it, so that its keys are not "
            "the pose; set its Blending to Replace and its Influence to 1 in the NLA Editor."
        )


def _check_tweaked(rig: bpy.types.Object) -> None:
    strip = compat.tweaked_strip(rig.animation_data)
    if strip is None:
        return
    where = f"The strip '{strip.name}' that is being tweaked"
    if strip.blend_type != "REPLACE" or strip.use_animated_influence or strip.influence != 1.0:
        raise errors.ScaleMoGenError(
            f"{where} is mixed with what is below it, so that its keys are not the pose; set its "
            "Blending to Replace and its Influence to 1."
        )
    if strip.blend_in or strip.blend_out or strip.use_auto_blend:
        raise errors.ScaleMoGenError(f"{where} blends in or out; set both to 0 frames.")
    if strip.use_animated_time or strip.use_animated_time_cyclic:
        raise errors.ScaleMoGenError(f"{where} has animated time; switch Animated Strip Time off.")
    if strip.repeat != 1.0:
        raise errors.ScaleMoGenError(
            f"{where} is repeated, so that a change in it would show at other frames, too; set its "
            "Repeat to 1."
        )


def check_curve(curve: bpy.types.FCurve, low: float, high: float) -> None:
    """ScaleMoGenError if keys in an F-curve would not be what is played, or change it elsewhere.

    low, high: frames of the action between which the curve gets new keys; infinite where nothing
    lies beyond.
    """
    where = f"The curve of {curve.data_path}[{curve.array_index}]"
    if any(_acts(modifier, curve, low, high) for modifier in curve.modifiers):
        raise errors.ScaleMoGenError(
            f"{where} has F-curve modifiers, which would change the new keys, or repeat them "
            "elsewhere; remove the modifiers, or bake the action first (Object > Animation > Bake "
            "Action)."
        )
    if len(curve.sampled_points):
        raise errors.ScaleMoGenError(
            f"{where} is made of samples, not of keys; convert it to keys (Key > Samples to Keys "
            "in the Graph Editor)."
        )
    if curve.lock or (curve.group is not None and curve.group.lock):
        raise errors.ScaleMoGenError(f"{where} is locked; unlock it in the Graph Editor.")
    if curve.mute or (curve.group is not None and curve.group.mute):
        raise errors.ScaleMoGenError(
            f"{where} is muted, so that its keys are not the pose; unmute it in the Graph Editor, "
            "or delete it."
        )
    times = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", times)
    if (np.diff(times[::2]) < 0.0).any():
        raise errors.ScaleMoGenError(
            f"{where} has keys that are not in order of time; move one of them in the Graph "
            "Editor, which puts them in order."
        )


def check_drivers(rig: bpy.types.Object, channels: Iterable[tuple[str, int]]) -> None:
    """ScaleMoGenError if one of the channels follows a driver."""
    animation = rig.animation_data
    if animation is None or not len(animation.drivers):
        return
    driven = {(d.data_path, d.array_index) for d in animation.drivers if not d.mute}
    for path, index in channels:
        if (path, index) in driven:
            raise errors.ScaleMoGenError(
                f"{path}[{index}] follows a driver, which wins over keys; leave its bone out of "
                "the edit, or remove the driver."
            )


def _acts(modifier: bpy.types.FModifier, curve: bpy.types.FCurve, low: float, high: float) -> bool:
    """Whether a modifier has a say between two frames; one that repeats keys has it anywhere."""
    if modifier.mute or (modifier.use_influence and modifier.influence == 0.0):
        return False
    start, end = -np.inf, np.inf
    if modifier.use_restricted_range:
        start, end = modifier.frame_start, modifier.frame_end
    if modifier.type != "CYCLES":
        return bool(start < high and end > low)
    keys = curve.keyframe_points
    if not len(keys):
        return False
    before = modifier.mode_before != "NONE" and start < keys[0].co.x
    after = modifier.mode_after != "NONE" and end > keys[-1].co.x
    return bool(start < end and (before or after))
