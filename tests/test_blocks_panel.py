"""Motion blocks: the list on the timeline, generating all or one, and back from an action."""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.skeleton import BODY_PARTS
from scalemogen_blender.blocks import lengths, remembering

TESTS = Path(__file__).parent
RATES = st.sampled_from([12.0, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 60.0, 120.0])

# Frames and seconds.


@given(st.lists(st.integers(15, 500), min_size=1, max_size=40), RATES)
def test_every_block_begins_at_its_frame_however_many_there_are(counts, fps):
    """At rates up to the engine's; beyond, to the nearest of its frames."""
    seconds = lengths.seconds_of(counts, fps)
    engine = [round(s * 30) for s in seconds]
    assert all(abs(s * 30 - frames) < 1e-6 for s, frames in zip(seconds, engine, strict=True))
    borders, first = [], 0
    for frames in engine:
        borders.append((first, first + frames - 1))
        first += frames
    made = lengths.frame_counts(borders, 30.0, fps)
    if fps <= 30:
        assert made[:-1] == counts[:-1]
    reached = wanted = 0
    for got, count in zip(made, counts, strict=True):
        reached, wanted = reached + got, wanted + count
        assert abs(reached - wanted) <= 1 + fps / 60
    assert reached >= wanted, "the last frame of the last block is missing"


def test_the_model_may_choose_some_of_the_lengths():
    assert lengths.seconds_of([24, None, 24, None], 24.0) == [1.0, None, 1.0, None]
    assert lengths.seconds_of([None], 24.0) == [None]
    assert lengths.seconds_of([], 24.0) == []
    assert lengths.new_length(24.0) == 72 and lengths.new_length(60.0) == 180


# What files remember.

BLOCKS = [
    {"prompt": "a walk", "first": 0, "last": 29},
    {"prompt": "er läuft 👋", "first": 30, "last": 89},
]


def test_blocks_of_a_result_are_those_of_its_action_in_the_frames_of_the_scene():
    kept = remembering.for_action({"blocks": BLOCKS}, 30.0, 24.0)
    assert all(isinstance(value, str) for value in kept.values()), "what Blender can keep"
    found = remembering.of_settings(kept)
    assert [(b.prompt, b.first, b.last) for b in found] == [
        ("a walk", 0, 23),
        ("er läuft 👋", 24, 71),
    ]
    again = [("a walk", 1.0), ("er läuft 👋", 2.0)]
    assert remembering.to_make_again(kept) == again
    assert remembering.to_make_again({"blocks": BLOCKS}) == again
    assert remembering.for_action({"prompt": "a walk"}, 30.0, 24.0) == {}


def test_an_edit_of_a_whole_block_gives_it_its_prompt():
    blocks = remembering.of_settings({"blocks": BLOCKS})
    whole = {"first": 130, "last": 189, "parts": list(BODY_PARTS), "prompt": " she  sits "}

    def prompts(**changes):
        edits = json.dumps([5, {}, whole | changes])
        return [block.prompt for block in remembering.after_edits(blocks, 100, edits)]

    assert prompts() == ["a walk", "she sits"]
    for other in ({"last": 188}, {"parts": ["left_arm"]}, {"prompt": " "}, {"prompt": 5}):
        assert prompts(**other) == ["a walk", "er läuft 👋"]
    for damaged in (None, 5, "[", "{}", '"x"', "null"):
        assert remembering.after_edits(blocks, 100, damaged) == blocks


@pytest.mark.parametrize(
    "blocks",
    [
        None, 5, "", "[", "{}", "null", [], [None], {},
        BLOCKS[1:],
        [BLOCKS[0], BLOCKS[0]],
        [BLOCKS[0] | {"first": False}],
        [BLOCKS[0] | {"last": 1.5}],
        [BLOCKS[0] | {"last": -1}],
        [BLOCKS[0] | {"last": 2**40}],
        [BLOCKS[0] | {"prompt": None}],
        [{"prompt": "a", "first": n, "last": n} for n in range(1001)],
        json.dumps([BLOCKS[0] | {"prompt": "half \udcff"}]),
    ],
)  # fmt: skip
def test_damaged_blocks_are_none(blocks):
    settings = {"blocks": blocks}
    assert remembering.of_settings(settings) == remembering.to_make_again(settings) == []
    assert remembering.for_action(settings, 30.0, 24.0) == {}


# In bpy.

START = """
import sys
sys.path.insert(0, sys.argv[2])
import json
import bpy
from panel_fakes import draw, draw_item, find, texts
from session_fakes import Bench
from scalemogen_blender import mannequin, runtime, session
from scalemogen_blender.blocks import panel, ui_list
from scalemogen_blender.client.messages import EditRequest, SequenceRequest
ops = bpy.ops.scalemogen
scene = bpy.context.scene
scene.render.fps, scene.render.fps_base = 24, 1.0
def blocks():
    return bpy.context.scene.scalemogen.blocks
def spans():
    return [(block.prompt, block.first, block.last) for block in blocks().entries]
def refused(operator, **options):
    try:
        operator(**options)
    except RuntimeError as error:
        return str(error)
    raise AssertionError("nothing was refused")
def asked():
    return list(bench.client.requests.values())[-1]
def shown():
    return draw(panel.SCALEMOGEN_PT_blocks, bpy.context)
def add(prompt, frame_count=0):
    assert ops.block_add(prompt=prompt, frame_count=frame_count) == {"FINISHED"}
"""


