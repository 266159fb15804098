"""What the model made is laid over the source: the same frames, heading and place; numpy only."""

from dataclasses import replace

import numpy as np

from ..cleanup.filters import smooth
from ..cleanup.legs import TOE_HEIGHT, body_scale, legs_of
from ..motion import Motion
from ..retarget.root_motion import facing
from ..rotations import (
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
)

UP = np.array([0.0, 1.0, 0.0])
#: Width (s) of the Gaussian that takes the swing of steps out of the heading.
_HEADING_SECONDS = 1 / 6
#: Motions whose heights differ by no more than this (m) over some frames are the same there.
_SAME = 0.05


def heading(motion: Motion) -> np.ndarray:
    """Angle [T] about the vertical in which the pelvis faces, without the swing of steps."""
    return smooth(facing(motion.rotations[:, 0]), _HEADING_SECONDS * motion.fps)


def yaw(angles: np.ndarray | float) -> np.ndarray:
    """Quaternions [..., 4] that turn by angles [...] about the vertical."""
    return rotation_vector_to_quaternion(np.asarray(angles)[..., None] * UP)


def half_turns(angles: np.ndarray | float) -> np.ndarray:
    """Angles less whole turns, between -pi and pi."""
    wrapped: np.ndarray = angles - 2.0 * np.pi * np.round(np.asarray(angles) / (2.0 * np.pi))
    return wrapped


def turned_and_moved(motion: Motion, turn: float, shift: np.ndarray) -> Motion:
    """The whole motion turned about the vertical through the origin, then moved by [3]."""
    rotations = motion.rotations.copy()
    rotations[:, 0] = quaternion_multiply(yaw(turn), rotations[:, 0])
    root = quaternion_rotate(yaw(turn), motion.root_positions) + shift
    return replace(motion, rotations=rotations, root_positions=root)


def held_until(motion: Motion, frames: int) -> Motion:
    """The motion in so many frames at least, its last frame held."""
    if motion.frame_count >= frames:
        return motion
    return motion.at_frames(np.minimum(np.arange(frames), motion.frame_count - 1))


def extended(motion: Motion, before: int, after: int) -> Motion:
    """The motion with some frames more on either side, which go on as it began and ends.

    A frame or two for what is measured across a border where the model saw nothing beyond it.
    """
    if not before and not after:
        return motion
    away = np.concatenate(
        [np.arange(-before, 0), np.zeros(motion.frame_count), 1 + np.arange(after)]
    )
    index = np.concatenate(
        [
            np.zeros(before, int),
            np.arange(motion.frame_count),
            np.full(after, motion.frame_count - 1),
        ]
    )
    held = motion.at_frames(index)
    if motion.frame_count < 2:
        return held
    rotations, root = held.rotations.copy(), held.root_positions.copy()
    for frames, (a, b) in ((away < 0, (0, 1)), (away > 0, (-2, -1))):
        if not frames.any():
            continue
        step = quaternion_multiply(motion.rotations[b], quaternion_conjugate(motion.rotations[a]))
        turns = away[frames][:, None, None] * quaternion_to_rotation_vector(step)
        rotations[frames] = normalize(
            quaternion_multiply(rotation_vector_to_quaternion(turns), rotations[frames])
        )
        root[frames] += away[frames][:, None] * (
            motion.root_positions[b] - motion.root_positions[a]
        )
    return replace(held, rotations=rotations, root_positions=root)


def floor_difference(source: Motion, made: Motion, outside: np.ndarray) -> float:
    """How much higher the source's floor is than that of what was made.

    Both in the same frames; ``outside`` [T] are those in which both should show the same motion.
    Where there are none, or they do not, the lowest feet of both tell.
    """
    if outside.any():
        lifted = source.root_positions[outside, 1] - made.root_positions[outside, 1]
        low, middle, high = np.percentile(lifted, [10.0, 50.0, 90.0])
        if high - low < _SAME * body_scale(source.skeleton):
            return float(middle)
    return floor_height(source) - floor_height(made)


def on_the_floor(motion: Motion) -> Motion:
    """The motion with its floor at height zero, as its lowest feet tell."""
    height = floor_height(motion)
    # A toe that is held a little high does not mean another floor.
    if abs(height) < _SAME * body_scale(motion.skeleton):
        return motion
    return turned_and_moved(motion, 0.0, -height * UP)


def floor_height(motion: Motion) -> float:
    """How high the floor is on which the lowest feet stand."""
    toes = [leg.toe for leg in legs_of(motion.skeleton)]
    heights = np.sort(motion.positions()[:, toes, 1], axis=None)
    lowest = heights[: max(1, len(heights) // 10)]
    return float(lowest.mean()) - TOE_HEIGHT * body_scale(motion.skeleton)
