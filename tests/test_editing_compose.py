"""What was made goes into the source: nothing else changes, and old and new fit together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic import tumbling, walking

from core.cleanup import legs_of
from core.dataset_format import Pack, read_pack
from core.editing import Edit, Edited, Report, joints_of
from core.editing.alignment import heading, turned_and_moved, yaw
from core.editing.borders import decay, jumps_of_turns, path_through, rotations_through
from core.editing.compose import compose
from core.editing.measures import (
    border_jumps,
    foot_sliding,
    path_jumps,
    turn_jumps,
    usual_jump,
    velocity_jump,
)
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.rotations import (
    quaternion_multiply,
    quaternion_rotate,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import BODY_PARTS, canonical

SKELETON = canonical()
LEFT, RIGHT = legs_of(SKELETON)
GROUND = [0, 2]
ALL = joints_of(BODY_PARTS)
LEGS = joints_of(("left_leg", "right_leg"))
UPPER = ("root", "spine", "head", "left_arm", "right_arm")


def edited(
    source: Motion, made: Motion, edit: Edit, at: int | None = None, cleanup: bool = True
) -> Edited:
    """The edit with all of what was made, whose first frame is frame ``at`` (0) of the source."""
    report = Report(edit, (edit.first, edit.last), (edit.first, edit.last))
    return compose(source, made, at or 0, edit, report, cleanup)


def assert_the_rest_is_the_source(result: Edited, source: Motion) -> None:
    edit, motion = result.report.edit, result.motion
    part, changed = slice(edit.first, edit.last + 1), result.report.changed_joints
    count, after = source.frame_count, slice(edit.last + 1, None)
    rotations, root = motion.rotations[:count].copy(), motion.root_positions[:count].copy()
    for name in changed:
        joint = SKELETON.index(name)
        rotations[part, joint] = source.rotations[part, joint]
    if "pelvis" in edit.joints:
        root[part] = source.root_positions[part]
    if result.offset.turn or result.offset.shift.any():
        carried = turned_and_moved(source, result.offset.turn, result.offset.shift)
        np.testing.assert_array_equal(rotations[after, 0], carried.rotations[after, 0])
        np.testing.assert_array_equal(root[after], carried.root_positions[after])
        rotations[after, 0], root[after] = source.rotations[after, 0], source.root_positions[after]
    assert rotations.tobytes() == source.rotations.tobytes()
    assert root.tobytes() == source.root_positions.tobytes()


def waving(frames: int = 90, fps: float = 30.0) -> Motion:
    """Standing while the left hand waves above the head."""
    motion = standing(frames, fps)
    angles = np.zeros((frames, 3))
    angles[:, 2] = 1.1 + 0.4 * np.sin(12.0 * np.arange(frames) / fps)
    rotations = motion.rotations.copy()
    rotations[:, SKELETON.index("left_shoulder")] = rotation_vector_to_quaternion(angles)
    return replace(motion, rotations=rotations)


def standing(frames: int = 90, fps: float = 30.0, bend: float = 0.3) -> Motion:
    """Standing with bent knees, arms down, soles on the floor."""
    angles = np.zeros((frames, SKELETON.joint_count, 3))
    for leg in (LEFT, RIGHT):
        angles[:, leg.hip, 0], angles[:, leg.knee, 0] = -bend, 2 * bend
        angles[:, leg.ankle, 0] = -bend
    for side, sign in (("left", -1.0), ("right", 1.0)):
        angles[:, SKELETON.index(f"{side}_shoulder"), 2] = sign * 1.25
    motion = Motion(SKELETON, rotation_vector_to_quaternion(angles), np.zeros((frames, 3)), fps)
    height = 0.02 - motion.positions()[0, LEFT.toe, 1]
    return replace(motion, root_positions=np.tile([0.0, height, 0.0], (frames, 1)))


@pytest.fixture(scope="module")
def captured(motion_data: Path) -> list[Motion]:
    """Captured clips of 2 to 6 seconds."""
    clips = [clip.motion() for name in ("hdm05", "kaykit") for clip in read(motion_data, name)]
    return [clip for clip in clips if 60 <= clip.frame_count <= 180][:80]


def read(folder: Path, name: str) -> Pack:
    return read_pack(folder / f"{name}.npz.xz")


# --- nothing else changes ------------------------------------------------------------------------


@st.composite
def edits(draw: st.DrawFn, frames: int) -> Edit:
    """An edit of any joints in any range of a clip, which may go on beyond its end."""
    first = draw(st.integers(0, frames))
    last = draw(st.integers(first, frames + 20))
    some = st.lists(st.sampled_from(ALL), min_size=1, unique=True).map(tuple)
    parts = st.lists(st.sampled_from(BODY_PARTS), min_size=1, unique=True)
    return Edit(
        draw(st.one_of(some, parts.map(lambda names: joints_of(tuple(names))))),
        first,
        last,
        blend=draw(st.integers(0, 9)),
        later=draw(st.sampled_from(["PATH", "OFFSET"])),
        keep_feet=draw(st.booleans()),
    )


@st.composite
def frame_rates(draw: st.DrawFn) -> float:
    return draw(st.sampled_from([24.0, 25.0, 30.0, 60.0, 23.976]))


def check_any_edit(data: st.DataObject, source: Motion, other: Motion) -> None:
    edit = data.draw(edits(source.frame_count))
    seen = data.draw(st.integers(0, 12)), data.draw(st.integers(0, 12))
    at = max(0, edit.first - seen[0])
    index = np.arange(at, edit.last + seen[1] + 1) % other.frame_count
    made = other.at_frames(index)
    result = edited(source, made, edit, at, data.draw(st.booleans()))
    assert_the_rest_is_the_source(result, source)
    motion = result.motion
    assert motion.frame_count == max(source.frame_count, edit.last + 1)
    assert np.isfinite(motion.root_positions).all()
    np.testing.assert_allclose(np.linalg.norm(motion.rotations, axis=-1), 1.0, atol=1e-9)
    if motion.frame_count > source.frame_count:
        held = [j for j, name in enumerate(ALL) if name not in result.report.changed_joints]
        beyond = motion.rotations[source.frame_count :, held]
        assert (beyond == motion.rotations[source.frame_count - 1, held]).all()


@settings(max_examples=30)
@given(st.data(), st.integers(0, 99), st.integers(30, 60), frame_rates())
def test_outside_the_joints_and_the_range_a_motion_stays_to_the_bit(
    data: st.DataObject, seed: int, frames: int, fps: float
) -> None:
    source = tumbling(seed, frames, fps)
    check_any_edit(data, source, replace(walking(frames), fps=fps))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), frame_rates())
def test_outside_the_joints_and_the_range_a_captured_clip_stays_to_the_bit(
    captured: list[Motion], data: st.DataObject, fps: float
) -> None:
    source, other = (data.draw(st.sampled_from(captured)).resampled(fps) for _ in range(2))
    check_any_edit(data, source, other)


def test_ranges_beyond_the_motion_and_too_little_made_are_refused() -> None:
    source = walking(40)
    with pytest.raises(ScaleMoGenError, match="only 40 frames"):
        edited(source, walking(60), Edit(ALL, 41, 50))
    with pytest.raises(ValueError, match="do not cover"):
        edited(source, walking(20), Edit(ALL, 10, 20))
    with pytest.raises(ValueError, match="frames a second"):
        edited(source, walking(40, 24.0), Edit(ALL, 10, 20))


@pytest.mark.parametrize(
    ("parts", "hint"),
    [
        (("left_leg", "right_leg"), "Add root"),
        (("root", "left_leg", "right_leg"), "Add spine"),
        (("root", "left_leg", "right_leg", "spine"), None),
        (("left_arm",), None),
        (BODY_PARTS, None),
    ],
)
def test_an_edit_tells_which_part_a_body_would_need_too(
    parts: tuple[str, ...], hint: str | None
) -> None:
    hints = Edit(joints_of(parts), 0, 9).hints
    assert [text.split(":")[0] for text in hints] == ([hint] if hint else [])


# --- body borders --------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["collar", "shoulder"])
def test_a_wave_stays_a_wave_on_a_bent_and_turning_torso(start: str) -> None:
    source = walking(90)
    bow = np.zeros((90, 3))
    bow[:, 0], bow[:, 1] = 0.6, 0.5 * np.sin(np.arange(90) / 10.0)
    spine = SKELETON.index("spine2")
    rotations = source.rotations.copy()
    rotations[:, spine] = quaternion_multiply(
        rotations[:, spine], rotation_vector_to_quaternion(bow)
    )
    source = turned_and_moved(replace(source, rotations=rotations), 2.0, np.zeros(3))
    made = waving()
    joints = tuple(f"left_{p}" for p in ("collar", "shoulder", "elbow", "wrist"))
    joints = joints[("collar", "shoulder").index(start) :]
    result = edited(source, made, Edit(joints, 20, 70), cleanup=False)
    facing = heading(source) - heading(made)
    meant = quaternion_multiply(yaw(facing)[:, None], made.global_rotations())
    inner, arm = slice(40, 51), [SKELETON.index(name) for name in joints]
    apart = rotation_angle(meant[inner, arm], result.motion.global_rotations()[inner, arm])
    assert apart.max() < 1e-6


def test_a_trunk_that_is_not_edited_does_not_fall_over_with_the_pelvis() -> None:
    source = standing()
    # As a model does it that keeps the trunk's rotation in the world: the pelvis tilts beneath it.
    tilt = rotation_vector_to_quaternion(np.tile([-1.0, 0.0, 0.0], (90, 1)))
    rotations = source.rotations.copy()
    for joint, sign in (("pelvis", 1), ("spine1", -1), ("left_hip", -1), ("right_hip", -1)):
        index, turn = SKELETON.index(joint), tilt * [1, sign, sign, sign]
        rotations[:, index] = quaternion_multiply(turn, rotations[:, index])
    made = replace(source, rotations=rotations)
    result = edited(source, made, Edit((*LEGS, "pelvis"), 20, 70))
    assert_the_rest_is_the_source(result, source)
    for name, most in (("head", 12.0), ("left_hip", 20.0), ("right_knee", 20.0)):
        joint = SKELETON.index(name)
        was, now = (m.global_rotations()[35:56, joint] for m in (source, result.motion))
        assert np.degrees(rotation_angle(was, now)).max() < most


# --- temporal borders ----------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 2, 4, 12])
def test_an_offset_dies_away_without_overshooting(frames: int) -> None:
    shares = decay(frames)[:, 0]
    assert (np.diff(np.concatenate([[1.0], shares, [0.0]])) <= 1e-9).all()
    assert shares.min() >= -1e-9


def test_what_is_the_same_does_not_change() -> None:
    source = walking(90)
    turned = turned_and_moved(source, 1.2, np.array([3.0, 0.0, -2.0]))
    result = edited(source, turned, Edit(ALL, 30, 60), cleanup=False).motion
    assert rotation_angle(source.rotations, result.rotations).max() < 1e-3
    np.testing.assert_allclose(result.root_positions, source.root_positions, atol=2e-3)


def test_small_differences_blend_within_the_frames_asked_for() -> None:
    source = walking(90)
    shift = np.tile([0.01, 0.0, 0.0], (90, 1))
    rotations = source.rotations.copy()
    head = SKELETON.index("head")
    rotations[:, head] = quaternion_multiply(
        rotations[:, head], rotation_vector_to_quaternion(shift)
    )
    made = replace(source, rotations=rotations)
    for blend in (0, 4, 8):
        edit = Edit(("head",), 20, 70, blend=blend)
        apart = rotation_angle(
            edited(source, made, edit, cleanup=False).motion.rotations, made.rotations
        )
        inside = apart[20:71, head]
        np.testing.assert_allclose(inside[blend : 51 - blend], 0.0, atol=1e-7)
        assert (inside[: max(blend - 1, 0)] > 1e-5).all()


def test_large_differences_take_longer_and_jump_less_than_a_cut() -> None:
    source, made = walking(90), waving(90)
    arm = joints_of(("left_arm",))
    cut, blended = (
        edited(source, made, Edit(arm, 30, 70, blend=blend), cleanup=False) for blend in (0, 4)
    )
    for frames in (slice(29, 31), slice(70, 72)):
        assert (
            turn_jumps(blended.motion)[frames].max() < 0.12 * turn_jumps(cut.motion)[frames].max()
        )
    assert velocity_jump(blended.motion, 30, arm) < 8.0


def two_turning(draw: st.DrawFn, frames: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Old and new rotations [T, 1, 4] that turn slowly, up to so many radians apart."""
    axis = st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(np.array)
    axis = axis.filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: v / np.linalg.norm(v))
    time = np.arange(frames)[:, None]
    old, new = (
        rotation_vector_to_quaternion(draw(st.floats(0, 0.05)) * time * draw(axis))
        for _ in range(2)
    )
    middle = quaternion_multiply(old[20], new[20] * [1, -1, -1, -1])
    turn = rotation_vector_to_quaternion(draw(st.floats(0, apart)) * draw(axis))
    new = quaternion_multiply(quaternion_multiply(turn, middle), new)
    return old[:, None], new[:, None]


