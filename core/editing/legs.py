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
_STEP, _STEP_TURN, _STEP_SECONDS, _STEP_BLENDS = 0.01, 0.3, 0.27, 2
_STEP_LIFT, _MOST_LIFT = 0.3, 0.05
#: So long (s) a foot that comes swinging across a border takes to land.
_LANDING_SECONDS = 0.13
#: A foot that stands on both sides of a border with a shorter gap (s) stands all the time.
_GAP_SECONDS = 0.1
#: A foot whose place beyond a border is further away than this (m, radians) steps there.
_MOST_AWAY, _MOST_TURN = 0.3, 0.6
#: A phase that a bent path draws out by no more than this (m, from its middle) stays in one place.
_STRETCHED = 0.4
#: Near a border a standing foot may still come to its place: for so many seconds, and how late.
_EASE_SECONDS, _EASE_POWER = 0.17, 8


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


def locked(stretch: Stretch, made: Motion, made_stands: np.ndarray, legs: list[Leg]) -> Motion:
    """The stretch with the standing feet of some legs still; only these legs' joints turn.

    made: the same frames as they were made and put in their place, before they were blended with
    the outside; made_stands: [T, 4], who stands in it.  The feet stand where they do there: a body
    that is blended joint by joint carries them along.  A foot that stands across a border stays
    where the outside has it.
    """
    motion, inside = stretch.motion, stretch.inside
    contacts, made_contacts = (
        contacts_from(stretch.planted, motion),
        contacts_from(made_stands, made),
    )
    for leg in legs:
        foot, own = _foot(motion, leg, contacts), _in_place(_foot(made, leg, made_contacts))
        own_stands = own.toe_stands | own.ankle_stands
        stands = np.where(inside, own_stands, foot.toe_stands | foot.ankle_stands)
        stands = _without_gaps(stands, inside, round(_GAP_SECONDS * foot.fps))
        away, turn = _carried(foot, own, stands, own_stands, inside)
        goal = quaternion_multiply(rotation_vector_to_quaternion(turn), own.rotation)
        toe = np.where(inside[:, None], own.toe + away - foot.toe, 0.0)
        turn = np.where(inside[:, None], _turn(foot.rotation, goal), 0.0)
        foot = _moved(foot, toe, turn, stands, stretch, eases=True)
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


def _in_place(foot: FootPath) -> FootPath:
    """The foot nailed, and each of its phases in one place though a bent path draws it out."""
    own = nailed(foot)
    ankle, stands = own.ankle.copy(), own.toe_stands.copy()
    for first, last in runs(foot.toe_stands):
        part = slice(first, last + 1)
        if stands[part].all():
            continue
        away = foot.toe[part].mean(axis=0) - own.toe[part]
        away[:, 1] = 0.0
        if np.linalg.norm(away, axis=-1).max() < _STRETCHED * foot.scale:
            ankle[part] += away
            stands[part] = True
    return replace(own, ankle=ankle, toe_stands=stands)


def _without_gaps(stands: np.ndarray, inside: np.ndarray, most: int) -> np.ndarray:
    """Standing frames [T] with gaps of at most so many frames across a border closed."""
    closed = stands.copy()
    for first, last in runs(~stands):
        if first == 0 or last == len(stands) - 1 or last - first + 1 > most:
            continue
        if inside[first - 1] != inside[last + 1]:
            closed[first : last + 1] = True
    return closed


