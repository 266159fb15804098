"""The path of an edited root: laid on at the range's start, and on to what comes after; numpy."""

from dataclasses import dataclass, replace

import numpy as np

from ..cleanup.filters import smooth
from ..motion import Motion
from ..rotations import quaternion_multiply, quaternion_rotate
from .alignment import half_turns, heading, turned_and_moved, yaw
from .edit import Later, Offset

GROUND = np.array([1.0, 0.0, 1.0])
#: A bent path is bent where the body moves; one that stands still bends like one this fast (m/s).
_LEAST_SPEED = 0.1
#: Over this many seconds at either end the path is left as it is.
_EASE_SECONDS = 0.3
#: How far (radians) the way may curve aside on top of its turn so as to arrive, and what that costs
#: beside missing the goal by the path's whole length.
_MOST_CURVE, _CURVE_COST = 1.2, 0.15


@dataclass(frozen=True)
class Path:
    """What was made, in the source's world, and what then happens to what comes after.

    turns: [T] angles by which the made motion was turned about the vertical.
    """

    made: Motion
    turns: np.ndarray
    offset: Offset


def followed(
    source: Motion, made: Motion, first: int, last: int, borders: tuple[bool, bool], later: Later
) -> Path:
    """The made motion on the source's way; both in the same frames, first..last are edited.

    It begins where the source is just before, and faces as it does.  PATH: it bends so that it
    arrives where the later path is; OFFSET: what comes later shall begin where it ends.  Where
    nothing comes before it, PATH lays it on at its end instead.
    """
    begins, goes_on = borders
    start = first - 1 if begins else first
    end = last + 1
    if goes_on and later == "PATH" and not begins:
        start = end
    facing_old, facing_new = heading(source), heading(made)
    turn = float(half_turns(facing_old[start] - facing_new[start]))
    place = quaternion_rotate(yaw(turn), made.root_positions[start])
    made = turned_and_moved(made, turn, (source.root_positions[start] - place) * GROUND)
    turns = np.full(made.frame_count, turn)
    if not goes_on or start == end:
        return Path(made, turns, Offset())
    more = float(half_turns(facing_old[end] - facing_new[end] - turn))
    if later == "OFFSET":
        ended = quaternion_rotate(yaw(-more), source.root_positions[end])
        shift = (made.root_positions[end] - ended) * GROUND
        return Path(made, turns, Offset(-more, shift))
    bent, angles = _bent(made, start, end, more, source.root_positions[end])
    return Path(bent, turns + angles, Offset())


def _bent(
    made: Motion, start: int, end: int, turn: float, goal: np.ndarray
) -> tuple[Motion, np.ndarray]:
    """The path turned little by little and stretched so that it ends at the goal; angles [T]."""
    path = made.root_positions * GROUND
    steps = np.diff(path[start : end + 1], axis=0)
    along = _progress(steps, made.fps)
    length = float(np.linalg.norm(steps, axis=-1).sum())
    bump = 16.0 * (along * (1.0 - along)) ** 2
    way = goal * GROUND - path[start]

    def angles_of(curve: float) -> np.ndarray:
        return turn * along + curve * bump

    def cost(curve: float) -> float:
        missed = np.linalg.norm(way - _turned(steps, angles_of(curve))[-1])
        return float((missed / (0.3 + length)) ** 2 + _CURVE_COST * curve**2)

    curve = min(np.linspace(-_MOST_CURVE, _MOST_CURVE, 49), key=cost)
    inner = angles_of(float(curve))
    walked = _turned(steps, inner)
    walked += along[:, None] * (way - walked[-1])
    angles = np.concatenate(
        [np.zeros(start), inner, np.full(made.frame_count - end - 1, inner[-1])]
    )
    rotations, root = made.rotations.copy(), made.root_positions.copy()
    rotations[:, 0] = quaternion_multiply(yaw(angles), rotations[:, 0])
    root[start : end + 1] += (path[start] + walked - path[start : end + 1]) * GROUND
    beyond = path[end:] - path[end]
    root[end:] = (
        quaternion_rotate(yaw(angles[end]), beyond) + goal * GROUND + root[end:] * (1.0 - GROUND)
    )
    return replace(made, rotations=rotations, root_positions=root), angles


def _progress(steps: np.ndarray, fps: float) -> np.ndarray:
    """How much of the way is behind at each frame [T], 0 to 1, for steps [T - 1, 3].

    It grows with the distance, and begins and ends gently.
    """
    speed = np.linalg.norm(smooth(steps, fps / 6), axis=-1) * fps + _LEAST_SPEED
    ease = min(_EASE_SECONDS * fps, 0.5 * len(steps))
    inside = np.minimum(np.arange(len(steps)) + 0.5, len(steps) - 0.5 - np.arange(len(steps)))
    near = np.clip(inside / ease, 0.0, 1.0)
    share = speed * near * near * (3.0 - 2.0 * near)
    done = np.concatenate([[0.0], np.cumsum(share)])
    return done / done[-1]


def _turned(steps: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """The way [T, 3] of steps [T - 1, 3], each turned by the angle [T] that it is walked at."""
    turned = quaternion_rotate(yaw(0.5 * (angles[1:] + angles[:-1])), steps)
    return np.concatenate([np.zeros((1, 3)), np.cumsum(turned, axis=0)])
