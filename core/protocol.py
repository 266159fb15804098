"""Messages between the add-on and the engine's worker process, over a pair of pipes.

A message is a prefix, a JSON header and raw arrays (docs/protocol.md).  Whatever arrives is
distrusted: a message is checked completely before it is given to anyone, and everything that is
wrong with one raises :class:`ProtocolError`.  Numpy is imported only where arrays are: a worker
whose packages are missing must still be able to say so.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    import numpy as np

    from .motion import Motion

#: Goes up with every change that an older side would misunderstand.  The prefix, and the fields
#: ``protocol`` and ``message`` of ``hello`` and ``cannot_start``, stay as they are for ever: sides
#: of different versions tell each other so with them.
PROTOCOL_VERSION = 2

MAX_HEADER_BYTES = 1 << 20
#: Sixty-four variations of the longest clips are a tenth of this.
MAX_BODY_BYTES = 1 << 26
MAX_DIMENSIONS = 8

_MAGIC = b"SMGw"
_PREFIX = struct.Struct("<4sIQ")  # magic, bytes of the header, bytes of the body
_READ_BYTES = 1 << 16
#: Names of numpy's little endian types, and bytes per element.
_DTYPES = {"<f4": 4, "<f8": 8, "<i4": 4, "<i8": 8, "|u1": 1}
#: Off-unit quaternions beyond this are no rounding.
_UNIT_TOLERANCE = 1e-3


class ProtocolError(Exception):
    """What was read is no message of this protocol, or what was to be sent cannot become one."""


class TruncatedError(ProtocolError):
    """The stream ended in the middle of a message."""


@dataclass(frozen=True)
class Message:
    """One message: its kind, JSON fields, and arrays by name."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


class Source(Protocol):
    """A binary stream whose ``read`` may give less than asked for, and b"" at its end."""

    def read(self, size: int, /) -> bytes | None: ...


class Sink(Protocol):
    """A binary stream whose ``write`` may take less than it was given."""

    def write(self, data: memoryview, /) -> int | None: ...


# --- framing -------------------------------------------------------------------------------------


def encode(message: Message) -> bytes:
    """A message as bytes; ProtocolError when it holds what cannot be sent."""
    table, parts = [], []
    for name, array in message.arrays.items():
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if little.dtype.str not in _DTYPES or little.ndim > MAX_DIMENSIONS:
            raise ProtocolError(f"array {name!r} of {array.dtype} cannot be sent")
        table.append({"name": name, "dtype": little.dtype.str, "shape": list(little.shape)})
        parts.append(little.tobytes())
    content = {"kind": message.kind, "fields": dict(message.fields), "arrays": table}
    try:
        header = json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ProtocolError(f"a message of kind {message.kind!r} cannot be sent: {error}") from None
    body = b"".join(parts)
    _check_lengths(len(header), len(body))
    return _PREFIX.pack(_MAGIC, len(header), len(body)) + header + body


def write(sink: Sink, message: Message) -> None:
    """Write a whole message; OSError as the stream raises it."""
    data = memoryview(encode(message))
    while data:
        data = data[sink.write(data) or 0 :]


def read(source: Source) -> Message | None:
    """The next message, or None where the stream ends between two; blocks until it is complete.

    Nothing is reserved for a length that is only declared: memory grows with what really arrives.
    """
    prefix = _read_exactly(source, _PREFIX.size, may_end=True)
    if prefix is None:
        return None
    magic, header_bytes, body_bytes = _PREFIX.unpack(prefix)
    if magic != _MAGIC:
        raise ProtocolError(f"this is no message: {prefix!r}")
    _check_lengths(header_bytes, body_bytes)
    header = _read_exactly(source, header_bytes)
    body = _read_exactly(source, body_bytes)
    assert header is not None and body is not None
    return _decode(header, body)


def decode(data: bytes) -> Message:
    """The one message that the bytes are."""
    import io

    stream = io.BytesIO(data)
    message = read(stream)
    if message is None or stream.read(1):
        raise ProtocolError("these bytes are not exactly one message")
    return message


def _check_lengths(header_bytes: int, body_bytes: int) -> None:
    if header_bytes > MAX_HEADER_BYTES or body_bytes > MAX_BODY_BYTES:
        raise ProtocolError(f"a message of {header_bytes} + {body_bytes} bytes is too long")


def _read_exactly(source: Source, count: int, may_end: bool = False) -> bytes | None:
    """So many bytes; None where the stream ends before the first and ``may_end``."""
    data = bytearray()
    while len(data) < count:
        piece = source.read(min(count - len(data), _READ_BYTES))
        if not piece:
            if may_end and not data:
                return None
            raise TruncatedError(f"the stream ended after {len(data)} of {count} bytes")
        data += piece
    return bytes(data)


