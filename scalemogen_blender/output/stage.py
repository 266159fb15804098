"""A character on stage for Blender's exporters: shown, selected, in Object Mode, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy

from .. import character
from .._core import errors
from ..results import rig_snapshot


@contextlib.contextmanager
def alone(rig: bpy.types.Object) -> Iterator[None]:
    """Show and select the rig and what belongs to it and nothing else, for a while.

    ScaleMoGenError in Edit Mode, and for a rig that stays hidden.
    """
    layer = bpy.context.view_layer
    wanted = character.members(rig)
    with _selection_kept(layer), _object_mode(layer), _pose_kept(rig), character.shown(wanted):
        for o in layer.objects:
            o.select_set(o in wanted)
        layer.objects.active = rig
        if not rig.select_get():
            raise errors.ScaleMoGenError(
                f"The armature '{rig.name}' stays hidden in Blender, so it cannot be exported; "
                "delete the driver or keys of its visibility."
            )
        yield


@contextlib.contextmanager
def _selection_kept(layer: bpy.types.ViewLayer) -> Iterator[None]:
    selected = {o for o in layer.objects if o.select_get()}
    active = layer.objects.active
    try:
        yield
    finally:
        for o in layer.objects:
            o.select_set(o in selected)
        layer.objects.active = active


@contextlib.contextmanager
def _object_mode(layer: bpy.types.ViewLayer) -> Iterator[None]:
    """Leave Pose Mode and the like, and enter it again with the same objects."""
    modes = [(o, o.mode) for o in layer.objects if o.mode != "OBJECT"]
    for o, mode in modes:
        if mode.startswith("EDIT"):
            raise errors.ScaleMoGenError(
                f"'{o.name}' is in Edit Mode, where nothing can be exported; leave it (Tab) first."
            )
    try:
        for o, _ in modes:
            if o.mode != "OBJECT":
                _set_mode(layer, o, "OBJECT")
        yield
    finally:
        for o, mode in modes:
            if o.mode != mode:
                _set_mode(layer, o, mode)


def _set_mode(layer: bpy.types.ViewLayer, o: bpy.types.Object, mode: str) -> None:
    for other in layer.objects:  # selected armatures would go along
        other.select_set(other == o)
    layer.objects.active = o
    bpy.ops.object.mode_set(mode=mode)


@contextlib.contextmanager
def _pose_kept(rig: bpy.types.Object) -> Iterator[None]:
    """Exporters go through all frames, and would so undo what is posed but not keyed yet."""
    state = rig_snapshot.capture(rig)
    try:
        yield
    finally:
        bpy.context.view_layer.update()
        rig_snapshot.restore_pose(rig, state)
        rig.update_tag()
        bpy.context.view_layer.update()
