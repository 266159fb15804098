"""The path of one foot with its standing joints nailed to the floor, numpy only."""

from dataclasses import dataclass, replace

import numpy as np

from ..rotations import (
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
)
from .curves import smoothest
from .filters import runs
from .legs import TOE_HEIGHT, TOE_HIGH, TOE_LOW

#: Over about this many seconds a change comes and goes where a foot lands and leaves.
_BLEND_SECONDS = 0.13
#: Weight of a nailed frame beside that of staying as it was.
_NAILED = 1e3
#: A toe that strays further than this (m) from its place did not stand: its phase is parted there.
_STRAY = 0.08
#: Shorter phases (seconds) are let go.
_SHORTEST = 0.07
#: A flat foot that turns further than this (radians) within a phase pivots, and may.
_PIVOT = 0.4
#: A toe joint below this is in the floor, and so is a heel point.
_LOWEST_TOE, _LOWEST_HEEL = TOE_HEIGHT - 0.01, -0.01
#: The sole below the heel, from the ankle joint at rest.
_HEEL = np.array([0.0, -0.08, -0.04])


@dataclass(frozen=True)
class FootPath:
    """One foot: ankle positions [T, 3], global rotations of the ankle joint [T, 4], toe offset [3].

    ankle_stands, toe_stands, sole_down: [T] bool, the last where the sole faces the floor.
    scale: lengths are for canonical legs times this.
    """

    ankle: np.ndarray
    rotation: np.ndarray
    offset: np.ndarray
    ankle_stands: np.ndarray
    toe_stands: np.ndarray
    sole_down: np.ndarray
    fps: float
    scale: float = 1.0

    @property
    def toe(self) -> np.ndarray:
        return self.ankle + quaternion_rotate(self.rotation, self.offset)

    @property
    def heel(self) -> np.ndarray:
        """The sole below the heel [T, 3]."""
        return self.ankle + quaternion_rotate(self.rotation, _HEEL * self.scale)


def nailed(foot: FootPath) -> FootPath:
    """The foot with standing joints still; the changed flags tell which ones could be nailed.

    A flat foot (ankle and toe stand) keeps one rotation.  A standing toe keeps its place, on the
    floor where its sole faces it, and the foot may roll over it.  An ankle that stands alone (the
    heel has landed) keeps the place that it has when the toe is down.  In between the change dies
    away smoothly, and no sole sinks into the floor.
    """
    foot = _flat_feet_held(foot)
    places, toe_stands = _toe_places(foot)
    toe_moves = places - foot.toe
    heel_moves, heel_stands = _heel_moves(foot, toe_moves, toe_stands)
    stands = toe_stands | heel_stands
    moves = _blended(np.where(toe_stands[:, None], toe_moves, heel_moves), stands, foot.fps)
    foot = replace(
        foot,
        ankle=foot.ankle + moves,
        toe_stands=toe_stands,
        ankle_stands=heel_stands | (foot.ankle_stands & toe_stands),
    )
    return out_of_the_floor(foot, stands)


def _flat_feet_held(foot: FootPath) -> FootPath:
    """One rotation for each phase in which ankle and toe both stand."""
    flat = foot.ankle_stands & foot.toe_stands
    held = np.zeros(len(flat), dtype=bool)
    turns = np.zeros((len(flat), 3))
    for first, last in runs(flat):
        part = slice(first, last + 1)
        rotations = foot.rotation[part]
        aligned = rotations * np.where(rotations @ rotations[0] < 0, -1.0, 1.0)[:, None]
        mean = normalize(aligned.mean(axis=0))
        turn = quaternion_to_rotation_vector(
            quaternion_multiply(mean, quaternion_conjugate(rotations))
        )
        if np.linalg.norm(turn, axis=-1).max() < _PIVOT:
            held[part], turns[part] = True, turn
    if not held.any():
        return foot
    turned = rotation_vector_to_quaternion(_blended(turns, held, foot.fps))
    # The ball of the foot stays where it was: the heel turns about it.
    rotation = quaternion_multiply(turned, foot.rotation)
    return replace(
        foot, rotation=rotation, ankle=foot.toe - quaternion_rotate(rotation, foot.offset)
    )