@settings(max_examples=60)
@given(st.data(), st.integers(0, 2**32 - 1))
def test_where_the_range_has_room_no_joint_jumps_more_than_is_usual(
    data: st.DataObject, seed: int
) -> None:
    old, new = data.draw(st.composite(two_turning)(90, np.radians(170.0)))
    # The model's own jump, right where old and new meet.
    rough = np.random.default_rng(seed).normal(size=(3, 1, 3)) * 0.3
    new[20:23] = quaternion_multiply(rotation_vector_to_quaternion(rough), new[20:23])
    usual = 0.12
    through = rotations_through(old, new, 20, 69, (4, 20), (True, True), usual)
    whole = np.concatenate([old[:20], through[20:70], old[70:]])
    for border in (slice(18, 41), slice(49, 71)):
        # At the end the two may be further apart, and turn against each other.
        allowed = usual if border.start == 18 else 2.5 * usual
        assert jumps_of_turns(whole[border]).max() <= allowed + 1e-9
    assert through[41:49].tobytes() == new[41:49].tobytes()


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.floats(0.001, 0.1))
def test_a_path_jumps_no_more_than_usual_or_than_the_smoothest_way_over(
    seed: int, longest: int, usual: float
) -> None:
    rng = np.random.default_rng(seed)
    old, new = (np.cumsum(rng.normal(size=(80, 3)) * 0.05, axis=0) for _ in range(2))
    through = path_through(old, new, 10, 69, (1, longest), (True, False), usual)
    whole = np.concatenate([old[:10], through[10:]])
    border = slice(8, 13)
    jump = np.linalg.norm(np.diff(whole[border], n=2, axis=0), axis=-1).max()
    after = 10 + longest
    step = new[after + 1] - new[after]
    begin = new[after] - (longest + 1) * step
    shares = np.concatenate([[[1.0, -1.0], [1.0, 0.0]], decay(longest), np.zeros((2, 2))])
    peaks = np.abs(np.diff(shares, n=2, axis=0)).max(axis=0)
    offset, speed = old[9] - begin, (old[9] - old[8]) - step
    smoothest = np.linalg.norm(offset) * peaks[0] + np.linalg.norm(speed) * peaks[1]
    assert jump <= max(usual, smoothest) + 1e-9
    np.testing.assert_array_equal(through[after:], new[after:])


