"""The packed motion format: coding, round trip, damaged files."""

import io
import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.dataset_format import (
    PackedClip,
    continuous_rotation_vectors,
    differentiate_twice,
    integrate_twice,
    read_captions,
    read_pack,
    unzigzag,
    write_captions,
    write_pack,
    zigzag,
)
from core.errors import ScaleMoGenError
from core.rotations import rotation_angle, rotation_vector_to_quaternion


@given(arrays(np.int16, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_differences_wrap_and_come_back(values: np.ndarray) -> None:
    assert np.array_equal(integrate_twice(differentiate_twice(values)), values)


def test_zigzag_is_a_bijection_with_small_magnitudes_first() -> None:
    every = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
    assert np.array_equal(unzigzag(zigzag(every)), every)
    assert zigzag(np.array([0, -1, 1, -2, 2], np.int16)).tolist() == [0, 1, 2, 3, 4]


def documented_clips(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Plain-loop reading of the format as it is documented, one value at a time."""
    with lzma.open(path) as file:
        z = dict(np.load(io.BytesIO(file.read())))
    result = []
    for start, length in zip(z["start"], z["length"], strict=True):
        rotations = np.zeros((length, 66))
        for row in range(66):
            value = slope = 0
            for t in range(length):
                code = int(z["low"][row, start + t]) + 256 * int(z["high"][row, start + t])
                change = code // 2 if code % 2 == 0 else -(code + 1) // 2
                slope = change if t <= 1 else slope + change
                value += slope
                wrapped = (value + 32768) % 65536 - 32768
                rotations[t, row] = wrapped / 2048
        root = np.cumsum(z["root_delta"][start : start + length].astype(int), axis=0) / 2000
        result.append((rotations.reshape(length, 22, 3), root))
    return result


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_clips_round_trip_within_half_a_step(tmp_path_factory, lengths, seed) -> None:
    random = np.random.default_rng(seed)
    clips = [
        PackedClip(f"own/{i}", random.uniform(-15.9, 15.9, (n, 22, 3)), random.normal(size=(n, 3)))
        for i, n in enumerate(lengths)
    ]
    path = tmp_path_factory.mktemp("pack") / "own.npz.xz"
    write_pack(path, clips)
    pack = read_pack(path)
    assert [clip.clip_id for clip in pack] == [clip.clip_id for clip in clips]
    for clip, read, plain in zip(clips, pack, documented_clips(path), strict=True):
        assert np.abs(read.rotation_vectors - clip.rotation_vectors).max() <= 0.5 / 2048 + 1e-12
        assert np.abs(read.root_positions - clip.root_positions).max() <= 0.5 / 2000 + 1e-12
        assert np.array_equal(read.rotation_vectors, plain[0])
        assert np.array_equal(read.root_positions, plain[1])
    assert np.array_equal(pack[clips[-1].clip_id].rotation_vectors, list(pack)[-1].rotation_vectors)


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    clip = PackedClip("a", np.full((3, 22, 3), 0.25), np.ones((3, 3)))
    write_pack(tmp_path / "a", [clip])
    write_pack(tmp_path / "b", [clip])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_spinning_joint_stays_continuous_and_is_the_same_rotation() -> None:
    angles = np.linspace(0, 9.0, 60)
    vectors = np.zeros((60, 2, 3))
    vectors[:, 0, 1] = (angles + np.pi) % (2 * np.pi) - np.pi
    vectors[:, 1, 0] = -0.3
    smooth = continuous_rotation_vectors(vectors)
    assert np.abs(np.diff(smooth, axis=0)).max() < 0.2
    same = rotation_angle(
        rotation_vector_to_quaternion(vectors), rotation_vector_to_quaternion(smooth)
    )
    assert same.max() < 1e-9


def test_clip_becomes_a_motion_and_comes_back() -> None:
    random = np.random.default_rng(0)
    clip = PackedClip("a", random.normal(size=(5, 22, 3)), random.normal(size=(5, 3)))
    motion = clip.motion()
    assert motion.frame_count == 5 and motion.fps == 30.0
    again = PackedClip.from_motion("a", motion)
    angle = rotation_angle(motion.rotations, again.motion().rotations)
    assert angle.max() < 1e-6


@pytest.mark.parametrize("damage", ["truncated", "not xz", "missing", "short"])
def test_damaged_files_are_refused_with_a_remedy(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "own.npz.xz"
    write_pack(path, [PackedClip("a", np.zeros((3, 22, 3)), np.zeros((3, 3)))])
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "not xz":
        path.write_bytes(b"hello")
    elif damage == "missing":
        path.unlink()
    else:
        with lzma.open(path) as file:
            z = dict(np.load(io.BytesIO(file.read())))
        buffer = io.BytesIO()
        np.savez(buffer, **{**z, "length": z["length"] + 1})
        path.write_bytes(lzma.compress(buffer.getvalue()))
    with pytest.raises(ScaleMoGenError, match=r"own\.npz\.xz.*\."):
        read_pack(path)


def test_impossible_clips_are_refused(tmp_path: Path) -> None:
    still = PackedClip("a", np.zeros((3, 22, 3)), np.zeros((3, 3)))
    for clips in ([still, still], [PackedClip("b", np.full((1, 22, 3), 17.0), np.zeros((1, 3)))]):
        with pytest.raises(ValueError):
            write_pack(tmp_path / "x.npz.xz", clips)
    assert list(tmp_path.iterdir()) == []


def test_captions_round_trip_and_bad_lines_are_named(tmp_path: Path) -> None:
    rows = [{"clip": "a", "captions": ["ein Kind hüpft"]}, {"clip": "b", "captions": []}]
    path = tmp_path / "captions.jsonl"
    write_captions(path, rows)
    assert read_captions(path) == rows
    path.write_text('{"clip": "a"}\nnonsense\n', encoding="utf-8")
    with pytest.raises(ScaleMoGenError, match=r"captions\.jsonl:2"):
        read_captions(path)