def _toe_places(foot: FootPath) -> tuple[np.ndarray, np.ndarray]:
    """Where the toe shall stand [T, 3], and in which frames [T]."""
    toe, places = foot.toe, foot.toe.copy()
    stands = np.zeros(len(toe), dtype=bool)
    for first, last in _parted(toe, runs(foot.toe_stands), foot):
        part = slice(first, last + 1)
        stands[part] = True
        places[part] = toe[part].mean(axis=0)
        if foot.sole_down[part].mean() > 0.5:
            low, high = TOE_LOW * foot.scale, TOE_HIGH * foot.scale
            places[part, 1] = np.clip(toe[part, 1].mean(), low, high)
    return places, stands


def _parted(
    toe: np.ndarray, phases: list[tuple[int, int]], foot: FootPath
) -> list[tuple[int, int]]:
    """The phases, parted at their fastest frame until none strays from its mean place."""
    kept = []
    phases = list(phases)
    while phases:
        first, last = phases.pop()
        cut_off = first == 0 or last == len(toe) - 1
        least = 1 if cut_off else max(2.0, _SHORTEST * foot.fps)
        if last - first + 1 < least:
            continue
        path = toe[first : last + 1, [0, 2]]
        if np.linalg.norm(path - path.mean(axis=0), axis=-1).max() < _STRAY * foot.scale:
            kept.append((first, last))
            continue
        fastest = first + int(np.argmax(np.linalg.norm(np.diff(path, axis=0), axis=-1)))
        phases += [(first, fastest - 1), (fastest + 2, last)]
    return kept


def _heel_moves(
    foot: FootPath, toe_moves: np.ndarray, toe_stands: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """By how much the ankle moves [T, 3] where it stands without the toe, and in which frames."""
    moves = np.zeros_like(foot.ankle)
    stands = np.zeros(len(toe_stands), dtype=bool)
    for first, last in runs(foot.ankle_stands & ~toe_stands):
        part = slice(first, last + 1)
        path = foot.ankle[part]
        nearby = [n for n in (last + 1, first - 1) if 0 <= n < len(toe_stands) and toe_stands[n]]
        place, rise = path.mean(axis=0), 0.0
        if nearby:
            place = foot.ankle[nearby[0]] + toe_moves[nearby[0]]
            rise = toe_moves[nearby[0], 1]
        elif last - first + 1 < _SHORTEST * foot.fps:
            continue
        move = place - path
        if np.linalg.norm(move[:, [0, 2]], axis=-1).max() > _STRAY * foot.scale:
            continue
        move[:, 1] = rise
        moves[part], stands[part] = move, True
    return moves, stands


def out_of_the_floor(foot: FootPath, stands: np.ndarray) -> FootPath:
    """The foot raised where it does not stand [T] and its sole is in the floor."""
    depth = _LOWEST_TOE * foot.scale - foot.toe[:, 1]
    heel_depth = _LOWEST_HEEL * foot.scale - foot.heel[:, 1]
    depth = np.where(foot.sole_down, np.maximum(depth, heel_depth), depth)
    sunk = (depth > 0) & ~stands
    if not sunk.any():
        return foot
    raised = _blended(np.where(sunk, depth, 0.0)[:, None], sunk | stands, foot.fps)
    ankle = foot.ankle.copy()
    ankle[:, 1] += np.maximum(raised[:, 0], 0.0)
    return replace(foot, ankle=ankle)


def _blended(changes: np.ndarray, given: np.ndarray, fps: float) -> np.ndarray:
    """Changes [T, K] as they are in the given frames, dying away as smoothly as they can beside."""
    rest = (_BLEND_SECONDS * fps) ** -4.0
    demands = np.where(given[:, None], changes, 0.0)
    return smoothest(demands, np.where(given, _NAILED, rest), bend_penalty=1.0)
