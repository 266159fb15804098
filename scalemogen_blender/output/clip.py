"""The frames that an exporter is to see: range and frame rate of a clip, for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import bpy
import numpy as np

from .. import bake, character, compat

#: Blender's limit for both numbers of its time remapping.
_MOST_REMAPPED = 900


@dataclass(frozen=True)
class Clip:
    """What is exported: its name in the file, whole frames of the scene, frames per second.

    fps None is the scene's own; with another one the motion keeps its speed and is sampled anew.
    """

    name: str
    first: int
    last: int
    fps: float | None = None


def scene_fps(scene: bpy.types.Scene) -> float:
    """Frames per second of a scene."""
    return bake.scene_fps(scene)


def can_be_shifted(rig: bpy.types.Object) -> bool:
    """Whether all that moves the rig can be moved in time, so that a clip begins at frame 0."""
    return _can_all_be_shifted(_movers(rig))


def of_scene(rig: bpy.types.Object) -> Clip:
    """The scene's range, under the name of the rig's action."""
    scene = bpy.context.scene
    action = rig.animation_data.action if rig.animation_data else None
    name = action.name if action is not None else "Animation"
    return Clip(name, scene.frame_start, scene.frame_end)


@contextlib.contextmanager
def shown(rig: bpy.types.Object, clip: Clip, from_zero: bool) -> Iterator[None]:
    """Let the scene's range be the clip, with whole frames at the clip's frame rate.

    With ``from_zero`` it begins at frame 0, if what moves the rig can be moved in time; a new
    frame rate does that, too, because a clip may begin between two new frames.
    """
    scene = bpy.context.scene
    fps = bake.scene_fps(scene)
    ratio = (clip.fps or fps) / fps
    stretch = scene.render.frame_map_new / scene.render.frame_map_old
    movers = _movers(rig)
    start = clip.first * ratio
    shift = (from_zero or abs(start - round(start)) > 1e-6) and _can_all_be_shifted(movers)
    first = 0 if shift else round(start)
    last = first + int(np.floor((clip.last - clip.first) * ratio + 1e-6))
    with contextlib.ExitStack() as stack:
        stack.enter_context(time_kept(scene))
        if shift and clip.first:
            stack.enter_context(_shifted(movers, -clip.first / stretch))
        if clip.fps is not None and clip.fps != fps:
            _set_fps(scene, clip.fps)
            _stretch(scene, stretch * ratio)
        scene.use_preview_range = False
        scene.frame_start = first  # in this order: Blender moves an end that lies before it
        scene.frame_end = last
        scene.name = clip.name  # exporters call the clip after the scene
        yield


@contextlib.contextmanager
def time_kept(scene: bpy.types.Scene) -> Iterator[None]:
    """Put back the scene's name, range, frame rate and remapping, and the current frame."""
    name, render = scene.name, scene.render
    frame, subframe = scene.frame_current, scene.frame_subframe
    preview = scene.use_preview_range
    first, last = scene.frame_start, scene.frame_end
    rate = {n: getattr(render, n) for n in ("fps", "fps_base", "frame_map_old", "frame_map_new")}
    try:
        yield
    finally:
        for key, value in rate.items():
            setattr(render, key, value)
        scene.frame_start = first
        scene.frame_end = last
        scene.use_preview_range = preview
        scene.name = name
        scene.frame_set(frame, subframe=subframe)


def _set_fps(scene: bpy.types.Scene, fps: float) -> None:
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps


def _stretch(scene: bpy.types.Scene, factor: float) -> None:
    """Let an old frame be ``factor`` new ones, for everything that moves in the scene."""
    if factor >= 1.0:
        inverse = Fraction(1.0 / factor).limit_denominator(_MOST_REMAPPED)
        old, new = inverse.numerator, inverse.denominator
    else:
        fraction = Fraction(factor).limit_denominator(_MOST_REMAPPED)
        old, new = fraction.denominator, fraction.numerator
    scene.render.frame_map_old, scene.render.frame_map_new = max(1, old), max(1, new)


def _movers(rig: bpy.types.Object) -> list[bpy.types.ID]:
    """Everything whose actions move the character: it, what it is constrained to, and parents."""
    objects: dict[bpy.types.Object, None] = {}
    waiting = character.members(rig)
    while waiting:
        o = waiting.pop()
        if o in objects:
            continue
        objects[o] = None
        bones = o.pose.bones if o.pose is not None else ()
        constraints = [c for owner in (o, *bones) for c in owner.constraints]
        waiting += [t for c in constraints if (t := getattr(c, "target", None)) is not None]
        waiting += [o.parent] if o.parent is not None else []
    ids: dict[bpy.types.ID, None] = {}
    for o in objects:
        shapes = getattr(o.data, "shape_keys", None)
        for user in (o, o.data, shapes):
            if getattr(user, "animation_data", None) is not None:
                ids[user] = None
    return list(ids)


def _can_all_be_shifted(movers: Iterable[bpy.types.ID]) -> bool:
    """Whether all that moves is keys of active actions, which can be moved in a copy."""
    for user in movers:
        animation = user.animation_data
        if animation.use_tweak_mode or not user.is_editable:
            return False
        if animation.use_nla and any(t.strips and not t.mute for t in animation.nla_tracks):
            return False
        for curve in _curves(animation):
            modifiers = {m.type for m in curve.modifiers if not m.mute}
            if len(curve.sampled_points) or modifiers - {"CYCLES"}:
                return False
    return True


@contextlib.contextmanager
def _shifted(movers: Iterable[bpy.types.ID], frames: float) -> Iterator[None]:
    """Give everything that moves a copy of its action with all keys moved in time, for a while."""
    kept = []
    try:
        for user in movers:
            animation = user.animation_data
            action, handle = animation.action, compat.slot_handle(animation)
            if action is None:
                continue
            copy = action.copy()
            kept.append((animation, action, handle, compat.last_slot(animation), copy))
            compat.assign_action(animation, copy, handle)
            for curve in _curves(animation):
                compat.move_keys(curve, frames)
        yield
    finally:
        for animation, action, handle, last_slot, copy in reversed(kept):
            compat.assign_action(animation, action, handle)
            compat.set_last_slot(animation, last_slot)
            bpy.data.actions.remove(copy)


def _curves(animation: bpy.types.AnimData) -> list[bpy.types.FCurve]:
    if animation.action is None:
        return []
    return compat.action_curves(animation.action, compat.slot_handle(animation))
