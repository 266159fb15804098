"""How a standing foot is turned: flat, rolling over its ball, never heel first into the floor."""

from dataclasses import replace

import numpy as np

from ...cleanup.filters import runs
from ...rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
    slerp,
)
from .easing import SHORTEST_SECONDS, eased, nearness, parted
from .foot import LegPath, RigFoot
from .shape import UP

#: A flat foot that turns further than this (radians) pivots.
_PIVOT = 0.4
#: Heels lifted less than the first angle (radians) are put down, from the second on they stay up;
#: a heel that goes up and down by less than the third keeps its place while the foot stands.
_DOWN, _UP, _WOBBLE = np.radians(2.0), np.radians(5.0), np.radians(4.0)
#: Heels lifted more than this (radians) do not stand.
_FLAT = np.radians(8.5)
#: A foot steeper than this (sine) does not stand on its sole.
_UPRIGHT = 0.87
#: A leg that is longer than the first share of its length begins to lift its heel, so that it stays
#: below the second; by at most this much (radians), and not within this time (s) of a flat foot.
_LONG, _LONGEST = 0.94, 0.99
_MOST_LIFT, _LIFT_SECONDS = np.radians(40.0), 0.12


def flat_feet_held(foot: RigFoot) -> RigFoot:
    """One rotation for each phase in which ankle and toe both stand; on the floor, the sole flat.

    The ball of the foot stays where it was: the heel turns about it.
    """
    held, turns = np.zeros(len(foot.ankle), dtype=bool), np.zeros((len(foot.ankle), 3))
    stands = foot.ankle_stands & ~foot.toe_stands
    for part in _flat_phases(foot):
        lifts = _kept_lifts(foot.standing.lifted[part])
        share = 1.0 - float(foot.standing.elevated[part].mean())
        level = _laid_flat(_mean(foot.rotation[part]), share, lifts)
        held[part], stands[part] = True, lifts == lifts[0]
        turns[part] = quaternion_to_rotation_vector(
            quaternion_multiply(level, quaternion_conjugate(foot.rotation[part]))
        )
    # A foot that pivots, or lifts its heel, turns about its ball: its ankle moves.
    foot = replace(foot, ankle_stands=stands)
    if held.any():
        foot = _turned(foot, eased(turns, held, foot.fps))
    return _heels_up(foot, held)


def _flat_phases(foot: RigFoot) -> list[slice]:
    """Phases in which a foot keeps its heading; a heel that goes far up in one is left to roll."""
    flat = foot.ankle_stands & foot.toe_stands
    headings = quaternion_rotate(foot.rotation, np.eye(3)[2])
    lifted = foot.standing.lifted
    phases: list[slice] = []
    for first, last in parted(headings * [1.0, 0.0, 1.0], flat, _PIVOT, foot.fps):
        lift = lifted[first : last + 1]
        if np.abs(lift - lift.mean()).max() <= _FLAT:
            phases.append(slice(first, last + 1))
            continue
        down = np.zeros(len(flat), dtype=bool)
        down[first : last + 1] = lift < _FLAT
        phases += [
            slice(start, end + 1)
            for start, end in runs(down)
            if end - start + 1 >= SHORTEST_SECONDS * foot.fps
        ]
    return phases


def _kept_lifts(lifted: np.ndarray) -> np.ndarray:
    """How far (radians) [n] the heel of a foot that stands flat, or nearly so, stays up."""
    if np.ptp(lifted) <= _WOBBLE:
        lifted = np.full_like(lifted, lifted.mean())
    share = np.clip((lifted - _DOWN) / (_UP - _DOWN), 0.0, 1.0)
    kept: np.ndarray = lifted * share * share * (3.0 - 2.0 * share)
    return kept


def _mean(rotations: np.ndarray) -> np.ndarray:
    """Mean [4] of neighbouring rotations [T, 4]."""
    aligned = rotations * np.where(rotations @ rotations[0] < 0, -1.0, 1.0)[:, None]
    return normalize(aligned.mean(axis=0))


def _laid_flat(rotation: np.ndarray, share: float, lifts: np.ndarray) -> np.ndarray:
    """A standing foot's rotation [4] with the sole level, or a share of the way there: [n, 4].

    ``lifts`` [n], radians: how far the heel is up all the same.
    """
    toes, side = (quaternion_rotate(rotation, axis) for axis in np.eye(3)[[2, 0]])
    ahead = normalize(toes * [1.0, 0.0, 1.0])
    left = np.cross(UP, ahead)
    own = np.tile(rotation, (len(lifts), 1))
    if side @ left <= 0.0 or abs(toes[1]) >= _UPRIGHT:
        return own
    level = matrix_to_quaternion(np.stack([left, UP, ahead], axis=-1))
    raised = quaternion_multiply(rotation_vector_to_quaternion(lifts[:, None] * left), level)
    return slerp(own, raised, np.full(len(lifts), share))


