"""Which result an operator works on."""

from typing import TYPE_CHECKING, Any

import bpy

from .._core import errors
from . import preview

if TYPE_CHECKING:
    from .properties import ResultItem

NO_RESULTS = "There are no results yet. Type a prompt and press Generate"


class WithIndex:
    """Operators that work on one result: the active one, unless told otherwise."""

    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(
        name="Index",
        description="Position in the list of results; -1 is the active one",
        default=-1,
        min=-1,
        options={"SKIP_SAVE"},
    )

    def item(self, context: bpy.types.Context) -> "ResultItem":
        """The result; ScaleMoGenError when the index is outside the list."""
        results = preview.of(context.scene)
        index = results.active_index if self.index < 0 else self.index
        if not 0 <= index < len(results.entries):
            raise errors.ScaleMoGenError(f"There is no result number {index}.")
        return results.entries[index]

    def index_of(self, context: bpy.types.Context, uid: str) -> int:
        """Position in the list."""
        entries = preview.of(context.scene).entries
        return next(i for i, item in enumerate(entries) if item.uid == uid)


def has_results(cls: Any, context: bpy.types.Context) -> bool:
    """Whether there are any; for polls, which say so if not."""
    if context.scene is not None and len(preview.of(context.scene).entries):
        return True
    cls.poll_message_set(NO_RESULTS)
    return False
