"""The artist's corrections as the scene's group keeps them: plain tables in and out.

One record an armature object, in the scene where it was corrected; other scenes that show the
same rig use it too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import bpy

Table = dict[str, tuple[str, ...]]

#: How often corrections were written, for those who keep what follows from them.
writes = 0


def record_of(rig: bpy.types.Object) -> Any | None:
    """The rig's record, from the current scene before others; None if nothing was corrected."""
    for scene in (bpy.context.scene, *bpy.data.scenes):
        group = getattr(scene, "scalemogen", None)
        if group is not None:
            for record in group.rig.records:
                if record.object == rig:
                    return record
    return None


def corrections(rig: bpy.types.Object) -> Table:
    """Slot → bones of the rig's corrections; an empty chain is "no bone"."""
    record = record_of(rig)
    if record is None:
        return {}
    return {slot.name: tuple(bone.name for bone in slot.bones) for slot in record.slots}


def store(rig: bpy.types.Object, table: Mapping[str, Sequence[str]], preset: str = "") -> None:
    """Make ``table`` the rig's corrections; an empty one forgets the rig.

    What is shown on the rig follows.
    """
    global writes
    writes += 1
    record = record_of(rig)
    if record is None or not record.id_data.is_editable:
        if not table:
            return
        record = bpy.context.scene.scalemogen.rig.records.add()
        record.object = rig
    record.preset = preset
    record.slots.clear()
    for name, bones in table.items():
        slot = record.slots.add()
        slot.name = name
        for bone in bones:
            slot.bones.add().name = bone
    if not table:
        forget(rig)
    from ..results import refreshing

    refreshing.rig_changed(rig)


def forget(rig: bpy.types.Object) -> None:
    """Take the rig's records out of all scenes that can be written."""
    for scene in bpy.data.scenes:
        if scene.is_editable:
            _remove(scene.scalemogen.rig.records, lambda record: record.object == rig)


def forget_deleted() -> None:
    """Drop what concerns rigs that are in no collection any more, so that files stay small.

    A pointer keeps a deleted object in the file; the artist would find it there with one user.
    """
    for scene in bpy.data.scenes:
        if not scene.is_editable:
            continue
        group = scene.scalemogen.rig
        _remove(group.records, lambda record: _is_deleted(record.object))
        if group.target is not None and _is_deleted(group.target):
            group.target = None


def _is_deleted(rig: bpy.types.Object | None) -> bool:
    return rig is None or not rig.users_collection


def _remove(records: Any, condition: Any) -> None:
    for index in reversed(range(len(records))):
        if condition(records[index]):
            records.remove(index)
