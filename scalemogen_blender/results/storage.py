"""A motion as text, for a property that is saved with the file.  No bpy in here.

``SMG1:`` and the base64 of zlib-packed bytes: the length of a JSON header (4 bytes), the header
(skeleton, fps, frames, contacts), and little-endian float32 arrays: rotations [T, J, 4], root
positions [T, 3], contacts [T, 4].  The digit is the version of this layout.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
import zlib
from typing import Any

import numpy as np

from .._core import errors, skeleton
from .._core import motion as motions

_VERSION = "SMG1:"
_FLOAT = np.dtype("<f4")
_HEADER_LENGTH = struct.Struct("<I")
#: Upper limit of what a text may unpack to (an hour of motion is 40 MB).
_BYTES_LIMIT = 64 * 2**20
_LONGEST_SECONDS = 3600.0
#: Off-unit quaternions beyond this are no rounding.
_UNIT_TOLERANCE = 1e-3
_DAMAGED = "A stored result is damaged: {}. Remove it from the list and generate it again."


def pack(motion: motions.Motion) -> str:
    """The motion as text, in single precision."""
    frames, joints = motion.rotations.shape[:2]
    header = {
        "skeleton": motion.skeleton.name,
        "fps": float(motion.fps),
        "frames": frames,
        "joints": joints,
        "contacts": 0 if motion.contacts is None else motion.contacts.shape[1],
    }
    head = json.dumps(header).encode()
    arrays = [motion.rotations, motion.root_positions]
    if motion.contacts is not None:
        arrays.append(motion.contacts)
    body = b"".join(np.ascontiguousarray(array, dtype=_FLOAT).tobytes() for array in arrays)
    return _VERSION + pack_bytes(_HEADER_LENGTH.pack(len(head)) + head + body)


def unpack(text: str) -> motions.Motion:
    """The motion of a text made by :func:`pack`; ScaleMoGenError if it is damaged."""
    if not text.startswith(_VERSION):
        raise errors.ScaleMoGenError(
            "A stored result is not readable by this version; generate it again."
        )
    raw = unpack_bytes(text.removeprefix(_VERSION))
    header, body = _split(raw)
    skeleton_of = _skeleton(header)
    frames, joints = _count(header, "frames"), _count(header, "joints")
    if joints != skeleton_of.joint_count:
        raise _damaged("it has another number of joints than its skeleton")
    shapes = [(frames, joints, 4), (frames, 3)]
    if contacts := _count(header, "contacts"):
        shapes.append((frames, contacts))
    sizes = [int(np.prod(shape, dtype=object)) for shape in shapes]
    if len(body) != sum(sizes) * _FLOAT.itemsize:
        raise _damaged("its length is wrong")
    values = np.frombuffer(body, dtype=_FLOAT).astype(np.float64)
    if not np.isfinite(values).all():
        raise _damaged("it has values that are no numbers")
    parts = np.split(values, np.cumsum(sizes)[:-1])
    arrays = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    if np.abs(np.linalg.norm(arrays[0], axis=-1) - 1.0).max(initial=0.0) > _UNIT_TOLERANCE:
        raise _damaged("it has rotations that are none")
    fps = _fps(header)
    if frames / fps > _LONGEST_SECONDS:
        raise _damaged("it lasts longer than an hour")
    return motions.Motion(
        skeleton=skeleton_of,
        rotations=arrays[0],
        root_positions=arrays[1],
        fps=fps,
        contacts=arrays[2] if contacts else None,
    )


def pack_bytes(raw: bytes) -> str:
    """Bytes, compressed, as text."""
    return base64.b64encode(zlib.compress(raw, 6)).decode("ascii")


def unpack_bytes(text: str) -> bytes:
    """The bytes of a text made by :func:`pack_bytes`; ScaleMoGenError if it is damaged."""
    try:
        packed = base64.b64decode(text.encode("ascii"), validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(packed, _BYTES_LIMIT)
    except (UnicodeEncodeError, binascii.Error, zlib.error) as error:
        raise _damaged("it cannot be unpacked") from error
    if not unpacker.eof or unpacker.unused_data:
        raise _damaged("it is too short or too long")
    return raw


def _damaged(why: str) -> errors.ScaleMoGenError:
    return errors.ScaleMoGenError(_DAMAGED.format(why))


def _split(raw: bytes) -> tuple[dict[str, Any], bytes]:
    start = _HEADER_LENGTH.size
    if len(raw) < start:
        raise _damaged("it has no header")
    end = start + _HEADER_LENGTH.unpack_from(raw)[0]
    try:
        header = json.loads(raw[start:end].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged("its header cannot be read") from error
    if not isinstance(header, dict):
        raise _damaged("its header cannot be read")
    return header, raw[end:]


def _skeleton(header: dict[str, Any]) -> skeleton.Skeleton:
    canonical = skeleton.canonical()
    if header.get("skeleton") != canonical.name:
        raise _damaged("it is on a skeleton that is not known here")
    return canonical


def _count(header: dict[str, Any], key: str) -> int:
    value = header.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise _damaged(f"its header says no {key}")
    return value


def _fps(header: dict[str, Any]) -> float:
    value = header.get("fps")
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e4:
        raise _damaged("its header says no frame rate")
    return float(value)
