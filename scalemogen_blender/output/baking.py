"""A result as keys: in an action of its own, in the rig's present one, or as a layer on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .. import bake, compat
from .. import rig as rigs
from .._core import errors, retarget
from .._core import motion as motions
from ..channels import Channel, channels_of
from ..results import accepting, preview, storage
from . import layering, overwriting, timing
from .keying import Keying, Simplified

if TYPE_CHECKING:
    from ..results.properties import ResultItem


@dataclass(frozen=True)
class Baked:
    """What was done: the action with the keys, and the frames [K] that they cover.

    copied: the action is a copy of one that others use, too.  simplified: if that was asked for.
    """

    action: bpy.types.Action
    frames: np.ndarray
    copied: bool
    simplified: Simplified | None


def current(scene: bpy.types.Scene) -> ResultItem | None:
    """The result that is played, else the active one."""
    results = preview.of(scene)
    playing = preview.find(scene, results.playing_uid) if results.playing_uid else None
    if playing is not None:
        return playing
    if 0 <= results.active_index < len(results.entries):
        return results.entries[results.active_index]
    return None


def problem(scene: bpy.types.Scene, item: ResultItem) -> str | None:
    """Why a result cannot be baked, with the remedy; cheap enough for panels."""
    if item.is_edit:
        return "This result is an edit of the rig's action. Accept puts it there"
    return preview.problem(scene, item)


def bake_result(scene: bpy.types.Scene, item: ResultItem) -> Baked:
    """Key a result on its rig as the panel asks; a preview on the rig ends.

    ScaleMoGenError if rig, range or action do not allow it; then no key has changed.
    """
    if found := problem(scene, item):
        raise errors.ScaleMoGenError(f"{found}.")
    rig = preview.rig_of(item)
    motion = storage.unpack(item.motion)
    if motion.frame_count == 0:
        raise errors.ScaleMoGenError("The motion has no frames; generate it again.")
    retargeter = rigs.retargeter(rig)
    start = timing.start_frame(scene, item.start_frame)
    frames = _frames(scene, start, motion)
    pose = _pose(scene, rig, retargeter, motion, start, frames)
    keying = Keying.of_scene(scene, retargeter, motion, start)
    preview.end_on(rig)
    animation = rig.animation_data_create()
    animation.use_tweak_mode = False
    channels = list(channels_of(rig, pose))
    settings = scene.scalemogen.output
    copied, simplified, action = False, None, animation.action
    if settings.target == "ADDITIVE":
        name = accepting.action_name(item.prompt)
        action, simplified = layering.layer(rig, channels, frames, keying, settings.reference, name)
        bake.store_properties(action, _properties(item, rig))
    elif settings.target == "OVERWRITE" and action is not None:
        copied, simplified = overwriting.overwrite(rig, channels, frames, keying)
        action = animation.action
    else:
        action, simplified = _put_new(rig, pose, channels, frames, item, keying)
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return Baked(action, frames, copied, simplified)


def result_range(
    start: float, motion_frames: int, fps: float, scene_fps: float
) -> timing.FrameRange:
    """Whole scene frames that a motion fills from ``start`` on."""
    length = max(motion_frames - 1, 0) / fps * scene_fps
    first, last = np.floor(start + 1e-6), np.floor(start + length + 1e-6)
    return timing.FrameRange(int(first), int(max(first, last)))


def _frames(scene: bpy.types.Scene, start: float, motion: motions.Motion) -> np.ndarray:
    fps = bake.scene_fps(scene)
    whole = result_range(start, motion.frame_count, motion.fps, fps)
    wanted = timing.frame_range(scene, whole)
    if scene.scalemogen.output.range == "RESULT" and start != whole.first:
        wanted = None  # begins between two frames
    rate = timing.frame_rate(scene, motion.fps)
    return timing.key_frames(start, _length(scene, motion), wanted, fps, rate)


def _length(scene: bpy.types.Scene, motion: motions.Motion) -> float:
    return (motion.frame_count - 1) / motion.fps * bake.scene_fps(scene)


def _pose(
    scene: bpy.types.Scene,
    rig: bpy.types.Object,
    retargeter: retarget.Retargeter,
    motion: motions.Motion,
    start: float,
    frames: np.ndarray,
) -> retarget.PoseChannels:
    """Channels at some frames of a motion that begins at ``start``.

    Feet and path are decided by the whole motion, whatever part of it is keyed.
    """
    fps, rate = bake.scene_fps(scene), timing.frame_rate(scene, motion.fps)
    whole = timing.key_frames(start, _length(scene, motion), None, fps, rate)
    sampled = timing.sampled_at(motion, (whole - start) / fps, rate)
    made = retargeter.transfer(sampled, rigs.options(rig))
    return timing.channels_at(made, whole, frames)


def _properties(item: ResultItem, rig: bpy.types.Object) -> dict[str, object]:
    """What the action remembers of how it was made."""
    return accepting.properties_of(item) | rigs.remembered(rig)


def _put_new(
    rig: bpy.types.Object,
    pose: retarget.PoseChannels,
    channels: Sequence[Channel],
    frames: np.ndarray,
    item: ResultItem,
    keying: Keying,
) -> tuple[bpy.types.Action, Simplified | None]:
    """A new action on the rig; the present one stays in the file."""
    writer = compat.ActionWriter.new(rig, accepting.action_name(item.prompt))
    simplified = None
    if keying.tolerance is None:
        bake.write(writer, rig, pose, frames)
    else:
        keyed, simplified = keying.keyed(channels, frames)
        layering.write(writer, keyed)
    bake.store_properties(writer.action, _properties(item, rig))
    animation = rig.animation_data
    earlier = animation.action
    bake.put_on(rig, writer.action, bake.keyed_bones(pose))
    animation.action_blend_type, animation.action_influence = "REPLACE", 1.0
    if earlier is not None and earlier.users == 0:
        earlier.use_fake_user = True
    return writer.action, simplified
