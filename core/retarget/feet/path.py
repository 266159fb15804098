"""The way of one foot of a rig, with what stands nailed to its place; numpy only.

Changes are exact while a joint stands, nothing beyond a short time before and after, and as smooth
as they can be in between.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...cleanup.curves import smoothest
from ...cleanup.filters import highest_around, runs
from ...rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_between,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
    slerp,
)
from .shape import UP, FootShape
from .standing import Standing

#: Further from a standing phase than this (seconds) a foot is left alone.
_REACH_SECONDS = 0.27
#: Pull back to the foot's own way in between: over about this many seconds.
_BLEND_SECONDS = 0.13
_EXACT = 1e6
#: A foot that strays further than this (canonical metres) from its place takes a step.
_STRAY, _STEP_SECONDS, _SHORTEST_SECONDS = 0.08, 0.17, 0.1
#: A flat foot that turns further than this (radians) pivots.
_PIVOT = 0.4
#: Heels lifted less than the first (radians) are put down, those beyond the second not at all.
_FLAT, _LIFTED = np.radians(20.0), np.radians(28.0)
#: A foot steeper than this does not stand on its sole.
_UPRIGHT = np.radians(60.0)
#: Soles may be this deep in the floor (canonical metres) before they are raised.
_DEPTH = 0.003
#: Standing toes tilted further than this (cosine) are tucked under and not laid flat.
_TUCKED = 0.1


@dataclass(frozen=True)
class RigFoot:
    """One foot of a rig in a motion.

    ankle: [T, 3]; rotation, toe_rotation: [T, 4] joint rotations of ankle and toe.
    toe_stands, ankle_stands: [T] bool.  scale, motion_scale: how large rig and motion are beside
    the canonical body.
    """

    shape: FootShape
    standing: Standing
    ankle: np.ndarray
    rotation: np.ndarray
    toe_rotation: np.ndarray
    toe_stands: np.ndarray
    ankle_stands: np.ndarray
    fps: float
    scale: float
    motion_scale: float

    @property
    def toe(self) -> np.ndarray:
        """The ball of the foot [T, 3]."""
        return self.ankle + quaternion_rotate(self.rotation, self.shape.toe)

    @property
    def heel(self) -> np.ndarray:
        """The sole below the heel [T, 3]."""
        return self.ankle + quaternion_rotate(self.rotation, self.shape.heel)


def eased(changes: np.ndarray, given: np.ndarray, fps: float) -> np.ndarray:
    """Changes [T, K] as they are in the given frames [T], coming and going smoothly beside them."""
    near = highest_around(given.astype(float), max(1, round(_REACH_SECONDS * fps))) > 0.0
    rest = (_BLEND_SECONDS * fps) ** -4.0
    weights = np.where(given | ~near, _EXACT, rest)
    found = smoothest(np.where(given[:, None], changes, 0.0), weights, bend_penalty=1.0)
    found[given] = changes[given]
    found[~near] = 0.0
    return found


def parted(path: np.ndarray, stands: np.ndarray, most: float, fps: float) -> list[tuple[int, int]]:
    """Phases [first, last] of standing frames in each of which a path [T, K] keeps to one place.

    A phase that strays further than ``most`` from its mean is parted where it is fastest, rather
    near its middle, with the time of a step in between.
    """
    kept, waiting = [], list(runs(stands))
    step = max(1, round(0.5 * _STEP_SECONDS * fps))
    while waiting:
        first, last = waiting.pop()
        whole = first == 0 or last == len(path) - 1
        if last - first + 1 < (1 if whole else _SHORTEST_SECONDS * fps):
            continue
        way = path[first : last + 1]
        if np.linalg.norm(way - way.mean(axis=0), axis=-1).max() <= most:
            kept.append((first, last))
            continue
        speed = np.linalg.norm(np.gradient(way, axis=0), axis=-1)
        inner = np.sin(np.pi * (np.arange(len(way)) + 0.5) / len(way))
        fastest = first + int(np.argmax(speed * (0.5 + inner)))
        waiting += [(first, fastest - step), (fastest + step, last)]
    return sorted(kept)


def flat_feet_held(foot: RigFoot) -> RigFoot:
    """One rotation for each phase in which ankle and toe both stand; on the floor, the sole flat.

    The ball of the foot stays where it was: the heel turns about it.
    """
    flat = foot.ankle_stands & foot.toe_stands
    held, turns = np.zeros(len(flat), dtype=bool), np.zeros((len(flat), 3))
    headings = quaternion_rotate(foot.rotation, np.array([0.0, 0.0, 1.0]))
    for first, last in parted(headings, flat, _PIVOT, foot.fps):
        part = slice(first, last + 1)
        rotations = foot.rotation[part]
        aligned = rotations * np.where(rotations @ rotations[0] < 0, -1.0, 1.0)[:, None]
        mean = normalize(aligned.mean(axis=0))
        mean = _laid_flat(mean, 1.0 - float(foot.standing.elevated[part].mean()))
        held[part] = True
        turns[part] = quaternion_to_rotation_vector(
            quaternion_multiply(mean, quaternion_conjugate(rotations))
        )
    # A foot that pivots turns about its ball: its ankle moves.
    foot = replace(foot, ankle_stands=foot.ankle_stands & (held | ~foot.toe_stands))
    turns, held = _heels_up(foot, turns, held)
    if not held.any():
        return foot
    turned = rotation_vector_to_quaternion(eased(turns, held, foot.fps))
    return about_the_ball(foot, quaternion_multiply(turned, foot.rotation))


def about_the_ball(foot: RigFoot, rotation: np.ndarray) -> RigFoot:
    """The foot with another rotation [T, 4] and the ball where it was."""
    ankle = foot.toe - quaternion_rotate(rotation, foot.shape.toe)
    same = np.all(rotation == foot.rotation, axis=-1)
    return replace(foot, rotation=rotation, ankle=np.where(same[:, None], foot.ankle, ankle))


def _laid_flat(rotation: np.ndarray, share: float) -> np.ndarray:
    """A standing foot's rotation [4] with the sole level, unless its heel is clearly lifted.

    Recordings tilt standing feet by up to twenty degrees, for want of a better reference pose.
    """
    toes, side = (quaternion_rotate(rotation, axis) for axis in np.eye(3)[[2, 0]])
    lifted = float(np.arcsin(np.clip(-toes[1], -1.0, 1.0)))
    kept = float(np.clip((lifted - _FLAT) / (_LIFTED - _FLAT), 0.0, 1.0)) * max(lifted, 0.0)
    ahead = normalize(toes * [1.0, 0.0, 1.0])
    left = np.cross(UP, ahead)
    if side @ left < 0.0 or abs(lifted) > _UPRIGHT:
        return rotation
    level = matrix_to_quaternion(np.stack([left, UP, ahead], axis=-1))
    level = quaternion_multiply(rotation_vector_to_quaternion(kept * left), level)
    return slerp(rotation, level, np.array(share))


def _heels_up(foot: RigFoot, turns: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns [T, 3] that also keep the heel out of the floor while only the toe stands on it."""
    shape, standing = foot.shape, foot.standing
    rest = shape.heel - shape.toe
    heel = quaternion_rotate(foot.rotation, rest)
    most = np.linalg.norm(rest)
    short = np.arcsin(rest[1] / most) - np.arcsin(np.clip(heel[:, 1] / most, -1.0, 1.0))
    low = foot.toe_stands & ~held & standing.sole_down & (standing.elevated < 0.5) & (short > 0.0)
    rise = short[:, None] * normalize(np.cross(heel, UP))
    return np.where(low[:, None], rise, turns), held | low