def _carried(
    foot: FootPath, own: FootPath, stands: np.ndarray, own_stands: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """From where a foot was made to where it stands beyond a border: ways, turns [T, 3].

    Of phases that go on across a border alone; nothing elsewhere.
    """
    carried = np.zeros((len(stands), 6))
    for first, last in runs(stands & inside):
        known, values = [], []
        for border, near in ((first - 1, first), (last + 1, last)):
            if not 0 <= border < len(stands) or inside[border] or not stands[border]:
                continue
            at = border if own_stands[border] else near
            away, turn = (
                foot.toe[border] - own.toe[at],
                _turn(own.rotation[at], foot.rotation[border]),
            )
            if np.linalg.norm(away) < _MOST_AWAY * foot.scale and np.linalg.norm(turn) < _MOST_TURN:
                known.append(border)
                values.append(np.concatenate([away, turn]))
        frames = np.arange(first, last + 1)
        for column, value in enumerate(np.array(values).T):
            carried[frames, column] = np.interp(frames, known, value)
    return carried[:, :3], carried[:, 3:]


def _moved(
    foot: FootPath,
    toe: np.ndarray,
    turn: np.ndarray,
    stands: np.ndarray,
    stretch: Stretch,
    eases: bool = False,
) -> FootPath:
    """The foot with its ball moved and turned [T, 3] where given, and smoothly in between.

    Given is it where the foot stands and outside the range; but where it stands somewhere else just
    beyond a border, it takes a step.  eases: at a border it takes its time to land and to be there.
    """
    inside = stretch.inside
    stepping, lift = _steps(foot, toe, turn, stands, stretch, eases)
    stands = stands & ~stepping
    rest = (_BLEND_SECONDS * foot.fps) ** -4.0
    standing = np.full(len(inside), _STANDING)
    if eases:
        standing = np.maximum(rest, _STANDING * _ease(inside, foot.fps))
    weights = np.where(~inside, _OUTSIDE, np.where(stands, standing, rest))
    changes = np.where((stands | ~inside)[:, None], np.concatenate([toe, turn], axis=-1), 0.0)
    changes = smoothest(changes, weights, bend_penalty=1.0)
    rotation = quaternion_multiply(rotation_vector_to_quaternion(changes[:, 3:]), foot.rotation)
    ball = foot.toe + changes[:, :3]
    ball[:, 1] += lift
    ankle = ball - quaternion_rotate(rotation, foot.offset)
    foot = replace(foot, ankle=ankle, rotation=normalize(rotation))
    return out_of_the_floor(foot, stands | ~inside)


def _ease(inside: np.ndarray, fps: float) -> np.ndarray:
    """How much [T] a standing foot has to be in its place, from little at a border to 1."""
    first, last = runs(inside)[0]
    deep = np.full(len(inside), np.inf)
    if first > 0:
        deep[first:] = np.arange(1, len(inside) - first + 1)
    if last < len(inside) - 1:
        deep[: last + 1] = np.minimum(deep[: last + 1], np.arange(last + 1, 0, -1))
    share: np.ndarray = np.clip(deep / (_EASE_SECONDS * fps), 0.0, 1.0) ** _EASE_POWER
    return share


def _steps(
    foot: FootPath,
    toe: np.ndarray,
    turn: np.ndarray,
    stands: np.ndarray,
    stretch: Stretch,
    eases: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Frames [T] in which a foot steps from its place beyond a border to another, and its lift."""
    stepping, lift = np.zeros(len(toe), dtype=bool), np.zeros(len(toe))
    places = foot.toe + toe
    facing = quaternion_multiply(rotation_vector_to_quaternion(turn), foot.rotation)
    first, last = runs(stretch.inside)[0]
    landing = min(round(_LANDING_SECONDS * foot.fps), (last - first + 1) // 2)
    count = min(
        round(_STEP_SECONDS * foot.fps), (last - first + 1) // 2, _STEP_BLENDS * stretch.near
    )
    for border, inward in ((first - 1, 1), (last + 1, -1)):
        if not 0 <= border < len(toe) or not stands[border + inward] or not count:
            continue
        if eases and not stands[border]:
            stepping[border + inward * np.arange(1, landing + 1)] = True
            continue
        beyond = border - inward
        own = np.zeros(3)
        if 0 <= beyond < len(toe):
            own = places[border] - places[beyond]
        way = places[border + inward] - places[border]
        turned = np.linalg.norm(_turn(facing[border], facing[border + inward]))
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
