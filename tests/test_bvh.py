"""BVH files: any hierarchy in, canonical names out, round trip, clear errors."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bvh import format_bvh, motion_from_bvh, parse_bvh, read_bvh, write_bvh
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.rotations import (
    continuous_euler,
    euler_to_quaternion,
    matrix_to_euler,
    matrix_to_quaternion,
    normalize,
    quaternion_to_matrix,
    rotation_angle,
)
from core.skeleton import canonical, load_skeleton


def random_motion(seed: int, frames: int, fps: float = 30.0) -> Motion:
    random = np.random.default_rng(seed)
    rotations = normalize(random.normal(size=(frames, 22, 4)))
    return Motion(canonical(), rotations, random.normal(size=(frames, 3)), fps)


def smooth_motion(frames: int = 60) -> Motion:
    """Every joint turns steadily about its own axis, through several whole turns."""
    random = np.random.default_rng(3)
    axes = normalize(random.normal(size=(22, 3)))
    angle = np.linspace(0, 14, frames)[:, None] * random.uniform(0.3, 1.0, 22)
    rotations = np.concatenate(
        [np.cos(angle / 2)[..., None], np.sin(angle / 2)[..., None] * axes], axis=-1
    )
    return Motion(canonical(), rotations, np.zeros((frames, 3)), 30.0)


# --- round trip ----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([20.0, 23.976, 30.0, 120.0]))
def test_motion_survives_the_file(seed: int, frames: int, fps: float) -> None:
    motion = random_motion(seed, frames, fps)
    again = motion_from_bvh(parse_bvh(format_bvh(motion)))
    assert again is not None
    assert np.degrees(rotation_angle(motion.rotations, again.rotations)).max() < 0.01
    assert np.abs(motion.positions() - again.positions()).max() < 1e-4
    assert again.fps == pytest.approx(fps, rel=1e-5)
    if fps != 23.976:
        assert again.fps == fps


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-8, 8)] * 3), min_size=1, max_size=6),
    st.sampled_from(["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"]),
)
def test_continuous_angles_are_the_same_rotations_at_gimbal_lock_too(eighths, order) -> None:
    # Multiples of 22.5 degrees hit the lock (second angle +-90) often.
    angles = np.array(eighths, dtype=float)[:, None, :] * np.pi / 8
    rotations = euler_to_quaternion(angles, order)
    found = continuous_euler(quaternion_to_matrix(rotations), order)
    assert np.degrees(rotation_angle(euler_to_quaternion(found, order), rotations)).max() < 0.01


def test_written_angles_never_jump_by_half_a_turn() -> None:
    matrices = quaternion_to_matrix(smooth_motion(600).rotations)
    jumps = np.degrees(np.abs(np.diff(continuous_euler(matrices, "ZXY"), axis=0)))
    wrapped = np.degrees(np.abs(np.diff(matrix_to_euler(matrices, "ZXY"), axis=0)))
    # A joint passing close to the lock turns two angles quickly, but never flips.
    assert jumps.max() < 120 < 300 < wrapped.max()


def test_a_locked_joint_keeps_its_free_angle() -> None:
    turn = np.linspace(0, 1, 20)
    angles = np.stack([turn, np.full(20, np.pi / 2), np.full(20, 0.4)], axis=-1)[:, None]
    angles[0, 0, 1] = 1.5  # the first frame is not locked and sets the free angle
    found = continuous_euler(quaternion_to_matrix(euler_to_quaternion(angles, "ZXY")), "ZXY")
    assert np.abs(found - angles).max() < 1e-3


def test_our_files_have_canonical_names_in_centimetres_y_up() -> None:
    motion = random_motion(1, 2)
    clip = parse_bvh(format_bvh(motion))
    assert sorted(clip.joint_names) == sorted(canonical().joint_names)
    knee = clip.joint_names.index("left_knee")
    assert clip.offsets[knee].tolist() == [0.0, -41.0, 0.0]
    assert np.allclose(clip.translations[:, 0], motion.root_positions * 100, atol=1e-6)
    rest = Motion(
        canonical(), np.tile([1.0, 0, 0, 0], (1, 22, 1)), np.array([[0.0, 0.9, 0.0]]), 30.0
    )
    positions = parse_bvh(format_bvh(rest)).globals()[1][0]
    head = clip.joint_names.index("head")
    assert positions[head, 1] > 140
    assert "-0.000000" not in format_bvh(rest)


def test_published_skeletons_are_written_in_their_own_units() -> None:
    skeleton = load_skeleton("snapmogen")
    rotations = np.tile([1.0, 0, 0, 0], (2, skeleton.joint_count, 1))
    motion = Motion(skeleton, rotations, np.full((2, 3), 90.0), 30.0)
    clip = parse_bvh(format_bvh(motion))
    at = [clip.joint_names.index(name) for name in skeleton.joint_names]
    assert np.allclose(clip.globals()[1][:, at], motion.positions(), atol=1e-4)
    assert motion_from_bvh(clip) is None


# --- other programs' files -----------------------------------------------------------------------


def matrix(axis: str, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i = "XYZ".index(axis)
    result = np.eye(4)
    a, b = (i + 1) % 3, (i + 2) % 3
    result[a, a] = result[b, b] = c
    result[a, b], result[b, a] = -s, s
    return result


@st.composite
def hierarchies(draw):
    count = draw(st.integers(1, 6))
    parents = [-1] + [draw(st.integers(0, j - 1)) for j in range(1, count)]
    channels = []
    for _ in range(count):
        rotation = draw(st.permutations(["Xrotation", "Yrotation", "Zrotation"]))
        kept = rotation[: draw(st.integers(0, 3))]
        position = draw(st.sets(st.sampled_from(["Xposition", "Yposition", "Zposition"])))
        mixed = draw(st.permutations([*kept, *sorted(position)]))
        channels.append(mixed)
    channels[0] = channels[0] or ["Yrotation"]  # a frame is a line with at least one number
    return parents, channels, draw(st.integers(0, 2**31)), draw(st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(hierarchies(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_hierarchy_and_channel_order_is_read(tree, newline: str, exponent: bool) -> None:
    parents, channels, seed, frames = tree
    random = np.random.default_rng(seed)
    offsets = np.round(random.normal(size=(len(parents), 3)) * 10, 4)
    values = np.round(random.uniform(-180, 180, (frames, sum(map(len, channels)))), 4)
    pattern = "%.8e" if exponent else "%.4f"

    def numbers(row) -> str:
        return " ".join(pattern % value for value in row)

    order: list[int] = []
    lines = ["HIERARCHY"]

    def add(joint: int) -> None:
        order.append(joint)
        lines.append(f"{'JOINT' if parents[joint] >= 0 else 'ROOT'} Bip01 bone {joint} {{")
        lines.append(f"OFFSET {numbers(offsets[joint])}")
        lines.append(f"CHANNELS {len(channels[joint])} {' '.join(channels[joint])}")
        children = [c for c, parent in enumerate(parents) if parent == joint]
        for child in children:
            add(child)
        if not children:
            lines.extend(["End Site", "{", "OFFSET 0 1 0", "}"])
        lines.append("}")

    add(0)
    lines.extend(["MOTION", f"Frames: {frames}", "Frame Time: 0.0333333"])
    lines.extend(numbers(row) for row in values)
    clip = parse_bvh(newline.join(lines) + newline)
    assert clip.fps == 30.0
    assert clip.joint_names == tuple(f"Bip01 bone {joint}" for joint in order)
    rotations, positions = clip.globals()

    # One 4x4 matrix per channel, as the format is defined.
    for t in range(frames):
        column = 0
        world: dict[int, np.ndarray] = {}
        for index, joint in enumerate(order):
            place, turn = offsets[joint].copy(), np.eye(4)
            for channel in channels[joint]:
                if channel.endswith("position"):
                    place["XYZ".index(channel[0])] = values[t, column]
                else:
                    turn = turn @ matrix(channel[0], values[t, column])
                column += 1
            local = np.eye(4)
            local[:3, 3] = place
            above = np.eye(4) if parents[joint] < 0 else world[parents[joint]]
            world[joint] = above @ local @ turn
            assert np.allclose(positions[t, index], world[joint][:3, 3], atol=1e-5)
            found = rotation_angle(matrix_to_quaternion(world[joint][:3, :3]), rotations[t, index])
            assert found < 1e-6


SMALL = """HIERARCHY
ROOT hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  End Site
  {
    OFFSET 0 10 0
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 1 2 3 4 5
0 1 2 3 4 5
"""


def test_the_small_file_is_right_and_byte_order_mark_and_tabs_do_not_matter(tmp_path) -> None:
    assert parse_bvh(SMALL).fps == 25.0
    path = tmp_path / "small.bvh"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("  ", "\t").encode())
    assert read_bvh(path).joint_names == ("hips",)
    assert read_bvh(path).end_sites[0].tolist() == [0.0, 10.0, 0.0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "# a comment", "line 1: 'HIERARCHY' is expected"),
        ("OFFSET 0 0 0", "OFFSET 0 zero 0", "line 4: 'zero' is not a number"),
        ("OFFSET 0 0 0", "OFFSET 0 nan 0", "line 4: 'nan' is not a number"),
        ("Xposition", "Wposition", "line 5: unknown channel 'wposition'"),
        ("CHANNELS 6", "CHANNELS 600", "line 5: an impossible number"),
        ("}\nMOTION", "MOTION", "line 10: unexpected 'MOTION'"),
        ("}\nMOTION", "}\nROOT other\nMOTION", "line 11: one ROOT"),
        ("Frames: 2", "Frames: many", "line 12: 'Frames: <positive number>'"),
        ("Frames: 2", "Frames: 3", "3 frames are announced, 2 found"),
        ("Frames: 2", "Frames: 1", "1 frames are announced, 2 found"),
        ("Time: 0.04", "Time: 0", "line 13: 'Frame time: <positive number>'"),
        ("3 4 5\n0", "3 4 5 6\n0", "line 14: 6 finite numbers are expected, found 7"),
        ("3 4 5\n0", "3 x 5\n0", "line 14: a frame holds something"),
        ("3 4 5\n0", "3 inf 5\n0", "line 14: 6 finite numbers"),
    ],
)
def test_errors_name_the_line(old: str, new: str, message: str) -> None:
    assert old in SMALL
    with pytest.raises(ScaleMoGenError, match=message) as error:
        parse_bvh(SMALL.replace(old, new, 1))
    assert "\n" not in str(error.value)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SMALL) - 3))
def test_a_file_cut_anywhere_is_refused_or_complete(cut: int) -> None:
    with pytest.raises(ScaleMoGenError):
        parse_bvh(SMALL[:cut].rstrip("0123456789 \n") + "\n")


def test_binary_rubbish_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.bvh"
    with pytest.raises(ScaleMoGenError, match="Cannot read"):
        read_bvh(path)
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(ScaleMoGenError, match="HIERARCHY"):
        read_bvh(path)
    path.write_bytes(b"")
    with pytest.raises(ScaleMoGenError, match="ends"):
        read_bvh(path)


# --- writing safely ------------------------------------------------------------------------------


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "walk.bvh"
    write_bvh(path, random_motion(0, 2))
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.files.os.replace", full)
    with pytest.raises(ScaleMoGenError, match=r"walk\.bvh.*No space left.*free space"):
        write_bvh(path, random_motion(1, 3))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScaleMoGenError, match="Choose a writable folder"):
        write_bvh(tmp_path / "no" / "walk.bvh", random_motion(0, 2))
