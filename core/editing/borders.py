"""Old goes into new at the ends of a range: inertialisation, inside the range alone; numpy only.

At a border the new motion is a little off the old one, in pose and in speed.  It begins with that
offset, so that the motion goes on as it was, and the offset dies away within a few frames
(D. Bollo, Inertialization: High-Performance Animation Transitions, GDC 2018).  A cross-fade would
need frames in which both are valid, and would slow down whatever moves.
"""

from functools import cache

import numpy as np

from ..rotations import (
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
)
from .edit import Edit

#: A large offset may take longer than asked to die away: up to so many seconds, or that share of
#: the range.
_LONGEST_SECONDS, _LONGEST_SHARE = 0.5, 0.4
#: Offset and speed each may use so much of the jump of velocity that is usual.
_SHARE = 0.35
#: What is usual: this percentile.
_USUAL = 99.0


def rotations_through(
    old: np.ndarray,
    new: np.ndarray,
    first: int,
    last: int,
    frames: tuple[int, int],
    borders: tuple[bool, bool],
    usual: np.ndarray | float = np.inf,
) -> np.ndarray:
    """The new rotations [T, J, 4] so that they follow on the old ones [T, J, 4] at the borders.

    first, last: the range; frames outside are both motions' own, are only looked at, and come back
    unchanged.  frames: over how many the offset dies away, and over how many at most where that
    would take jumps of velocity larger than ``usual`` [J] (radians per frame and frame); see
    :func:`blend_frames`.  borders: has the range's beginning a neighbour, and its end.
    """
    apart = quaternion_to_rotation_vector(quaternion_multiply(old, quaternion_conjugate(new)))
    offsets = _offsets(apart, first, last, frames, borders, usual)
    result = new.copy()
    part = slice(first, last + 1)
    turn = rotation_vector_to_quaternion(offsets[part])
    result[part] = normalize(quaternion_multiply(turn, new[part]))
    return result


def path_through(
    old: np.ndarray,
    new: np.ndarray,
    first: int,
    last: int,
    frames: tuple[int, int],
    borders: tuple[bool, bool],
    usual: float = np.inf,
) -> np.ndarray:
    """:func:`rotations_through` for a path [T, 3]; ``usual`` in its units per frame and frame."""
    result = new.copy()
    offsets = _offsets((old - new)[:, None], first, last, frames, borders, usual, turns=False)
    result[first : last + 1] += offsets[first : last + 1, 0]
    return result


def blend_frames(edit: Edit, fps: float) -> tuple[int, int]:
    """Over how many frames a border is blended, and over how many at most.

    As many as asked, but no more than half of the range; none stay none.
    """
    frames = min(edit.blend, (edit.frame_count + 1) // 2)
    longest = min(_LONGEST_SECONDS * fps, _LONGEST_SHARE * edit.frame_count)
    return frames, max(frames, round(longest)) if frames else 0


def usual_turn_jumps(rotations: np.ndarray) -> np.ndarray:
    """The jump of angular velocity that is usual for each joint [J] of rotations [T, J, 4]."""
    steps = quaternion_multiply(rotations[1:], quaternion_conjugate(rotations[:-1]))
    return _usual(quaternion_to_rotation_vector(steps))


def usual_path_jumps(paths: np.ndarray) -> np.ndarray:
    """The jump of velocity that is usual on each of the paths [J] in [T, J, 3]."""
    return _usual(np.diff(paths, axis=0))


def _usual(velocities: np.ndarray) -> np.ndarray:
    if len(velocities) < 2:
        return np.zeros(velocities.shape[1])
    jumps = np.linalg.norm(np.diff(velocities, axis=0), axis=-1)
    usual: np.ndarray = np.percentile(jumps, _USUAL, axis=0)
    return usual


def _offsets(
    apart: np.ndarray,
    first: int,
    last: int,
    frames: tuple[int, int],
    borders: tuple[bool, bool],
    usual: np.ndarray | float,
    turns: bool = True,
) -> np.ndarray:
    """Offsets [T, J, 3] that die away inside the range; ``apart`` is old less new."""
    offsets = np.zeros_like(apart)
    if not frames[0]:
        return offsets
    limits = np.broadcast_to(_SHARE * np.asarray(usual, float), apart.shape[1:2])
    for there, border, inward in zip(borders, (first - 1, last + 1), (1, -1), strict=True):
        if not there:
            continue
        beyond = border - inward
        now = apart[border]
        before = apart[beyond] if 0 <= beyond < len(apart) else now
        speed = now - (_nearest(before, now) if turns else before)
        for joint, limit in enumerate(limits):
            for column, value in enumerate((now[joint], speed[joint])):
                count = _least_frames(float(np.linalg.norm(value)), column, limit, frames)
                at = border + inward * np.arange(1, count + 1)
                offsets[at, joint] += decay(count)[:, column, None] * value
    return offsets


def _least_frames(size: float, column: int, limit: float, frames: tuple[int, int]) -> int:
    """Over how many frames an offset, or a speed, of a size dies away within a limit."""
    least, most = frames
    for count in range(least, most):
        if size * _peaks(count)[column] <= limit:
            return count
    return most


def _nearest(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Of the rotation vectors that mean the same turn as ``before`` [..., 3] the one near ``now``.

    Without it an offset near half a turn would seem to whirl round.
    """
    angle = np.linalg.norm(before, axis=-1, keepdims=True)
    far = (np.sum(before * now, axis=-1, keepdims=True) < 0.0) & (angle > np.pi / 2)
    other = before * (1.0 - 2.0 * np.pi / np.maximum(angle, 1e-9))
    return np.where(far, other, before)


@cache
def decay(frames: int) -> np.ndarray:
    """Shares [frames, 2] of an offset, and of its speed per frame, that are left in frames after.

    The curve with the least jerk: it leaves with the speed that the offset has and without a jump
    of velocity, and arrives at nothing in the same way.
    """
    shares: np.ndarray = _whole_decay(frames)[3:-3]
    shares.setflags(write=False)
    return shares


@cache
def _whole_decay(frames: int) -> np.ndarray:
    """:func:`decay` with the three frames before, and three after it, [frames + 6, 2]."""
    known = np.array([[1.0, -2.0], [1.0, -1.0], [1.0, 0.0]])
    third = np.diff(np.eye(frames + 6), n=3, axis=0)
    found = -np.linalg.lstsq(third[:, 3:-3], third[:, :3] @ known, rcond=None)[0]
    return np.concatenate([known, found, np.zeros((3, 2))])


@cache
def _peaks(frames: int) -> tuple[float, float]:
    """The largest jumps of velocity as an offset of 1 dies away, and as a speed of 1 does."""
    jumps = np.abs(np.diff(_whole_decay(frames), n=2, axis=0)).max(axis=0)
    return float(jumps[0]), float(jumps[1])
