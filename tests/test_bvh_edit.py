"""Edited BVH files: what nobody asked for stays to the letter, what was asked is what is shown."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bvh import parse_bvh
from core.bvh_edit import BvhSubject
from core.bvh_numbers import BvhText, written
from core.editing import Edit, Edited, Offset, Report, joints_of
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.retarget import Retargeter
from core.rotations import quaternion_multiply, rotation_angle, rotation_vector_to_quaternion
from core.skeleton import BODY_PARTS, canonical
from tests.bvh_files import STYLES, Style, bvh_of
from tests.synthetic import turn, walking

FRAMES = 24


@cache
def opened(name: str) -> BvhSubject:
    return subject_of(bvh_of(STYLES[name], walking(FRAMES)), name)


def subject_of(data: bytes, name: str = "file") -> BvhSubject:
    from core.import_motion import mapped

    text = BvhText.parse(data)
    return BvhSubject(name, text, Retargeter.build(*mapped(text.clip, name), canonical()))


def edited(source: Motion, edit: Edit, seed: int = 0, offset: Offset | None = None) -> Edited:
    """What an engine might give back: the joints turn at random inside the range."""
    rng = np.random.default_rng(seed)
    count = max(source.frame_count, edit.last + 1)
    motion = source.at_frames(np.minimum(np.arange(count), source.frame_count - 1))
    rotations, roots = motion.rotations.copy(), motion.root_positions.copy()
    inside = slice(edit.first, edit.last + 1)
    for joint in map(canonical().index, edit.joints):
        turned = rotation_vector_to_quaternion(rng.uniform(-0.8, 0.8, (edit.frame_count, 3)))
        rotations[inside, joint] = quaternion_multiply(rotations[inside, joint], turned)
    if "pelvis" in edit.joints:
        roots[inside] += rng.uniform(-0.3, 0.3, (edit.frame_count, 3))
    made = replace(motion, rotations=rotations, root_positions=roots)
    report = Report(edit, (edit.first, edit.last), (0, count - 1))
    return Edited(made, report, offset or Offset())


def after(subject: BvhSubject, words: list[str], first: int, last: int, seed: int = 0) -> BvhText:
    """The text after a made-up edit; only frames around the range are read."""
    region = subject.region(words)
    seen = subject.read(max(0, first - 3), min(subject.last, last + 3))
    edit = Edit(region.joints, first - seen.first, last - seen.first)
    return subject.edited_text(seen, edited(seen.motion, edit, seed), region)


def words_of(line: str) -> list[str]:
    """A line's words and the spaces between them."""
    return re.split(r"(\s+)", line)


# --- outside -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STYLES)
def test_a_file_that_is_only_read_keeps_every_byte(name: str) -> None:
    data = bvh_of(STYLES[name], walking(FRAMES))
    assert BvhText.parse(data).to_bytes() == data
    damaged = data.replace(b"JOINT", b"JOINT \xff\xfe", 1)  # a name in another encoding
    assert BvhText.parse(damaged).to_bytes() == damaged