def test_jumps_at_borders_are_mostly_those_of_the_clip_itself(captured: list[Motion]) -> None:
    rng = np.random.default_rng(0)
    ratios, cuts = [], []
    for _ in range(24):
        source, other = (captured[i] for i in rng.integers(len(captured), size=2))
        count = min(source.frame_count, other.frame_count)
        first = int(rng.integers(8, count - 40))
        parts = [("left_arm",), ("right_arm", "head"), ("spine",), BODY_PARTS][rng.integers(4)]
        for blend, found in ((4, ratios), (0, cuts)):
            edit = Edit(joints_of(parts), first, first + 30, blend=blend)
            result = edited(source, other.at_frames(slice(0, count)), edit)
            found.append(max(jump.turn_ratio for jump in border_jumps(source, result)))
    assert np.median(ratios) < 1.2
    assert np.median(ratios) < 0.2 * np.median(cuts)


# --- the root's path -----------------------------------------------------------------------------


def curving(frames: int, rate: float) -> Motion:
    """A walk that turns by ``rate`` radians a second."""
    source = walking(frames)
    angles = rate * np.arange(frames) / source.fps
    rotations, steps = source.rotations.copy(), np.diff(source.root_positions, axis=0)
    rotations[:, 0] = quaternion_multiply(yaw(angles), rotations[:, 0])
    way = np.cumsum(quaternion_rotate(yaw(angles[1:]), steps), axis=0)
    root = source.root_positions[:1] + np.concatenate([np.zeros((1, 3)), way])
    return replace(source, rotations=rotations, root_positions=root)


