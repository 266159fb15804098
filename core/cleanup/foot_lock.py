"""Feet that stand are locked in place by inverse kinematics of the legs, numpy only."""

from dataclasses import replace

import numpy as np

from ..kinematics import joint_positions
from ..motion import Motion
from ..rotations import (
    make_continuous,
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)
from .contacts import FootContacts, contacts_from
from .filters import highest_around, smooth
from .foot_path import FootPath, nailed
from .legs import Leg, body_scale, legs_of
from .root_path import sole_down
from .two_bone import solve_two_bones

#: A leg is not stretched further than this share of its length, unless the motion itself did.
_FULL_REACH = 0.993
#: The pelvis is lowered by at most this much (m) to bring a foot within reach.
_LOWERED = 0.04
#: Smaller changes of a foot (m, and the same in radians) leave its leg untouched.
_NOTHING = 1e-6


def lock_feet(motion: Motion, contacts: FootContacts) -> tuple[Motion, FootContacts]:
    """The motion with standing feet still, and the contacts that could be kept.

    Each leg reaches its foot by two-bone inverse kinematics with the knee's direction kept.  Where
    a foot is out of reach the pelvis is lowered a little; what is still out of reach is released.
    """
    if not contacts.phases:
        return motion, contacts
    turned, positions = motion.global_rotations(), motion.positions()
    scale, upright = body_scale(motion.skeleton), sole_down(motion)
    planted = np.zeros_like(contacts.planted)
    feet: dict[Leg, FootPath] = {}
    for leg in legs_of(motion.skeleton):
        foot = foot_path(motion, leg, positions, turned, contacts, upright[leg])
        feet[leg] = nailed(foot)
        planted[:, leg.ankle_contact] = feet[leg].ankle_stands
        planted[:, leg.toe_contact] = feet[leg].toe_stands
    root = motion.root_positions.copy()
    root[:, 1] -= _lowering(motion, positions, feet, scale)
    skeleton = motion.skeleton
    positions = joint_positions(turned, root, skeleton.parents, skeleton.rest_offsets)
    rotations = motion.rotations.copy()
    for leg, foot in feet.items():
        reach_foot(motion, leg, foot, positions, turned, rotations)
    locked = replace(motion, rotations=rotations, root_positions=root)
    return locked, contacts_from(planted, motion)


def foot_path(
    motion: Motion,
    leg: Leg,
    positions: np.ndarray,
    turned: np.ndarray,
    contacts: FootContacts,
    upright: np.ndarray,
) -> FootPath:
    """One foot of a motion as it is; upright: [T] frames in which its sole faces the floor.

    positions, turned: the motion's joint positions [T, J, 3] and global rotations [T, J, 4].
    """
    ankle, toe = contacts.of(leg)
    return FootPath(
        ankle=positions[:, leg.ankle],
        rotation=turned[:, leg.ankle],
        offset=motion.skeleton.rest_offsets[leg.toe],
        ankle_stands=ankle,
        toe_stands=toe,
        sole_down=upright,
        fps=motion.fps,
        scale=body_scale(motion.skeleton),
    )


def _limit(motion: Motion, leg: Leg, positions: np.ndarray) -> np.ndarray:
    """The longest distance [T] from hip to ankle that a leg may take."""
    length = np.linalg.norm(motion.skeleton.rest_offsets[[leg.knee, leg.ankle]], axis=-1).sum()
    own = np.linalg.norm(positions[:, leg.ankle] - positions[:, leg.hip], axis=-1)
    return np.maximum(own, _FULL_REACH * length)


def _lowering(
    motion: Motion, positions: np.ndarray, feet: dict[Leg, FootPath], scale: float
) -> np.ndarray:
    """How far down [T] the pelvis has to go for standing feet to be in reach of upright legs."""
    needed = np.zeros(motion.frame_count)
    for leg, foot in feet.items():
        limit = _limit(motion, leg, positions)
        away = positions[:, leg.hip] - foot.ankle
        beside = np.sum(away[:, [0, 2]] ** 2, axis=-1)
        above = np.sqrt(np.maximum(limit**2 - beside, 0.0))
        stands = foot.ankle_stands | foot.toe_stands
        upright = away[:, 1] > 0.5 * limit
        needed = np.maximum(needed, np.where(stands & upright, away[:, 1] - above, 0.0))
    needed = np.minimum(needed, _LOWERED * scale)
    around = max(1, round(motion.fps / 15))
    return np.clip(smooth(highest_around(needed, around), around), 0.0, _LOWERED * scale)


def reach_foot(
    motion: Motion,
    leg: Leg,
    foot: FootPath,
    positions: np.ndarray,
    turned: np.ndarray,
    rotations: np.ndarray,
) -> None:
    """Turn hip, knee and ankle of ``rotations`` so that the leg ends in the foot.

    positions, turned: the motion's joint positions [T, J, 3] and global rotations [T, J, 4], which
    may stand elsewhere than the motion does.
    """
    hip, knee, ankle = (positions[:, joint] for joint in (leg.hip, leg.knee, leg.ankle))
    away = foot.ankle - hip
    distance = np.linalg.norm(away, axis=-1)
    limit = _limit(motion, leg, positions)
    target = hip + away * np.minimum(1.0, limit / np.maximum(distance, 1e-9))[:, None]
    hinge = quaternion_rotate(turned[:, leg.hip], np.array([1.0, 0.0, 0.0]))
    solved = solve_two_bones(hip, knee, ankle, target, hinge)
    upper = quaternion_multiply(solved.upper, turned[:, leg.hip])
    lower = quaternion_multiply(solved.lower, turned[:, leg.knee])
    new = rotations.copy()
    new[:, leg.hip] = quaternion_multiply(quaternion_conjugate(turned[:, leg.pelvis]), upper)
    new[:, leg.knee] = quaternion_multiply(quaternion_conjugate(upper), lower)
    new[:, leg.ankle] = quaternion_multiply(quaternion_conjugate(lower), foot.rotation)
    moved = np.linalg.norm(target - ankle, axis=-1) > _NOTHING
    turned_foot = np.abs(np.sum(foot.rotation * turned[:, leg.ankle], axis=-1)) < 1.0 - _NOTHING**2
    changed = moved | turned_foot
    for joint in (leg.hip, leg.knee, leg.ankle):
        rotations[changed, joint] = normalize(new[changed, joint])
        rotations[:, joint] = make_continuous(rotations[:, joint])
