"""The legs of a skeleton by the names of their joints, and how large the body is, numpy only."""

from dataclasses import dataclass

import numpy as np

from ..skeleton import Skeleton

SIDES = ("left", "right")

#: Hip to ankle of the canonical skeleton in metres: every length below is for a leg like that.
_CANONICAL_LEG = 0.83
#: Height of the toe joint of a standing foot: the thickness of the sole.
TOE_HEIGHT = 0.02
#: Heights that pass for standing on the floor: soles and captures differ by some millimetres.
TOE_LOW, TOE_HIGH = TOE_HEIGHT - 0.008, TOE_HEIGHT + 0.008


@dataclass(frozen=True)
class Leg:
    """Joint indices of one leg, the pelvis above it, and its two columns of ``Motion.contacts``."""

    side: str
    pelvis: int
    hip: int
    knee: int
    ankle: int
    toe: int
    ankle_contact: int
    toe_contact: int


def legs_of(skeleton: Skeleton) -> tuple[Leg, ...]:
    """Left and right leg; ValueError where the skeleton names its joints in another way.

    The joints are ``left_hip``, ``left_knee``, ``left_ankle`` and ``left_foot`` (the ball of the
    foot), and the same on the right.
    """
    columns = {joint: column for column, joint in enumerate(skeleton.contact_joints)}
    legs = []
    for side in SIDES:
        parts = ("hip", "knee", "ankle", "foot")
        hip, knee, ankle, toe = (skeleton.index(f"{side}_{part}") for part in parts)
        pelvis = skeleton.parents[hip]
        legs.append(Leg(side, pelvis, hip, knee, ankle, toe, columns[ankle], columns[toe]))
    return tuple(legs)


def body_scale(skeleton: Skeleton) -> float:
    """Length of the legs in the skeleton's units, as a multiple of the canonical legs in metres."""
    lengths = [
        np.linalg.norm(skeleton.rest_offsets[[leg.knee, leg.ankle]], axis=-1).sum()
        for leg in legs_of(skeleton)
    ]
    return float(np.mean(lengths)) / _CANONICAL_LEG
