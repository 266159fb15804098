"""Other people's BVH files on our skeleton, and folders of them as a data set."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from core.bvh import BvhClip, format_bvh, parse_bvh, write_bvh
from core.dataset_format import read_captions, read_pack
from core.errors import ScaleMoGenError
from core.features.heading import facing_directions
from core.import_motion import (
    canonical_motion,
    facing_forward,
    fault,
    held,
    on_floor,
    training_clips,
)
from core.motion import Motion
from core.motion_folder import _hold_one_take_back, find_captions, import_folder, split_of
from core.rotations import (
    euler_to_quaternion,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical

MIXAMO = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2",
    "neck": "Neck", "head": "Head",
    **{
        f"{side}_{ours}": f"{side.capitalize()}{theirs}"
        for side in ("left", "right")
        for ours, theirs in (
            ("hip", "UpLeg"), ("knee", "Leg"), ("ankle", "Foot"), ("foot", "ToeBase"),
            ("collar", "Shoulder"), ("shoulder", "Arm"), ("elbow", "ForeArm"), ("wrist", "Hand"),
        )
    },
}  # fmt: skip


def moving(frames: int = 60, fps: float = 30.0, seed: int = 0) -> Motion:
    """A smooth motion: every joint swings by up to half a radian while the body walks ahead."""
    random = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None] / fps
    swing = random.normal(size=(1, 22, 3)) * 0.25
    vectors = swing * np.sin(2 * np.pi * time + random.uniform(0, 6, (1, 22, 1)))
    root = np.stack(
        [0.02 * np.sin(time[:, 0, 0]), np.full(frames, 0.98), 0.8 * time[:, 0, 0]], axis=-1
    )
    return Motion(canonical(), rotation_vector_to_quaternion(vectors), root, fps)


def renamed(clip: BvhClip) -> BvhClip:
    """The same file with Mixamo's joint names."""
    return dataclasses.replace(
        clip, joint_names=tuple("mixamorig:" + MIXAMO[name] for name in clip.joint_names)
    )


def bone_angles(a: Motion, b: Motion) -> np.ndarray:
    """Largest angle in degrees between the limbs' directions of two motions, per joint."""
    result = []
    for joint, parent in enumerate(canonical().parents):
        if parent > 0:
            u, v = (m.positions()[:, joint] - m.positions()[:, parent] for m in (a, b))
            cosine = np.sum(u * v, -1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
            result.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max())
    return np.array(result)


# --- one file ------------------------------------------------------------------------------------


def test_our_own_file_comes_back_exactly() -> None:
    motion = moving()
    again = canonical_motion(parse_bvh(format_bvh(motion)))
    assert np.degrees(rotation_angle(motion.rotations, again.rotations)).max() < 0.01
    assert np.abs(motion.root_positions - again.root_positions).max() < 1e-4


def test_a_mixamo_skeleton_of_another_size_gives_the_same_motion() -> None:
    motion = moving()
    clip = renamed(parse_bvh(format_bvh(motion)))
    larger = dataclasses.replace(clip, offsets=clip.offsets * 2, translations=clip.translations * 2)
    again = canonical_motion(larger)
    assert bone_angles(motion, again).max() < 0.5
    # The path is scaled back by leg length.
    travelled = np.ptp(again.root_positions[:, 2]) / np.ptp(motion.root_positions[:, 2])
    assert travelled == pytest.approx(1.0, abs=0.01)


def test_an_a_pose_rest_and_turned_bone_axes_do_not_matter() -> None:
    """The same world motion told by a skeleton whose arms hang at rest."""
    motion = moving()
    clip = renamed(parse_bvh(format_bvh(motion)))
    turns = np.tile([1.0, 0, 0, 0], (22, 1))
    for side, angle in (("Left", -0.8), ("Right", 0.8)):
        for part in ("Arm", "ForeArm", "Hand"):
            at = clip.joint_names.index(f"mixamorig:{side}{part}")
            turns[at] = rotation_vector_to_quaternion(np.array([0.0, 0.0, angle]))
    parents = np.maximum(np.array(clip.parents), 0)
    offsets = quaternion_rotate(turns[parents], clip.offsets)
    world, _ = clip.globals()
    rest_free = quaternion_multiply(world, quaternion_conjugate(turns))
    local = rest_free.copy()
    local[:, 1:] = quaternion_multiply(
        quaternion_conjugate(rest_free[:, parents[1:]]), rest_free[:, 1:]
    )
    translations = np.repeat(offsets[None], len(local), axis=0)
    translations[:, 0] = clip.translations[:, 0]
    hanging = dataclasses.replace(clip, offsets=offsets, rotations=local, translations=translations)
    expected, found = clip.globals()[1], hanging.globals()[1]
    assert np.abs(expected - found).max() < 1e-6  # the two files show the same
    assert bone_angles(motion, canonical_motion(hanging)).max() < 1.0


