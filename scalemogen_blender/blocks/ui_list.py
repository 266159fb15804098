"""One line of the list of motion blocks."""

import bpy

from .. import interface

_NUMBER_WIDTH, _FRAMES_WIDTH = 1.1, 4.4


class SCALEMOGEN_UL_blocks(bpy.types.UIList):
    """Blocks with number, prompt and frames; the prompt is typed right there."""

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
        number = row.row()
        number.alignment, number.ui_units_x = "RIGHT", _NUMBER_WIDTH
        number.active = False
        number.label(text=str(index + 1), translate=False)
        row.prop(item, "prompt", text="", emboss=False)
        frames = row.row()
        frames.active = _has_playhead(context.scene, item)
        frames.alignment, frames.ui_units_x = "RIGHT", _FRAMES_WIDTH
        text = interface.label("{first}–{last}", first=item.first, last=item.last)
        # Nobody knows how long it is going to be; what it shows is the last time's.
        frames.label(text=f"~ {text}" if item.is_automatic else text, translate=False)

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


def _has_playhead(scene: bpy.types.Scene, item: bpy.types.PropertyGroup) -> bool:
    """Whether the playhead is in the block: its frames are drawn brighter."""
    return item.first <= scene.frame_current <= item.last


classes = (SCALEMOGEN_UL_blocks,)

register, unregister = bpy.utils.register_classes_factory(classes)
