"""The way of one foot of a rig, with what stands nailed to its place; numpy only.

Changes are exact while a joint stands, nothing beyond a short time before and after, and as smooth
as they can be in between.
"""

from dataclasses import replace

import numpy as np

from ...cleanup.filters import runs
from .easing import SHORTEST_SECONDS, eased, parted
from .foot import RigFoot

#: A foot that strays further than this (canonical metres) from its place takes a step.
_STRAY = 0.08
#: Soles may be this deep in the floor (canonical metres) before they are raised.
_DEPTH = 0.003


def toe_places(foot: RigFoot) -> tuple[np.ndarray, np.ndarray]:
    """Where the ball of the foot shall stand [T, 3], and in which frames [T].

    On the floor at the rig's own height, on anything else as high above it as the motion was.
    """
    toe, standing = foot.toe, foot.standing
    places, stands = toe.copy(), np.zeros(len(toe), dtype=bool)
    most = _STRAY * foot.motion_scale
    for first, last in parted(standing.path[:, [0, 2]], foot.toe_stands, most, foot.fps):
        part = slice(first, last + 1)
        stands[part] = True
        places[part] = toe[part].mean(axis=0)
        height = standing.height[part].mean() * foot.scale / foot.motion_scale
        if standing.sole_down[part].mean() > 0.5:
            height *= standing.elevated[first]
        places[part, 1] = foot.shape.toe_height + height
    return places, stands


def nailed(foot: RigFoot, places: np.ndarray, toe_stands: np.ndarray) -> RigFoot:
    """The foot with its standing joints in their places and its sole above the floor."""
    toe_moves = places - foot.toe
    # Where a phase was parted the whole foot takes a step.
    heels = foot.ankle_stands & ~foot.toe_stands
    moves, heel_stands = _heel_moves(foot, heels, toe_moves, toe_stands)
    moves = np.where(toe_stands[:, None], toe_moves, moves)
    stands = toe_stands | heel_stands
    foot = replace(
        foot,
        ankle=foot.ankle + eased(moves, stands, foot.fps),
        toe_stands=toe_stands,
        ankle_stands=heel_stands | (foot.ankle_stands & toe_stands),
    )
    return _out_of_the_floor(foot)


def _heel_moves(
    foot: RigFoot, heels: np.ndarray, toe_moves: np.ndarray, toe_stands: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """By how much the ankle moves [T, 3] where it stands without the toe, and in which frames.

    A heel that has landed keeps the ankle above the place that it has when the toe is down.
    """
    moves = np.zeros_like(foot.ankle)
    stands = np.zeros(len(heels), dtype=bool)
    for first, last in runs(heels):
        part = slice(first, last + 1)
        path = foot.ankle[part]
        beside = [n for n in (last + 1, first - 1) if 0 <= n < len(heels) and toe_stands[n]]
        if not beside and last - first + 1 < SHORTEST_SECONDS * foot.fps:
            continue
        place, rise = path.mean(axis=0), 0.0
        if beside:
            place = foot.ankle[beside[0]] + toe_moves[beside[0]]
            rise = toe_moves[beside[0], 1]
        move = place - path
        if np.linalg.norm(move[:, [0, 2]], axis=-1).max() > _STRAY * foot.scale:
            continue
        move[:, 1] = rise
        moves[part], stands[part] = move, True
    return moves, stands


def _out_of_the_floor(foot: RigFoot) -> RigFoot:
    """Raised where ball or heel would be in the floor."""
    for smoothly in (True, False):
        depth = _depth(foot)
        sunk = (depth > 0.0) & ~foot.toe_stands
        if not sunk.any():
            break
        raised = np.where(sunk, depth, 0.0)
        if smoothly:  # which may still cut a corner, by a little
            raised = eased(raised[:, None], sunk | foot.toe_stands, foot.fps)[:, 0]
        ankle = foot.ankle.copy()
        ankle[:, 1] += np.maximum(raised, 0.0)
        foot = replace(foot, ankle=ankle)
    return foot


def _depth(foot: RigFoot) -> np.ndarray:
    """How far [T] the sole is too deep; upside down only the ball counts."""
    shape, slack = foot.shape, _DEPTH * foot.scale
    ball = shape.toe_height - slack - foot.toe[:, 1]
    heel = shape.sole - slack - foot.heel[:, 1]
    depth: np.ndarray = np.where(foot.standing.sole_down, np.maximum(ball, heel), ball)
    return depth
