"""When feet stand: the model's contact channels, refined by height and speed, numpy only."""

from dataclasses import dataclass

import numpy as np

from ..motion import Motion
from .filters import lowest_around, runs, smooth
from .legs import TOE_HEIGHT, Leg, body_scale, legs_of

#: A standing joint is lower than this (metres, for canonical legs) and slower than that (m/s).
_HEIGHTS = {"ankle": 0.12, "toe": 0.05}
_HEIGHT_STEPS = {"ankle": 0.02, "toe": 0.012}
_SPEED = 0.25
#: A generated body may glide: a foot much slower than its body stands all the same.
_SPEED_OF_BODY = 0.45
#: How far below or above the floor a whole motion may hover (m) and its feet still count as low.
_SUNKEN, _FLOATING = 0.2, 0.08
_HOVER_WINDOW = 0.4
#: What height and speed can say for a contact, each: a model sure of the contrary outweighs both.
_MOST = 1.75
#: What a high speed can say against it; a model that is quite sure outweighs that, but only just.
_LEAST_SPEED = -5.0
#: A foot faster than this share of its body's speed goes along with the body.
_CARRIED = 0.85
#: The evidence (log-odds) at which a contact begins and at which it ends.
_BEGIN, _END = 0.5, -0.25
#: Shorter gaps are closed, shorter contacts dropped (seconds).
_GAP, _BLIP = 0.07, 0.07


@dataclass(frozen=True)
class ContactPhase:
    """One joint standing from frame ``first`` to frame ``last``, both included.

    foot: ``left`` or ``right``; joint: index of the ankle or of the toe joint.
    """

    foot: str
    joint: int
    first: int
    last: int


@dataclass(frozen=True)
class FootContacts:
    """Which foot joints stand: ``planted`` [T, 4] bool, columns as in ``Motion.contacts``."""

    planted: np.ndarray
    phases: tuple[ContactPhase, ...]

    def of(self, leg: Leg) -> tuple[np.ndarray, np.ndarray]:
        """Frames [T] in which this leg's ankle stands, and those in which its toe does."""
        return self.planted[:, leg.ankle_contact], self.planted[:, leg.toe_contact]


def find_contacts(motion: Motion) -> FootContacts:
    """The contacts of a motion above the floor y = 0.

    Evidence for a joint adds up from the model's probability (none counts as undecided), how low
    it is and how slow it is, for a walker also in comparison with the body.  It has to be clearly
    positive to begin a phase and clearly negative to end one; short gaps and blips go.
    """
    scale = body_scale(motion.skeleton)
    positions = motion.positions()
    feet = positions[:, list(motion.skeleton.contact_joints)]
    evidence = _speed_evidence(feet, motion, scale) + _height_evidence(positions, motion, scale)
    if motion.contacts is not None:
        sure = np.clip(motion.contacts, 0.02, 0.98)
        evidence = evidence + np.log(sure / (1.0 - sure))
    planted = np.stack([_phases_of(column, motion.fps) for column in evidence.T], axis=-1)
    return contacts_from(planted, motion)


def contacts_from(planted: np.ndarray, motion: Motion) -> FootContacts:
    """Contacts of known standing frames [T, 4]."""
    phases = [
        ContactPhase(leg.side, joint, first, last)
        for leg in legs_of(motion.skeleton)
        for joint, column in ((leg.ankle, leg.ankle_contact), (leg.toe, leg.toe_contact))
        for first, last in runs(planted[:, column])
    ]
    return FootContacts(planted, tuple(sorted(phases, key=lambda phase: phase.first)))


def _speed_evidence(feet: np.ndarray, motion: Motion, scale: float) -> np.ndarray:
    sigma = motion.fps / 6
    root = smooth(motion.root_positions, sigma)[:, None]
    body, foot = (horizontal_speed(path, motion.fps) for path in (root, feet))
    limit = np.maximum(_SPEED * scale, _SPEED_OF_BODY * body)
    evidence = np.clip(3.0 * (1.0 - foot / limit), _LEAST_SPEED, _MOST)
    # Drift is slow.  A foot that travels as fast as its body, and not slowly, is carried along.
    lasting = horizontal_speed(smooth(feet, sigma), motion.fps)
    carried = (body > _SPEED * scale) & (lasting > _CARRIED * body)
    return np.where(carried, _LEAST_SPEED, evidence)


def low_feet(positions: np.ndarray, motion: Motion, scale: float) -> np.ndarray:
    """Foot joints [T, 4] low enough to stand, columns as in ``Motion.contacts``.

    positions: [T, J, 3] of the motion's joints; scale: its body's size (:func:`body_scale`).
    """
    low: np.ndarray = _height_evidence(positions, motion, scale) > 0.0
    return low


def _height_evidence(positions: np.ndarray, motion: Motion, scale: float) -> np.ndarray:
    kinds = _kinds(motion)
    limits = np.array([_HEIGHTS[kind] for kind in kinds]) * scale
    steps = np.array([_HEIGHT_STEPS[kind] for kind in kinds]) * scale
    feet = positions[:, list(motion.skeleton.contact_joints), 1]
    heights = feet - hover(positions, motion, scale)[:, None]
    return np.clip((limits - heights) / steps, -6.0, _MOST)


def hover(positions: np.ndarray, motion: Motion, scale: float) -> np.ndarray:
    """How far [T] the whole motion floats above or is sunk into the floor around each frame.

    The lower one of the toes, at its lowest within half a second or so: in a jump that is still the
    floor.  A body that lies or kneels with its feet in the air does not float.
    """
    toes = [leg.toe for leg in legs_of(motion.skeleton)]
    heights = positions[..., 1] - TOE_HEIGHT * scale
    around = round(_HOVER_WINDOW * motion.fps)
    feet, body = (lowest_around(h.min(axis=-1), around) for h in (heights[:, toes], heights))
    floating = np.clip(body, 0.0, _FLOATING * scale)
    return np.clip(feet, -_SUNKEN * scale, floating)


def _kinds(motion: Motion) -> list[str]:
    ankles = {leg.ankle for leg in legs_of(motion.skeleton)}
    return ["ankle" if joint in ankles else "toe" for joint in motion.skeleton.contact_joints]


def _phases_of(evidence: np.ndarray, fps: float) -> np.ndarray:
    """Standing frames [T] of one joint: hysteresis, then short gaps closed, then blips dropped."""
    standing = np.zeros(len(evidence), dtype=bool)
    for first, last in runs(evidence > _END):
        standing[first : last + 1] = evidence[first : last + 1].max() > _BEGIN
    count = len(standing)
    for first, last in runs(~standing):
        if first > 0 and last < count - 1 and last - first + 1 <= _GAP * fps:
            standing[first : last + 1] = True
    for first, last in runs(standing):
        cut_off = first == 0 or last == count - 1
        if last - first + 1 <= _BLIP * fps and not cut_off:
            standing[first : last + 1] = False
    return standing


def horizontal_speed(paths: np.ndarray, fps: float) -> np.ndarray:
    """Speed over the floor [T, ...] of paths [T, ..., 3], per second."""
    return np.linalg.norm(velocity(paths, fps)[..., [0, 2]], axis=-1)


def velocity(paths: np.ndarray, fps: float) -> np.ndarray:
    """Central differences [T, ...] of paths [T, ...], per second."""
    return np.gradient(paths, axis=0) * fps if len(paths) > 1 else np.zeros_like(paths)
