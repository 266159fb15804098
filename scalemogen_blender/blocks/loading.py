"""Blocks back into the list, from what a rig's action remembers."""

from __future__ import annotations

from typing import Any

import bpy

from .. import bake
from .._core import errors
from ..results import preview, remembered
from . import remembering


def remembered_by(
    scene: bpy.types.Scene, rig: bpy.types.Object | None
) -> tuple[int, list[remembering.Remembered], Any]:
    """Where the blocks of what a rig shows begin, the blocks (none without any), and the action.

    A result that is shown and not accepted yet remembers its blocks in the list of results.
    """
    if rig is None:
        return 0, [], None
    animation = rig.animation_data
    action = animation.action if animation is not None else None
    shown = _shown_on(scene, rig)
    if shown is not None:
        settings = remembered.read(shown.settings)
        blocks = remembering.of_settings(
            remembering.for_action(settings, shown.fps or 30.0, bake.scene_fps(scene))
        )
        return shown.start_frame, blocks, action
    if action is None or "blocks" not in action:
        return 0, [], action
    start = round(action.frame_range[0])
    blocks = remembering.of_settings({"blocks": action["blocks"]})
    return start, remembering.after_edits(blocks, start, action.get("edits")), action


def _shown_on(scene: bpy.types.Scene, rig: bpy.types.Object) -> Any:
    """The result that the rig shows, unless it is an edit of an action."""
    if preview.shown_rig(scene) != rig:
        return None
    item = preview.find(scene, scene.scalemogen.results.playing_uid)
    return None if item is None or item.is_edit else item


def load(scene: bpy.types.Scene, rig: bpy.types.Object | None) -> int:
    """Put the blocks that the rig's action remembers into the list; how many they are.

    ScaleMoGenError if it remembers none; the list is as it was then.
    """
    start, found, action = remembered_by(scene, rig)
    if not found:
        raise errors.ScaleMoGenError(no_memory(rig, action))
    blocks = scene.scalemogen.blocks
    blocks.entries.clear()
    blocks.start = start
    for entry in found:
        block = blocks.entries.add()
        block.prompt, block.frame_count = entry.prompt, entry.frame_count
    blocks.active_index = 0
    if action is not None and isinstance(action.get("seed"), int):
        blocks.seed = max(0, action["seed"])
    return len(found)


def no_memory(rig: bpy.types.Object | None, action: bpy.types.Action | None) -> str:
    """Why there is nothing to load."""
    if rig is None:
        return "No rig selected. Select the armature whose action has the blocks"
    if action is None:
        return f"'{rig.name}' has no action"
    return f"The action '{action.name}' was not made from motion blocks"
