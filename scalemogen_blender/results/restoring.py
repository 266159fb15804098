"""Giving rigs back what they had before a preview: their action, and after that their pose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from . import remembered, rig_snapshot

if TYPE_CHECKING:
    from .properties import RigSnapshot

#: A rig, and what it was like before the preview.
RestoredRig = tuple[bpy.types.Object, dict[str, Any]]

_MARK = "scalemogen_snapshot"


def shows(rig: bpy.types.Object, action: bpy.types.Action) -> bool:
    """Whether an action is the rig's own (also while a strip is tweaked in its place)."""
    return _own_action(rig) == action


def _own_action(rig: bpy.types.Object) -> bpy.types.Action | None:
    animation = rig.animation_data
    if animation is None:
        return None
    return animation.action_tweak_storage if animation.use_tweak_mode else animation.action


def rigs(preview: bpy.types.Action | None, snapshot: RigSnapshot) -> list[RestoredRig]:
    """Give back their action to all rigs that show the preview; those, with what they were like.

    Copies that the artist has made of the rig show it, too. A rig to which the artist has given
    another action meanwhile keeps that.
    """
    if not snapshot.state:
        return []
    state = remembered.read(snapshot.state)
    own, main = snapshot.action, snapshot.rig
    if main is not None and main.type != "ARMATURE":
        main = None
    showing = [o for o in bpy.data.objects if preview is not None and shows(o, preview)]
    if main is not None and main not in showing and _own_action(main) is None:
        showing.insert(0, main)  # the preview was unassigned or deleted by hand
    restored = [(rig, state) for rig in showing if rig.type == "ARMATURE"]
    for rig, _ in restored:
        rig_snapshot.restore_animation(rig, own, state)
    if main is not None and main not in showing:
        rig_snapshot.restore_nla(main, state)
        rig_snapshot.restore_display(main, state)
        rig_snapshot.restore_touched(main, state)
    forget(snapshot)
    if preview is not None:
        preview.property_unset(_MARK)
    if own is not None and own.users == 0:
        own.use_fake_user = True  # the artist has taken it off the rig during the preview
    return restored


def poses(scene: bpy.types.Scene, ended: list[RestoredRig], whole: bool) -> None:
    """Exact poses, after the action has been evaluated and before the next drawing.

    ``whole``: selected bones, too.
    """
    for layer in scene.view_layers:
        layer.update()
    for rig, state in ended:
        rig_snapshot.restore_pose(rig, state)
        if whole:
            rig_snapshot.restore_selection(rig, state)
        rig.update_tag()
    for layer in scene.view_layers:
        layer.update()


def forget(snapshot: RigSnapshot) -> None:
    """Empty a snapshot, so that it keeps nothing alive."""
    for name in ("rig", "action", "state"):
        snapshot.property_unset(name)


def marked() -> list[bpy.types.Action]:
    """All actions that remember what they are a preview of."""
    # Only looking at it would add it to the artist's actions.
    actions = bpy.data.actions
    return [a for a in actions if a.is_property_set(_MARK) and getattr(a, _MARK).state]


def drop(action: bpy.types.Action) -> None:
    """Remove a preview's action, unless the artist has put it to use."""
    action.property_unset(_MARK)
    if action.users == 0:
        bpy.data.actions.remove(action)
