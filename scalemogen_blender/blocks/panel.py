"""The Motion Blocks panel."""

import bpy

from .. import bake, compat, interface
from ..session import progress
from . import order

_ROWS = 4
_BIG = 1.4


class SCALEMOGEN_MT_blocks(bpy.types.Menu):
    """What else can be done with blocks."""

    bl_label = "Motion Block Specials"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("scalemogen.blocks_load", icon="IMPORT")
        layout.operator("scalemogen.block_show", icon="PREVIEW_RANGE")
        layout.separator()
        layout.operator("scalemogen.blocks_clear", icon="TRASH")


class SCALEMOGEN_PT_blocks(interface.SidebarPanel, bpy.types.Panel):
    """Prompts one after the other."""

    bl_label = "Motion Blocks"
    bl_order = 2
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, context.scene
        blocks = scene.scalemogen.blocks
        _draw_list(layout, blocks)
        if not len(blocks.entries):
            return
        if (block := order.active(scene)) is not None:
            _draw_block(layout, block)
        _draw_all(layout, scene)
        # One below the other: side by side they look the same in a narrow sidebar.
        column = layout.column(align=True)
        row = column.row()
        row.scale_y = _BIG
        if not progress.draw_bar(row):
            row.operator("scalemogen.blocks_generate", text="Generate All")
            column.operator("scalemogen.block_generate", text="Generate Block")


class SCALEMOGEN_PT_blocks_advanced(interface.SidebarPanel, bpy.types.Panel):
    """What rarely needs to be changed."""

    bl_label = "Single Block"
    bl_parent_id = "SCALEMOGEN_PT_blocks"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene is not None and order.active(context.scene) is not None

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        row = column.row(align=True)
        row.prop(order.active(context.scene), "seed")
        row.operator("scalemogen.block_random_seed", text="", icon="FILE_3D")
        column.prop(context.scene.scalemogen.blocks, "later")


def _draw_list(layout: bpy.types.UILayout, blocks: bpy.types.PropertyGroup) -> None:
    row = layout.row()
    row.template_list(
        "SCALEMOGEN_UL_blocks", "", blocks, "entries", blocks, "active_index", rows=_ROWS
    )
    column = row.column(align=True)
    column.operator("scalemogen.block_add", text="", icon="ADD")
    column.operator("scalemogen.block_remove", text="", icon="REMOVE")
    column.separator()
    column.menu("SCALEMOGEN_MT_blocks", text="", icon="DOWNARROW_HLT")
    if len(blocks.entries) > 1:
        column.separator()
        for direction, icon in (("UP", "TRIA_UP"), ("DOWN", "TRIA_DOWN")):
            move = column.operator("scalemogen.block_move", text="", icon=icon)
            move.direction = direction


def _draw_block(layout: bpy.types.UILayout, block: bpy.types.PropertyGroup) -> None:
    column = layout.column()
    example = interface.label("A person sits down")
    compat.text_field(column, block, "prompt", example, text="")
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    frames = column.column(align=True)
    frames.active = not block.is_automatic
    frames.prop(block, "first")
    frames.prop(block, "last")
    frames.prop(block, "frame_count")
    column.prop(block, "is_automatic")


def _draw_all(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    blocks = scene.scalemogen.blocks
    layout.separator()
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    row = column.row(align=True)
    row.prop(blocks, "seed")
    row.operator("scalemogen.block_random_seed", text="", icon="FILE_3D").whole = True
    column.prop(blocks, "variations")
    split = column.split(factor=0.4)
    split.label()
    count = sum(block.frame_count for block in blocks.entries)
    about = interface.label(
        "{first} to {last}, {seconds:.1f} s",
        first=blocks.start,
        last=blocks.start + count - 1,
        seconds=count / bake.scene_fps(scene),
    )
    split.label(text=about, translate=False)


classes = (SCALEMOGEN_MT_blocks, SCALEMOGEN_PT_blocks, SCALEMOGEN_PT_blocks_advanced)

register, unregister = bpy.utils.register_classes_factory(classes)
