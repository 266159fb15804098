"""A result as keys: in an action of its own, or in the rig's present one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .. import bake, compat
from .. import rig as rigs
from .._core import errors, retarget
from .._core import motion as motions
from ..channels import channels_of
from ..results import accepting, preview, storage
from . import overwriting, timing

if TYPE_CHECKING:
    from ..results.properties import ResultItem


@dataclass(frozen=True)
class Baked:
    """What was done: the action, its key frames [K], and whether it is a copy of a shared one."""

    action: bpy.types.Action
    frames: np.ndarray
    copied: bool


def current(scene: bpy.types.Scene) -> ResultItem | None:
    """The result that is played, else the active one."""
    results = preview.of(scene)
    playing = preview.find(scene, results.playing_uid) if results.playing_uid else None
    if playing is not None:
        return playing
    if 0 <= results.active_index < len(results.entries):
        return results.entries[results.active_index]
    return None


def bake_result(scene: bpy.types.Scene, item: ResultItem) -> Baked:
    """Key a result on its rig as the panel asks; a preview on the rig ends.

    ScaleMoGenError if rig, range or action do not allow it; then no key has changed.
    """
    if found := preview.problem(scene, item):
        raise errors.ScaleMoGenError(f"{found}.")
    rig = preview.rig_of(item)
    motion = storage.unpack(item.motion)
    if motion.frame_count == 0:
        raise errors.ScaleMoGenError("The motion has no frames; generate it again.")
    frames = _frames(scene, item.start_frame, motion)
    seconds = (frames - item.start_frame) / bake.scene_fps(scene)
    channels = _channels(rig, motion, seconds)
    preview.end_on(rig)
    animation = rig.animation_data_create()
    animation.use_tweak_mode = False
    copied = False
    if scene.scalemogen.output.target == "OVERWRITE" and animation.action is not None:
        copied = overwriting.overwrite(rig, list(channels_of(rig, channels)), frames)
    else:
        _put_new(rig, channels, frames, item)
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return Baked(animation.action, frames, copied)


def result_range(start: int, motion_frames: int, fps: float, scene_fps: float) -> timing.FrameRange:
    """Whole scene frames that a motion fills from ``start`` on."""
    length = max(motion_frames - 1, 0) / fps * scene_fps
    return timing.FrameRange(start, int(np.floor(start + length + 1e-6)))


def _frames(scene: bpy.types.Scene, start: int, motion: motions.Motion) -> np.ndarray:
    fps = bake.scene_fps(scene)
    whole = result_range(start, motion.frame_count, motion.fps, fps)
    wanted = timing.frame_range(scene, whole)
    rate = timing.frame_rate(scene, motion.fps)
    return timing.key_frames(start, (motion.frame_count - 1) / motion.fps * fps, wanted, fps, rate)


def _channels(
    rig: bpy.types.Object, motion: motions.Motion, seconds: np.ndarray
) -> retarget.PoseChannels:
    """Channels at some times of a motion; where it stands is decided by its first frame."""
    sampled = timing.sampled_at(motion, np.concatenate([[0.0], seconds]))
    made = rigs.retargeter(rig).transfer(sampled, rigs.options(rig))
    return made.at_frames(slice(1, None))


def _put_new(
    rig: bpy.types.Object, channels: retarget.PoseChannels, frames: np.ndarray, item: ResultItem
) -> None:
    """A new action on the rig; the present one stays in the file."""
    writer = compat.ActionWriter.new(rig, accepting.action_name(item.prompt))
    bake.write(writer, rig, channels, frames)
    bake.store_properties(writer.action, accepting.properties_of(item))
    animation = rig.animation_data
    earlier = animation.action
    bake.put_on(rig, writer.action, channels.bones)
    animation.action_blend_type, animation.action_influence = "REPLACE", 1.0
    if earlier is not None and earlier.users == 0:
        earlier.use_fake_user = True
