"""The path after an edit, where another variation of that edit has carried it on already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._core import coordinates, editing, rotations

if TYPE_CHECKING:
    from .._core import motion as motions

#: Metres, radians: a path that is further from another is another one.
_SAME = 2e-3


def instead(
    offset: editing.Offset, source: motions.Motion, now: motions.Motion, start: int
) -> editing.Offset:
    """``offset`` of what ``source`` does from frame ``start`` on, as one of what is there now.

    Where an earlier edit has carried the same path on, its offset is taken back.
    """
    before = between(source, now, start)
    if before is None:
        return offset
    turn = offset.turn - before.turn
    return editing.Offset(turn, offset.shift - _turned(before.shift, turn))


def between(one: motions.Motion, other: motions.Motion, start: int) -> editing.Offset | None:
    """What carries the path of one motion from frame ``start`` on to that of another.

    None where nothing of the kind does, or they are the same.
    """
    end = min(one.frame_count, other.frame_count)
    if start >= end:
        return None
    turns = [motion.rotations[start:end, 0] for motion in (one, other)]
    places = [motion.root_positions[start:end] for motion in (one, other)]
    first = rotations.quaternion_multiply(turns[1][0], rotations.quaternion_conjugate(turns[0][0]))
    turn = 2.0 * float(np.arctan2(first[1:] @ coordinates.UP, first[0]))
    shift = places[1][0] - _turned(places[0][0], turn)
    about = rotations.rotation_vector_to_quaternion(turn * coordinates.UP)
    same = rotations.rotation_angle(rotations.quaternion_multiply(about, turns[0]), turns[1])
    apart = np.linalg.norm(_turned(places[0], turn) + shift - places[1], axis=-1)
    if max(same.max(), apart.max()) > _SAME or max(abs(turn), np.abs(shift).max()) < _SAME:
        return None
    return editing.Offset(turn, shift)


def _turned(points: np.ndarray, turn: float) -> np.ndarray:
    return rotations.quaternion_rotate(
        rotations.rotation_vector_to_quaternion(turn * coordinates.UP), points
    )
