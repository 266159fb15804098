"""What a preview could disturb in the scene: time, selection and mode."""

from __future__ import annotations

import math
from typing import Any

import bpy

from . import remembered


def capture(scene: bpy.types.Scene) -> dict[str, Any]:
    """The scene as it is; nothing is changed."""
    return {
        "frame": [scene.frame_current, scene.frame_subframe],
        "range": [scene.frame_start, scene.frame_end],
        "preview_range": [
            scene.use_preview_range,
            scene.frame_preview_start,
            scene.frame_preview_end,
        ],
        "fps": [scene.render.fps, scene.render.fps_base],
        "layers": {layer.name: _selection(layer) for layer in scene.view_layers},
        "playback": False,
    }


def time_before(state: dict[str, Any]) -> tuple[list[int] | None, int | None]:
    """Preview range (in use, start, end) and whole frame of a state; None for what is damaged."""
    frame = state.get("frame")
    whole = remembered.whole_numbers(frame[:1], 1) if isinstance(frame, list) else None
    return remembered.whole_numbers(state.get("preview_range"), 3), whole[0] if whole else None


def restore_preview_range(scene: bpy.types.Scene, state: dict[str, Any]) -> None:
    """The preview range, also one that is switched off."""
    with remembered.tolerating_damage():
        _restore_preview_range(scene, state)


def _restore_preview_range(scene: bpy.types.Scene, state: dict[str, Any]) -> None:
    used, start, end = state["preview_range"]
    scene.use_preview_range = True  # setting a bound switches it on anyway
    set_preview_bounds(scene, start, end)
    scene.use_preview_range = used


def set_preview_bounds(scene: bpy.types.Scene, start: int, end: int) -> None:
    """Both ends; Blender pushes one along with the other, so that order would matter."""
    scene.frame_preview_start = min(start, scene.frame_preview_end)
    scene.frame_preview_end = end
    scene.frame_preview_start = start


#: Of what fps counts; all rates in use have one near 1.
_LEAST_BASE = 0.01


def restore_time(scene: bpy.types.Scene, state: dict[str, Any]) -> None:
    """Frame rate and range."""
    with remembered.tolerating_damage():
        start, end = state["range"]
        if [scene.frame_start, scene.frame_end] != state["range"]:
            scene.frame_start = min(start, scene.frame_end)
            scene.frame_end = end
            scene.frame_start = start
    with remembered.tolerating_damage():
        fps, base = state["fps"]
        if fps < 1 or not base >= _LEAST_BASE:  # Blender would make 100,000 frames a second of it
            return
        if [scene.render.fps, scene.render.fps_base] != state["fps"]:
            scene.render.fps, scene.render.fps_base = fps, base


def restore_frame(scene: bpy.types.Scene, state: dict[str, Any]) -> None:
    """The current frame; the scene is evaluated there."""
    with remembered.tolerating_damage():
        set_frame(scene, *state["frame"])


def set_frame(scene: bpy.types.Scene, frame: int, subframe: float) -> None:
    """Go to a frame as Blender gives it: before frame 0 its parts of a frame are negative."""
    whole = math.floor(frame + subframe)
    scene.frame_set(whole, subframe=frame + subframe - whole)


def restore_selection(scene: bpy.types.Scene, state: dict[str, Any]) -> None:
    """Selected objects, the active one and its mode, in every view layer of the scene."""
    for layer in scene.view_layers:
        with remembered.tolerating_damage():
            _restore_layer(layer, state["layers"].get(layer.name))


def _restore_layer(layer: bpy.types.ViewLayer, kept: dict[str, Any] | None) -> None:
    if kept is None or _selection(layer) == kept:
        return
    selected = set(kept["selected"])
    is_current = bpy.context.view_layer == layer
    if is_current and _mode(layer) != kept["mode"]:
        _set_mode("OBJECT")
    for o in layer.objects:
        if o.select_get(view_layer=layer) != (o.name_full in selected):
            o.select_set(o.name_full in selected, view_layer=layer)
    active = next((o for o in layer.objects if o.name_full == kept["active"]), None)
    if kept["active"] is None or active is not None:
        layer.objects.active = active
    if is_current and _mode(layer) != kept["mode"]:
        _set_mode(kept["mode"])


def _selection(layer: bpy.types.ViewLayer) -> dict[str, Any]:
    active = layer.objects.active
    return {
        "selected": [o.name_full for o in layer.objects if o.select_get(view_layer=layer)],
        "active": active.name_full if active is not None else None,
        "mode": _mode(layer),
    }


def _mode(layer: bpy.types.ViewLayer) -> str:
    return layer.objects.active.mode if layer.objects.active is not None else "OBJECT"


def _set_mode(mode: str) -> None:
    if bpy.ops.object.mode_set.poll():
        try:
            bpy.ops.object.mode_set(mode=mode)
        except (RuntimeError, TypeError):
            return  # the active object has no such mode now: hidden, linked, of another type
