"""One line of the list of motion blocks."""

import bpy

from .. import interface
from ..results import wording

#: Widths in Blender's units; the prompt gets what is left.
_DIGIT_WIDTH, _PADDING = 0.36, 0.5


class SCALEMOGEN_UL_blocks(bpy.types.UIList):
    """Blocks with number, prompt and frames."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: object,
        item: bpy.types.PropertyGroup,
        _icon: int,
        _active_data: object,
        _active_property: str,
        index: int = 0,
        _flags: int = 0,
    ) -> None:
        """Number, prompt, and first and last frame."""
        row = layout.row(align=True)
        text = interface.label("{first}–{last}", first=item.first, last=item.last)
        # Nobody knows how long it is going to be; what it shows is the last time's.
        frames = f"~ {text}" if item.is_automatic else text
        _draw_number(row, str(index + 1), False)
        prompt = row.row()
        prompt.active = bool(item.prompt)
        words = wording.without_subject(item.prompt) or interface.label("No prompt yet")
        prompt.label(text=words, translate=False)
        _draw_number(row, frames, _has_playhead(context.scene, item))

    def filter_items(
        self, _context: bpy.types.Context, data: object, name: str
    ) -> tuple[list[int], list[int]]:
        """Search looks into the prompts; the order is that of the timeline."""
        if not self.filter_name:
            return [], []
        flags = bpy.types.UI_UL_list.filter_items_by_name(
            self.filter_name, self.bitflag_filter_item, getattr(data, name), "prompt"
        )
        return flags, []


def _draw_number(row: bpy.types.UILayout, text: str, active: bool) -> None:
    column = row.row()
    column.active = active
    column.alignment, column.ui_units_x = "RIGHT", _DIGIT_WIDTH * len(text) + _PADDING
    column.label(text=text, translate=False)


def _has_playhead(scene: bpy.types.Scene, item: bpy.types.PropertyGroup) -> bool:
    """Whether the playhead is in the block: its frames are drawn brighter."""
    return item.first <= scene.frame_current <= item.last


classes = (SCALEMOGEN_UL_blocks,)

register, unregister = bpy.utils.register_classes_factory(classes)
