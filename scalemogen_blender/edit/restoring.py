"""Writing into an action so that an error in the middle leaves everything as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import bpy
import numpy as np

from .. import compat
from .._core import errors
from ..channels import Channel
from .key_table import KEY


@dataclass
class Undo:
    """What was done to a rig's animation, and the way back."""

    rig: bpy.types.Object
    had_animation: bool
    saved: dict[tuple[str, int], np.ndarray | None] = field(default_factory=dict)
    old_action: bpy.types.Action | None = None
    old_slot: int | None = None
    old_extrapolation: str = "HOLD"
    made_action: bpy.types.Action | None = None
    groups: set[str] = field(default_factory=set)

    def prepare_action(self) -> bool:
        """See to an action of the rig's own; whether it is a copy of one that others play."""
        rig = self.rig
        if not rig.is_editable:
            raise errors.ScaleMoGenError(
                f"'{rig.name}' is linked from another file; make a library override of it first."
            )
        animation = rig.animation_data or rig.animation_data_create()
        self.old_action, self.old_slot = animation.action, compat.slot_handle(animation)
        self.old_extrapolation = animation.action_extrapolation
        if self.old_action is None:
            writer = compat.ActionWriter.new(rig, f"{rig.name} Action")
            self.made_action = writer.action
            writer.assign(rig)
            if animation.use_nla and len(animation.nla_tracks):
                # What the NLA plays outside the range is not this action's business.
                animation.action_extrapolation = "NOTHING"
            return False
        foreign = not self.old_action.is_editable or self.old_action.override_library is not None
        if not foreign and (animation.use_tweak_mode or not compat.is_shared(rig)):
            self.groups = compat.group_names(rig)
            return False
        if animation.use_tweak_mode:
            raise errors.ScaleMoGenError(
                f"The action '{self.old_action.name}' of the strip that is being tweaked is linked "
                "from another file; leave tweak mode and make it local."
            )
        self.made_action = self.old_action.copy()
        compat.assign_action(animation, self.made_action, self.old_slot)
        return True

    def curve(
        self, channel: Channel, index: int, keys: np.ndarray | None = None
    ) -> bpy.types.FCurve:
        """A channel's curve for writing, made where there is none; ``keys`` it has, if known."""
        found = compat.find_curve(self.rig, channel.path, index)
        key = (channel.path, index)
        if found is not None:
            if key not in self.saved:
                self.saved[key] = compat.read_key_table(found, KEY) if keys is None else keys
            return found
        self.saved[key] = None
        return compat.ensure_curve(self.rig, channel.path, index, channel.group)

    def show(self) -> None:
        """Let Blender know that there are other values."""
        self.rig.animation_data.action.update_tag()
        self.rig.update_tag(refresh={"TIME"})

    def back(self) -> None:
        """Put everything back."""
        rig = self.rig
        animation = rig.animation_data
        if animation is None:
            return
        if self.made_action is not None:
            animation.action_extrapolation = self.old_extrapolation
            if self.old_action is not None:
                compat.assign_action(animation, self.old_action, self.old_slot)
            bpy.data.actions.remove(self.made_action)
        else:
            for (path, index), saved in self.saved.items():
                found = compat.find_curve(rig, path, index)
                if found is None:
                    continue
                if saved is None:
                    compat.remove_curve(rig, found)
                else:
                    compat.put_key_table(found, saved)
            if animation.action is not None:
                compat.remove_groups(rig, compat.group_names(rig) - self.groups)
        if not self.had_animation:
            rig.animation_data_clear()
        elif animation.action is not None:
            self.show()


@contextlib.contextmanager
def unchanged_on_error(rig: bpy.types.Object) -> Iterator[Undo]:
    """Undo what was written if anything goes wrong."""
    undo = Undo(rig, rig.animation_data is not None)
    try:
        yield undo
    except BaseException:
        undo.back()
        raise
