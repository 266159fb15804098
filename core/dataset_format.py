"""The packed motion data set: one ``.npz.xz`` per source and one ``captions.jsonl``, numpy only.

Every clip is stored as rotation vectors (axis times angle, local to the parent) in steps of
1/2048 rad, as second differences along time, zigzag coded and split into byte planes; the pelvis
path is stored in steps of 1/2000 m as first differences.  Smooth motion then gives mostly zero
bytes, which is what makes hours of motion fit into a few megabytes.

Frame: the canonical one of :mod:`core.coordinates`; skeleton: the canonical one.
"""

import io
import json
import lzma
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ScaleMoGenError
from .files import write_bytes
from .motion import Motion
from .rotations import quaternion_to_rotation_vector, rotation_vector_to_quaternion
from .skeleton import canonical

STEPS_PER_RADIAN = 2048
STEPS_PER_METRE = 2000
CAPTIONS_FILE = "captions.jsonl"


@dataclass(frozen=True)
class PackedClip:
    """One clip: rotation vectors [n, 22, 3] in radians and pelvis positions [n, 3] in metres."""

    clip_id: str
    rotation_vectors: np.ndarray
    root_positions: np.ndarray
    fps: float = 30.0
    source_scale: float = 1.0

    def motion(self) -> Motion:
        """The clip on the canonical skeleton."""
        rotations = rotation_vector_to_quaternion(self.rotation_vectors)
        return Motion(canonical(), rotations, self.root_positions, self.fps)

    @staticmethod
    def from_motion(clip_id: str, motion: Motion, source_scale: float = 1.0) -> "PackedClip":
        """A clip of a motion on the canonical skeleton."""
        vectors = continuous_rotation_vectors(quaternion_to_rotation_vector(motion.rotations))
        return PackedClip(clip_id, vectors, motion.root_positions, motion.fps, source_scale)


@dataclass(frozen=True)
class Pack:
    """All clips of a source; iterating decodes one clip at a time."""

    clip_ids: tuple[str, ...]
    starts: np.ndarray
    lengths: np.ndarray
    second_differences: np.ndarray  # int16 [frames, 66]
    root_differences: np.ndarray  # int16 [frames, 3]
    source_scales: np.ndarray
    fps: float

    def __len__(self) -> int:
        return len(self.clip_ids)

    def __iter__(self) -> Iterator[PackedClip]:
        return (self._decode(index) for index in range(len(self)))

    def __getitem__(self, clip_id: str) -> PackedClip:
        """The clip of that id; KeyError when there is none."""
        return self._decode(self._index[clip_id])

    @cached_property
    def _index(self) -> dict[str, int]:
        return {clip_id: index for index, clip_id in enumerate(self.clip_ids)}

    def _decode(self, index: int) -> PackedClip:
        frames = slice(self.starts[index], self.starts[index] + self.lengths[index])
        steps = integrate_twice(self.second_differences[frames])
        path = np.cumsum(self.root_differences[frames].astype(np.int32), axis=0)
        return PackedClip(
            self.clip_ids[index],
            steps.reshape(len(steps), -1, 3).astype(np.float64) / STEPS_PER_RADIAN,
            path.astype(np.float64) / STEPS_PER_METRE,
            self.fps,
            float(self.source_scales[index]),
        )


# --- coding --------------------------------------------------------------------------------------


def continuous_rotation_vectors(vectors: np.ndarray) -> np.ndarray:
    """The same rotations [T, J, 3] with whole turns added so that neighbouring frames are close.

    A rotation of angle a about n is also one of a - 2 pi about n; without this, a joint that passes
    half a turn would jump by two pi and its differences would compress badly.
    """
    result = vectors.astype(np.float64).copy()
    for t in range(1, len(result)):
        angle = np.linalg.norm(result[t], axis=-1, keepdims=True)
        axis = np.where(angle > 1e-9, result[t] / np.maximum(angle, 1e-9), 0.0)
        along = np.sum(result[t - 1] * axis, axis=-1, keepdims=True)
        # Two turns either way bound the values far inside the int16 range of 16 rad.
        turns = np.clip(np.round((along - angle) / (2 * np.pi)), -2, 2)
        result[t] += axis * turns * 2 * np.pi
    return result


def differentiate_twice(steps: np.ndarray) -> np.ndarray:
    """Second differences along time of int16 values [n, k]: value, slope, then changes of slope.

    Arithmetic wraps modulo 2**16 on purpose: :func:`integrate_twice` wraps back.
    """
    result = steps.astype(np.int16)
    result[1:] = np.diff(result, axis=0)
    result[2:] = np.diff(result[1:], axis=0)
    return result


def integrate_twice(second: np.ndarray) -> np.ndarray:
    """Inverse of :func:`differentiate_twice`, int16 [n, k]."""
    result = second.copy()
    result[1:] = np.cumsum(result[1:], axis=0, dtype=np.int16)
    return np.cumsum(result, axis=0, dtype=np.int16)