@pytest.mark.parametrize("rate", [-0.6, 0.4])
def test_an_edited_path_bends_back_to_the_later_path(rate: float) -> None:
    source, made = walking(120), curving(120, rate)
    result = edited(source, made, Edit(ALL, 30, 89)).motion
    np.testing.assert_array_equal(result.root_positions[90:], source.root_positions[90:])
    way = np.linalg.norm(np.diff(result.root_positions[:, GROUND], axis=0), axis=-1)
    usual = np.linalg.norm(np.diff(source.root_positions[:, GROUND], axis=0), axis=-1)
    assert way[28:92].max() < 1.5 * usual.max()
    middle = result.root_positions[60, 0] - source.root_positions[60, 0]
    assert np.sign(middle) == np.sign(rate)
    assert abs(heading(result)[88] - heading(source)[88]) < 0.1


def test_an_edited_path_may_be_carried_on() -> None:
    source, made = walking(120), curving(120, 0.5)
    result = edited(source, made, Edit(ALL, 30, 89, later="OFFSET"))
    assert result.offset.turn == pytest.approx(0.5 * 61 / 30, abs=0.1)
    assert result.offset.shift[1] == 0.0
    jumps = path_jumps(result.motion, ["pelvis"])
    assert jumps[88:92].max() < 2.0 * usual_jump(result.motion, ["pelvis"], path_jumps) + 0.1


