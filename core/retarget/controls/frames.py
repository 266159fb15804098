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
    far = _SHARE * max(float(np.ptp(places[0], axis=0).max()), 1e-9)
    heads = poses[..., :3, 3]
    posed, seen = np.array(candidates, dtype=int), np.array(watched, dtype=int)
    turn, place = [], []
    for control in range(len(probes.names)):
        others = posed[posed != control]
        turn.append(_rigid_turn(frames[:, control], turns, others))
        here = places[:, control]
        # Of two controls that share a head neither places the other, unless it turns it, too.
        shared = np.linalg.norm(heads[:, others] - here[:, None], axis=-1).max(axis=0) < far
        ways = (others[others == turn[-1]], others[~shared], seen[seen != control])
        found = (_rigid_place(here, turns, heads, way, far) for way in ways)
        place.append(next((carrier for carrier in found if carrier != LOOSE), LOOSE))
    return Carriers(tuple(turn), tuple(place))


def halfway(probes: Probes, control: int, other: int, name: int) -> bool:
    """Whether the frame of the control ``name`` turns half with one control, half with another."""
    turns = probes.poses[..., :3, :3]
    frame = turns[:, name] @ np.swapaxes(probes.basis[:, name, :3, :3], -1, -2)
    away = [_from_rest(m) for m in (turns[:, control], turns[:, other], frame)]
    middle = slerp(away[0], away[1], np.full(len(frame), 0.5))
    return bool(rotation_angle(middle, away[2]).max() < 5.0 * _ANGLE)


def parted(probes: Probes, one: int, other: int) -> bool:
    """Whether two bones share a head at rest, but not in the other poses."""
    heads = probes.poses[..., :3, 3]
    far = _SHARE * max(float(np.ptp(heads[0], axis=0).max()), 1e-9)
    apart = np.linalg.norm(heads[:, one] - heads[:, other], axis=-1)
    return bool(apart[0] < far < apart.max())


def _from_rest(matrices: np.ndarray) -> np.ndarray:
    """Quaternions [N, 4] of rotations [N, 3, 3] relative to the first of them."""
    return matrix_to_quaternion(matrices @ matrices[0].T)


def _rigid_turn(frame: np.ndarray, turns: np.ndarray, others: np.ndarray) -> int:
    if _largest_angles(frame) < _ANGLE:
        return FIXED
    relative = np.swapaxes(turns[:, others], -1, -2) @ frame[:, None]
    return _best(_largest_angles(relative), others, _ANGLE)


def _rigid_place(
    place: np.ndarray, turns: np.ndarray, heads: np.ndarray, others: np.ndarray, far: float
) -> int:
    if _farthest(place) < far:
        return FIXED
    away = place[:, None] - heads[:, others]
    relative = np.einsum("ncji,ncj->nci", turns[:, others], away)
    return _best(_farthest(relative), others, far)


def _best(spread: np.ndarray, others: np.ndarray, limit: float) -> int:
    if not len(others) or spread.min() > limit:
        return LOOSE
    return int(others[np.argmin(spread)])


def _largest_angles(rotations: np.ndarray) -> np.ndarray:
    """Largest angles [...] in radians between the first of rotations [N, ..., 3, 3] and others."""
    # The chord of a rotation by a is 2 sqrt(2) sin(a / 2) in the Frobenius norm.
    chord = np.linalg.norm(rotations - rotations[:1], axis=(-2, -1)).max(axis=0)
    angles: np.ndarray = 2.0 * np.arcsin(np.minimum(1.0, chord / (2.0 * np.sqrt(2.0))))
    return angles


def _farthest(points: np.ndarray) -> np.ndarray:
    """Largest distances [...] of points [N, ..., 3] from the first."""
    farthest: np.ndarray = np.linalg.norm(points - points[:1], axis=-1).max(axis=0)
    return farthest
