"""Loops, and motions in place."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import tumbling, walking

from core.dataset_format import read_pack
from core.editing import Edit, Report, joints_of
from core.editing.compose import compose
from core.editing.in_place import in_place
from core.editing.looping import again, looped_source, played_on
from core.editing.measures import loop_gap, path_jumps, seam
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.skeleton import BODY_PARTS

ALL = joints_of(BODY_PARTS)
GROUND = [0, 2]


def looped(source: Motion, edit: Edit) -> Motion:
    """The loop where what is made is what the looped clip shows already."""
    loop = looped_source(source, edit)
    report = Report(loop.edit, (edit.first, edit.last), (0, loop.source.frame_count - 1))
    made = loop.source
    return loop.back(compose(loop.source, made, 0, loop.edit, report, cleanup=False)).motion


@pytest.mark.parametrize("more", [0, 12])
def test_a_loop_plays_on_without_a_seam(more: int) -> None:
    source = walking(47)  # its end is half a step away from its beginning
    edit = Edit(ALL, 30, 46 + more, loop=True)
    loop = looped(source, edit)
    assert loop.frame_count == 47 + more
    assert loop.rotations[:30].tobytes() == source.rotations[:30].tobytes()
    assert loop.root_positions[:30].tobytes() == source.root_positions[:30].tobytes()
    gap, was = loop_gap(loop), loop_gap(source)
    assert was.turn_ratio > 5.0
    assert gap.turn_ratio < 2.0
    assert gap.path_ratio < 2.0
    twice = played_on(loop)
    way = np.linalg.norm(np.diff(twice.root_positions[:, GROUND], axis=0), axis=-1)
    assert way[loop.frame_count - 3 : loop.frame_count + 3].min() > 0.02


def test_a_clip_that_stays_in_place_comes_back_to_its_place() -> None:
    source = tumbling(3, 60)
    source = replace(source, root_positions=np.tile([0.3, 0.9, -0.2], (60, 1)))
    away = source.root_positions + np.linspace(0.0, 0.2, 60)[:, None] * [1.0, 0.0, 0.0]
    source = replace(source, root_positions=away)
    loop = looped(source, Edit(ALL, 40, 59, loop=True))
    turn, shift = again(loop)
    assert turn == 0.0
    assert not shift.any()
    step = loop.root_positions[0] - loop.root_positions[-1]
    assert np.linalg.norm(step) < 0.01
    assert loop_gap(loop).turn_ratio < 2.0


def test_captured_clips_loop(motion_data: Path) -> None:
    pack = read_pack(motion_data / "kaykit.npz.xz")
    clips = [clip.motion() for clip in pack]
    clips = [clip for clip in clips if clip.frame_count >= 40][:20]
    before, after = [], []
    for clip in clips:
        cut = clip.at_frames(slice(0, clip.frame_count - 7))
        last = cut.frame_count - 1
        loop = looped(cut, Edit(ALL, last - 15, last, loop=True))
        before.append(loop_gap(cut).turn_ratio)
        after.append(loop_gap(loop).turn_ratio)
    assert np.median(after) < 1.2
    assert np.median(after) < 0.5 * np.median(before)


def test_what_cannot_be_a_loop_is_refused() -> None:
    with pytest.raises(ScaleMoGenError, match="end at the last frame"):
        looped_source(walking(40), Edit(ALL, 10, 30, loop=True))
    with pytest.raises(ScaleMoGenError, match="frames before the range"):
        looped_source(walking(40), Edit(ALL, 0, 39, loop=True))


# --- in place ------------------------------------------------------------------------------------


def test_in_place_takes_the_way_and_leaves_sway_height_and_pose() -> None:
    source = walking(90)
    done = in_place(source, 0, 89)
    root, motion = done.motion.root_positions, done.motion
    assert motion.rotations.tobytes() == source.rotations.tobytes()
    assert np.ptp(root[:, 2]) < 0.01
    assert root[:, 1].tobytes() == source.root_positions[:, 1].tobytes()
    assert np.ptp(root[:, 0]) > 0.6 * np.ptp(source.root_positions[:, 0])
    assert not done.offset.shift.any()


@pytest.mark.parametrize("later", ["PATH", "OFFSET"])
def test_in_place_in_a_range(later: str) -> None:
    source = walking(120)
    done = in_place(source, 30, 80, later=later, blend=8)
    root = done.motion.root_positions
    assert root[:30].tobytes() == source.root_positions[:30].tobytes()
    assert np.ptp(root[40:70, 2]) < 0.01
    if later == "PATH":
        assert root[81:].tobytes() == source.root_positions[81:].tobytes()
    else:
        np.testing.assert_array_equal(root[81:], source.root_positions[81:] + done.offset.shift)
        assert path_jumps(done.motion, ["pelvis"]).max() < 0.3
        assert seam(done.motion, 81).path_ratio < 1.0
    with pytest.raises(ScaleMoGenError, match="ends at frame 119"):
        in_place(source, 30, 120)
