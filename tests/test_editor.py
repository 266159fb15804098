"""The editor's front door: a motion, a range, body parts and words to edited motions."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from model_fakes import OURS, published_like, random_model
from synthetic import walking

from core.editing import Block, Edit, joints_of
from core.editing.blocks import block_windows, cell_borders, seam_windows
from core.editing.measures import loop_gap, seam
from core.editing.window import Grid, lay_grid, sampled_at, window
from core.editor import Editor
from core.engine import Engine
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.paths import MODELS
from core.rotations import rotation_angle
from core.skeleton import BODY_PARTS

STRIDE, LONGEST = 8, 20


class Encoder:
    """Stands in for the text encoder: states that depend on the words alone."""

    width = 48

    def encode(self, prompts: list[str]) -> list[np.ndarray]:
        return [
            np.random.default_rng(len(p)).normal(size=(len(p.split()) + 2, 48)).astype("f4")
            for p in prompts
        ]


@pytest.fixture(scope="module")
def editor() -> Editor:
    return Editor(Engine(random_model(OURS), torch.device("cpu"), Encoder()))  # type: ignore[arg-type]


def arm(first: int, last: int, prompt: str = "a person waves", **more: object) -> Edit:
    return Edit(joints_of(("left_arm",)), first, last, prompt, **more)  # type: ignore[arg-type]


def body(first: int, last: int, prompt: str = "a person jumps", **more: object) -> Edit:
    return Edit(joints_of(BODY_PARTS), first, last, prompt, **more)  # type: ignore[arg-type]


def same_outside(source: Motion, edited: Motion, edit: Edit, joints: tuple[str, ...]) -> bool:
    outside = np.ones(source.rotations.shape[:2], dtype=bool)
    changed = [source.skeleton.index(name) for name in joints]
    outside[np.ix_(range(edit.first, min(edit.last + 1, len(outside))), changed)] = False
    count = source.frame_count
    roots = np.ones(count, dtype=bool)
    if "pelvis" in joints:
        roots[edit.first : edit.last + 1] = False
    return np.array_equal(
        edited.rotations[:count][outside], source.rotations[outside]
    ) and np.array_equal(edited.root_positions[:count][roots], source.root_positions[roots])


# --- edits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97, 30.0, 60.0])
@pytest.mark.parametrize("asked", [arm, body])
def test_nothing_changes_outside_at_any_frame_rate(
    editor: Editor, fps: float, asked: Callable[..., Edit]
) -> None:
    source = walking(90, fps)
    edit = asked(37, 61)
    edited = editor.edit(source, edit, [1]).edited[0]
    assert edited.motion.frame_count == 90
    assert edited.motion.fps == fps
    joints = edited.report.changed_joints
    assert same_outside(source, edited.motion, edit, joints)
    inside = edited.motion.rotations[45:55, source.skeleton.index("left_shoulder")]
    assert rotation_angle(inside, source.rotations[45:55, 16]).max() > 0.05


@given(
    parts=st.sets(st.sampled_from(BODY_PARTS), min_size=1),
    first=st.integers(0, 59),
    length=st.integers(1, 40),
    blend=st.integers(0, 6),
    keep=st.floats(0, 1),
)
# The range is longer than the cells in it, and there is no cell before them.
@example(parts={"root"}, first=1, length=33, blend=0, keep=0.0)
def test_nothing_changes_outside_any_mask(
    editor: Editor, parts: set[str], first: int, length: int, blend: int, keep: float
) -> None:
    source = walking(60)
    last = min(59, first + length - 1)
    names = tuple(part for part in BODY_PARTS if part in parts)
    edit = Edit(joints_of(names), first, last, "a person waves", blend=blend, keep=keep)
    edited = editor.edit(source, edit, [1], cleanup=False).edited[0]
    assert same_outside(source, edited.motion, edit, edited.report.changed_joints)
    assert np.isfinite(edited.motion.positions()).all()


def test_the_same_request_gives_the_same_motions_and_each_seed_its_own(editor: Editor) -> None:
    source = walking(80)
    first, second = (editor.edit(source, arm(20, 50), [1, 2]).edited for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a.motion.rotations, b.motion.rotations, rtol=0, atol=1e-12)
    assert not np.allclose(first[0].motion.rotations, first[1].motion.rotations)
    alone = editor.edit(source, arm(20, 50), [2]).edited[0]
    np.testing.assert_allclose(alone.motion.rotations, first[1].motion.rotations, atol=1e-4)


def test_the_report_tells_what_was_sampled_and_seen(editor: Editor) -> None:
    report = editor.edit(walking(200), arm(100, 115, keep=0.5), [1]).edited[0].report
    assert report.frames == (100, 115)
    assert report.window[0] <= 60
    assert 150 <= report.window[1] < 200
    assert (report.kept_scales, report.scales) == (1, 3)
    assert report.parts == ("left_arm",)


@pytest.mark.parametrize("first", [80, 70])
@pytest.mark.parametrize("prompt", ["a person jumps", ""])
def test_a_motion_goes_on_beyond_its_end(editor: Editor, first: int, prompt: str) -> None:
    source = walking(80)
    edit = body(first, 110, prompt)
    edited = editor.edit(source, edit, [1]).edited[0]
    assert edited.motion.frame_count == 111
    assert same_outside(source, edited.motion, edit, edited.report.changed_joints)


def test_a_loop_is_as_long_as_its_motion(editor: Editor) -> None:
    source = walking(70)
    edited = editor.edit(source, body(50, 69, "", loop=True), [1]).edited[0]
    assert edited.motion.frame_count == 70
    assert edited.report.edit.loop
    assert same_outside(source, edited.motion, body(50, 69), edited.report.changed_joints)


def test_a_range_longer_than_the_window_is_edited_in_pieces(editor: Editor) -> None:
    source = walking(420)
    seen: list[tuple[int, int]] = []
    edit = arm(30, 400)
    edited = editor.edit(source, edit, [1, 2], on_scale=lambda *at: seen.append(at)).edited
    assert seen[-1][0] == seen[-1][1] == len(seen) > 3 * 2
    for made in edited:
        assert same_outside(source, made.motion, edit, made.report.changed_joints)
    changed = rotation_angle(edited[0].motion.rotations[40:390, 16], source.rotations[40:390, 16])
    assert (changed.reshape(10, -1).max(axis=1) > 0.01).all(), "all along the range"


def test_where_the_floor_is_does_not_matter(editor: Editor) -> None:
    raised = [
        replace(source, root_positions=source.root_positions + height * np.eye(3)[1])
        for source in [walking(90)]
        for height in (0.3, 0.9)
    ]
    low, high = (editor.edit(source, body(40, 89), [1]).edited[0].motion for source in raised)
    np.testing.assert_allclose(
        high.root_positions - low.root_positions, [[0, 0.6, 0]] * 90, atol=1e-3
    )
    assert rotation_angle(low.rotations, high.rotations).max() < 1e-2


def test_progress_previews_and_cancelling(editor: Editor) -> None:
    source = walking(80)
    scales: list[tuple[int, int]] = []
    lengths: list[int] = []
    made = editor.edit(
        source,
        body(60, 99),
        [1, 2],
        on_scale=lambda *at: scales.append(at),
        on_preview=lambda done, of, coarse: lengths.append(coarse().frame_count),
    )
    assert scales == [(1, 3), (2, 3), (3, 3)]
    assert lengths == [100] * 3
    timings = made.timings
    stages = ("encode_ms", "text_ms", "decode_ms")
    total = sum(timings[name] for name in stages) + sum(timings["scales_ms"])
    assert total == pytest.approx(timings["total_ms"], rel=1e-3)

    steps: list[int] = []

    def stop() -> None:
        steps.append(1)
        if len(steps) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        editor.edit(source, arm(20, 50), [1], on_step=stop)
    assert len(steps) == 5
    editor.edit(source, arm(20, 50), [1])
    assert len(steps) == 5, "nothing is left behind"


def test_words_that_say_the_same_keep_the_motion(editor: Editor) -> None:
    source = walking(80)
    edits = [
        arm(20, 59, "a person waves", words_only=True, source_prompt=prompt)
        for prompt in ("a person waves", "somebody is bowing very low")
    ]
    same, other = (editor.edit(source, edit, [1]).edited[0].motion for edit in edits)
    kept = editor.edit(source, arm(20, 59, keep=1.0), [1]).edited[0].motion
    moved = [rotation_angle(m.rotations[:, 16], same.rotations[:, 16]).max() for m in (other, kept)]
    assert min(moved) > 0.01


@pytest.mark.parametrize(
    ("edit", "options", "about"),
    [
        (arm(81, 90), {}, "begin at 80 at the latest"),
        (arm(10, 20), {"seeds": []}, "no seed"),
        (arm(10, 20), {"guidance": -1.0}, "guidance"),
        (arm(10, 20), {"temperature": float("nan")}, "temperature"),
        (arm(10, 20, loop=True), {}, "end at the last frame"),
    ],
)
def test_bad_requests_name_the_remedy(
    editor: Editor, edit: Edit, options: dict, about: str
) -> None:
    with pytest.raises(ScaleMoGenError, match=about):
        editor.edit(walking(80), edit, options.pop("seeds", [1]), **options)


def test_one_frame_and_models_that_cannot_edit_are_refused(editor: Editor) -> None:
    with pytest.raises(ScaleMoGenError, match="two at least"):
        editor.edit(walking(80).at_frames(slice(0, 1)), arm(0, 0), [1])
    published = random_model(published_like("snapmogen"))
    with pytest.raises(ScaleMoGenError, match="choose open or plus"):
        Editor(Engine(published, torch.device("cpu"), Encoder()))  # type: ignore[arg-type]


# --- sequences -----------------------------------------------------------------------------------


def test_blocks_follow_one_another_beyond_the_window(editor: Editor) -> None:
    blocks = [Block("a person walks", 4.0), Block("a kick", 0.5), Block("a long bow", 5.0)]
    seen: list[tuple[int, int]] = []
    made = editor.sequence(blocks, [1, 2], on_scale=lambda *at: seen.append(at))
    assert [m.frame_count for m in made.motions] == [285, 285]
    assert made.starts == [[0, 120, 136]] * 2
    assert seen == [(k, 15) for k in range(1, 16)], "three blocks, two seams"
    again = editor.sequence(blocks, [1, 2])
    for a, b in zip(made.motions, again.motions, strict=True):
        np.testing.assert_allclose(a.rotations, b.rotations, rtol=0, atol=1e-12)
    assert not np.allclose(made.motions[0].rotations, made.motions[1].rotations)


def test_a_block_without_a_length_takes_what_the_model_thinks(editor: Editor) -> None:
    made = editor.sequence([Block("a person walks"), Block("a kick", 1.0)], [1])
    assert made.motions[0].seconds == pytest.approx(5.0, abs=0.05)
    assert made.motions[0].contacts is not None


@pytest.mark.parametrize(
    ("blocks", "about"),
    [
        ([], "add one at least"),
        ([Block("a kick", 1.0), Block("  ", 1.0)], "block 2 is empty"),
        ([Block("a kick", 0.1)], "use 0.5 to"),
    ],
)
def test_bad_blocks_name_the_remedy(editor: Editor, blocks: list[Block], about: str) -> None:
    with pytest.raises(ScaleMoGenError, match=about):
        editor.sequence(blocks, [1])


@given(st.lists(st.floats(0.5, 10.0), min_size=1, max_size=8))
def test_every_block_has_its_cells_and_is_seen_with_what_came_before(seconds: list[float]) -> None:
    borders = cell_borders(seconds, 30.0, 8)
    assert borders[-1] * 8 >= round(sum(seconds) * 30)
    made: list[int] = []
    for (begin, end), (first, last) in block_windows(borders, 40):
        assert begin <= first < last == end
        assert end - begin <= 40
        made += range(first, last)
    assert made == list(range(borders[-1]))
    for (begin, end), (first, last) in seam_windows(borders, 40):
        assert 0 <= begin <= first < last <= end <= borders[-1]


# --- windows and cells ---------------------------------------------------------------------------


@st.composite
def ranges(draw: st.DrawFn) -> tuple[Edit, int, float]:
    frames = draw(st.integers(2, 900))
    fps = draw(st.sampled_from([24.0, 25.0, 30.0, 60.0]))
    first = draw(st.integers(0, frames))
    last = draw(st.integers(first, first + 900))
    return arm(first, last), frames, fps


@given(ranges())
def test_the_window_holds_the_range_and_what_is_around(asked: tuple[Edit, int, float]) -> None:
    edit, frames, fps = asked
    first, last = window(edit, frames, fps)
    assert 0 <= first <= edit.first
    assert first == 0 or edit.first - first >= fps
    assert last >= edit.last
    assert last == edit.last or last <= frames - 1
    assert last >= frames - 1 or last - edit.last >= fps


def grid_of(asked: tuple[Edit, int, float]) -> Grid:
    edit, frames, fps = asked
    return lay_grid(edit, frames, fps, model_fps=30.0, stride=STRIDE, longest=LONGEST)


@given(ranges())
def test_cells_lie_on_the_range(asked: tuple[Edit, int, float]) -> None:
    edit, frames, fps = asked
    grid = grid_of(asked)
    begin, end = (
        (grid.start + cell * STRIDE * grid.step - edit.first) * 30 / fps for cell in grid.masked
    )
    span = (edit.last - edit.first) * 30 / fps + 1
    if span >= STRIDE:
        assert abs(begin) <= STRIDE / 2
        assert abs(end - span) < STRIDE
    if edit.first == 0:
        assert begin == pytest.approx(0.0)
    if edit.last >= frames - 1:
        assert end >= span - 1e-6
        assert grid.frames_of(0, grid.cells)[1] >= edit.last
    assert grid.frames_of(0, grid.cells)[0] <= edit.first
    assert 1 <= grid.known <= grid.cells


@given(ranges())
def test_pieces_cover_the_masked_cells_within_the_models_window(
    asked: tuple[Edit, int, float],
) -> None:
    grid = grid_of(asked)
    made: list[int] = []
    for piece in grid.pieces(LONGEST):
        assert piece.window[0] <= piece.masked[0] < piece.masked[1] <= piece.window[1]
        assert piece.window[1] - piece.window[0] <= LONGEST
        assert piece.window[1] <= grid.cells
        made += range(*piece.masked)
        before, after = grid.beyond(piece, LONGEST)
        assert bool(before) <= (piece.masked[0] > grid.masked[0])
        assert bool(after) <= (piece.masked[1] < grid.masked[1])
        assert before + piece.masked[1] - piece.masked[0] + after <= LONGEST
    assert made == list(range(*grid.masked))


def test_frames_between_and_beyond_go_on_smoothly() -> None:
    motion = replace(walking(20), contacts=None)
    whole = sampled_at(motion, np.arange(20.0), 30.0)
    np.testing.assert_allclose(whole.positions(), motion.positions(), atol=1e-9)
    beyond = sampled_at(motion, np.arange(-3.0, 23.0, 0.5), 60.0)
    assert beyond.fps == 60
    steps = np.diff(beyond.root_positions, axis=0)
    assert (
        np.linalg.norm(steps, axis=-1).max()
        < 1.5 * np.linalg.norm(np.diff(motion.root_positions, axis=0), axis=-1).max() / 2
    )
    turns = rotation_angle(beyond.rotations[1:], beyond.rotations[:-1]).max(axis=-1)
    assert turns[:8].max() < 1.5 * turns[8:-8].max()


# --- the bundled model ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundled() -> Editor:
    if not (MODELS / "default.json").exists():
        pytest.skip("no bundled model in this checkout")
    return Editor(Engine.load("default", "cpu"))


def test_the_bundled_model_raises_an_arm_where_it_is_asked_to(bundled: Editor) -> None:
    source = bundled.engine.generate("a person walks forward", 5.0, [1]).motions[0]
    edit = arm(60, 99, "a person raises the left arm")
    motion = bundled.edit(source, edit, [1]).edited[0].motion
    positions = motion.positions()
    wrist, shoulder = (
        positions[:, motion.skeleton.index(f"left_{n}"), 1] for n in ("wrist", "shoulder")
    )
    assert (wrist > shoulder)[70:90].mean() > 0.6
    assert not (wrist > shoulder)[:55].any()
    assert not (wrist > shoulder)[105:].any()


def test_the_bundled_models_arm_stays_up_where_pieces_of_a_long_range_meet(bundled: Editor) -> None:
    standing = bundled.engine.generate("a person stands still", 10.0, [3]).motions[0]
    source = standing.at_frames(np.minimum(np.arange(600), 299))
    edit = arm(60, 539, "a person raises the left hand")
    motion = bundled.edit(source, edit, [1]).edited[0].motion
    positions = motion.positions()
    wrist, shoulder = (
        positions[:, motion.skeleton.index(f"left_{n}"), 1] for n in ("wrist", "shoulder")
    )
    assert (wrist > shoulder - 0.4)[270:330].mean() > 0.8


def test_the_bundled_models_sequences_have_no_visible_seam(bundled: Editor) -> None:
    made = bundled.sequence(
        [Block("a person walks forward", 3.0), Block("a person sits down", 3.0)], [1]
    )
    motion, start = made.motions[0], made.starts[0][1]
    for frame in range(start - 6, start + 7):
        jump = seam(motion, frame)
        assert jump.turn_ratio < 1.5
        assert jump.path_ratio < 1.5
    heights = motion.root_positions[:, 1]
    assert heights[-10:].mean() < 0.8 * heights[:30].mean(), "it sits"


def test_the_bundled_model_makes_a_walk_a_loop(bundled: Editor) -> None:
    source = bundled.engine.generate("a person walks forward", 4.0, [1]).motions[0]
    motion = bundled.edit(source, body(84, 119, "", loop=True), [1]).edited[0].motion
    gap = loop_gap(motion)
    assert gap.turn_ratio < 1.5
    assert gap.path_ratio < 1.5
