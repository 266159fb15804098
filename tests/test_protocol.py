"""Messages over pipes: what goes in comes out, and nothing else gets through."""

import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from core.motion import Motion
from core.protocol import (
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    Message,
    ProtocolError,
    decode,
    encode,
    pack_motions,
    read,
    unpack_motions,
    write,
)
from core.skeleton import canonical, load_skeleton

NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ARRAYS = arrays_of.arrays(
    st.sampled_from(["<f4", "<f8", "<i4", "<i8", "u1", ">f4", ">i8"]),
    arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
MESSAGES = st.builds(
    Message,
    st.text(),
    st.dictionaries(st.text(), JSON, max_size=4),
    st.dictionaries(st.text(), ARRAYS, max_size=3),
)


class Trickle(io.RawIOBase):
    """Gives and takes at most a few bytes at a time, as pipes do."""

    def __init__(self, data: bytes = b"", step: int = 3) -> None:
        self.data, self.step = bytearray(data), step

    def read(self, size: int = -1) -> bytes:
        piece = bytes(self.data[: min(size, self.step)])
        del self.data[: len(piece)]
        return piece

    def write(self, data: Any) -> int:
        piece = bytes(data[: self.step])
        self.data += piece
        return len(piece)


def same(a: Message, b: Message) -> None:
    assert (a.kind, dict(a.fields)) == (b.kind, dict(b.fields))
    assert a.arrays.keys() == b.arrays.keys()
    for name, array in a.arrays.items():
        other = b.arrays[name]
        assert other.dtype == array.dtype.newbyteorder("<") and other.shape == array.shape
        np.testing.assert_array_equal(array, other)  # NaN too: numbers are the receiver's business


# --- framing -------------------------------------------------------------------------------------


@given(MESSAGES)
def test_what_is_encoded_is_decoded(message: Message) -> None:
    same(message, decode(encode(message)))


@given(st.lists(MESSAGES, max_size=3), st.integers(1, 40))
def test_short_reads_and_writes_are_put_together(messages: list[Message], step: int) -> None:
    pipe = Trickle(step=step)
    for message in messages:
        write(pipe, message)
    for message in messages:
        received = read(pipe)
        assert received is not None
        same(message, received)
    assert read(pipe) is None


@given(MESSAGES, st.data())
def test_an_end_within_a_message_is_told_from_one_between(message: Message, data: Any) -> None:
    whole = encode(message)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(ProtocolError, match="ended"):
        read(io.BytesIO(whole[:cut]))
    assert read(io.BytesIO(b"")) is None


@given(MESSAGES, st.data())
def test_a_flipped_byte_gives_a_message_or_the_one_exception(message: Message, data: Any) -> None:
    spoilt = bytearray(encode(message))
    place = data.draw(st.integers(0, len(spoilt) - 1))
    spoilt[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ProtocolError):
        decode(bytes(spoilt))


@given(st.binary(max_size=200))
@example(b"Traceback (most recent call last):\n")
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(data)


def framed(header: bytes, body: bytes = b"", magic: bytes = b"SMGw") -> bytes:
    return struct.pack("<4sIQ", magic, len(header), len(body)) + header + body


@given(JSON, st.binary(max_size=40))
def test_well_framed_nonsense_is_refused(content: Any, body: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(framed(json.dumps(content).encode(), body))
    with pytest.raises(ProtocolError):
        decode(framed(body, body))


ENTRY = {"name": "a", "dtype": "<f4", "shape": [2]}


@pytest.mark.parametrize(
    ("entries", "body"),
    [
        ([ENTRY], bytes(7)),
        ([ENTRY], bytes(9)),
        ([ENTRY, ENTRY], bytes(16)),
        ([], bytes(1)),
        ([{**ENTRY, "dtype": "|O"}], bytes(8)),
        ([{**ENTRY, "dtype": ">f4"}], bytes(8)),
        ([{**ENTRY, "dtype": ["<f4"]}], bytes(8)),
        ([{**ENTRY, "shape": [-2]}], bytes(8)),
        ([{**ENTRY, "shape": [True]}], bytes(4)),
        ([{**ENTRY, "shape": [2.0]}], bytes(8)),
        ([{**ENTRY, "shape": 2}], bytes(8)),
        ([{**ENTRY, "shape": [0, 2**26, 2**26, 2**26]}], b""),
        ([{**ENTRY, "shape": [0, 10**30]}], b""),
        ([{**ENTRY, "shape": [1] * 9}], bytes(4)),
        ([{**ENTRY, "more": 1}], bytes(8)),
        ([{"name": "a"}], bytes(8)),
        (["a"], bytes(8)),
    ],
)
def test_arrays_must_be_what_their_table_says(entries: list[Any], body: bytes) -> None:
    header = json.dumps({"kind": "k", "fields": {}, "arrays": entries}).encode()
    with pytest.raises(ProtocolError):
        decode(framed(header, body))


@pytest.mark.parametrize(
    "fields", ["NaN", "Infinity", "-Infinity", "1e999", "[" * 100_000, "9" * 10_000, '"\\ud800']
)
def test_numbers_that_are_none_and_texts_that_never_end_are_refused(fields: str) -> None:
    header = b'{"kind":"k","arrays":[],"fields":{"x":' + fields.encode() + b"}}"
    with pytest.raises(ProtocolError):
        decode(framed(header))


@pytest.mark.parametrize(
    ("header_bytes", "body_bytes"),
    [(MAX_HEADER_BYTES + 1, 0), (2, MAX_BODY_BYTES + 1), (2**32 - 1, 2**64 - 1)],
)
def test_giant_lengths_are_refused_before_anything_is_read(
    header_bytes: int, body_bytes: int
) -> None:
    class Bottomless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            assert Bottomless.taken < 100, "more is read than the prefix"
            data = struct.pack("<4sIQ", b"SMGw", header_bytes, body_bytes)[Bottomless.taken :]
            Bottomless.taken += len(data[:size])
            return data[:size]

    with pytest.raises(ProtocolError, match="too long"):
        read(Bottomless())


@pytest.mark.parametrize(
    "message",
    [
        Message("k", {"x": float("nan")}),
        Message("k", {"x": object()}),
        Message("k", {"x": "y" * (MAX_HEADER_BYTES + 1)}),
        Message("k", {}, {"a": np.array(["text"])}),
        Message("k", {}, {"a": np.array([object()])}),
        Message("k", {}, {"a": np.zeros(MAX_BODY_BYTES + 1, "u1")}),
    ],
)
def test_what_the_other_side_would_refuse_is_not_sent(message: Message) -> None:
    with pytest.raises(ProtocolError):
        encode(message)


def test_a_real_pipe_carries_large_messages_both_sides_at_once() -> None:
    out, into = os.pipe()
    big = Message("big", {"word": "Ä€𝄞"}, {"a": np.arange(300_000, dtype="<i8")})
    with open(out, "rb", 0) as source, open(into, "wb", 0) as sink:  # noqa: PTH123
        writer = threading.Thread(target=lambda: [write(sink, big) for _ in range(3)])
        writer.start()
        for _ in range(3):
            received = read(source)
            assert received is not None
            same(big, received)
        writer.join()


def test_messages_without_arrays_need_no_numpy() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from core.protocol import Message, decode, encode\n"
        "assert decode(encode(Message('cannot_start', {'message': 'x'}))).kind == 'cannot_start'\n"
        "import core.worker.server, core.worker.__main__"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)


# --- motions -------------------------------------------------------------------------------------


def clip(frames: int, seed: int = 0, contacts: bool = True) -> Motion:
    rng = np.random.default_rng(seed)
    rotations = rng.standard_normal((frames, 22, 4)).astype("f4").astype("f8")
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    return Motion(
        canonical(),
        rotations,
        rng.standard_normal((frames, 3)),
        30.0,
        rng.random((frames, 4)) if contacts else None,
    )


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9), st.booleans()), max_size=4))
def test_motions_arrive_as_they_were_sent(clips: list[tuple[int, int, bool]]) -> None:
    motions = [clip(*values) for values in clips]
    table, arrays = pack_motions(motions)
    received = unpack_motions(decode(encode(Message("m", {"motions": table}, arrays))))
    assert len(received) == len(motions)
    for sent, got in zip(motions, received, strict=True):
        assert got.skeleton is canonical() and got.fps == sent.fps
        assert got.rotations.dtype == got.root_positions.dtype == np.float64
        np.testing.assert_array_equal(got.rotations, sent.rotations.astype("f4"))
        np.testing.assert_array_equal(got.root_positions, sent.root_positions.astype("f4"))
        assert (got.contacts is None) == (sent.contacts is None)
        if sent.contacts is not None:
            np.testing.assert_array_equal(got.contacts, sent.contacts.astype("f4"))


