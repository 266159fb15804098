"""What the rig shows now, and into which clip of a file it goes."""

from __future__ import annotations

import bpy
import numpy as np

from .. import bake, compat
from .. import rig as rigs
from .._core import errors
from ..results import accepting, preview, restoring
from . import timing
from .clip import Clip


def problem(context: bpy.types.Context) -> str | None:
    """Why nothing can be exported, with the remedy; None if something can."""
    rig = rigs.target(context)
    if rig is None:
        return rigs.problem(context)
    if context.mode.startswith("EDIT"):
        return "Leave Edit Mode (Tab) first"
    if not _is_animated(rig):
        return f"'{rig.name}' has no animation. Play or accept a result first"
    return None


def clip_of(scene: bpy.types.Scene, rig: bpy.types.Object) -> Clip:
    """The clip that the panel asks for. ScaleMoGenError if its range is none."""
    wanted = timing.frame_range(scene, _shown_range(rig))
    item = _playing(scene, rig)
    rate = timing.frame_rate(scene, item.fps if item is not None else _OWN_FPS)
    fps = None if abs(rate - bake.scene_fps(scene)) < _SAME_FPS else rate
    return Clip(clip_name(scene, rig), wanted.first, wanted.last, fps)


#: Frame rate of the model, for an action that is not in the list of results any more.
_OWN_FPS = 30.0
_SAME_FPS = 1e-6


def clip_name(scene: bpy.types.Scene, rig: bpy.types.Object) -> str:
    """Name of what the rig shows: the prompt of a playing result, else the action's name."""
    item = _playing(scene, rig)
    if item is not None:
        return accepting.action_name(item.prompt)
    animation = rig.animation_data
    action = animation.action if animation is not None else None
    return action.name if action is not None else rig.name


def _playing(scene: bpy.types.Scene, rig: bpy.types.Object) -> object | None:
    results = preview.of(scene)
    if not results.playing_uid or not restoring.shows(rig, results.preview):
        return None
    return preview.find(scene, results.playing_uid)


def _is_animated(rig: bpy.types.Object) -> bool:
    animation = rig.animation_data
    if animation is None:
        return False
    return bool(compat.active_curves(rig)) or bool(_strips(animation)) or bool(animation.drivers)


def _strips(animation: bpy.types.AnimData) -> list[bpy.types.NlaStrip]:
    if not animation.use_nla:
        return []
    tracks = [track for track in animation.nla_tracks if not track.mute]
    return [strip for track in tracks for strip in track.strips if not strip.mute]


def _shown_range(rig: bpy.types.Object) -> timing.FrameRange | None:
    """Whole frames from the first to the last key, or of the strips; None without any."""
    animation = rig.animation_data
    ends = [strip_end for s in _strips(animation) for strip_end in (s.frame_start, s.frame_end)]
    for curve in compat.active_curves(rig):
        if len(curve.keyframe_points):
            ends.extend(curve.range())
    if not ends:
        return None
    first, last = int(np.floor(min(ends) + 1e-3)), int(np.ceil(max(ends) - 1e-3))
    return timing.FrameRange(first, last)


def checked(context: bpy.types.Context) -> bpy.types.Object:
    """The rig to export; ScaleMoGenError with the reason of :func:`problem`."""
    if found := problem(context):
        raise errors.ScaleMoGenError(f"{found}.")
    return rigs.target(context)