def _decode(header: bytes, body: bytes) -> Message:
    try:
        content = json.loads(
            header.decode(), parse_constant=_no_number, parse_float=_finite, parse_int=int
        )
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the header is no JSON: {error}") from None
    if not (isinstance(content, dict) and content.keys() == {"kind", "fields", "arrays"}):
        raise ProtocolError("the header has not the members kind, fields and arrays")
    kind, fields, table = content["kind"], content["fields"], content["arrays"]
    if not (isinstance(kind, str) and isinstance(fields, dict) and isinstance(table, list)):
        raise ProtocolError("the header's members have other types than they should")
    return Message(kind, fields, _arrays(table, body))


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def _arrays(table: list[Any], body: bytes) -> dict[str, np.ndarray]:
    """Read-only arrays in the body's memory, which they must fill exactly."""
    if not table and not body:
        return {}
    import numpy as np

    arrays: dict[str, np.ndarray] = {}
    start = 0
    for entry in table:
        name, dtype, shape = _array_entry(entry)
        end = start + _DTYPES[dtype] * math.prod(shape)
        if name in arrays or end > len(body):
            raise ProtocolError(f"array {name!r} is there twice, or longer than the message")
        flat = np.frombuffer(body[start:end], dtype)
        try:
            arrays[name] = flat.reshape(shape)
        except ValueError as error:  # an empty array with dimensions beyond what numpy can count
            raise ProtocolError(f"array {name!r} cannot be made: {error}") from None
        start = end
    if start != len(body):
        raise ProtocolError(f"{len(body) - start} bytes of the message belong to no array")
    return arrays


def _array_entry(entry: object) -> tuple[str, str, list[int]]:
    if isinstance(entry, dict) and entry.keys() == {"name", "dtype", "shape"}:
        name, dtype, shape = entry["name"], entry["dtype"], entry["shape"]
        if (
            isinstance(name, str)
            and isinstance(dtype, str)
            and dtype in _DTYPES
            and isinstance(shape, list)
            and len(shape) <= MAX_DIMENSIONS
            and all(type(size) is int and 0 <= size <= MAX_BODY_BYTES for size in shape)
        ):
            return name, dtype, shape
    raise ProtocolError("an array's name, type or shape is not as it should be")


# --- motions -------------------------------------------------------------------------------------


def pack_motions(
    motions: Iterable[Motion], exact: bool = False
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Clips on the canonical skeleton as the field ``motions`` of a message, and its arrays.

    Numbers go as float32: motions that came from a model are no more exact than that.  ``exact``
    sends all their digits, for what somebody else has animated.
    """
    import numpy as np

    from .skeleton import canonical

    dtype = "<f8" if exact else "<f4"
    table: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for index, motion in enumerate(motions):
        if motion.skeleton is not canonical():
            raise ProtocolError("only motions on the canonical skeleton can be sent")
        table.append({"fps": float(motion.fps)})
        arrays[f"{index}/rotations"] = np.asarray(motion.rotations, dtype)
        arrays[f"{index}/root_positions"] = np.asarray(motion.root_positions, dtype)
        if motion.contacts is not None:
            arrays[f"{index}/contacts"] = np.asarray(motion.contacts, dtype)
    return table, arrays


def unpack_motions(message: Message) -> tuple[Motion, ...]:
    """The clips of a message, as float64 like all motions, after every number was checked.

    ProtocolError unless shapes fit the canonical skeleton and each other, all numbers are finite
    and the rotations unit quaternions.
    """
    table = message.fields.get("motions", [])
    if not isinstance(table, list):
        raise ProtocolError("the field motions is no list")
    return tuple(_motion(entry, index, message.arrays) for index, entry in enumerate(table))


def _motion(entry: object, index: int, arrays: Mapping[str, np.ndarray]) -> Motion:
    import numpy as np

    from .motion import Motion
    from .skeleton import canonical

    fps = entry.get("fps") if isinstance(entry, dict) else None
    if not (isinstance(fps, int | float) and not isinstance(fps, bool) and 0 < fps <= 1000):
        raise ProtocolError(f"motion {index} has no frame rate")
    skeleton = canonical()
    rotations = _part(arrays, f"{index}/rotations", (skeleton.joint_count, 4))
    roots = _part(arrays, f"{index}/root_positions", (3,))
    contacts = None
    if f"{index}/contacts" in arrays:
        contacts = _part(arrays, f"{index}/contacts", (len(skeleton.contact_joints),))
    frames = {len(part) for part in (rotations, roots, contacts) if part is not None}
    if len(frames) != 1 or not len(rotations):
        raise ProtocolError(f"the parts of motion {index} have {sorted(frames)} frames")
    if np.abs(np.linalg.norm(rotations, axis=-1) - 1).max() > _UNIT_TOLERANCE:
        raise ProtocolError(f"motion {index} has rotations that are no unit quaternions")
    return Motion(skeleton, rotations, roots, float(fps), contacts)


def _part(arrays: Mapping[str, np.ndarray], name: str, tail: Sequence[int]) -> np.ndarray:
    """The array [T, *tail] of a motion, as float64."""
    import numpy as np

    part = arrays.get(name)
    if part is None or part.dtype.kind != "f" or part.shape[1:] != tuple(tail) or part.ndim < 2:
        raise ProtocolError(f"array {name!r} is missing or has another shape than it should")
    if not np.isfinite(part).all():
        raise ProtocolError(f"array {name!r} holds what is no number")
    return part.astype(np.float64)