# --- where it stands ------------------------------------------------------------------------------


def toe_places(foot: RigFoot) -> tuple[np.ndarray, np.ndarray]:
    """Where the ball of the foot shall stand [T, 3], and in which frames [T].

    On the floor at the rig's own height, on anything else as high above it as the motion was.
    """
    toe, places, standing = foot.toe, foot.toe, foot.standing
    stands = np.zeros(len(toe), dtype=bool)
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


def heel_moves(
    foot: RigFoot, toe_moves: np.ndarray, toe_stands: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """By how much the ankle moves [T, 3] where it stands without the toe, and in which frames.

    A heel that has landed keeps the ankle above the place that it has when the toe is down.
    """
    moves = np.zeros_like(foot.ankle)
    stands = np.zeros(len(toe_stands), dtype=bool)
    for first, last in runs(foot.ankle_stands & ~toe_stands):
        part = slice(first, last + 1)
        path = foot.ankle[part]
        beside = [n for n in (last + 1, first - 1) if 0 <= n < len(toe_stands) and toe_stands[n]]
        if not beside and last - first + 1 < _SHORTEST_SECONDS * foot.fps:
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


def nailed(foot: RigFoot, places: np.ndarray, toe_stands: np.ndarray) -> RigFoot:
    """The foot with its standing joints in their places and its sole above the floor."""
    toe_moves = places - foot.toe
    moves, heel_stands = heel_moves(foot, toe_moves, toe_stands)
    moves = np.where(toe_stands[:, None], toe_moves, moves)
    stands = toe_stands | heel_stands
    foot = replace(
        foot,
        ankle=foot.ankle + eased(moves, stands, foot.fps),
        toe_stands=toe_stands,
        ankle_stands=heel_stands | (foot.ankle_stands & toe_stands),
    )
    return _out_of_the_floor(foot)


def _out_of_the_floor(foot: RigFoot) -> RigFoot:
    """Raised where ball or heel would be in the floor."""
    shape, slack = foot.shape, _DEPTH * foot.scale
    depth = shape.toe_height - slack - foot.toe[:, 1]
    heel_depth = shape.sole - slack - foot.heel[:, 1]
    depth = np.where(foot.standing.sole_down, np.maximum(depth, heel_depth), depth)
    sunk = (depth > 0.0) & ~foot.toe_stands
    if not sunk.any():
        return foot
    raised = eased(np.where(sunk, depth, 0.0)[:, None], sunk | foot.toe_stands, foot.fps)
    ankle = foot.ankle.copy()
    ankle[:, 1] += np.maximum(raised[:, 0], 0.0)
    return replace(foot, ankle=ankle)


# --- toes -----------------------------------------------------------------------------------------


def toes_on_floor(foot: RigFoot, before: np.ndarray) -> RigFoot:
    """Standing toes flat on the floor while the heel lifts, and never in it.

    ``before`` [T, 4] is the rotation the foot had: where it was changed the toes go with it.
    """
    change = quaternion_multiply(foot.rotation, quaternion_conjugate(before))
    carried = np.any(foot.rotation != before, axis=-1)[:, None]
    toes = np.where(carried, quaternion_multiply(change, foot.toe_rotation), foot.toe_rotation)
    up = quaternion_rotate(toes, UP)
    flat = foot.toe_stands & (foot.standing.elevated < 0.5)
    for first, last in runs(foot.toe_stands):
        flat[first : last + 1] &= bool(foot.standing.sole_down[first : last + 1].mean() > 0.5)
    # Off the floor they straighten again, no faster than it lets them.
    level = normalize(quaternion_multiply(quaternion_between(up, UP), toes))
    tip, lifted = (quaternion_rotate(turn, foot.shape.tip)[:, 1] for turn in (toes, level))
    short = foot.shape.sole - foot.toe[:, 1] - tip
    needed = np.where(foot.standing.sole_down, short / np.maximum(lifted - tip, 1e-9), 0.0)
    share = np.maximum(_nearness(flat, foot.fps), np.clip(needed, 0.0, 1.0))
    share *= np.clip((up[:, 1] - _TUCKED) / _TUCKED, 0.0, 1.0)
    turned = slerp(toes, level, share)
    return replace(foot, toe_rotation=np.where((share > 0.0)[:, None], turned, toes))


def _nearness(frames: np.ndarray, fps: float) -> np.ndarray:
    """1 in the given frames [T], smoothly down to 0 within a short time of them."""
    count = len(frames)
    at = np.flatnonzero(frames)
    if not len(at):
        return np.zeros(count)
    now = np.arange(count)
    after = at[np.minimum(np.searchsorted(at, now), len(at) - 1)]
    before = at[np.maximum(np.searchsorted(at, now, side="right") - 1, 0)]
    away = np.minimum(np.abs(after - now), np.abs(now - before))
    near = np.clip(1.0 - away / (_REACH_SECONDS * fps), 0.0, 1.0)
    return near * near * (3.0 - 2.0 * near)