def test_at_the_end_the_path_is_free_and_at_the_beginning_it_leads_to_the_rest() -> None:
    source, made = walking(90), curving(120, 0.5)
    end = edited(source, made, Edit(ALL, 60, 119))
    assert end.motion.frame_count == 120
    assert not end.offset.turn
    assert heading(end.motion)[119] == pytest.approx(0.5 * 59 / 30, abs=0.15)
    begin = edited(source, made, Edit(ALL, 0, 40)).motion
    steps = np.linalg.norm(np.diff(begin.root_positions[:, GROUND], axis=0), axis=-1)
    assert steps.max() < 0.06


def test_the_floor_of_the_source_stays_the_floor() -> None:
    source = turned_and_moved(standing(), 0.0, np.array([0.0, 0.7, 0.0]))
    for at, made in ((0, standing(90)), (30, standing(31))):
        result = edited(source, made, Edit(ALL, 30, 60), at).motion
        assert abs(result.positions()[:, LEFT.toe, 1] - 0.72).max() < 0.004


# --- feet ----------------------------------------------------------------------------------------


def swaying(frames: int = 90) -> Motion:
    """Standing while the pelvis goes down and to the side and comes back; its feet slide along."""
    motion = standing(frames)
    bump = np.sin(np.pi * np.arange(frames) / (frames - 1))[:, None] ** 2
    return replace(motion, root_positions=motion.root_positions + bump * [0.08, -0.06, 0.03])


def test_standing_feet_that_are_not_edited_stay_when_the_pelvis_is() -> None:
    source, made = standing(), swaying()
    for joints in (("pelvis",), joints_of(UPPER)):
        kept = edited(source, made, Edit(joints, 10, 80), cleanup=False)
        assert set(kept.report.adjusted) == set(LEGS) - {"left_foot", "right_foot"}
        feet = [LEFT.ankle, LEFT.toe, RIGHT.ankle, RIGHT.toe]
        apart = kept.motion.positions()[:, feet] - source.positions()[:, feet]
        assert np.linalg.norm(apart, axis=-1).max() < 2e-3
        sunk = kept.motion.root_positions[45, 1] - source.root_positions[45, 1]
        assert sunk < -0.04
        assert_the_rest_is_the_source(kept, source)
    free = edited(source, made, Edit(("pelvis",), 10, 80, keep_feet=False))
    assert free.report.adjusted == ()


def test_feet_of_edited_legs_stand_still_though_the_pelvis_is_not_edited() -> None:
    source, made = swaying(), standing()
    bent = replace(made, rotations=made.rotations.copy())
    raw = edited(source, bent, Edit(LEGS, 10, 80), cleanup=False)
    locked = edited(source, bent, Edit(LEGS, 10, 80))
    np.testing.assert_array_equal(locked.motion.root_positions, source.root_positions)
    path = locked.motion.positions()[20:71, LEFT.toe][:, GROUND]
    slid = raw.motion.positions()[20:71, LEFT.toe][:, GROUND]
    assert np.ptp(path, axis=0).max() < 0.3 * np.ptp(slid, axis=0).max()


def test_a_foot_that_stands_across_a_border_stays_where_it_is() -> None:
    source = standing()
    made = turned_and_moved(standing(bend=0.35), 0.0, np.array([0.0, -0.02, 0.0]))
    toes = [LEFT.toe, RIGHT.toe]
    result = edited(source, made, Edit((*LEGS, "pelvis"), 30, 89)).motion
    apart = result.positions()[:, toes][..., GROUND] - source.positions()[:, toes][..., GROUND]
    assert np.abs(apart).max() < 2e-3


def test_captured_feet_slide_far_less_than_without_the_clean_up(captured: list[Motion]) -> None:
    rng = np.random.default_rng(1)
    raw, after = [], []
    for _ in range(25):
        source, other = (captured[i] for i in rng.integers(len(captured), size=2))
        count = min(source.frame_count, other.frame_count)
        first = int(rng.integers(8, count - 45))
        edit = Edit(ALL, first, first + 35, later="OFFSET")
        made = other.at_frames(slice(0, count))
        for clean, found in ((False, raw), (True, after)):
            motion = edited(source, made, edit, cleanup=clean).motion
            found.append(foot_sliding(motion, first, first + 35))
    assert np.nanmean(after) < 0.65 * np.nanmean(raw)
