"""Adding, removing, moving and generating motion blocks."""

from __future__ import annotations

import secrets

import bpy

from .. import bake, interface, rig
from .._core import errors
from ..generate import order as generate_order
from ..generate import prompt
from ..operator_errors import reported
from ..results import scene_snapshot
from . import lengths, loading, order
from .properties import LONGEST

_UNSET = {"SKIP_SAVE"}
MOVES = (("UP", "Up", "Before the block before it"), ("DOWN", "Down", "After the next block"))


class WithBlock:
    """Operators that work on one block: the active one, unless told otherwise."""

    index: bpy.props.IntProperty(
        name="Index",
        description="Position in the list of blocks; -1 is the active one",
        default=-1,
        min=-1,
        options=_UNSET,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There are blocks."""
        return _has_blocks(cls, context)

    def number(self, context: bpy.types.Context) -> int:
        """The block's position; ScaleMoGenError when it is outside the list."""
        blocks = context.scene.scalemogen.blocks
        index = blocks.active_index if self.index < 0 else self.index
        if not 0 <= index < len(blocks.entries):
            raise errors.ScaleMoGenError(f"There is no motion block number {index}.")
        return index


class SCALEMOGEN_OT_block_add(bpy.types.Operator):
    """A new block."""

    bl_idname = "scalemogen.block_add"
    bl_label = "Add Motion Block"
    bl_description = "Add a motion block after the last one"
    bl_options = {"REGISTER", "UNDO"}

    prompt: bpy.props.StringProperty(
        name="Prompt", description="What the character does", maxlen=prompt.MAX_LENGTH,
        options=_UNSET,
    )  # fmt: skip
    frame_count: bpy.props.IntProperty(
        name="Length",
        description="Frames of the block; 0 takes three seconds",
        min=0,
        max=LONGEST,
        options=_UNSET,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        blocks = scene.scalemogen.blocks
        if not blocks.entries:
            blocks.start = generate_order.timeline(scene).first
        block = blocks.entries.add()
        block.prompt = self.prompt
        block.frame_count = self.frame_count or lengths.new_length(bake.scene_fps(scene))
        blocks.active_index = len(blocks.entries) - 1
        return _done()


class SCALEMOGEN_OT_block_remove(WithBlock, bpy.types.Operator):
    """One block less."""

    bl_idname = "scalemogen.block_remove"
    bl_label = "Remove Motion Block"
    bl_description = "Remove the block; those after it close the gap"
    bl_options = {"REGISTER", "UNDO"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        blocks, index = context.scene.scalemogen.blocks, self.number(context)
        blocks.entries.remove(index)
        last = len(blocks.entries) - 1
        active = blocks.active_index - (index < blocks.active_index)
        blocks.active_index = max(0, min(active, last))
        return _done()


class SCALEMOGEN_OT_block_move(WithBlock, bpy.types.Operator):
    """Another order."""

    bl_idname = "scalemogen.block_move"
    bl_label = "Move Motion Block"
    bl_description = "Change places with a neighbour; both keep their lengths"
    bl_options = {"REGISTER", "UNDO"}

    direction: bpy.props.EnumProperty(name="Direction", items=MOVES, options=_UNSET)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        blocks, index = context.scene.scalemogen.blocks, self.number(context)
        there = index + (1 if self.direction == "DOWN" else -1)
        if not 0 <= there < len(blocks.entries):
            return {"CANCELLED"}
        blocks.entries.move(index, there)
        if blocks.active_index == index:
            blocks.active_index = there
        elif blocks.active_index == there:
            blocks.active_index = index
        return _done()


class SCALEMOGEN_OT_blocks_clear(bpy.types.Operator):
    """An empty list."""

    bl_idname = "scalemogen.blocks_clear"
    bl_label = "Clear Motion Blocks"
    bl_description = "Remove all blocks from the list; what was generated from them stays"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_blocks(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        blocks = context.scene.scalemogen.blocks
        blocks.entries.clear()
        blocks.active_index = 0
        return _done()


class SCALEMOGEN_OT_blocks_load(bpy.types.Operator):
    """Blocks from an action."""

    bl_idname = "scalemogen.blocks_load"
    bl_label = "Load Blocks from Action"
    bl_description = (
        "Replace the list by the blocks that the rig's action was made from, at the frames where "
        "they are now"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene is None:
            return False
        target = rig.target(context)
        _, found, action = loading.remembered_by(context.scene, target)
        if not found:
            cls.poll_message_set(loading.no_memory(target, action))
        return bool(found)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        count = loading.load(context.scene, rig.target(context))
        self.report({"INFO"}, interface.report("{count} motion blocks were loaded", count=count))
        return _done()


class SCALEMOGEN_OT_block_show(WithBlock, bpy.types.Operator):
    """The block on the timeline."""

    bl_idname = "scalemogen.block_show"
    bl_label = "Set Preview Range"
    bl_description = "Set the preview range to the frames of the block and go to the first of them"
    bl_options = {"REGISTER", "UNDO"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        block = scene.scalemogen.blocks.entries[self.number(context)]
        first, last = block.first, block.last
        scene.use_preview_range = True
        scene_snapshot.set_preview_bounds(scene, first, last)
        scene.frame_set(first)
        return _done()


class SCALEMOGEN_OT_block_random_seed(bpy.types.Operator):
    """Another seed."""

    bl_idname = "scalemogen.block_random_seed"
    bl_label = "Random Seed"
    bl_options = {"UNDO"}

    whole: bpy.props.BoolProperty(
        name="All Blocks",
        description="The seed with which all blocks are generated, not that of the active one",
        options=_UNSET,
    )

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        """The tooltip of each of the buttons."""
        if properties.whole:
            return "Take another seed: another motion for the same blocks"
        return "Take another seed: another motion for this block"

    def execute(self, context: bpy.types.Context) -> set[str]:
        owner = context.scene.scalemogen.blocks if self.whole else order.active(context.scene)
        if owner is None:
            return {"CANCELLED"}
        owner.seed = secrets.randbelow(10**6)
        return _done()


def _has_blocks(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if context.scene is not None and len(context.scene.scalemogen.blocks.entries):
        return True
    cls.poll_message_set(order.NO_BLOCKS)
    return False


def _done() -> set[str]:
    interface.redraw()
    return {"FINISHED"}


classes = (
    SCALEMOGEN_OT_block_add,
    SCALEMOGEN_OT_block_remove,
    SCALEMOGEN_OT_block_move,
    SCALEMOGEN_OT_blocks_clear,
    SCALEMOGEN_OT_blocks_load,
    SCALEMOGEN_OT_block_show,
    SCALEMOGEN_OT_block_random_seed,
)

register, unregister = bpy.utils.register_classes_factory(classes)
