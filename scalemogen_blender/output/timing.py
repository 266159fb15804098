"""Which frames, and how many a second: from the panel's settings to plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from .. import bake
from .._core import errors, retarget, rotations
from .._core import motion as motions

_CLOSE = 1e-3


@dataclass(frozen=True)
class FrameRange:
    """Whole frames of a scene, both ends included."""

    first: int
    last: int


def frame_range(scene: bpy.types.Scene, result: FrameRange | None) -> FrameRange:
    """The range that the panel asks for; ``result`` is that of the motion itself.

    ScaleMoGenError if there is none, or if it ends before it begins.
    """
    settings = scene.scalemogen.output
    if settings.range == "RESULT":
        if result is None:
            raise errors.ScaleMoGenError("There are no keys to take the range from; set a range.")
        return result
    if settings.range == "CUSTOM":
        found = FrameRange(settings.frame_start, settings.frame_end)
    elif settings.range == "PREVIEW" and scene.use_preview_range:
        found = FrameRange(scene.frame_preview_start, scene.frame_preview_end)
    else:
        found = FrameRange(scene.frame_start, scene.frame_end)
    if found.last < found.first:
        raise errors.ScaleMoGenError(
            f"The range ends (frame {found.last}) before it begins (frame {found.first}); "
            "set the start and end under Bake & Export."
        )
    return found


def start_frame(scene: bpy.types.Scene, result: float) -> float:
    """The frame at which the panel lets a result begin; ``result`` is its own."""
    settings = scene.scalemogen.output
    if settings.start == "CUSTOM":
        return float(settings.start_frame)
    return float(scene.frame_current_final) if settings.start == "CURRENT" else result


def frame_rate(scene: bpy.types.Scene, result_fps: float) -> float:
    """Keys or samples per second that the panel asks for."""
    settings = scene.scalemogen.output
    if settings.rate == "CUSTOM":
        return float(settings.fps)
    return result_fps if settings.rate == "RESULT" else bake.scene_fps(scene)


def key_frames(
    start: float, length: float, wanted: FrameRange | None, scene_fps: float, rate: float
) -> np.ndarray:
    """Scene frames [K] to key: ``rate`` a second from ``start`` on, within the wanted range.

    ``length`` is the motion's in scene frames; at the scene's own rate the keys are on whole
    frames.  The ends of what is keyed have keys in any case, so that the range is filled.
    ScaleMoGenError if the motion and the range do not meet.
    """
    first, last = start, start + length
    if wanted is not None:
        first, last = max(float(wanted.first), first), min(float(wanted.last), last)
    if last < first:
        raise errors.ScaleMoGenError(
            f"The result lies at frames {start:g} to {start + length:.0f}, outside the range of "
            f"frames {wanted.first} to {wanted.last}; choose another range under Bake & Export."
        )
    step = scene_fps / rate
    begin = np.ceil(start - _CLOSE) if abs(step - 1.0) < 1e-6 else start
    count = int(np.floor((start + length - begin) / step + 1e-6)) + 1
    frames = begin + step * np.arange(count)
    whole = np.round(frames)
    frames = np.where(np.abs(frames - whole) < _CLOSE, whole, frames)
    inside = frames[(frames > first + _CLOSE) & (frames < last - _CLOSE)]
    return np.array([first, *inside, *([last] if last > first else [])])


def sampled_at(motion: motions.Motion, seconds: np.ndarray, fps: float) -> motions.Motion:
    """The motion at any times [K] in seconds from its first frame: slerp, and linear positions.

    fps: what the new motion says of itself, for times that are (but for its ends) so far apart.
    """
    at = np.clip(np.asarray(seconds) * motion.fps, 0.0, motion.frame_count - 1)
    low, high, blend = _around(at, motion.frame_count)
    turned = rotations.slerp(motion.rotations[low], motion.rotations[high], blend[:, None])
    contacts = motion.contacts
    return motions.Motion(
        motion.skeleton,
        rotations.make_continuous(turned),
        _between(motion.root_positions, low, high, blend),
        fps,
        None if contacts is None else _between(contacts, low, high, blend),
    )


def channels_at(
    pose: retarget.PoseChannels, known: np.ndarray, wanted: np.ndarray
) -> retarget.PoseChannels:
    """Channels at some frames [K] of those that are known at others [T], ascending."""
    at = np.interp(wanted, known, np.arange(len(known)))
    low, high, blend = _around(at, len(known))
    exact = (blend < 1e-6) | (blend > 1.0 - 1e-6)
    nearest = np.where(blend > 0.5, high, low)
    found = pose.at_frames(nearest)
    for row in np.flatnonzero(~exact):
        one, other, share = (
            pose.at_frames(low[row : row + 1]),
            pose.at_frames(high[row : row + 1]),
            blend[row],
        )
        found.rotations[row] = rotations.slerp(
            one.rotations[0], other.rotations[0], np.array(share)
        )
        for bone, values in found.locations.items():
            values[row] = one.locations[bone][0] * (1 - share) + other.locations[bone][0] * share
        if found.object_to_world is not None:
            found.object_to_world[row] = _blended(
                one.object_to_world[0], other.object_to_world[0], share
            )
    return found


def _around(at: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices before and after each place [K], and how far it is from the one to the other."""
    low = np.clip(at.astype(int), 0, max(count - 2, 0))
    return low, np.minimum(low + 1, count - 1), at - low


def _between(
    values: np.ndarray, low: np.ndarray, high: np.ndarray, blend: np.ndarray
) -> np.ndarray:
    share = blend[:, None]
    return np.asarray(values[low] * (1 - share) + values[high] * share)


def _blended(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Between two placements [4, 4] of equal scale."""
    scale = np.linalg.norm(one[:3, :3], axis=0)
    turns = [rotations.matrix_to_quaternion(m[:3, :3] / scale) for m in (one, other)]
    found = one * (1 - share) + other * share
    found[:3, :3] = rotations.quaternion_to_matrix(rotations.slerp(*turns, np.array(share))) * scale
    return found