def test_a_z_up_file_stands_upright() -> None:
    motion = moving()
    clip = renamed(parse_bvh(format_bvh(motion)))
    to_z_up = euler_to_quaternion(np.array([np.pi / 2, 0.0, 0.0]), "XYZ")
    back = quaternion_conjugate(to_z_up)
    z_up = dataclasses.replace(
        clip,
        offsets=quaternion_rotate(to_z_up, clip.offsets),
        translations=quaternion_rotate(to_z_up, clip.translations),
        rotations=quaternion_multiply(quaternion_multiply(to_z_up, clip.rotations), back),
    )
    assert bone_angles(motion, canonical_motion(z_up)).max() < 0.5


def test_a_frame_can_stand_in_for_a_useless_rest_pose() -> None:
    motion = moving()
    motion.rotations[0] = [1.0, 0.0, 0.0, 0.0]
    clip = renamed(parse_bvh(format_bvh(motion)))
    assert bone_angles(motion, canonical_motion(clip, "m", rest_frame=0)).max() < 0.5
    with pytest.raises(ScaleMoGenError, match="no frame 60"):
        canonical_motion(clip, "m", rest_frame=60)


def test_a_skeleton_without_legs_is_refused() -> None:
    clip = parse_bvh(format_bvh(moving(2)))
    names = tuple(f"bone{i}" for i in range(22))
    nameless = dataclasses.replace(clip, joint_names=names)
    assert canonical_motion(nameless, "robot.bvh").frame_count == 2, "its shape shows the legs"
    snake = tuple(range(-1, 21))
    with pytest.raises(ScaleMoGenError, match="not found"):
        canonical_motion(dataclasses.replace(nameless, parents=snake), "snake.bvh")


# --- fit for training ----------------------------------------------------------------------------


def test_clips_stand_on_the_floor_facing_forward_above_the_origin() -> None:
    motion = moving()
    turn = euler_to_quaternion(np.array([2.0, 0.0, 0.0]), "YXZ")
    rotations = motion.rotations.copy()
    rotations[:, 0] = quaternion_multiply(turn, rotations[:, 0])
    root = quaternion_rotate(turn, motion.root_positions) + np.array([5.0, 3.0, -2.0])
    moved = dataclasses.replace(motion, rotations=rotations, root_positions=root)
    clip = facing_forward(on_floor(moved))
    facing = facing_directions(clip.positions(), clip.skeleton, 5.0)[0]
    assert facing[2] == pytest.approx(1.0, abs=1e-4)
    assert clip.root_positions[0, [0, 2]] == pytest.approx([0.0, 0.0], abs=1e-9)
    toes = clip.positions()[:, [10, 11], 1].min(axis=1)
    assert np.percentile(toes, 2) == pytest.approx(0.02, abs=1e-6)
    expected = facing_forward(on_floor(motion))
    assert np.abs(expected.positions() - clip.positions()).max() < 1e-6


@pytest.mark.parametrize(
    ("frames", "fps", "lengths"),
    [
        (60, 30.0, [60]),
        (240, 120.0, [60]),
        (360, 30.0, [360]),
        (500, 30.0, [240, 240, 20]),
        (485, 30.0, [240, 240]),
        (20, 30.0, [30]),
        (10, 30.0, []),
    ],
)
def test_takes_are_resampled_cut_padded_or_dropped(frames, fps, lengths) -> None:
    clips = list(training_clips(moving(frames, fps)))
    expected = [30 if length == 20 else length for length in lengths]
    assert [clip.frame_count for _, clip in clips] == expected
    assert all(clip.fps == 30.0 for _, clip in clips)
    assert [start for start, _ in clips] == [240 * n for n in range(len(clips))]


def test_padding_holds_both_ends() -> None:
    motion = moving(20)
    padded = held(motion, 30)
    assert np.array_equal(padded.rotations[:5], np.repeat(motion.rotations[:1], 5, axis=0))
    assert np.array_equal(padded.rotations[5:25], motion.rotations)
    assert np.array_equal(padded.rotations[25:], np.repeat(motion.rotations[-1:], 5, axis=0))


