"""``Scene.scalemogen.blocks``.

Blocks follow one another without gaps: what is stored is where the first one begins and how long
each is, so that they can never overlap, whatever is undone, moved or removed.
"""

import bpy

from .. import interface
from ..generate import prompt
from ..generate.properties import SEED_MAX, VARIATIONS_MAX

LONGEST = 2**20
LATER = (
    (
        "OFFSET",
        "Carry On",
        "The blocks that follow go on from where the new one has brought the character",
    ),
    ("PATH", "Keep Path", "The blocks that follow stay where they are in the world"),
)


def _prompt_edited(_group: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """Typing takes longer than starting the engine: it is ready when the button is pressed."""
    from .. import session

    if not bpy.app.background:
        session.warm_up()


def _redraw(_group: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    interface.redraw()


def _blocks_of(block: "BlockItem") -> "BlocksProperties":
    return block.id_data.scalemogen.blocks


def _index_of(block: "BlockItem") -> int:
    return next((i for i, b in enumerate(_blocks_of(block).entries) if b == block), 0)


def _first(self: "BlockItem") -> int:
    blocks = _blocks_of(self)
    first = blocks.start
    for block in blocks.entries:
        if block == self:
            break
        first += block.frame_count
    return first


def _set_first(self: "BlockItem", value: int) -> None:
    """Move the border to the block before; that of the first block moves all of them."""
    blocks, index = _blocks_of(self), _index_of(self)
    if index == 0:
        blocks.start = value
        return
    before = blocks.entries[index - 1]
    shift = min(max(value - _first(self), 1 - before.frame_count), self.frame_count - 1)
    before.frame_count += shift
    self.frame_count -= shift
    before.is_automatic = self.is_automatic = False


def _last(self: "BlockItem") -> int:
    return _first(self) + self.frame_count - 1


def _set_last(self: "BlockItem", value: int) -> None:
    """Make the block shorter or longer; those after it follow."""
    self.frame_count = max(1, value - _first(self) + 1)
    self.is_automatic = False


class BlockItem(bpy.types.PropertyGroup):
    """One action of the sequence."""

    prompt: bpy.props.StringProperty(
        name="Prompt",
        description="What the character does in this block, in English",
        maxlen=prompt.MAX_LENGTH,
        options={"TEXTEDIT_UPDATE"},
        update=_prompt_edited,
    )
    frame_count: bpy.props.IntProperty(
        name="Length",
        description="How many frames the block has; the blocks after it follow",
        min=1,
        max=LONGEST,
        soft_min=12,
        soft_max=480,
        default=72,
        update=_redraw,
    )
    first: bpy.props.IntProperty(
        name="Start",
        description=(
            "First frame of the block. It moves the border to the block before; that of the first "
            "block moves all of them"
        ),
        get=_first,
        set=_set_first,
    )
    last: bpy.props.IntProperty(
        name="End",
        description="Last frame of the block; the blocks after it follow",
        get=_last,
        set=_set_last,
    )
    is_automatic: bpy.props.BoolProperty(
        name="Automatic Length",
        description=(
            "As long as the action takes, judged from the prompt; the list shows how long that is "
            "when the blocks have been generated"
        ),
        update=_redraw,
    )
    seed: bpy.props.IntProperty(
        name="Seed",
        description="Seed of this block when it is generated on its own",
        min=0,
        max=SEED_MAX,
    )


class BlocksProperties(bpy.types.PropertyGroup):
    """The list of motion blocks, and how they are made."""

    entries: bpy.props.CollectionProperty(type=BlockItem)
    active_index: bpy.props.IntProperty(
        name="Active Block", description="Block that is shown and generated on its own below"
    )
    start: bpy.props.IntProperty(
        name="Start Frame",
        description="Frame at which the first block begins",
        default=1,
        min=-LONGEST,
        max=LONGEST,
        update=_redraw,
    )
    seed: bpy.props.IntProperty(
        name="Seed",
        description="The same blocks and seed give the same motion",
        min=0,
        max=SEED_MAX,
    )
    variations: bpy.props.IntProperty(
        name="Variations",
        description="How many motions to make of all blocks, with one seed after the other",
        min=1,
        max=VARIATIONS_MAX,
        default=1,
    )
    later: bpy.props.EnumProperty(
        name="Afterwards",
        description="What the blocks do that follow a block which is generated on its own",
        items=LATER,
    )


classes = (BlockItem, BlocksProperties)

register, unregister = bpy.utils.register_classes_factory(classes)
