"""The root's path made to agree with the feet that stand, numpy only."""

from dataclasses import replace

import numpy as np

from ..motion import Motion
from ..rotations import quaternion_rotate
from .contacts import FootContacts, velocity
from .curves import smoothest
from .filters import runs
from .legs import TOE_HIGH, TOE_LOW, Leg, body_scale, legs_of

#: Stiffness of the corrections: they follow demands over about this many seconds.
_WALK_SECONDS, _HEIGHT_SECONDS = 0.07, 0.25
#: Pull of both corrections to nothing where no foot stands, against the demand of one that does.
_REST = 0.01
#: Demands of a standing foot beyond this speed (m/s), or share of the body's speed, are doubted.
_DOUBT, _DOUBT_OF_BODY = 0.8, 0.8
#: A foot that slips less than the first (m) in a whole phase is left to the foot lock; from the
#: second on the root answers in full.  Captured feet roll and creep that much.
_SLIP, _SLIDE = 0.03, 0.06
#: A foot stands on its sole when its upward axis points up at least this much (cosine).
SOLE_DOWN = 0.6


def root_on_feet(motion: Motion, contacts: FootContacts) -> Motion:
    """The motion moved as a whole, frame by frame, so that feet that stand neither slide nor hover.

    Poses do not change.  The correction is the smoothest velocity that makes standing feet stand
    still, shared where two of them disagree; in flight it passes from that of the foot before to
    that of the foot after, so that the model's own velocity lives on in it.  The first frame keeps
    its place above the floor.
    """
    if not contacts.phases:
        return motion
    positions = motion.positions()
    step = _walk_correction(motion, positions, contacts)
    walked = np.concatenate([np.zeros((1, 2)), np.cumsum(0.5 * (step[1:] + step[:-1]), axis=0)])
    moved = motion.root_positions.copy()
    moved[:, [0, 2]] += walked / motion.fps
    moved[:, 1] += _height_correction(motion, positions, contacts)
    return replace(motion, root_positions=moved)


def _walk_correction(motion: Motion, positions: np.ndarray, contacts: FootContacts) -> np.ndarray:
    """Velocity [T, 2] over the floor to be added to the root's."""
    scale = body_scale(motion.skeleton)
    body = np.linalg.norm(velocity(motion.root_positions, motion.fps)[:, [0, 2]], axis=-1)
    doubt = np.maximum(_DOUBT * scale, _DOUBT_OF_BODY * body)
    weight, demand = np.zeros(motion.frame_count), np.zeros((motion.frame_count, 2))
    for leg in legs_of(motion.skeleton):
        ankle, toe = contacts.of(leg)
        # The toe tells better than the ankle, which rolls over it.
        joint = np.where(toe, leg.toe, leg.ankle)
        moving = velocity(positions[:, [leg.ankle, leg.toe]], motion.fps)[..., [0, 2]]
        own = np.where((joint == leg.toe)[:, None], moving[:, 1], moving[:, 0])
        standing = toe | ankle
        trust = _tapered(standing) / (1.0 + (np.linalg.norm(own, axis=-1) / doubt) ** 4)
        weight += trust
        demand -= (trust * _sliding(own / motion.fps, standing, scale))[:, None] * own
    demand /= np.maximum(weight, 1e-9)[:, None]
    stiffness = (_WALK_SECONDS * motion.fps) ** 2
    return smoothest(demand, weight + _REST, slope_penalty=stiffness)


def _sliding(steps: np.ndarray, standing: np.ndarray, scale: float) -> np.ndarray:
    """How much [T] of its steps [T, 2] a foot slides, 0 to 1, the same over each of its phases."""
    share = np.zeros(len(standing))
    for first, last in runs(standing):
        way = np.cumsum(steps[first : last + 1], axis=0)
        extent = np.linalg.norm(way.max(axis=0) - way.min(axis=0)) / scale
        share[first : last + 1] = np.clip((extent - _SLIP) / (_SLIDE - _SLIP), 0.0, 1.0)
    return share


def _height_correction(motion: Motion, positions: np.ndarray, contacts: FootContacts) -> np.ndarray:
    """Height [T] to be added to the root's."""
    scale = body_scale(motion.skeleton)
    upright = sole_down(motion)
    weight, demand = np.zeros(motion.frame_count), np.zeros(motion.frame_count)
    for leg in legs_of(motion.skeleton):
        _, toe = contacts.of(leg)
        trust = _tapered(toe & upright[leg])
        height = positions[:, leg.toe, 1]
        weight += trust
        demand += trust * (np.clip(height, TOE_LOW * scale, TOE_HIGH * scale) - height)
    demand /= np.maximum(weight, 1e-9)
    stiffness = (_HEIGHT_SECONDS * motion.fps) ** 2
    return smoothest(demand[:, None], weight + _REST, slope_penalty=stiffness)[:, 0]


def sole_down(motion: Motion) -> dict[Leg, np.ndarray]:
    """For each leg the frames [T] in which its foot's sole faces the floor."""
    turned = motion.global_rotations()
    up = np.array([0.0, 1.0, 0.0])
    return {
        leg: quaternion_rotate(turned[:, leg.ankle], up)[:, 1] > SOLE_DOWN
        for leg in legs_of(motion.skeleton)
    }


def _tapered(standing: np.ndarray) -> np.ndarray:
    """1 inside phases, less in their outermost frames, where a foot lands and leaves; [T]."""
    flags = standing.astype(float)
    before = np.concatenate([flags[:1], flags[:-1]])
    after = np.concatenate([flags[1:], flags[-1:]])
    return flags * (0.2 + 0.4 * before + 0.4 * after)
