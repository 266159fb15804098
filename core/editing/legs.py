"""Standing feet of an edited motion: edited legs are locked, others follow; numpy only.

All of it in frames around the range, with the floor at height zero; what is outside the range is
looked at and stays.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..cleanup.contacts import FootContacts, contacts_from
from ..cleanup.curves import smoothest
from ..cleanup.filters import runs
from ..cleanup.foot_lock import foot_path, reach_foot
from ..cleanup.foot_path import FootPath, nailed, out_of_the_floor
from ..cleanup.legs import Leg
from ..cleanup.root_path import sole_down
from ..motion import Motion
from ..rotations import (
    make_continuous,
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
)

#: Over about this many seconds a change comes and goes where a foot lands and leaves.
_BLEND_SECONDS = 0.13
#: Weights of frames outside the range, which stay, and of standing ones, beside the others.
_OUTSIDE, _STANDING = 1e6, 1e3
#: A foot further away than this share of the leg's length cannot be kept where it was.
_IN_REACH = 1.0
#: A foot that would get further across a border than at its own speed by so much (m at 30 frames a
#: second; radians) takes a step: so long (s, and as a multiple of a border's frames), and so high
#: (share of its way; m).
_STEP, _STEP_TURN, _STEP_SECONDS, _STEP_BLENDS = 0.01, 0.1, 0.27, 2
_STEP_LIFT, _MOST_LIFT = 0.3, 0.05


@dataclass(frozen=True)
class Stretch:
    """Frames around an edit: the motion so far, which of its frames may change, who stands.

    motion: outside the range it is what stays.  inside: [T] bool.  planted: [T, 4] as in
    ``Motion.contacts``.  near: over how many frames at a border a foot may come to its place.
    """

    motion: Motion
    inside: np.ndarray
    planted: np.ndarray
    near: int = 0


def locked(stretch: Stretch, legs: list[Leg]) -> Motion:
    """The stretch with the standing feet of some legs still; only these legs' joints turn.

    A foot that stands across a border stays where the outside has it.
    """
    motion, inside = stretch.motion, stretch.inside
    contacts = contacts_from(stretch.planted, motion)
    for leg in legs:
        before = _foot(motion, leg, contacts)
        foot = nailed(before)
        stands = foot.toe_stands | foot.ankle_stands
        home_toe = np.where(inside[:, None], 0.0, before.toe - foot.toe)
        home_turn = np.where(inside[:, None], 0.0, _turn(foot.rotation, before.rotation))
        toe = _carried(home_toe, stands, inside)
        turn = _carried(home_turn, foot.toe_stands & foot.ankle_stands, inside)
        foot = _moved(foot, toe, turn, stands, stretch)
        motion = _reached(motion, leg, foot, inside)
    return motion


def kept(stretch: Stretch, source: Motion, legs: list[Leg]) -> Motion:
    """The stretch with feet that stood in the source standing there; only these legs' joints turn.

    ``planted`` is who stands in the source.  Where the pelvis has gone too far away the foot comes
    along.
    """
    motion, inside = stretch.motion, stretch.inside
    contacts = contacts_from(stretch.planted, motion)
    for leg in legs:
        foot, was = _foot(motion, leg, contacts), _foot(source, leg, contacts)
        length = np.linalg.norm(motion.skeleton.rest_offsets[[leg.knee, leg.ankle]], axis=-1).sum()
        hip = motion.positions()[:, leg.hip]
        near = np.linalg.norm(was.ankle - hip, axis=-1) < _IN_REACH * length
        stands = (foot.toe_stands | foot.ankle_stands) & near
        toe, turn = was.toe - foot.toe, _turn(foot.rotation, was.rotation)
        foot = _moved(foot, toe, turn, stands, stretch)
        motion = _reached(motion, leg, foot, inside)
    return motion


def _foot(motion: Motion, leg: Leg, contacts: FootContacts) -> FootPath:
    positions, turned = motion.positions(), motion.global_rotations()
    return foot_path(motion, leg, positions, turned, contacts, sole_down(motion)[leg])


def _turn(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Rotation vectors [T, 3] that turn new into old."""
    return quaternion_to_rotation_vector(quaternion_multiply(old, quaternion_conjugate(new)))


