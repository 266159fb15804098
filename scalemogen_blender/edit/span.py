"""Which frames of the scene an edit may change, and which the model gets to see around them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import bpy

from .. import compat
from ..results import preview, remembered, scene_snapshot

NO_PREVIEW_RANGE = (
    "There is no preview range. Set one in the timeline (P), or choose another range here"
)
NO_KEYS = "No keys of the selected bones are selected. Select two or more in the Dope Sheet"


@dataclass(frozen=True)
class Span:
    """First and last frame of the scene, both included; ``problem`` says why there are none."""

    first: int = 0
    last: int = -1
    problem: str = ""

    @property
    def frame_count(self) -> int:
        return max(0, self.last - self.first + 1)


def chosen(scene: bpy.types.Scene, rig: bpy.types.Object | None, settings: Any) -> Span:
    """The frames that the panel asks for."""
    if settings.range == "CUSTOM":
        return Span(settings.first, settings.last)
    if settings.range == "PREVIEW":
        return preview_range(scene)
    return selected_keys(rig)


def preview_range(scene: bpy.types.Scene) -> Span:
    """The artist's preview range, also while a result that is shown borrows it."""
    used, first, last = scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end
    kept = preview.of(scene).scene_snapshot
    if kept:
        before, _ = scene_snapshot.time_before(remembered.read(kept))
        used, first, last = before or (used, first, last)
    return Span(first, last) if used else Span(problem=NO_PREVIEW_RANGE)


def selected_keys(rig: bpy.types.Object | None) -> Span:
    """From the first to the last selected key of the selected bones (without any: of all)."""
    if rig is None:
        return Span(problem=NO_KEYS)
    bones = set(compat.selected_bones(rig))
    curves = compat.active_curves(rig)
    if bones:
        curves = [curve for curve in curves if compat.bone_of(curve.data_path) in bones]
    found = compat.selected_frames(curves)
    if found is None or found[1] - found[0] < 1.0:
        return Span(problem=NO_KEYS)
    return Span(math.floor(found[0] + 1e-3), math.ceil(found[1] - 1e-3))


def extent(rig: bpy.types.Object) -> Span | None:
    """From the first to the last key of what moves the rig; None if nothing does.

    A result that is shown on it does not count.
    """
    animation = rig.animation_data
    if animation is None:
        return None
    ends: list[float] = []
    for curve in _curves(rig, animation):
        if len(curve.keyframe_points):
            ends.extend(curve.range())
    if animation.use_nla:
        for track in animation.nla_tracks:
            if not track.mute:
                ends += [
                    e for s in track.strips if not s.mute for e in (s.frame_start, s.frame_end)
                ]
    if not ends:
        return None
    return Span(math.floor(min(ends) + 1e-3), math.ceil(max(ends) - 1e-3))


def _curves(rig: bpy.types.Object, animation: bpy.types.AnimData) -> list[bpy.types.FCurve]:
    """The curves of the artist's own action."""
    own = preview.artists_action(rig)
    if own is None:
        return []
    if own == animation.action:
        return compat.active_curves(rig)
    return compat.action_curves(own, compat.slot_handle(animation))
