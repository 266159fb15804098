"""Edits among the results: what an item remembers of one, and putting it onto the rig's action."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from .. import bake, interface
from .._core import editing, errors, protocol
from . import carried, ending, remembered, seen, storage

if TYPE_CHECKING:
    from .._core import motion as motions
    from ..edit.applying import Applied
    from .properties import ResultItem

#: What was done, for lists and undo steps.
TITLES = {
    "EDIT": "Edit",
    "FILL": "In-Between",
    "EXTEND": "Extend",
    "LOOP": "Make Loop",
    "IN_PLACE": "In Place",
}
_DAMAGED = "A stored edit is damaged: {}. Remove it from the list and make it again."
_SAME_FPS = 1e-3


@dataclass(frozen=True)
class Made:
    """Where an edit belongs, whatever came of it.

    names: the bones or body parts that were asked for; parts: the body parts they touch.  at: the
    scene's frame at which ``source``, the motion that was there, begins.
    """

    operation: str
    names: tuple[str, ...]
    parts: tuple[str, ...]
    at: int
    source: motions.Motion

    def title(self, prompt: str) -> str:
        """A name for people."""
        return prompt or interface.label(TITLES.get(self.operation, "Edit"))


@dataclass(frozen=True)
class Stored:
    """An edit as it comes out of the list; first, last: the scene's frames that may change."""

    made: Made
    edited: editing.Edited

    @property
    def first(self) -> int:
        return self.made.at + self.edited.report.edit.first

    @property
    def last(self) -> int:
        return self.made.at + self.edited.report.edit.last

    @property
    def end(self) -> int:
        """Scene frame of the edited motion's end."""
        return self.made.at + self.edited.motion.frame_count - 1


def fill(item: ResultItem, edited: editing.Edited, made: Made) -> None:
    """Let an item of the list remember an edit."""
    edit = edited.report.edit
    table = {
        "operation": made.operation,
        "names": list(made.names),
        "parts": list(made.parts),
        "at": made.at,
        "edited": editing.wire.edited_fields(edited),
    }
    item.edit, item.source = json.dumps(table), storage.pack(made.source)
    item.motion = storage.pack(edited.motion)
    item.frame_count, item.fps = edited.motion.frame_count, edited.motion.fps
    item.seconds = edit.frame_count / edited.motion.fps
    item.start_frame = made.at + edit.first
    item.first, item.last = made.at + edit.first, made.at + edit.last


def of(item: ResultItem) -> Stored:
    """The edit of an item; ScaleMoGenError if it is damaged."""
    table = remembered.read(item.edit)
    motion, source = storage.unpack(item.motion), storage.unpack(item.source)
    at = table.get("at")
    names, parts = (_words(table.get(key)) for key in ("names", "parts"))
    if type(at) is not int or abs(at) > 2**24 or not names:
        raise errors.ScaleMoGenError(_DAMAGED.format("it does not say where it belongs"))
    try:
        edited = editing.wire.edited_of(table.get("edited"), motion)
    except protocol.ProtocolError as error:
        raise errors.ScaleMoGenError(_DAMAGED.format(error)) from error
    if edited.report.edit.last >= motion.frame_count:
        raise errors.ScaleMoGenError(_DAMAGED.format("its range is longer than its motion"))
    operation = str(table.get("operation"))
    made = Made(operation if operation in TITLES else "EDIT", names, parts, at, source)
    return Stored(made, edited)


def operation_of(item: ResultItem) -> str:
    """What was done; cheap enough for lists."""
    found = remembered.read(item.edit).get("operation")
    return found if found in TITLES else "EDIT"


def parts_of(item: ResultItem) -> tuple[str, ...]:
    """The body parts of an edit; cheap enough for lists."""
    return _words(remembered.read(item.edit).get("parts"))


def accepted_variation(scene: bpy.types.Scene, item: ResultItem) -> ResultItem | None:
    """Another edit of the same bones and frames that is in the rig's action; cheap enough for
    panels.
    """
    here = (item.first, item.last, parts_of(item), item.rig)
    entries = scene.scalemogen.results.entries
    accepted = (o for o in entries if o.is_edit and o.is_accepted and o.uid != item.uid)
    return next((o for o in accepted if (o.first, o.last, parts_of(o), o.rig) == here), None)


def part_name(part: str) -> str:
    """``left_arm`` is "Left Arm"."""
    return part.replace("_", " ").title()


def apply(scene: bpy.types.Scene, rig: bpy.types.Object, stored: Stored) -> Applied:
    """Put an edit onto what the rig shows now, in its present action.

    ScaleMoGenError if the rig, the scene or the action do not allow it.
    """
    from ..edit import applying
    from ..edit import region as regions

    region = regions.region(rig, stored.made.names, stored.first, stored.last)
    if abs(stored.edited.motion.fps - bake.scene_fps(scene)) > _SAME_FPS:
        raise errors.ScaleMoGenError(
            "The scene's frame rate has changed since this edit was made; make it again."
        )
    shown = seen.read(rig, stored.made.at, stored.end)
    before = ending.keyed_range(rig)
    edited = _onto(stored.edited, shown.motion, stored.made.source)
    applied = applying.apply(rig, shown, edited, region)
    ending.hold_ends(rig, before, stored.first, stored.last)
    return applied


def _onto(edited: editing.Edited, now: motions.Motion, source: motions.Motion) -> editing.Edited:
    """The edit as one of what the rig shows now [same frames], outside it to the bit.

    source: what it was made of.
    """
    report, names = edited.report, now.skeleton.joint_names
    joints = [names.index(name) for name in report.changed_joints]
    first, end = report.edit.first, report.edit.last + 1
    turns, roots = now.rotations.copy(), now.root_positions.copy()
    turns[first:end, joints] = edited.motion.rotations[first:end, joints]
    if 0 in joints:
        # What comes after may be carried on.
        moved = bool(edited.offset.turn) or bool(np.any(edited.offset.shift))
        end = len(roots) if moved else end
        turns[first:end, 0] = edited.motion.rotations[first:end, 0]
        roots[first:end] = edited.motion.root_positions[first:end]
    motion = dataclasses.replace(
        now, rotations=turns, root_positions=roots, contacts=edited.motion.contacts
    )
    offset = carried.instead(edited.offset, source, now, report.edit.last + 1)
    return dataclasses.replace(edited, motion=motion, offset=offset)


def remember(action: bpy.types.Action, item: ResultItem, stored: Stored) -> None:
    """Add an edit to the list that its action keeps of all that were made in it."""
    kept = action.get("edits")
    known = remembered.read(f'{{"edits": {kept}}}').get("edits") if isinstance(kept, str) else None
    edit = stored.edited.report.edit
    settings = remembered.read(item.settings)
    made: dict[str, Any] = {
        "operation": stored.made.operation,
        "prompt": item.prompt,
        "seed": item.seed,
        "first": stored.first,
        "last": stored.last,
        "parts": list(stored.made.parts),
        "keep": edit.keep,
    }
    made |= {k: settings[k] for k in ("guidance", "temperature", "model") if k in settings}
    action["edits"] = json.dumps([*(known if isinstance(known, list) else []), made])


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    return ()