def _carried(changes: np.ndarray, stands: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Changes [T, K] at the frames outside, carried on into the range by feet that stand there."""
    carried = changes.copy()
    for first, last in runs(stands):
        frames = np.arange(first, last + 1)
        known = frames[~inside[frames]]
        if len(known):
            for column in range(changes.shape[1]):
                carried[frames, column] = np.interp(frames, known, changes[known, column])
    return carried


def _moved(
    foot: FootPath, toe: np.ndarray, turn: np.ndarray, stands: np.ndarray, stretch: Stretch
) -> FootPath:
    """The foot with its ball moved and turned [T, 3] where given, and smoothly in between.

    Given is it where the foot stands and outside the range; but where it stands somewhere else just
    beyond a border, it takes a step.
    """
    inside = stretch.inside
    stepping, lift = _steps(foot, toe, turn, stands, stretch)
    stands = stands & ~stepping
    rest = (_BLEND_SECONDS * foot.fps) ** -4.0
    weights = np.where(~inside, _OUTSIDE, np.where(stands, _STANDING, rest))
    changes = np.where((stands | ~inside)[:, None], np.concatenate([toe, turn], axis=-1), 0.0)
    changes = smoothest(changes, weights, bend_penalty=1.0)
    rotation = quaternion_multiply(rotation_vector_to_quaternion(changes[:, 3:]), foot.rotation)
    ball = foot.toe + changes[:, :3]
    ball[:, 1] += lift
    ankle = ball - quaternion_rotate(rotation, foot.offset)
    foot = replace(foot, ankle=ankle, rotation=normalize(rotation))
    return out_of_the_floor(foot, stands | ~inside)


def _steps(
    foot: FootPath, toe: np.ndarray, turn: np.ndarray, stands: np.ndarray, stretch: Stretch
) -> tuple[np.ndarray, np.ndarray]:
    """Frames [T] in which a foot steps from its place beyond a border to another, and its lift."""
    stepping, lift = np.zeros(len(toe), dtype=bool), np.zeros(len(toe))
    places = foot.toe + toe
    first, last = runs(stretch.inside)[0]
    count = min(
        round(_STEP_SECONDS * foot.fps), (last - first + 1) // 2, _STEP_BLENDS * stretch.near
    )
    for border, inward in ((first - 1, 1), (last + 1, -1)):
        if not 0 <= border < len(toe) or not stands[border + inward] or not count:
            continue
        beyond = border - inward
        own = np.zeros(3)
        if 0 <= beyond < len(toe):
            own = places[border] - places[beyond]
        way = places[border + inward] - places[border]
        turned = np.linalg.norm(turn[border + inward] - turn[border])
        allowed = np.linalg.norm(own) + _STEP * foot.scale * 30.0 / foot.fps
        if np.linalg.norm(way) < allowed and turned < _STEP_TURN:
            continue
        at = border + inward * np.arange(1, count + 1)
        stepping[at] = True
        height = min(_STEP_LIFT * np.linalg.norm(way), _MOST_LIFT * foot.scale)
        lift[at] += height * np.sin(np.pi * np.arange(1, count + 1) / (count + 1)) ** 2
    return stepping, lift


def _reached(motion: Motion, leg: Leg, foot: FootPath, inside: np.ndarray) -> Motion:
    rotations = motion.rotations.copy()
    reach_foot(motion, leg, foot, motion.positions(), motion.global_rotations(), rotations)
    result = motion.rotations.copy()
    for joint in (leg.hip, leg.knee, leg.ankle):
        result[inside, joint] = make_continuous(rotations[:, joint])[inside]
    return replace(motion, rotations=result)
