"""Which frames, and how many a second: from the panel's settings to plain numbers."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from .. import bake
from .._core import errors, rotations
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


def frame_rate(scene: bpy.types.Scene, result_fps: float) -> float:
    """Keys or samples per second that the panel asks for."""
    settings = scene.scalemogen.output
    if settings.rate == "CUSTOM":
        return float(settings.fps)
    return result_fps if settings.rate == "RESULT" else bake.scene_fps(scene)


def key_frames(
    start: int, length: float, wanted: FrameRange, scene_fps: float, rate: float
) -> np.ndarray:
    """Scene frames [K] to key: ``rate`` a second from ``start`` on, within the wanted range.

    ``length`` is the motion's in scene frames.  The ends of what is keyed have keys in any case,
    so that the range is filled.  ScaleMoGenError if the motion and the range do not meet.
    """
    first = max(float(wanted.first), float(start))
    last = min(float(wanted.last), start + length)
    if last < first:
        raise errors.ScaleMoGenError(
            f"The result lies at frames {start} to {start + length:.0f}, outside the range of "
            f"frames {wanted.first} to {wanted.last}; choose another range under Bake & Export."
        )
    step = scene_fps / rate
    count = int(np.floor(length / step + 1e-6)) + 1
    frames = start + step * np.arange(count)
    whole = np.round(frames)
    frames = np.where(np.abs(frames - whole) < _CLOSE, whole, frames)
    inside = frames[(frames > first + _CLOSE) & (frames < last - _CLOSE)]
    return np.array([first, *inside, *([last] if last > first else [])])


def sampled_at(motion: motions.Motion, seconds: np.ndarray) -> motions.Motion:
    """The motion at any times [K] in seconds from its first frame: slerp, and linear positions."""
    at = np.clip(np.asarray(seconds) * motion.fps, 0.0, motion.frame_count - 1)
    low = np.clip(at.astype(int), 0, max(motion.frame_count - 2, 0))
    high = np.minimum(low + 1, motion.frame_count - 1)
    blend = (at - low)[:, None]
    turned = rotations.slerp(motion.rotations[low], motion.rotations[high], blend)
    places = motion.root_positions[low] * (1 - blend) + motion.root_positions[high] * blend
    return motions.Motion(motion.skeleton, rotations.make_continuous(turned), places, motion.fps)