def zigzag(values: np.ndarray) -> np.ndarray:
    """Signed int16 as uint16 with small magnitudes first: 0, -1, 1, -2, … become 0, 1, 2, 3, …"""
    return ((values << 1) ^ (values >> 15)).astype(np.uint16)


def unzigzag(code: np.ndarray) -> np.ndarray:
    """Inverse of :func:`zigzag`."""
    wide = code.astype(np.int32)
    return ((wide >> 1) ^ -(wide & 1)).astype(np.int16)


# --- files ---------------------------------------------------------------------------------------


def read_pack(path: Path | str) -> Pack:
    """Read one ``.npz.xz`` file; ScaleMoGenError when it is missing or damaged."""
    path = Path(path)
    try:
        with lzma.open(path) as file:
            arrays = dict(np.load(io.BytesIO(file.read()), allow_pickle=False))
        code = arrays["low"].astype(np.uint16) | (arrays["high"].astype(np.uint16) << 8)
        pack = Pack(
            clip_ids=tuple(str(clip_id) for clip_id in arrays["clip"]),
            starts=arrays["start"].astype(np.int64),
            lengths=arrays["length"].astype(np.int64),
            second_differences=np.ascontiguousarray(unzigzag(code).T),
            root_differences=arrays["root_delta"],
            source_scales=arrays["source_scale"],
            fps=float(arrays["fps"]),
        )
        names = tuple(str(name) for name in arrays["joint_names"])
    except OSError as error:
        reason = error.strerror or str(error)
        raise ScaleMoGenError(f"Cannot read {path}: {reason}. Check the data folder.") from error
    except (lzma.LZMAError, EOFError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ScaleMoGenError(
            f"{path} is not an intact packed motion file ({error}). Get it again or repack it."
        ) from error
    if names != canonical().joint_names:
        raise ScaleMoGenError(
            f"{path} uses another skeleton. Import its motions with import-motion."
        )
    frames = len(pack.second_differences)
    if len(pack) and int(np.max(pack.starts + pack.lengths)) > frames:
        raise ScaleMoGenError(f"{path} ends before its last clip. Get it again or repack it.")
    return pack


def write_pack(path: Path | str, clips: Iterable[PackedClip], fps: float = 30.0) -> None:
    """Write clips into one ``.npz.xz`` file, atomically; the same clips give the same bytes.

    Rotation angles must stay below 16 rad and every clip needs a frame and an id of its own
    (ValueError); ScaleMoGenError when the file cannot be written.
    """
    skeleton = canonical()
    ids: list[str] = []
    lengths: list[int] = []
    scales: list[float] = []
    second: list[np.ndarray] = []
    root: list[np.ndarray] = []
    for clip in clips:
        steps = np.round(clip.rotation_vectors * STEPS_PER_RADIAN).reshape(
            len(clip.rotation_vectors), -1
        )
        path_steps = np.round(clip.root_positions * STEPS_PER_METRE).astype(np.int64)
        path_steps[1:] = np.diff(path_steps, axis=0)
        if not len(steps) or clip.clip_id in ids:
            raise ValueError(f"clip {clip.clip_id!r} is empty or its id is used twice")
        if np.abs(steps).max() > 32767 or np.abs(path_steps).max() > 32767:
            raise ValueError(f"clip {clip.clip_id!r} is outside the range of the format")
        ids.append(clip.clip_id)
        lengths.append(len(steps))
        scales.append(clip.source_scale)
        second.append(differentiate_twice(steps))
        root.append(path_steps.astype(np.int16))
    frames = sum(lengths)
    width = 3 * skeleton.joint_count
    code = zigzag(np.concatenate(second) if second else np.empty((0, width), np.int16)).T
    buffer = io.BytesIO()
    np.savez(
        buffer,
        clip=np.array(ids, dtype=np.str_),
        start=np.cumsum([0, *lengths], dtype=np.int64)[:-1],
        length=np.array(lengths, dtype=np.int32),
        low=np.ascontiguousarray(code & 0xFF).astype(np.uint8),
        high=np.ascontiguousarray(code >> 8).astype(np.uint8),
        root_delta=np.concatenate(root).reshape(frames, 3) if root else np.empty((0, 3), np.int16),
        source_scale=np.array(scales, dtype=np.float32),
        fps=np.float32(fps),
        joint_names=np.array(skeleton.joint_names),
        parents=np.array(skeleton.parents, dtype=np.int32),
        rest_offsets=skeleton.rest_offsets.astype(np.float32),
    )
    write_bytes(path, lzma.compress(buffer.getvalue(), preset=6))


def read_captions(path: Path | str) -> list[dict[str, Any]]:
    """The rows of a ``captions.jsonl`` (or paraphrases) file; ScaleMoGenError names a bad line."""
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScaleMoGenError(f"Cannot read {path}: {error}. Check the data folder.") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ScaleMoGenError(f"{path}:{number}: not JSON ({error}). Correct it.") from error
        if not isinstance(row, dict):
            raise ScaleMoGenError(f"{path}:{number}: not a JSON object. Correct it.")
        rows.append(row)
    return rows


def write_captions(path: Path | str, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as one JSON object per line, atomically."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_bytes(path, text.encode("utf-8"))
