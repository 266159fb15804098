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


def blend_frames(frames: int, blend: int) -> int:
    """How many frames a border may take of a range: no more than half of it."""
    return min(blend, (frames + 1) // 2)


def rotations_through(
    old: np.ndarray, new: np.ndarray, first: int, last: int, blend: int, borders: tuple[bool, bool]
) -> np.ndarray:
    """The new rotations [T, ..., 4] so that they follow on the old ones [T, ..., 4] at the borders.

    first, last: the range; frames outside are both motions' own and only looked at.  borders: has
    the range's beginning a neighbour, and its end.  What is outside the range comes back unchanged.
    """
    offsets = _offsets(_turns_between(new, old), first, last, blend, borders)
    result = new.copy()
    part = slice(first, last + 1)
    turn = rotation_vector_to_quaternion(offsets[part])
    result[part] = normalize(quaternion_multiply(turn, new[part]))
    return result


def path_through(
    old: np.ndarray, new: np.ndarray, first: int, last: int, blend: int, borders: tuple[bool, bool]
) -> np.ndarray:
    """:func:`rotations_through` for paths [T, ..., K]."""
    result = new.copy()
    offsets = _offsets(old - new, first, last, blend, borders)
    result[first : last + 1] += offsets[first : last + 1]
    return result


def _turns_between(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Rotation vectors [T, ..., 3], in the parent's frame, that turn new into old."""
    return quaternion_to_rotation_vector(quaternion_multiply(old, quaternion_conjugate(new)))


def _offsets(
    apart: np.ndarray, first: int, last: int, blend: int, borders: tuple[bool, bool]
) -> np.ndarray:
    """Offsets [T, ..., K] that die away inside the range; ``apart`` is old less new."""
    frames = blend_frames(last - first + 1, blend)
    offsets = np.zeros_like(apart)
    if not frames:
        return offsets
    for there, border, inward in zip(borders, (first - 1, last + 1), (1, -1), strict=True):
        if not there:
            continue
        beyond = border - inward
        known = 0 <= beyond < len(apart)
        now = apart[border]
        before = _nearest(apart[beyond], now) if known else now
        at = border + inward * np.arange(1, frames + 1)
        shares = decay(frames)
        offsets[at] += np.tensordot(shares, np.stack([before, now]), axes=1)
    return offsets


def _nearest(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Of the rotation vectors that mean the same turn as ``before`` [..., 3] the one near ``now``.

    Without it an offset near half a turn would seem to whirl round.  Paths are left as they are.
    """
    angle = np.linalg.norm(before, axis=-1, keepdims=True)
    far = (np.sum(before * now, axis=-1, keepdims=True) < 0.0) & (angle > np.pi / 2)
    other = before * (1.0 - 2.0 * np.pi / np.maximum(angle, 1e-9))
    return np.where(far, other, before)


@cache
def decay(frames: int) -> np.ndarray:
    """Shares [frames, 2] of the offset two frames and one frame before, as it dies away.

    The curve that bends least: it leaves with the speed that the offset has, and arrives at nothing
    without speed.
    """
    count = frames + 4  # two known, the unknown, two that are nothing
    second = np.diff(np.eye(count), n=2, axis=0)
    unknown = second[:, 2:-2]
    shares: np.ndarray = -np.linalg.lstsq(unknown, second[:, :2], rcond=None)[0]
    shares.setflags(write=False)
    return shares
