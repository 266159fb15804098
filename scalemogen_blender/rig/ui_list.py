"""The list of joints and their bones."""

import bpy

from .._core import retarget
from . import slots, state
from .selection import recent_target

#: Share of a row that the joint's name takes.
_NAME_SHARE = 0.4


class SCALEMOGEN_UL_bone_map(bpy.types.UIList):
    """A joint in plain words, its bone, and a mark for what is special about it."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        _data: bpy.types.AnyType,
        item: bpy.types.AnyType,
        _icon: int,
        _active_data: bpy.types.AnyType,
        _active_property: str,
        _index: int = 0,
        _flags: int = 0,
    ) -> None:
        """Draw one row; bones are picked in it, those of a chain below the list."""
        rig = recent_target(context)
        if rig is None:
            return
        found = state.recent_state(rig)
        split = layout.split(factor=_NAME_SHARE)
        split.label(text=slots.title(item.name), icon=_mark(item.name, found))
        row = split.row(align=True)
        if item.name in retarget.CHAINS:
            row.label(text=_ends(item), translate=False)
        else:
            row.prop_search(item, "bone", rig.data, "bones", text="")
        if item.name in found.bone_map.doubtful:
            confirm = row.operator("scalemogen.rig_map_confirm", text="", icon="CHECKMARK")
            confirm.slot = item.name
        if item.name in found.corrections:
            reset = row.operator("scalemogen.rig_map_reset", text="", icon="LOOP_BACK")
            reset.slot = item.name

    def draw_filter(self, context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
        """Search by name, and only what is missing or doubtful."""
        row = layout.row(align=True)
        row.prop(self, "filter_name", text="")
        row.prop(context.scene.scalemogen.rig, "only_missing", text="", icon="ERROR")

    def filter_items(
        self, context: bpy.types.Context, data: bpy.types.AnyType, property_name: str
    ) -> tuple[list[int], list[int]]:
        """Rows whose joint or bone has the searched text in it."""
        rig = recent_target(context)
        found = None if rig is None else state.recent_state(rig).bone_map
        bones = {} if found is None else found.bones
        sure = set() if found is None else set(bones).difference(found.doubtful)
        wanted = self.filter_name.lower()
        flags = []
        for row in getattr(data, property_name):
            chain = bones.get(row.name, ())
            words = " ".join((slots.title(row.name), *chain)).lower()
            shown = wanted in words and not (data.only_missing and row.name in sure)
            flags.append(self.bitflag_filter_item if shown else 0)
        return flags, []


def _ends(item: bpy.types.AnyType) -> str:
    """First and last bone of a chain: two fields in a row would leave no space for names."""
    return " – ".join(dict.fromkeys(filter(None, (item.bone, item.last_bone))))


def _mark(slot: str, found: state.RigState) -> str:
    if slot not in found.bone_map.bones:
        return "ERROR" if slot in retarget.REQUIRED else "RADIOBUT_OFF"
    if slot in found.corrections:
        return "GREASEPENCIL"
    return "QUESTION" if slot in found.bone_map.doubtful else "CHECKMARK"


classes = (SCALEMOGEN_UL_bone_map,)

register, unregister = bpy.utils.register_classes_factory(classes)
