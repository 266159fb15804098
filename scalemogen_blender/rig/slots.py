"""The list's view of the map: one row a slot, each with its first and last bone.

The rows themselves are the same for every rig; what they show is asked of the current target, and
what is written into them becomes a correction of that rig.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from .._core import retarget
from . import state, stored
from .selection import recent_target, target


def title(slot: str) -> str:
    """``left_hip`` is "Left Thigh"."""
    return retarget.plain_name(slot).title()


def chain(slot: str) -> tuple[str, ...]:
    """Bones that the current target has for a slot."""
    rig = recent_target(bpy.context)
    return () if rig is None else state.recent_state(rig).bone_map.bones.get(slot, ())


def set_first(slot: str, bone: str) -> None:
    """Let a slot begin with another bone; without a name it has none."""
    found = _current(slot)
    if found is None:
        return
    rig, now, bones = found
    last = bones[-1] if bones else bone
    _correct(rig, slot, _chain(now, slot, bone, last) or ((bone,) if bone else ()))


def set_last(slot: str, bone: str) -> None:
    """Let a chain end with another bone; without a name it is its first bone alone."""
    found = _current(slot)
    if found is None:
        return
    rig, now, bones = found
    first = bones[0] if bones else bone
    _correct(rig, slot, _chain(now, slot, first, bone) or ((bone,) if bone else bones[:1]))


def correct(rig: bpy.types.Object, table: stored.Table, preset: str = "") -> None:
    """Make ``table`` the rig's whole map, as corrections of what is found automatically."""
    automatic = state.state(rig).automatic
    changes = {
        slot: tuple(table.get(slot, ()))
        for slot in retarget.SLOTS
        if tuple(table.get(slot, ())) != automatic.bones.get(slot, ()) or slot in automatic.doubtful
    }
    stored.store(rig, changes, preset if changes else "")


def confirm(rig: bpy.types.Object, slots: Iterable[str]) -> None:
    """Keep the bones of some slots as if they had been picked: they are right."""
    bones = state.state(rig).bone_map.bones
    record = stored.record_of(rig)
    table = stored.corrections(rig)
    table.update({slot: bones[slot] for slot in slots if slot in bones})
    stored.store(rig, table, record.preset if record is not None else "")


def _current(slot: str) -> tuple[bpy.types.Object, state.RigState, tuple[str, ...]] | None:
    rig = target(bpy.context)
    if rig is None or not bpy.context.scene.is_editable:
        return None
    now = state.state(rig)
    return rig, now, now.bone_map.bones.get(slot, ())


def _chain(now: state.RigState, slot: str, first: str, last: str) -> tuple[str, ...]:
    if slot not in retarget.CHAINS:
        return (first,) if first else ()
    usual = now.automatic.bones.get(slot, ())
    if usual and (usual[0], usual[-1]) == (first, last):
        return usual  # without the helper bones between them
    return retarget.corrections.chain_between(now.names, now.parents, first, last)


def _correct(rig: bpy.types.Object, slot: str, bones: tuple[str, ...]) -> None:
    table = stored.corrections(rig)
    table.pop(slot, None)
    found = retarget.corrections.merged(state.state(rig).automatic, table)
    if bones != found.bones.get(slot, ()) or slot in found.doubtful:
        table[slot] = bones
    stored.store(rig, table)
