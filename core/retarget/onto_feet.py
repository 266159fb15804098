"""Feet that stand on the rig where they stood, or where an edit puts them down; numpy only.

The edit is known to be sound on the model's own proportions; on the rig's the same turns would let
feet slide a little.
"""

from dataclasses import dataclass

import numpy as np

from ..cleanup.contacts import find_contacts
from ..cleanup.filters import runs
from ..cleanup.legs import Leg, legs_of
from ..cleanup.two_bone import solve_two_bones
from ..motion import Motion
from ..rotations import quaternion_rotate
from .alignment import IDENTITY
from .feet.easing import eased
from .posed_body import PosedBody

#: A foot that the edit moves by less than this (metres, canonical size) stands where it stood.
_SAME_PLACE = 0.02
#: Changes smaller than this (metres) leave a leg alone.
_NOTHING = 1e-7


@dataclass(frozen=True)
class _Foot:
    """One leg: bones of the rig, and of the motions where its joints are [T, 3] and stand [T]."""

    leg: Leg
    hip: int
    knee: int
    ankle: int
    toe: int | None
    old: np.ndarray
    new: np.ndarray
    stood: np.ndarray
    stands: np.ndarray


def feet_kept(body: PosedBody, source: Motion, edited: Motion) -> None:
    """Let the asked legs reach for their feet while these stand."""
    scale = body.retargeter.body.scale
    old, new = source.positions(), edited.positions()
    stood, stands = (find_contacts(motion).planted for motion in (source, edited))
    lift = _lift(body, old, stood)
    for leg in legs_of(source.skeleton):
        parts = ("hip", "knee", "ankle", "foot")
        hip, knee, ankle, toe = (body.slot(f"{leg.side}_{part}") for part in parts)
        if leg.side not in body.asked.legs or hip is None or knee is None or ankle is None:
            continue
        if not {hip, knee} <= body.turned_by.keys():
            continue
        # Toe and ankle, in this order.
        joints, columns = [leg.toe, leg.ankle], [leg.toe_contact, leg.ankle_contact]
        foot = _Foot(
            leg=leg,
            hip=hip,
            knee=knee,
            ankle=ankle,
            toe=toe,
            old=scale * old[:, joints],
            new=scale * new[:, joints],
            stood=stood[:, columns],
            stands=stands[:, columns],
        )
        change = _change(body, foot, lift, source.fps)
        _reach(body, foot, change, edited)


def _lift(body: PosedBody, positions: np.ndarray, stood: np.ndarray) -> float:
    """How much higher (metres) the rig's toes stand than the motion's, to scale."""
    found = []
    scale = body.retargeter.body.scale
    for leg in legs_of(body.retargeter.skeleton):
        toe, frames = body.slot(f"{leg.side}_foot"), stood[:, leg.toe_contact]
        if toe is not None and frames.any():
            own = body.shown_head(toe)[frames, 1]
            found.extend(own - scale * positions[frames, leg.toe, 1])
    return float(np.median(found)) if found else 0.0


def _change(body: PosedBody, foot: _Foot, lift: float, fps: float) -> np.ndarray:
    """How far [T, 3] the ankle has to go so that what stands keeps its place."""
    ankle, ankle_now = body.shown_head(foot.ankle), body.head(foot.ankle)
    ball = ankle if foot.toe is None else body.shown_head(foot.toe)
    ball_now = ankle_now + quaternion_rotate(body.turn(foot.ankle), ball - ankle)
    change = np.zeros_like(ankle)
    given = body.still.copy()
    kept = _kept(foot, body.retargeter.body.scale)
    for column, (was, now) in enumerate(((ball, ball_now), (ankle, ankle_now))):
        at = kept[:, column] & ~given
        change[at] = (was - now)[at]
        given |= at
    landed = foot.stands[:, 0] & ~given
    for first, last in runs(landed):
        phase = slice(first, last + 1)
        place = _place(ball, ball_now, foot, given, (first, last), lift)
        change[phase] = place - ball_now[phase]
        given[phase] = True
    return eased(change, given, fps) if given.any() else change


def _kept(foot: _Foot, scale: float) -> np.ndarray:
    """Frames [T, 2] in which toe and ankle stand where they stood.

    Phases are taken whole: what the rig shows may glide a little as the model sees it.
    """
    away = np.linalg.norm(foot.new - foot.old, axis=-1)
    kept = foot.stood & foot.stands
    for column in range(kept.shape[1]):
        for first, last in runs(kept[:, column]):
            near = np.median(away[first : last + 1, column]) < _SAME_PLACE * scale
            kept[first : last + 1, column] = near
    return kept


def _place(
    ball: np.ndarray,
    ball_now: np.ndarray,
    foot: _Foot,
    given: np.ndarray,
    phase: tuple[int, int],
    lift: float,
) -> np.ndarray:
    """Where [3] the ball of a foot stands from the first to the last frame of a new phase.

    Where it stands already before or stands still after it, it does not move.
    """
    first, last = phase
    for beside in (first - 1, last + 1):
        if 0 <= beside < len(given) and given[beside] and foot.stands[beside, 0]:
            return ball[beside]
    place: np.ndarray = ball_now[first : last + 1].mean(axis=0)
    place[1] = foot.new[first : last + 1, 0, 1].mean() + lift
    return place


def _reach(body: PosedBody, foot: _Foot, change: np.ndarray, edited: Motion) -> None:
    moved = np.linalg.norm(change, axis=-1) > _NOTHING
    if not moved.any():
        return
    hip, knee, ankle = (body.head(bone)[moved] for bone in (foot.hip, foot.knee, foot.ankle))
    turns = edited.global_rotations()[moved, foot.leg.hip]
    hinge = quaternion_rotate(turns, np.array([1.0, 0.0, 0.0]))
    solved = solve_two_bones(hip, knee, ankle, ankle + change[moved], hinge)
    further = {}
    for bone, turn in ((foot.hip, solved.upper), (foot.knee, solved.lower)):
        further[bone] = np.tile(IDENTITY, (len(change), 1))
        further[bone][moved] = turn
    body.turn_further(further)