def _heels_up(foot: RigFoot, held: np.ndarray) -> RigFoot:
    """The heel out of the floor where only the ball stands on it."""
    rolls = foot.toe_stands & ~held & foot.on_floor
    for smoothly in (True, False):
        short = _heel_lack(foot)
        low = rolls & (short > 1e-6)
        if not low.any():
            break
        lift = np.where(low, short, 0.0)
        if smoothly:  # which may still cut a corner, by a little
            lift = _lifts(lift, low | held, foot)
        foot = _turned(foot, lift[:, None] * _heel_axis(foot))
    return foot


def _lifts(lift: np.ndarray, given: np.ndarray, foot: RigFoot) -> np.ndarray:
    """Angles [T] as they are in the given frames, smooth beside them and never negative."""
    return np.maximum(eased(lift[:, None], given, foot.fps)[:, 0], 0.0)


def _heel_lack(foot: RigFoot) -> np.ndarray:
    """By how much [T] (radians) the heel is below the floor that the ball stands on."""
    rest = foot.shape.heel - foot.shape.toe
    sines = quaternion_rotate(foot.rotation, rest)[:, 1] / np.linalg.norm(rest)
    lowest = np.arcsin(rest[1] / np.linalg.norm(rest))
    lack: np.ndarray = lowest - np.arcsin(np.clip(sines, -1.0, 1.0))
    return lack


def _heel_axis(foot: RigFoot) -> np.ndarray:
    """Level axis [T, 3] about which the heel goes up."""
    rest = foot.shape.heel - foot.shape.toe
    return normalize(np.cross(quaternion_rotate(foot.rotation, rest), UP))


def _turned(foot: RigFoot, turns: np.ndarray) -> RigFoot:
    """Turned about the ball by rotation vectors [T, 3]; to the bit the same where they are zero."""
    turned = quaternion_multiply(rotation_vector_to_quaternion(turns), foot.rotation)
    changed = np.any(turns != 0.0, axis=-1)[:, None]
    return foot.turned_about_ball(np.where(changed, turned, foot.rotation))


def heels_lifted_in_reach(foot: RigFoot, leg: LegPath, hip: np.ndarray) -> RigFoot:
    """Heels lifted further where a leg would get long while the ball stands.

    ``hip`` [T, 3] is where the leg begins by now.
    """
    rolls = foot.toe_stands & ~foot.ankle_stands & foot.standing.sole_down
    if not rolls.any():
        return foot
    distance = np.linalg.norm(foot.ankle - hip, axis=-1)
    most = np.maximum(leg.own, _LONGEST * leg.length)
    wanted = np.minimum(distance, leg.softened(distance, _LONG, most))
    axis = _heel_axis(foot)
    lift = _lift_to(foot, hip, wanted, axis)
    flat = foot.toe_stands & foot.ankle_stands
    lift *= 1.0 - nearness(flat, foot.fps, _LIFT_SECONDS)
    lift = np.where(rolls & (wanted < distance), np.clip(lift, 0.0, _MOST_LIFT), 0.0)
    if not lift.any():
        return foot
    lift = _lifts(lift, foot.toe_stands | foot.ankle_stands, foot)
    return _turned(foot, lift[:, None] * axis)


def _lift_to(foot: RigFoot, hip: np.ndarray, distance: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Angle [T] about an axis through the ball that brings the ankle to a distance from the hip."""
    ball = foot.toe
    to_ankle, to_hip = foot.ankle - ball, hip - ball
    # |to_ankle turned - to_hip| = distance: law of cosines in the plane across the axis.
    dot = 0.5 * (np.sum(to_ankle**2 + to_hip**2, axis=-1) - distance**2)
    along = np.sum(to_ankle * axis, axis=-1) * np.sum(to_hip * axis, axis=-1)
    ahead = np.cross(axis, to_ankle)
    cosine = np.sum(to_ankle * to_hip, axis=-1) - along
    sine = np.sum(ahead * to_hip, axis=-1)
    size = np.maximum(np.hypot(cosine, sine), 1e-12)
    # cosine cos(x) + sine sin(x) = dot - along, the smallest turn x towards the hip.
    turn: np.ndarray = np.arctan2(sine, cosine) - np.arccos(np.clip((dot - along) / size, -1, 1))
    return turn