def spoil(name: str, change: Any) -> Message:
    table, arrays = pack_motions([clip(5)])
    arrays[f"0/{name}"] = change(arrays[f"0/{name}"].copy())
    return Message("m", {"motions": table}, arrays)


def with_nan(array: np.ndarray) -> np.ndarray:
    array[2, 0] = np.nan
    return array


@pytest.mark.parametrize("name", ["rotations", "root_positions", "contacts"])
@pytest.mark.parametrize(
    "change",
    [with_nan, lambda a: a[:-1], lambda a: a[..., :-1], lambda a: a[0], lambda a: a.astype("i4")],
)
def test_motions_with_wrong_numbers_or_shapes_are_refused(name: str, change: Any) -> None:
    with pytest.raises(ProtocolError):
        unpack_motions(spoil(name, change))


@pytest.mark.parametrize("factor", [0.0, 0.9, 1.1, 1e30])
def test_rotations_must_be_unit_quaternions(factor: float) -> None:
    with pytest.raises(ProtocolError, match="unit"):
        unpack_motions(spoil("rotations", lambda a: a * np.float32(factor)))


@pytest.mark.parametrize("table", [5, [5], [{}], [{"fps": 0}], [{"fps": True}], [{"fps": "30"}]])
def test_motions_need_a_frame_rate(table: Any) -> None:
    _, arrays = pack_motions([clip(5)])
    with pytest.raises(ProtocolError):
        unpack_motions(Message("m", {"motions": table}, arrays))


def test_motions_without_frames_or_on_another_skeleton_are_refused() -> None:
    with pytest.raises(ProtocolError, match="frames"):
        table, arrays = pack_motions([clip(5).at_frames(slice(0, 0))])
        unpack_motions(Message("m", {"motions": table}, arrays))
    other = load_skeleton("humanml3d")
    with pytest.raises(ProtocolError, match="canonical"):
        pack_motions([Motion(other, np.zeros((1, 22, 4)), np.zeros((1, 3)), 20.0)])