@settings(max_examples=40)
@given(
    st.sampled_from(list(STYLES)),
    st.lists(st.sampled_from(BODY_PARTS), min_size=1, max_size=3, unique=True),
    st.tuples(st.integers(0, FRAMES - 1), st.integers(0, FRAMES - 1)).map(sorted),
    st.integers(0, 99),
)
def test_outside_bones_and_frames_every_character_stays(name, parts, frames, seed) -> None:
    subject = opened(name)
    first, last = frames
    text = after(subject, parts, first, last, seed)
    assert len(text.lines) == len(subject.text.lines)
    bones = {subject.text.clip.joint_names.index(b) for b in subject.region(parts).bones}
    if "root" in parts:  # the joint whose positions carry the hips, theirs or one above
        bones.add(0)
        bones.add(subject.retargeter.mover)
    for number, (old, new) in enumerate(zip(subject.text.lines, text.lines, strict=True)):
        if number not in subject.text.table.frame_lines[first : last + 1]:
            assert new == old
            continue
        changed = [
            at for at, (a, b) in enumerate(zip(words_of(old), words_of(new), strict=True)) if a != b
        ]
        indent = 2 if words_of(old)[0] == "" else 0
        columns = [subject.text.table.columns[(at - indent) // 2] for at in changed]
        assert {joint for joint, _ in columns} <= bones
        if "root" not in parts:
            assert all(channel.endswith("rotation") for _, channel in columns)
        assert columns, "something has to change inside"


@settings(max_examples=15)
@given(st.sampled_from(list(STYLES)), st.sampled_from(BODY_PARTS), st.integers(0, 99))
def test_outside_the_range_every_joint_is_exactly_where_it_was(name, part, seed) -> None:
    subject = opened(name)
    text = after(subject, [part], 8, 15, seed)
    new = parse_bvh(text.to_bytes().decode("utf-8-sig"))
    (_, before), (turns, positions) = subject.text.clip.globals(), new.globals()
    outside = np.r_[0:8, 16:FRAMES]
    assert np.array_equal(positions[outside], before[outside])
    assert not np.array_equal(turns[8:16], subject.text.clip.globals()[0][8:16])


@pytest.mark.parametrize("name", STYLES)
def test_an_edit_that_changes_nothing_writes_nothing(name: str) -> None:
    subject = opened(name)
    region, seen = subject.region(["all"]), subject.read(0, subject.last)
    edit = Edit(region.joints, 3, 20)
    same = Edited(seen.motion, Report(edit, (3, 20), (0, 23)))
    assert subject.edited_text(seen, same, region).lines == subject.text.lines


# --- inside --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STYLES)
def test_inside_the_file_shows_the_edit(name: str) -> None:
    subject = opened(name)
    region, seen = subject.region(["all"]), subject.read(0, subject.last)
    wanted = edited(seen.motion, Edit(region.joints, 5, 16))
    text = subject.edited_text(seen, wanted, region)
    shown = subject_of(text.to_bytes()).read(0, FRAMES - 1).motion
    height = shown.root_positions[0, 1] - seen.motion.root_positions[0, 1]  # another floor
    roots = shown.root_positions - [0.0, height, 0.0]
    assert np.abs(roots - wanted.motion.root_positions).max() < 2e-3
    limbs = [canonical().index(joint) for joint in joints_of(("left_arm", "right_leg", "root"))]
    turned = rotation_angle(shown.global_rotations(), wanted.motion.global_rotations())
    assert np.degrees(turned[:, limbs]).max() < 0.1


def test_an_arm_keeps_its_direction_in_the_world_when_only_it_is_edited() -> None:
    subject = opened("lafan")
    region, seen = subject.region(["LeftForeArm"]), subject.read(0, subject.last)
    assert region.joints == ("left_elbow",) and region.bones == ("LeftForeArm",)
    wanted = edited(seen.motion, Edit(region.joints, 5, 16))
    shown = subject_of(subject.edited_text(seen, wanted, region).to_bytes()).read(0, 23).motion
    elbow = canonical().index("left_elbow")
    both = [motion.global_rotations()[:, elbow] for motion in (shown, wanted.motion)]
    assert np.degrees(rotation_angle(*both)).max() < 0.05


def test_new_numbers_are_written_as_the_file_writes_its_numbers() -> None:
    for name, decimals in (("cmu", 4), ("lafan", 5), ("metres", 3)):
        subject = opened(name)
        line = after(subject, ["all"], 5, 5).lines[subject.text.table.frame_lines[5]]
        assert all(len(word.partition(".")[2]) == decimals for word in line.split()), name
    assert written(-1e-9, 3) == "0.000" and written(-12.34567, 2) == "-12.35"


def test_angles_go_on_from_the_turns_that_the_file_has() -> None:
    subject = opened("mixamo")
    hips = subject.text.columns_of(0, "rotation")
    values = subject.text.table.values.copy()
    values[:, hips[2]] += 1080.0
    wound = subject.text.with_values(
        0, values, np.isin(np.arange(values.shape[1]), hips)[None] & np.ones((FRAMES, 1), bool)
    )
    text = after(subject_of(wound.to_bytes()), ["root"], 8, 15)
    new = BvhText.parse(text.to_bytes()).table.values[:, hips]
    assert np.abs(np.diff(new, axis=0)).max() < 180.0


# --- beyond the range ----------------------------------------------------------------------------


def test_the_way_after_an_edit_of_the_root_can_be_carried_on() -> None:
    for name in ("mixamo", "bandai", "metres"):
        subject = opened(name)
        region, seen = subject.region(["root"]), subject.read(0, 15)
        shift = np.array([0.5, 0.0, -0.25])
        wanted = edited(seen.motion, Edit(region.joints, 8, 12), offset=Offset(0.7, shift))
        text = subject.edited_text(seen, wanted, region)
        old, new = (subject_of(t.to_bytes()).read(13, 23).motion for t in (subject.text, text))
        here = quaternion_multiply(
            np.broadcast_to(turn("y", np.degrees(0.7)), (11, 4)), old.rotations[:, 0]
        )
        assert np.degrees(rotation_angle(here, new.rotations[:, 0])).max() < 0.05, name
        x, z = old.root_positions[:, 0], old.root_positions[:, 2]
        cosine, sine = np.cos(0.7), np.sin(0.7)
        assert new.root_positions[:, 0] == pytest.approx(cosine * x + sine * z + 0.5, abs=3e-3)
        assert new.root_positions[:, 2] == pytest.approx(cosine * z - sine * x - 0.25, abs=3e-3)
        limbs = [at for at, (joint, _) in enumerate(text.table.columns) if joint > 3]
        assert np.array_equal(text.table.values[13:, limbs], subject.text.table.values[13:, limbs])


@pytest.mark.parametrize("name", ["mixamo", "bandai"])
def test_frames_beyond_the_end_are_added_as_the_file_writes_its_lines(name: str) -> None:
    subject = opened(name)
    region, seen = subject.region(["all"]), subject.read(10, subject.last)
    wanted = edited(seen.motion, Edit(region.joints, 14, 19))
    text = subject.edited_text(seen, wanted, region)
    again = BvhText.parse(text.to_bytes())
    assert again.frame_count == FRAMES + 6 == again.table.values.shape[0]
    old, new = subject.text, again
    kept = old.table.frame_lines[-1]
    assert [*old.lines[: old.table.count_line], *old.lines[old.table.count_line + 1 : kept]] == [
        *new.lines[: new.table.count_line],
        *new.lines[new.table.count_line + 1 : kept],
    ]
    end = STYLES[name].end
    assert all(line.endswith(end) for line in new.lines[:-1])
    assert new.lines[-1].endswith(end) == STYLES[name].last_line_ends
    assert not np.array_equal(new.table.values[-1], old.table.values[-1])


# --- what cannot be meant ------------------------------------------------------------------------


def test_words_find_parts_and_bones_and_tell_what_stays_untouched() -> None:
    subject = opened("mixamo")
    names = subject.text.clip.joint_names
    assert subject.region(["Left Arm"]).bones == subject.region(["left_arm"]).bones
    assert subject.region(["leftforearm"]).bones == ("mixamorig:LeftForeArm",)
    finger = next(name for name in names if "Index" in name and "Left" in name)
    region = subject.region(["LeftHand", finger])
    assert region.untouched == (finger,) and region.joints == ("left_wrist",)
    smpl = subject_of(bvh_of(Style("mixamo_plain"), walking(2)))
    assert smpl.region(["head"]).bones == ("Neck", "Head")  # the part, not the bone
    assert smpl.region(["bone:head"]).bones == ("Head",)
    everything = subject.region(["all"])
    assert len(everything.joints) == 22 and finger not in everything.bones
    with pytest.raises(ScaleMoGenError, match=r"no bone 'LeftArn'.*mixamorig:LeftArm"):
        subject.region(["LeftArn"])
    with pytest.raises(ScaleMoGenError, match="the model has no counterpart"):
        subject.region([finger])


def test_a_root_that_cannot_travel_is_refused() -> None:
    text = bvh_of(Style("mixamo_plain"), walking(2)).decode()
    lines = text.replace("CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 3").splitlines()
    rows = [" ".join(line.split()[3:]) for line in lines[-2:]]
    still = subject_of("\n".join([*lines[:-2], *rows, ""]).encode())
    with pytest.raises(ScaleMoGenError, match="cannot travel; ask for other bones"):
        still.region(["root"])
    assert still.region(["spine"]).joints == joints_of(("spine",))


def test_a_bone_map_goes_before_what_is_recognised(tmp_path: Path) -> None:
    from core.retarget import BoneMap

    path = tmp_path / "walk.bvh"
    path.write_bytes(bvh_of(STYLES["cmu"], walking(3)))
    picked = BoneMap("", {"left_wrist": ("LeftFingerBase",)})
    assert BvhSubject.open(path, picked).region(["left_arm"]).bones[-1] == "LeftFingerBase"
    with pytest.raises(ScaleMoGenError, match=r"walk\.bvh has none of the bone map's bones"):
        BvhSubject.open(path, BoneMap("", {"left_wrist": ("nobody",)}))