@pytest.fixture
def in_panel(run_in_blender: Callable[..., str]) -> Callable[[str], str]:
    def run(body: str) -> str:
        return run_in_blender(START + textwrap.dedent(body), TESTS)

    return run


@pytest.mark.blender
def test_the_list_is_laid_on_the_timeline_without_gaps(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    assert "Add one" in refused(ops.block_remove) and "Add one" in refused(ops.blocks_generate)
    assert not any(item.name == "scalemogen.blocks_generate" for item in shown())
    scene.frame_start, scene.frame_current = 101, 150
    for prompt, count in (("walk", 0), ("wave", 24), ("sit", 48)):
        add(prompt, count)
    assert spans() == [("walk", 101, 172), ("wave", 173, 196), ("sit", 197, 244)]
    assert blocks().active_index == 2

    # Its end: those after it follow.
    first, second, third = blocks().entries
    second.last = 200
    assert spans()[1:] == [("wave", 173, 200), ("sit", 201, 248)]
    second.last = 0
    assert spans()[1:] == [("wave", 173, 173), ("sit", 174, 221)]
    second.frame_count = 24
    # Its start: the border to the one before, never beyond what both have.
    second.first = 170
    assert spans() == [("walk", 101, 169), ("wave", 170, 196), ("sit", 197, 244)]
    second.first = -999
    assert spans()[:2] == [("walk", 101, 101), ("wave", 102, 196)]
    second.first = 999
    assert spans()[:2] == [("walk", 101, 195), ("wave", 196, 196)]
    second.first = 173
    # Of the first: all of them.
    first.first = 1
    assert blocks().start == 1
    assert spans() == [("walk", 1, 72), ("wave", 73, 96), ("sit", 97, 144)]

    # Order.
    assert ops.block_move(direction="UP") == {"FINISHED"}
    assert spans() == [("walk", 1, 72), ("sit", 73, 120), ("wave", 121, 144)]
    assert blocks().active_index == 1
    assert ops.block_move(index=0, direction="UP") == {"CANCELLED"}
    assert ops.block_move(index=2, direction="DOWN") == {"CANCELLED"}
    assert ops.block_move(index=2, direction="UP") == {"FINISHED"} and blocks().active_index == 2
    assert "no motion block number 7" in refused(ops.block_remove, index=7)
    assert ops.block_remove(index=0) == {"FINISHED"}
    assert spans() == [("wave", 1, 24), ("sit", 25, 72)] and blocks().active_index == 1
    add("run", 12)
    assert blocks().start == 1, "the scene's start counts for the first block only"

    # What is on the screen.
    drawn = draw_item(ui_list.SCALEMOGEN_UL_blocks, bpy.context, blocks(), blocks().entries[1])
    assert texts(drawn) == ["1", "sit", "25–72"]
    blocks().entries[1].is_automatic, blocks().entries[1].prompt = True, ""
    drawn = draw_item(ui_list.SCALEMOGEN_UL_blocks, bpy.context, blocks(), blocks().entries[1])
    assert texts(drawn) == ["1", "No prompt yet", "~ 25–72"]
    blocks().entries[1].prompt = "sit"
    assert "1 to 84, 3.5 s" in texts(shown())
    for name in ("first", "last", "frame_count", "is_automatic", "variations"):
        assert find(shown(), name)
    assert find(draw(panel.SCALEMOGEN_PT_blocks_advanced, bpy.context), "later")
    assert find(draw(panel.SCALEMOGEN_MT_blocks, bpy.context), "scalemogen.blocks_load")
    ops.block_show(index=1)
    assert (scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end) == (
        True, 25, 72)
    assert scene.frame_current == 25

    # One step of undo each.
    bpy.ops.ed.undo_push(message="before")
    ops.block_remove(index=0)
    bpy.ops.ed.undo_push(message="Remove Motion Block")
    ops.blocks_clear()
    bpy.ops.ed.undo_push(message="Clear Motion Blocks")
    assert spans() == [] and blocks().active_index == 0
    bpy.ops.ed.undo()
    assert [name for name, *_ in spans()] == ["sit", "run"]
    bpy.ops.ed.undo()
    assert [name for name, *_ in spans()] == ["wave", "sit", "run"]
    assert find(shown(), "scalemogen.block_move")
    """)


@pytest.mark.blender
def test_all_blocks_become_one_result_and_come_back_from_its_action(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    rig = mannequin.build()
    bpy.context.view_layer.objects.active = rig
    scene.frame_start = 11
    for prompt, count in (("a person walks", 48), ("", 24), ("a person sits", 24)):
        add(prompt, count)
    assert "block 2" in refused(ops.blocks_generate)
    blocks().entries[1].prompt = "!!"
    assert "Block 2: The prompt has no words" in refused(ops.blocks_generate)
    blocks().entries[1].prompt = " a person \\n turns "
    blocks().entries[1].frame_count = 6
    assert "Block 2 lasts 0.25 s" in refused(ops.blocks_generate)
    blocks().entries[1].frame_count = 24 * 11
    assert "makes 10.6 s at a time; split it" in refused(ops.blocks_generate)
    blocks().entries[1].frame_count = 24
    runtime.problem = lambda: "The engine is not installed."
    assert "not installed" in refused(ops.blocks_generate)
    runtime.problem = lambda: None
    assert bench.client is None, "the engine was asked all the same"

    blocks().entries[2].is_automatic = True
    blocks().seed, blocks().variations = 7, 2
    bpy.ops.ed.undo_push(message="before")
    assert ops.blocks_generate() == {"FINISHED"}
    request = asked()
    assert isinstance(request, SequenceRequest) and request.seeds == (7, 8) and request.cleanup
    assert [(b.prompt, b.seconds) for b in request.blocks] == [
        ("a person walks", 2.0), ("a person turns", 1.0), ("a person sits", None)]
    assert request.guidance is None and not request.preview
    assert spans()[2] == (("a person sits"), 83, 130), "as long as the model made it"
    assert blocks().entries[2].is_automatic
    result = bench.results[0]
    assert len(bench.results) == 2 and result.start_frame == 11 and result.rig == rig
    assert result.prompt == "a person walks, then a person turns, then a person sits"
    assert rig.animation_data.action.frame_range[0] == 11, "not played"
    assert round(rig.animation_data.action.frame_range[1]) == 130

    # Not accepted yet: its blocks are known all the same, but none can be made on its own.
    assert ops.blocks_load.poll()
    assert "not accepted yet" in refused(ops.block_generate)
    bpy.ops.ed.undo()
    assert len(bpy.context.scene.scalemogen.results.entries) == 0
    assert spans()[2][1:] == (83, 106)
    bpy.ops.ed.redo()
    scene, rig = bpy.context.scene, bpy.data.objects[mannequin.NAME]
    bpy.context.view_layer.objects.active = rig

    assert ops.result_accept(mode="ACTION") == {"FINISHED"}
    action = rig.animation_data.action
    before = [(" ".join(name.split()), *at) for name, *at in spans()]
    assert [b["prompt"] for b in json.loads(action["blocks"])] == [name for name, *_ in before]
    ops.blocks_clear()
    assert ops.blocks_load() == {"FINISHED"}
    assert spans() == before
    assert blocks().seed == 7
    # Regenerating it is a sequence again.
    assert ops.result_regenerate(from_action=True) == {"FINISHED"}
    again = asked()
    assert isinstance(again, SequenceRequest) and again.seeds == (7,)
    assert [b.seconds for b in again.blocks] == [2.0, 1.0, 2.0]
    ops.result_stop()

    action["blocks"] = "[{]"
    assert "not made from motion blocks" in refused(ops.blocks_load)
    other = bpy.data.actions.new("Other")
    rig.animation_data.action = other
    assert "'Other' was not made from motion blocks" in refused(ops.blocks_load)
    assert spans() == before
    """)


