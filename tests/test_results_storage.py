"""Motions as text in the artist's file: round trip, and damage that is noticed."""

import base64
import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ScaleMoGenError
from core.motion import Motion
from core.skeleton import canonical
from scalemogen_blender.results import storage
from tests.synthetic import tumbling, walking


@given(
    seed=st.integers(0, 2**32 - 1),
    frames=st.integers(1, 60),
    fps=st.sampled_from([20.0, 24 / 1.001, 30.0, 60.0]),
    with_contacts=st.booleans(),
)
def test_a_motion_comes_back_in_single_precision(seed, frames, fps, with_contacts):
    rng = np.random.default_rng(seed)
    rotations = rng.normal(size=(frames, canonical().joint_count, 4))
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    contacts = rng.random((frames, 4)) if with_contacts else None
    motion = Motion(canonical(), rotations, rng.normal(size=(frames, 3)), fps, contacts)
    back = storage.unpack(storage.pack(motion))
    assert back.fps == fps and back.skeleton is motion.skeleton
    np.testing.assert_array_equal(back.rotations, rotations.astype(np.float32))
    np.testing.assert_array_equal(back.root_positions, motion.root_positions.astype(np.float32))
    if contacts is None:
        assert back.contacts is None
    else:
        np.testing.assert_array_equal(back.contacts, contacts.astype(np.float32))
    assert storage.pack(back) == storage.pack(motion), "packing again changes nothing"


def test_ten_seconds_take_less_than_a_quarter_of_a_megabyte():
    assert len(storage.pack(tumbling(1, 300))) < 250_000


_TEXT = storage.pack(walking(5))


@given(at=st.integers(0, len(_TEXT) - 1), letter=st.characters())
def test_no_changed_letter_goes_unnoticed_or_crashes(at, letter):
    changed = _TEXT[:at] + letter + _TEXT[at + 1 :]
    if changed == _TEXT:
        return
    try:
        back = storage.unpack(changed)
    except ScaleMoGenError as error:
        assert "\n" not in str(error)
    else:  # spare bits at the end of base64 mean nothing
        np.testing.assert_array_equal(back.rotations, storage.unpack(_TEXT).rotations)


@given(text=st.text(max_size=60) | st.text(max_size=60).map("SMG1:".__add__))
def test_rubbish_is_one_clear_line(text):
    with pytest.raises(ScaleMoGenError, match=r"generate it again"):
        storage.unpack(text)


@given(end=st.integers(0, len(_TEXT) - 1))
def test_a_text_that_was_cut_off_is_refused(end):
    with pytest.raises(ScaleMoGenError):
        storage.unpack(_TEXT[:end])


def packed(header: object, body: bytes) -> str:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    raw = struct.pack("<I", len(head)) + head + body
    return "SMG1:" + base64.b64encode(zlib.compress(raw)).decode()


_HEADER = {"skeleton": "canonical", "fps": 30.0, "frames": 1, "joints": 22, "contacts": 0}
_BODY = np.array([1.0, 0.0, 0.0, 0.0] * 22 + [0.0, 1.0, 0.0], "<f4").tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"skeleton": "dog"},
        {"skeleton": None},
        {"fps": 0.0},
        {"fps": "thirty"},
        {"fps": float("nan")},
        {"fps": float("inf")},
        {"fps": 1e-4},  # three hours, for which the computer would stand still
        {"frames": 2},
        {"frames": -1},
        {"frames": 1.0},
        {"frames": True},
        {"frames": 2**31 - 1},
        {"joints": 21},
        {"contacts": 4},
        {"contacts": None},
    ],
    ids=str,
)
def test_a_header_that_lies_is_refused(change):
    assert storage.unpack(packed(_HEADER, _BODY)).frame_count == 1
    with pytest.raises(ScaleMoGenError, match=r"generate it again"):
        storage.unpack(packed(_HEADER | change, _BODY))


@pytest.mark.parametrize("header", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_header_that_is_none_is_refused(header):
    with pytest.raises(ScaleMoGenError, match=r"generate it again"):
        storage.unpack(packed(header, _BODY))


def test_values_that_are_no_numbers_are_refused():
    body = np.full(22 * 4 + 3, np.nan, "<f4").tobytes()
    with pytest.raises(ScaleMoGenError, match=r"no numbers"):
        storage.unpack(packed(_HEADER, body))


def test_a_text_that_unpacks_to_gigabytes_is_refused_early():
    bomb = "SMG1:" + base64.b64encode(zlib.compress(bytes(300 * 2**20), 9)).decode()
    with pytest.raises(ScaleMoGenError, match=r"too short or too long"):
        storage.unpack(bomb)


def test_rotations_that_are_none_are_refused():
    with pytest.raises(ScaleMoGenError, match=r"rotations that are none"):
        storage.unpack(packed(_HEADER, np.zeros(22 * 4 + 3, "<f4").tobytes()))
