"""What a control's pose is expressed in, found by watching how the rig moves.

A control hangs on helper bones with constraints and drivers; its bone hierarchy says little about
what carries it.  Probing poses all controls at random and looks: a control whose frame (its pose
without its own channels) keeps still relative to another control is carried by that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...rotations import matrix_to_quaternion, rotation_angle, slerp

#: A frame that no control carries rigidly: it is a blend of several, or follows something else.
LOOSE = -2
#: A frame that never moves in the armature's space.
FIXED = -1

#: Largest angle (radians) and largest distance (shares of the rig's size) of a rigid connection:
#: Blender's constraints are computed in single precision.
_ANGLE = 2e-3
_SHARE = 5e-4


@dataclass(frozen=True)
class Probes:
    """Controls of a rig in several poses, in armature space.

    names: C controls.  poses: [N, C, 4, 4] as evaluated, without scale.  basis: [N, C, 4, 4] the
    controls' own channels.  The first probe is the rest pose: all channels at zero.
    location_axes: [C, 3, 3] the axes of the location channels at rest, in armature space.
    """

    names: tuple[str, ...]
    poses: np.ndarray
    basis: np.ndarray
    location_axes: np.ndarray


@dataclass(frozen=True)
class Carriers:
    """Indices of the control that turns and that places each control's frame, FIXED or LOOSE."""

    turn: tuple[int, ...]
    place: tuple[int, ...]


def carriers(probes: Probes, candidates: Sequence[int], watched: Sequence[int] = ()) -> Carriers:
    """What carries each control.

    ``candidates`` are the controls that were posed, ``watched`` bones that are no controls but
    place what no control places.
    """
    poses = probes.poses
    turns = poses[..., :3, :3]
    frames = turns @ np.swapaxes(probes.basis[..., :3, :3], -1, -2)
    axes = frames @ np.swapaxes(frames[:1], -1, -2) @ probes.location_axes
    places = poses[..., :3, 3] - np.einsum("ncij,ncj->nci", axes, probes.basis[..., :3, 3])
    size = max(float(np.ptp(places[0], axis=0).max()), 1e-9)
    turn, place = [], []
    for control in range(len(probes.names)):
        others = [c for c in candidates if c != control]
        turn.append(_rigid_turn(frames[:, control], turns, others))
        here = places[:, control]
        # Of two controls that share a head neither places the other.
        apart = [c for c in others if _farthest(poses[:, c, :3, 3] - here, 0.0) > _SHARE * size]
        carrier = turn[-1] if turn[-1] in apart else FIXED
        place.append(_rigid_place(here, poses, [carrier] if carrier >= 0 else [], _SHARE * size))
        for others in (apart, [c for c in watched if c != control]):
            if place[-1] == LOOSE:
                place[-1] = _rigid_place(here, poses, others, _SHARE * size)
    return Carriers(tuple(turn), tuple(place))


def halfway(probes: Probes, control: int, other: int, name: int) -> bool:
    """Whether the frame of the control ``name`` turns half with one control, half with another."""
    turns = probes.poses[..., :3, :3]
    frame = turns[:, name] @ np.swapaxes(probes.basis[:, name, :3, :3], -1, -2)
    away = [_from_rest(m) for m in (turns[:, control], turns[:, other], frame)]
    middle = slerp(away[0], away[1], np.full(len(frame), 0.5))
    return bool(rotation_angle(middle, away[2]).max() < 5.0 * _ANGLE)


def _from_rest(matrices: np.ndarray) -> np.ndarray:
    """Quaternions [N, 4] of rotations [N, 3, 3] relative to the first of them."""
    return matrix_to_quaternion(matrices @ matrices[0].T)


def _rigid_turn(frame: np.ndarray, turns: np.ndarray, others: Sequence[int]) -> int:
    if _largest_angle(frame) < _ANGLE:
        return FIXED
    spread = [_largest_angle(np.swapaxes(turns[:, c], -1, -2) @ frame) for c in others]
    return _best(spread, others, _ANGLE)


def _rigid_place(place: np.ndarray, poses: np.ndarray, others: Sequence[int], far: float) -> int:
    if _farthest(place) < far:
        return FIXED
    spread = [
        _farthest(np.einsum("nji,nj->ni", poses[:, c, :3, :3], place - poses[:, c, :3, 3]))
        for c in others
    ]
    return _best(spread, others, far)


def _best(spread: Sequence[float], others: Sequence[int], limit: float) -> int:
    if not others or min(spread) > limit:
        return LOOSE
    return others[int(np.argmin(spread))]


def _largest_angle(rotations: np.ndarray) -> float:
    """Largest angle in radians between the first rotation [3, 3] and the others [N, 3, 3]."""
    gap = rotations - rotations[:1]
    # The chord of a rotation by a is 2 sqrt(2) sin(a / 2) in the Frobenius norm.
    chord = np.sqrt((gap**2).sum(axis=(-2, -1))).max()
    return float(2.0 * np.arcsin(min(1.0, chord / (2.0 * np.sqrt(2.0)))))


def _farthest(points: np.ndarray, origin: np.ndarray | float | None = None) -> float:
    """Largest distance of points [N, 3] from an origin, by default the first of them."""
    return float(np.linalg.norm(points - (points[:1] if origin is None else origin), axis=-1).max())
