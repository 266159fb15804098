"""Old goes into new at the ends of a range: inertialisation, inside the range alone; numpy only.

At a border the new motion is a little off the old one, in pose and in speed.  It begins with that
offset, so that the motion goes on as it was, and the offset dies away within a few frames
(D. Bollo, Inertialization: High-Performance Animation Transitions, GDC 2018).  A cross-fade would
need frames in which both are valid, and would slow down whatever moves.

Right at a border the new motion often jumps itself, because old and new meet there in the model,
too.  Where it does, its first frames are not believed: it counts from the end of the transition on,
and goes straight before that.  The shortest transition is taken whose velocity does not jump more
than is usual; where the range has no room for such a one, the smoothest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
#: By how much longer each next way to go over is, at least.
_LONGER = 1.2
#: The new motion's own jumps count as the border's in so many of its first frames.
_OWN_FRAMES = 3
#: What is usual: this percentile.
_USUAL = 99.0


@dataclass(frozen=True)
class _Space:
    """What is between two values [..., K] as a vector [..., 3], and a value moved by a vector."""

    between: Callable[[np.ndarray, np.ndarray], np.ndarray]
    moved: Callable[[np.ndarray, np.ndarray], np.ndarray]
    turns: bool


_TURNS = _Space(
    lambda a, b: quaternion_to_rotation_vector(quaternion_multiply(b, quaternion_conjugate(a))),
    lambda a, by: normalize(quaternion_multiply(rotation_vector_to_quaternion(by), a)),
    True,
)
_PLACES = _Space(lambda a, b: b - a, lambda a, by: a + by, False)


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
    unchanged.  frames: over how many it goes over, and over how many at most where that would take
    jumps of velocity larger than ``usual`` [J] (radians per frame and frame); see
    :func:`blend_frames`.  borders: has the range's beginning a neighbour, and its end.
    """
    return _through(_TURNS, old, new, first, last, frames, borders, usual)


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
    given = (old[:, None], new[:, None], first, last, frames, borders, usual)
    return _through(_PLACES, *given)[:, 0]


