"""What cannot be written into without changing something else, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from .. import compat
from .._core import errors
from ..output import base_values


def check_stack(rig: bpy.types.Object, first: int, last: int) -> None:
    """ScaleMoGenError where keys in these scene frames of the rig's action would not be its pose.

    Or where they would change it at other frames.
    """
    animation = rig.animation_data
    if animation is None or not animation.use_nla or not len(animation.nla_tracks):
        return
    if animation.use_tweak_mode:
        _check_tweaked(rig, first, last)
        return
    if any(track.is_solo for track in animation.nla_tracks):
        raise errors.ScaleMoGenError(
            f"A track of '{rig.name}' is played solo, so that its action is not shown; "
            "switch Solo off in the NLA Editor."
        )
    if animation.action is None:
        if first == last:
            raise errors.ScaleMoGenError(
                "One frame alone cannot be laid over the NLA; choose at least two frames."
            )
        return
    if animation.action_blend_type != "REPLACE" or animation.action_influence != 1.0:
        raise errors.ScaleMoGenError(
            f"The action of '{rig.name}' is mixed with the NLA below it, so that its keys are not "
            "the pose; set its Blending to Replace and its Influence to 1 in the NLA Editor."
        )
    if animation.action_extrapolation == "NOTHING":
        start, end = compat.played_range(animation)
        if first < start or last > end:
            raise errors.ScaleMoGenError(
                f"The action of '{rig.name}' is played from frame {start:g} to {end:g} only, and "
                "more keys would hide the NLA below it; push it down in the NLA Editor first, or "
                "set its Extrapolation to Hold."
            )


def _check_tweaked(rig: bpy.types.Object, first: int, last: int) -> None:
    animation = rig.animation_data
    strip = compat.tweaked_strip(rig)
    if strip is None:
        raise errors.ScaleMoGenError(
            f"The action '{animation.action.name}' of the strip that is being tweaked is played "
            "elsewhere, too, where it would change; leave tweak mode and make it a single-user "
            "copy in the NLA Editor (Strip > Make Single User)."
        )
    where = f"The strip '{strip.name}' that is being tweaked"
    if strip.blend_type != "REPLACE" or strip.use_animated_influence:
        raise errors.ScaleMoGenError(
            f"{where} is mixed with what is below it, so that its keys are not the pose; set its "
            "Blending to Replace and switch Animated Influence off."
        )
    if strip.blend_in or strip.blend_out or strip.use_auto_blend:
        raise errors.ScaleMoGenError(
            f"{where} blends in or out, so that its keys are not the pose; set both to 0 frames."
        )
    if strip.use_animated_time or len(strip.modifiers):
        raise errors.ScaleMoGenError(
            f"{where} has animated time or F-curve modifiers; remove them, or bake the action."
        )
    if strip.repeat != 1.0:
        raise errors.ScaleMoGenError(
            f"{where} is repeated, so that a change in it would show at other frames, too; set its "
            "Repeat to 1."
        )
    start, end = strip.frame_start, strip.frame_end
    if first < start or last > end:
        raise errors.ScaleMoGenError(
            f"{where} plays frames {start:g} to {end:g} only; choose a range within, or leave "
            "tweak mode."
        )
    held_before = strip.extrapolation == "HOLD" and first <= start
    held_after = strip.extrapolation != "NOTHING" and last >= end
    if held_before or held_after:
        raise errors.ScaleMoGenError(
            f"{where} holds its {'first' if held_before else 'last'} frame beyond its end, where "
            "the pose would change; leave that frame out, or set the strip's Extrapolation to "
            "Nothing."
        )


def check_covered(rig: bpy.types.Object, new_paths: Iterable[tuple[str, int]]) -> None:
    """ScaleMoGenError if a new curve in the rig's action would hide what the NLA below it plays."""
    animation = rig.animation_data
    if animation is None or animation.action is None or not animation.use_nla:
        return
    hidden = base_values.animated(rig)
    for path, index in new_paths:
        if (path, index) in hidden:
            raise errors.ScaleMoGenError(
                f"{path}[{index}] is animated by the NLA below the action, which a new curve would "
                "hide at all frames; push the action down in the NLA Editor first, or give the "
                "channel keys in it."
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