@pytest.mark.blender
def test_one_block_is_an_edit_of_the_whole_body_in_its_frames(in_panel):
    in_panel("""
    bench = Bench(automatic=True)
    rig = mannequin.build()
    bpy.context.view_layer.objects.active = rig
    for prompt, count in (("a person walks", 48), ("a person turns", 24), ("a person sits", 48)):
        add(prompt, count)
    blocks().active_index = 1
    ops.blocks_generate()
    ops.result_accept(mode="ACTION")
    action = rig.animation_data.action
    block = blocks().entries[1]
    block.prompt, block.seed = "a person jumps", 5
    assert ops.block_generate() == {"FINISHED"}
    request = asked()
    assert isinstance(request, EditRequest) and request.seeds == (5,)
    edit = request.edit
    assert edit.prompt == "a person jumps" and edit.later == "OFFSET" and edit.frame_count == 24
    names = request.source.skeleton.joint_names
    assert set(edit.joints) == set(names), set(names) - set(edit.joints)
    assert request.source.fps == 24
    assert edit.first == min(48, edit.first) > 20, "no context before it"
    assert request.source.frame_count > edit.last + 20, "no context after it"
    item = bench.results[-1]
    assert (item.first, item.last) == (49, 72) and item.is_edit
    assert ops.result_accept() == {"FINISHED"}
    ops.blocks_clear()
    assert ops.blocks_load() == {"FINISHED"}
    assert spans()[1] == ("a person jumps", 49, 72), "the edit is remembered"
    assert ops.block_generate(index=2) == {"FINISHED"}
    assert asked().edit.prompt == "a person sits"
    ops.result_reject()
    blocks().later = "PATH"
    assert ops.block_generate(index=0) == {"FINISHED"}
    assert asked().edit.later == "PATH" and asked().edit.first == 0
    ops.result_reject()
    """)
