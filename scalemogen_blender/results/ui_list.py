"""One line of the list of results."""

import bpy

from .. import interface
from . import edits, preview, wording

#: Widths in Blender's units; the prompt gets what is left.
_DIGIT_WIDTH, _PADDING, _SECONDS_WIDTH = 0.35, 0.45, 2.0
_DIGITS_AT_MOST = 7  # of larger seeds the end is cut off; Details shows them whole


def _title(item: bpy.types.PropertyGroup) -> str:
    """The prompt, or what was done where that needs none."""
    if not item.is_edit or item.prompt:
        return wording.without_subject(item.prompt)
    return interface.label(edits.TITLES[edits.operation_of(item)])


class SCALEMOGEN_UL_results(bpy.types.UIList):
    """Results with prompt, seed and length."""

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
        """Play button, prompt, seed, seconds, and a check mark when accepted."""
        shown = preview.is_shown(context.scene, item.uid)
        row = layout.row(align=True)
        if shown:
            row.operator("scalemogen.result_stop", text="", icon="PAUSE", emboss=False)
        else:
            play = row.operator("scalemogen.result_play", text="", icon="PLAY", emboss=False)
            play.index = index
        row.label(text=_title(item), icon="POSE_HLT" if item.is_edit else "NONE", translate=False)
        numbers = row.row()
        numbers.active = False
        seconds = interface.label("{seconds:.1f} s", seconds=item.seconds)
        if item.is_edit:
            seconds = f"{item.first}\N{EN DASH}{item.last}"
        digits = min(len(item.seed), _DIGITS_AT_MOST)
        seed_width = _DIGIT_WIDTH * digits + _PADDING
        length_width = max(_SECONDS_WIDTH, _DIGIT_WIDTH * len(seconds) + _PADDING)
        for text, width in ((item.seed, seed_width), (seconds, length_width)):
            column = numbers.row()
            column.alignment = "RIGHT"
            column.ui_units_x = width
            column.label(text=text, translate=False)
        row.label(text="", icon="CHECKMARK" if item.is_accepted else "BLANK1")

    def filter_items(
        self, _context: bpy.types.Context, data: object, name: str
    ) -> tuple[list[int], list[int]]:
        """Search looks into the prompts; the order is that of arrival."""
        if not self.filter_name:
            return [], []
        flags = bpy.types.UI_UL_list.filter_items_by_name(
            self.filter_name, self.bitflag_filter_item, getattr(data, name), "prompt"
        )
        return flags, []


classes = (SCALEMOGEN_UL_results,)

register, unregister = bpy.utils.register_classes_factory(classes)