def blend_frames(edit: Edit, fps: float) -> tuple[int, int]:
    """Over how many frames a border is blended, and over how many at most.

    As many as asked, but no more than half of the range; none stay none.
    """
    frames = min(edit.blend, (edit.frame_count + 1) // 2)
    longest = min(_LONGEST_SECONDS * fps, _LONGEST_SHARE * edit.frame_count)
    return frames, max(frames, round(longest)) if frames else 0


def usual_turn_jumps(rotations: np.ndarray) -> np.ndarray:
    """The jump of angular velocity that is usual for each joint [J] of rotations [T, J, 4]."""
    return _usual(jumps_of_turns(rotations))


def usual_path_jumps(paths: np.ndarray) -> np.ndarray:
    """The jump of velocity that is usual on each of the paths [J] in [T, J, 3]."""
    return _usual(_jumps(_PLACES, paths))


def jumps_of_turns(rotations: np.ndarray) -> np.ndarray:
    """By how much the angular velocity changes [T - 2, J] at the inner frames of [T, J, 4]."""
    return _jumps(_TURNS, rotations)


def _usual(jumps: np.ndarray) -> np.ndarray:
    if not len(jumps):
        return np.zeros(jumps.shape[1])
    usual: np.ndarray = np.percentile(jumps, _USUAL, axis=0)
    return usual


def _jumps(space: _Space, values: np.ndarray) -> np.ndarray:
    if len(values) < 3:
        return np.zeros((0, values.shape[1]))
    steps = space.between(values[:-1], values[1:])
    jumps: np.ndarray = np.linalg.norm(np.diff(steps, axis=0), axis=-1)
    return jumps


def _through(
    space: _Space,
    old: np.ndarray,
    new: np.ndarray,
    first: int,
    last: int,
    frames: tuple[int, int],
    borders: tuple[bool, bool],
    usual: np.ndarray | float,
) -> np.ndarray:
    limits = np.broadcast_to(np.asarray(usual, float), new.shape[1:2])
    result = new.copy()
    if not frames[0]:
        return result
    if borders[0]:
        result = _joined(space, old, result, first - 1, frames, limits)
    if borders[1]:
        back = _joined(space, old[::-1], result[::-1], len(new) - 2 - last, frames, limits)
        result = back[::-1].copy()
    return result


def _joined(
    space: _Space,
    old: np.ndarray,
    new: np.ndarray,
    border: int,
    frames: tuple[int, int],
    limits: np.ndarray,
) -> np.ndarray:
    """The new values [T, J, K], those after the frame ``border`` so that they follow on the old."""
    result = new.copy()
    left, least = np.arange(new.shape[1]), np.full(new.shape[1], np.inf)
    for count, trusted in _ways(*frames):
        if border + (trusted + 1 if trusted else count) >= len(new):
            continue
        passed = _passed(space, old[:, left], new[:, left], border, count, trusted)
        worst = _excess(space, old[:, left], new[:, left], passed, border, limits[left])
        better = worst < least[left]
        chosen = left[better]
        result[border + 1 :, chosen] = new[border + 1 :, chosen]
        result[border + 1 : border + 1 + count, chosen] = passed[:, better]
        least[chosen] = worst[better]
        left = left[worst > 1.0]
        if not len(left):
            break
    return result


def _ways(least: int, most: int) -> Iterator[tuple[int, int]]:
    """(over how many frames, from which one after the border on the new motion is believed).

    From frame 0 on it is believed on both sides of the border.
    """
    count = least
    while True:
        yield count, 0
        yield count, count + 1
        if count >= most:
            return
        count = min(most, max(count + 1, int(count * _LONGER)))


def _passed(
    space: _Space, old: np.ndarray, new: np.ndarray, border: int, count: int, trusted: int
) -> np.ndarray:
    """The values [count, J, K] after the border."""
    target = new[max(border - 1, 0) : border + count + 1]
    lead = len(target) - count
    if trusted:
        step = space.between(new[border + trusted], new[border + trusted + 1])
        away = np.arange(1 - lead, count + 1) - trusted
        straight = space.moved(
            np.broadcast_to(new[border + trusted], target.shape), away[:, None, None] * step
        )
        target = np.where((away < 0)[:, None, None], straight, target)
    apart = space.between(target[:lead], old[border - lead + 1 : border + 1])
    now = apart[-1]
    before = _nearest(apart[0], now) if space.turns else apart[0]
    shares = decay(count)
    offsets = shares[:, 0, None, None] * now + shares[:, 1, None, None] * (now - before)
    return space.moved(target[lead:], offsets)


def _excess(
    space: _Space,
    old: np.ndarray,
    new: np.ndarray,
    passed: np.ndarray,
    border: int,
    limits: np.ndarray,
) -> np.ndarray:
    """How many times more than usual [J] the velocity jumps, at most."""
    after = border + len(passed) + 1
    before = max(border - 1, 0)
    whole = np.concatenate([old[before : border + 1], passed, new[after : after + 2]])
    jumps = _jumps(space, whole)
    own = _jumps(space, new[before : after + 2])
    skip = _OWN_FRAMES + border - before
    own[:skip] = 0.0
    worst: np.ndarray = (jumps / np.maximum(np.maximum(limits, own), 1e-12)).max(
        axis=0, initial=0.0
    )
    return worst


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
    known = np.array([[1.0, -2.0], [1.0, -1.0], [1.0, 0.0]])
    third = np.diff(np.eye(frames + 6), n=3, axis=0)
    shares: np.ndarray = -np.linalg.lstsq(third[:, 3:-3], third[:, :3] @ known, rcond=None)[0]
    shares.setflags(write=False)
    return shares
