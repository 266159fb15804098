"""Which foot joints of a motion stand, in which frames, and how high above the floor; numpy only.

All of it is asked of the motion itself, whose proportions are known to be sound, and not of the rig
that it has been put on.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...cleanup.contacts import find_contacts, low_feet, velocity
from ...cleanup.filters import runs, smooth
from ...cleanup.legs import TOE_HEIGHT, Leg, body_scale, legs_of
from ...cleanup.root_path import sole_down
from ...motion import Motion
from ...rotations import quaternion_rotate
from ..options import FootLock

#: A foot on a step or a box is slower than this (m/s, in all directions), on average over at least
#: so many seconds, and not higher above the lowest part of the body (m) at one time of it.
_STILL, _STILL_SECONDS, _LOWEST = 0.15, 0.2, 0.03
#: Feet this close to the floor (m) stand on it; from the second on they stand on something else.
_ON_FLOOR, _ABOVE_FLOOR = 0.045, 0.09
#: A motion that floats or is sunk by less than this (m) is left where it is.
_LEVEL = 0.004
#: Flat feet may point down by this much (radians) in a recording; the flattest percent of frames.
_MOST_PITCH, _FLATTEST = np.radians(20.0), 20.0
#: Always: a foot faster than this (m/s) is swung and does not glide.
_GLIDE = 1.3


@dataclass(frozen=True)
class Standing:
    """One foot of a motion, frame by frame; lengths in the motion's own size.

    toe, ankle: [T] bool, the joints that stand; sole_down: [T] bool, the sole faces the floor.
    path: [T, 3] of the toe joint; height: [T] how high it is above where it would be on the floor.
    elevated: [T] 0 on the floor, 1 on something well above it.
    lifted: [T] how far the heel is lifted, radians, from where this motion has it on flat feet.
    """

    toe: np.ndarray
    ankle: np.ndarray
    sole_down: np.ndarray
    path: np.ndarray
    height: np.ndarray
    elevated: np.ndarray
    lifted: np.ndarray


@dataclass(frozen=True)
class Stance:
    """Both feet of a motion, the height of its floor, and the body's size beside the canonical."""

    feet: dict[Leg, Standing]
    floor: float
    scale: float


def stance_of(motion: Motion, lock: FootLock) -> Stance:
    """Where the feet of a motion stand, after its contacts if it has any."""
    positions, scale = motion.positions(), body_scale(motion.skeleton)
    planted = find_contacts(motion).planted
    if lock == "ALWAYS":
        planted = planted | _low(motion, positions, scale)
    legs, down, turns = legs_of(motion.skeleton), sole_down(motion), motion.global_rotations()
    floor = _floor(motion, positions, planted, down, scale)
    feet = {}
    for leg in legs:
        height = positions[:, leg.toe, 1] - TOE_HEIGHT * scale - floor
        toe, ankle = planted[:, leg.toe_contact].copy(), planted[:, leg.ankle_contact].copy()
        for first, last in _on_something(motion, positions, leg, height, down[leg], scale):
            toe[first : last + 1] = ankle[first : last + 1] = True
        feet[leg] = Standing(
            toe=toe,
            ankle=ankle,
            sole_down=down[leg],
            path=positions[:, leg.toe],
            height=height,
            elevated=_elevated(toe, height, scale),
            lifted=_pitch(turns, leg),
        )
    pitch = _flat_pitch(feet)
    feet = {leg: replace(foot, lifted=foot.lifted - pitch) for leg, foot in feet.items()}
    return Stance(feet, floor, scale)


def _pitch(turns: np.ndarray, leg: Leg) -> np.ndarray:
    """How far the toes of a foot point down [T], radians."""
    toes = quaternion_rotate(turns[:, leg.ankle], np.array([0.0, 0.0, 1.0]))
    pitch: np.ndarray = np.arcsin(np.clip(-toes[:, 1], -1.0, 1.0))
    return pitch


def _flat_pitch(feet: dict[Leg, Standing]) -> float:
    """The pitch (radians) that flat feet have in a motion, because of the pose it was measured by.

    Whole recordings stand on feet that point ten or twenty degrees down.  Of two feet one will be
    flat at times: the flatter one tells.
    """
    pitches = []
    for foot in feet.values():
        flat = foot.toe & foot.ankle & foot.sole_down
        if flat.any():
            pitches.append(float(np.percentile(foot.lifted[flat], _FLATTEST)))
    return float(np.clip(min(pitches), -_MOST_PITCH, _MOST_PITCH)) if pitches else 0.0


def _floor(
    motion: Motion,
    positions: np.ndarray,
    planted: np.ndarray,
    down: dict[Leg, np.ndarray],
    scale: float,
) -> float:
    """Height of a recording's floor: where feet stand on it.  Contacts imply that it is 0."""
    if motion.contacts is not None:
        return 0.0
    heights = [
        positions[planted[:, leg.toe_contact] & down[leg], leg.toe, 1]
        for leg in legs_of(motion.skeleton)
    ]
    standing = np.concatenate(heights)
    level = float(np.median(standing)) - TOE_HEIGHT * scale if len(standing) else 0.0
    return level if abs(level) > _LEVEL * scale else 0.0


def _low(motion: Motion, positions: np.ndarray, scale: float) -> np.ndarray:
    """Low foot joints [T, 4] of feet that are not just being swung past the floor."""
    low = low_feet(positions, motion, scale)
    for leg in legs_of(motion.skeleton):
        path = smooth(positions[:, leg.toe], motion.fps / 30)
        slow = np.linalg.norm(velocity(path, motion.fps), axis=-1) < _GLIDE * scale
        low[:, leg.toe_contact] &= slow
        low[:, leg.ankle_contact] &= low[:, leg.toe_contact]
    return low


def _on_something(
    motion: Motion,
    positions: np.ndarray,
    leg: Leg,
    height: np.ndarray,
    down: np.ndarray,
    scale: float,
) -> list[tuple[int, int]]:
    """Frames in which a foot stands on a step or a box: still in the air, and bearing the body."""
    raised = (height > _ON_FLOOR * scale) & down
    if not raised.any():
        return []
    path = smooth(positions[:, leg.toe], motion.fps / 30)
    still = raised & (np.linalg.norm(velocity(path, motion.fps), axis=-1) < _STILL * scale)
    lowest = positions[..., 1].min(axis=-1)
    return [
        (first, last)
        for first, last in runs(still)
        if last - first + 1 >= min(_STILL_SECONDS * motion.fps, motion.frame_count)
        and (positions[first : last + 1, leg.toe, 1] - lowest[first : last + 1]).min()
        < _LOWEST * scale
    ]


def _elevated(toe: np.ndarray, height: np.ndarray, scale: float) -> np.ndarray:
    """How much [T] each standing phase of a toe is on something else than the floor, 0 to 1."""
    elevated = np.zeros(len(toe))
    for first, last in runs(toe):
        above = float(np.mean(height[first : last + 1])) / scale
        share = np.clip((above - _ON_FLOOR) / (_ABOVE_FLOOR - _ON_FLOOR), 0.0, 1.0)
        elevated[first : last + 1] = share
    return elevated
