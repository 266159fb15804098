"""Strips in the Nonlinear Animation editor."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from .. import compat

_TRANSFORM = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")


def push_down(rig: bpy.types.Object) -> bpy.types.NlaStrip | None:
    """Move the rig's active action into a strip, as Blender's Push Down does.

    The strip looks as the action did: the same blending, influence and extrapolation, if they
    were in effect; Blender ignores them while there are no tracks. None if there is no action,
    or nothing in it.
    """
    animation = rig.animation_data
    if animation is None or animation.action is None:
        return None
    action, slot = animation.action, compat.slot_handle(animation)
    blended = animation.use_nla and len(animation.nla_tracks) > 0
    if not compat.action_curves(action, slot):
        return None
    animation.action = None
    strip = _add(animation, action, slot, action.name)
    strip.extrapolation, strip.blend_type = "HOLD", "REPLACE"
    if not blended:
        return strip
    strip.blend_type = animation.action_blend_type
    strip.extrapolation = animation.action_extrapolation
    if animation.action_influence < 1.0:
        strip.use_animated_influence = True  # otherwise Blender takes full influence
        strip.influence = animation.action_influence
        for curve in strip.fcurves:
            if curve.data_path == "influence":
                curve.keyframe_points.insert(strip.frame_start, animation.action_influence)
    return strip


def add_result(rig: bpy.types.Object, action: bpy.types.Action, alone: bool) -> bpy.types.NlaTrack:
    """A track on top with the action as a strip.

    ``alone``: nothing else animates the rig, so that the strip holds its first and last pose.
    """
    animation = rig.animation_data_create()
    strip = _add(animation, action, -1, action.name)
    strip.extrapolation = "HOLD" if alone else "NOTHING"
    strip.blend_type = "REPLACE"
    return track_of(rig, action)


def track_of(rig: bpy.types.Object, action: bpy.types.Action) -> bpy.types.NlaTrack | None:
    """The track that has the action in a strip."""
    animation = rig.animation_data
    for track in animation.nla_tracks if animation is not None else ():
        if any(strip.action == action for strip in track.strips):
            return track
    return None


def cover(rig: bpy.types.Object, action: bpy.types.Action, bones: Sequence[str]) -> None:
    """Key what the strips below animate and the action does not, but was made for.

    Locations and scales of its bones are at rest; the object stands where it stands now.
    Otherwise the strips below would show through.
    """
    below = {
        curve.data_path
        for track in rig.animation_data.nla_tracks
        for strip in track.strips
        if strip.action is not None and strip.action != action
        for curve in compat.action_curves(strip.action, compat.slot_handle(strip))
    }
    writer = compat.ActionWriter(action)
    own = writer.paths()
    frame = np.array([action.frame_range[0]])
    for name in bones:
        for channel, value in (("location", 0.0), ("scale", 1.0)):
            path = rig.pose.bones[name].path_from_id(channel)
            if path in below and path not in own:
                for index in range(3):
                    writer.add_curve(path, index, name, frame, np.array([value]))
    for path in _TRANSFORM:
        if path in below and path not in own:
            for index, value in enumerate(getattr(rig, path)):
                writer.add_curve(path, index, rig.name, frame, np.array([value]))


def make_visible(rig: bpy.types.Object) -> None:
    """Nothing that is switched on elsewhere keeps new strips or the active action from showing."""
    animation = rig.animation_data
    animation.use_nla = True
    for track in animation.nla_tracks:
        if track.is_solo:
            track.is_solo = False


def _add(
    animation: bpy.types.AnimData, action: bpy.types.Action, slot: int | None, name: str
) -> bpy.types.NlaStrip:
    start, end = action.frame_range
    track = animation.nla_tracks.new()
    track.name = name
    strip = track.strips.new(name, int(start), action)
    compat.assign_action(strip, action, slot)
    # New strips begin at a whole frame; the action need not.
    strip.action_frame_start, strip.action_frame_end = start, max(end, start + 1.0)
    strip.frame_start_raw, strip.frame_end_raw = start, max(end, start + 1.0)
    return strip