def test_faults_of_the_capture_are_found() -> None:
    motion = moving()
    assert fault(motion) is None
    jump = motion.root_positions.copy()
    jump[30:] += [0.0, 0.0, 1.0]
    assert "hips move" in str(fault(dataclasses.replace(motion, root_positions=jump)))
    flip = motion.rotations.copy()
    flip[30:, 18] = quaternion_multiply(flip[30:, 18], np.array([0.0, 1.0, 0.0, 0.0]))
    assert "left_elbow turns" in str(fault(dataclasses.replace(motion, rotations=flip)))
    bad = motion.root_positions.copy()
    bad[3] = np.nan
    assert "not numbers" in str(fault(dataclasses.replace(motion, root_positions=bad)))


# --- a folder ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    (path / "kicks").mkdir(parents=True)
    write_bvh(path / "walk.bvh", moving(90))
    write_bvh(path / "kicks" / "kick.bvh", moving(60, seed=1))
    (path / "walk.txt").write_text("a person walks\n\n someone  walks ahead \n")
    (path / "captions.tsv").write_text("# mine\nkicks/kick.bvh\ta person kicks\n")
    return path


def test_a_folder_becomes_a_data_set(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    result = import_folder(folder, out, source="mine", licence="CC0")
    assert result.clips == 2 and result.left_out == []
    rows = read_captions(out / "captions.jsonl")
    assert [(row["clip"], row["captions"], row["frames"]) for row in rows] == [
        ("mine/kicks/kick#0", ["a person kicks"], 60),
        ("mine/walk#0", ["a person walks", "someone walks ahead"], 90),
    ]
    assert {row["file"] for row in rows} == {"mine.npz.xz"}
    assert all(row["licence"] == "CC0" and row["split"] in ("train", "val") for row in rows)
    pack = read_pack(out / "mine.npz.xz")
    assert list(pack.clip_ids) == [row["clip"] for row in rows]
    expected = facing_forward(on_floor(moving(90)))
    found = pack["mine/walk#0"].motion()
    assert np.abs(expected.positions() - found.positions()).max() < 0.005


def test_importing_again_replaces_only_its_own_rows(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    import_folder(folder, out, source="first")
    import_folder(folder, out, source="second")
    import_folder(folder, out, source="first")
    sources = [row["source"] for row in read_captions(out / "captions.jsonl")]
    assert sorted(sources) == ["first", "first", "second", "second"]


def test_damaged_files_are_reported_and_the_rest_is_kept(folder: Path, tmp_path: Path) -> None:
    (folder / "walk.bvh").write_text("HIERARCHY\nnonsense\n")
    result = import_folder(folder, tmp_path / "data", source="mine")
    assert result.clips == 1
    ((name, reason),) = result.left_out
    assert name == "walk" and "line 2" in reason


def test_nothing_usable_writes_nothing(folder: Path, tmp_path: Path) -> None:
    for path in folder.rglob("*.bvh"):
        path.write_text("nonsense")
    with pytest.raises(ScaleMoGenError, match="No motion in"):
        import_folder(folder, tmp_path / "data", source="mine")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("kicks/kick no tab\n", r"captions\.tsv:1: write path<TAB>caption"),
        ("kicks/kick\t \n", r"captions\.tsv:1: write path<TAB>caption"),
        ("\nother\ta person kicks\n", r"captions\.tsv:2: there is no file other\.bvh"),
        ("", r"1 of 2 files have no caption, for example .*kick\.bvh"),
    ],
)
def test_wrong_captions_are_named(folder: Path, table: str, message: str) -> None:
    (folder / "captions.tsv").write_text(table)
    files = sorted(folder.rglob("*.bvh"))
    with pytest.raises(ScaleMoGenError, match=message):
        find_captions(folder, files)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScaleMoGenError, match=r"no \.bvh files"):
        import_folder(tmp_path, tmp_path / "data", source="mine")


def test_a_small_folder_still_has_something_to_validate_on() -> None:
    rows = [{"trial": name, "split": "train"} for name in ("a", "b", "b")]
    _hold_one_take_back(rows)
    assert [row["split"] for row in rows] == ["train", "val", "val"]
    _hold_one_take_back(rows)
    assert [row["split"] for row in rows] == ["train", "val", "val"]
    single = [{"trial": "a", "split": "train"}]
    _hold_one_take_back(single)
    assert single[0]["split"] == "train"


def test_the_split_is_stable_and_about_as_large_as_asked() -> None:
    takes = [f"take {n}" for n in range(4000)]
    first = [split_of(take, 0.1) for take in takes]
    assert first == [split_of(take, 0.1) for take in takes]
    assert 0.08 < first.count("val") / len(first) < 0.12
    assert {split_of(take, 0.0) for take in takes} == {"train"}
