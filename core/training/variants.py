"""Variants of a clip: other speeds, repeated, held, cut.  Its captions hold for each."""

import numpy as np

from ..features.heading import heading_angles, yaw_quaternion
from ..motion import Motion
from ..rotations import quaternion_rotate, slerp

#: Clips below this many seconds are also shown repeated and held, so that "a kick" can fill four.
SHORT_SECONDS = 2.5
#: Clips above are also shown cut, so that a long walk can be asked for in two seconds.
LONG_SECONDS = 5.0
SEAM_FRAMES = 8
#: m: mean distance of the joints up to which a clip that starts anew is still the same action.
#: Sitting down three times on end is not.
REPEAT_DISTANCE = 0.15


def variants(motion: Motion, random: np.random.Generator) -> list[tuple[Motion, float]]:
    """The clip itself, slower, faster, repeated, held or cut, each with its share of draws."""
    made = [(motion, 1.0)]
    for span in ((0.8, 0.95), (1.05, 1.25)):
        made.append((at_speed(motion, float(random.uniform(*span))), 0.4))
    if motion.seconds < SHORT_SECONDS:
        if ends_as_it_began(motion):
            times = int(np.ceil(random.uniform(2.5, 4.5) / motion.seconds))
            made.append((repeated(motion, times), 0.6))
        lead = float(random.choice([0.0, random.uniform(0.1, 0.5)]))
        made.append((held(motion, random.uniform(2.5, 4.5), lead), 0.6))
    if motion.seconds > LONG_SECONDS:
        for _ in range(2):
            length = int(motion.frame_count * random.uniform(0.4, 0.7))
            first = int(random.integers(motion.frame_count - length))
            made.append((motion.at_frames(slice(first, first + length)), 0.4))
    return made


def at_speed(motion: Motion, speed: float) -> Motion:
    """The motion played ``speed`` times as fast, at the same frame rate."""
    fast = Motion(motion.skeleton, motion.rotations, motion.root_positions, motion.fps * speed)
    return fast.resampled(motion.fps)


def ends_as_it_began(motion: Motion) -> bool:
    """Whether the last pose is near enough the first for the clip to start anew."""
    ends = motion.at_frames(np.array([0, -1]))
    poses = ends.positions() - ends.root_positions[:, None] * [1.0, 0.0, 1.0]
    turn = yaw_quaternion(heading_angles(poses, motion.skeleton, 0.3))
    first, last = (quaternion_rotate(q, pose) for q, pose in zip(turn, poses, strict=True))
    return bool(np.linalg.norm(first - last, axis=-1).mean() < REPEAT_DISTANCE)


def held(motion: Motion, seconds: float, lead: float = 0.0) -> Motion:
    """The clip with its last pose held until ``seconds`` have passed.

    ``lead``: share of the added time for which the first pose is held instead.
    """
    frames = max(motion.frame_count, round(seconds * motion.fps))
    before = round(lead * (frames - motion.frame_count))
    return motion.at_frames(np.clip(np.arange(frames) - before, 0, motion.frame_count - 1))


def repeated(motion: Motion, times: int) -> Motion:
    """The clip played ``times`` times on end, walking on from where it was, with blended seams."""
    start, end = motion.root_positions[0], motion.root_positions[-1]
    seam = min(SEAM_FRAMES, motion.frame_count // 2)
    # The seam moves on at the mean of the speeds before and after it, so that a walk does not halt.
    roots_per_frame = np.diff(motion.root_positions, axis=0)
    speed = (roots_per_frame[-1] + roots_per_frame[0]) / 2
    step = (end - start + (seam + 1) * speed) * [1.0, 0.0, 1.0]
    rotations, roots = [motion.rotations], [motion.root_positions]
    t = (np.arange(1, seam + 1) / (seam + 1))[:, None]
    for turn in range(1, times):
        offset = turn * step
        first_root = start + offset
        last_rotation, last_root = rotations[-1][-1], roots[-1][-1]
        bridge = slerp(
            np.repeat(last_rotation[None], seam, 0), np.repeat(motion.rotations[:1], seam, 0), t
        )
        rotations += [bridge, motion.rotations]
        roots += [last_root * (1 - t) + first_root * t, motion.root_positions + offset]
    return Motion(motion.skeleton, np.concatenate(rotations), np.concatenate(roots), motion.fps)
