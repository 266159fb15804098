"""From the list of blocks to requests, and what happens with their results."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import bpy

from .. import bake, interface, results, session
from .._core import editing, errors, skeleton
from ..client.messages import SequenceRequest
from ..edit import order as edit_order
from ..generate import prompt as prompts
from ..generate import sampling
from ..generate.properties import SEED_MAX
from . import lengths, remembering

if TYPE_CHECKING:
    from ..client.messages import Finished
    from .properties import BlockItem

NO_BLOCKS = "There are no motion blocks. Add one with the plus sign"
NO_RIG = "No rig selected. Select the armature whose animation has the block"


def active(scene: bpy.types.Scene) -> BlockItem | None:
    """The block that is chosen in the list."""
    blocks = scene.scalemogen.blocks
    if not 0 <= blocks.active_index < len(blocks.entries):
        return None
    return blocks.entries[blocks.active_index]


def words_problem(scene: bpy.types.Scene, index: int) -> str:
    """Why nobody would know what to make of a block, with the remedy; empty if it is clear."""
    words = prompts.clean(scene.scalemogen.blocks.entries[index].prompt)
    if not words:
        return interface.report("Type what the character does in block {number}", number=index + 1)
    if found := prompts.problem(words):
        return interface.report("Block {number}: {problem}", number=index + 1, problem=found)
    return ""


def problem_of(scene: bpy.types.Scene, index: int) -> str:
    """Why a block cannot be made with the others, with the remedy; empty if it can."""
    if found := words_problem(scene, index):
        return found
    block = scene.scalemogen.blocks.entries[index]
    if block.is_automatic:
        return ""
    seconds, longest = block.frame_count / bake.scene_fps(scene), session.longest_seconds()
    if seconds < lengths.MIN_SECONDS:
        return interface.report(
            "Block {number} lasts {seconds:.2f} s; make it {least:g} s at least",
            number=index + 1,
            seconds=seconds,
            least=lengths.MIN_SECONDS,
        )
    if seconds > longest:
        return interface.report(
            "Block {number} lasts {seconds:.1f} s, but the model makes {most:.1f} s at a time; "
            "split it into several blocks",
            number=index + 1,
            seconds=seconds,
            most=math.floor(longest * 10) / 10,
        )
    return ""


# --- all of them ---------------------------------------------------------------------------------


def problem(scene: bpy.types.Scene) -> str:
    """Why the blocks cannot be made, with the remedy; empty if they can."""
    entries = scene.scalemogen.blocks.entries
    if not len(entries):
        return NO_BLOCKS
    for index in range(len(entries)):
        if found := problem_of(scene, index):
            return found
    if (
        sum(block.frame_count for block in entries) / bake.scene_fps(scene)
        > lengths.LONGEST_SECONDS
    ):
        return "The blocks last more than an hour; make them shorter"
    return ""


def request(scene: bpy.types.Scene) -> SequenceRequest:
    """What the engine is asked for; ScaleMoGenError for what it cannot do."""
    if found := problem(scene):
        raise errors.ScaleMoGenError(found)
    blocks, generate = scene.scalemogen.blocks, scene.scalemogen.generate
    counts = [None if block.is_automatic else block.frame_count for block in blocks.entries]
    seconds = lengths.seconds_of(counts, bake.scene_fps(scene))
    seeds = range(blocks.seed, blocks.seed + blocks.variations)
    return SequenceRequest(
        blocks=tuple(
            editing.Block(prompts.clean(block.prompt), length)
            for block, length in zip(blocks.entries, seconds, strict=True)
        ),
        seeds=tuple(seed % (SEED_MAX + 1) for seed in seeds),
        preview=not bpy.app.background,
        **sampling.chosen(generate),
    )


def submit(
    scene: bpy.types.Scene, rig: bpy.types.Object | None, interactive: bool = True
) -> session.Job:
    """Start making all blocks; what is made lands in the scene's results, and plays on the rig.

    ScaleMoGenError when the engine is busy or cannot be started, or a block cannot be made.
    """
    wanted, start = request(scene), scene.scalemogen.blocks.start
    play = scene.scalemogen.generate.play
    return session.submit(
        wanted,
        _landing(scene.session_uid, None if rig is None else rig.session_uid, start, play),
        interface.label("{count} motion blocks", count=len(wanted.blocks)),
        scene=scene,
        rig=rig,
        start_frame=start,
        undo_message="Generate Motion Blocks",
        interactive=interactive,
    )


def _landing(
    scene_uid: int, rig_uid: int | None, start: int, play: bool
) -> Callable[[Finished], None]:
    """Puts a result where it belongs, as far as that is still there when it comes."""

    def land(finished: Finished) -> None:
        scene, rig = session.find(scene_uid, rig_uid)
        if scene is None:
            return
        if rig_uid is not None and rig is None:
            session.notice(interface.label("The rig is gone; the motion is in the list"))
        take_lengths(scene, finished)
        results.land(scene, rig, finished, start, play and rig is not None)

    return land


def take_lengths(scene: bpy.types.Scene, finished: Finished) -> None:
    """Give blocks of automatic length the one that the model has chosen.

    Nothing happens if the list has become another one since.
    """
    entries = scene.scalemogen.blocks.entries
    made = remembering.of_settings(finished.settings)
    if [prompts.clean(block.prompt) for block in entries] != [block.prompt for block in made]:
        return
    counts = lengths.frame_counts(
        [(block.first, block.last) for block in made],
        finished.motions[0].fps,
        bake.scene_fps(scene),
    )
    for block, count in zip(entries, counts, strict=True):
        if block.is_automatic:
            block.frame_count = count


# --- one of them ---------------------------------------------------------------------------------


def block_order(scene: bpy.types.Scene, block: BlockItem) -> edit_order.Order:
    """A block as an edit of the whole body in its frames."""
    blocks, generate = scene.scalemogen.blocks, scene.scalemogen.generate
    return edit_order.Order(
        operation="EDIT",
        names=tuple(skeleton.BODY_PARTS),
        first=block.first,
        last=block.last,
        prompt=block.prompt,
        later=blocks.later,
        seed=block.seed,
        **sampling.chosen(generate),
    )


def block_problem(scene: bpy.types.Scene, rig: bpy.types.Object | None, index: int) -> str:
    """Why a block cannot be made on its own, with the remedy; empty if it can."""
    if found := words_problem(scene, index):
        return found
    if rig is None:
        return NO_RIG
    wanted = block_order(scene, scene.scalemogen.blocks.entries[index])
    return edit_order.problem(wanted, scene, rig) or edit_order.shown_problem(scene, rig)


def submit_block(
    scene: bpy.types.Scene, rig: bpy.types.Object, index: int, interactive: bool = True
) -> session.Job:
    """Start making one block anew, in what the rig does now.

    ScaleMoGenError when the engine is busy or cannot be started, or the block cannot be made.
    """
    return edit_order.submit(_checked(scene, rig, index), scene, rig, interactive)


def looking_at_block(
    scene: bpy.types.Scene, rig: bpy.types.Object, index: int
) -> Generator[float, None, edit_order.Prepared]:
    """What :func:`submit_block` has to look at first, in steps, which yield how far it is."""
    return edit_order.looking(_checked(scene, rig, index), scene, rig)


def _checked(scene: bpy.types.Scene, rig: bpy.types.Object, index: int) -> edit_order.Order:
    if found := block_problem(scene, rig, index):
        raise errors.ScaleMoGenError(found)
    return block_order(scene, scene.scalemogen.blocks.entries[index])
