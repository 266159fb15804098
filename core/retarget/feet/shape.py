"""What a rig's legs and feet are like at rest: where soles, heels and toes are, numpy only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...cleanup.legs import Leg, legs_of
from ...rotations import normalize, quaternion_rotate
from ..alignment import Driver
from ..body_frame import TOE_HEIGHT

if TYPE_CHECKING:
    from ..transfer import Retargeter

UP = np.array([0.0, 1.0, 0.0])

#: From the canonical ankle forwards to the ball of the foot, and back to the heel (m).
_FOOT_LENGTH, _HEEL_LENGTH = 0.14, 0.04
#: Toes are this share of the foot's length where the rig does not show them.
_TOES = 0.45
#: A point says where a foot ends if it is this far in front of the ankle, in canonical feet.
_SHORTEST_FOOT, _LONGEST_FOOT = 0.4, 3.0


@dataclass(frozen=True)
class FootShape:
    """One leg of a rig, in metres.

    leg: the joints of the skeleton that drive it; bones: hip, knee, ankle and toe, if there is one.
    length: hip to knee to ankle.
    toe, heel: [3] from the ankle joint to the ball of the foot and to the sole below the heel, in
        the axes of the ankle's joint rotation: at rest, toes pointing forwards (+Z).
    tip: [3] from the ball to the sole below the tip of the toes, in those of the toe's joint.
    toe_height: height of the ball above the floor, standing; sole: height of the sole, 0 unless
        the rig's feet reach below its floor.
    """

    leg: Leg
    bones: tuple[int, ...]
    length: float
    toe: np.ndarray
    heel: np.ndarray
    tip: np.ndarray
    toe_height: float
    sole: float

    @property
    def has_toes(self) -> bool:
        return len(self.bones) == 4


def foot_shapes(retargeter: "Retargeter") -> tuple[FootShape, ...]:
    """Left and right leg of a measured rig."""
    driven = {driver.bone: driver for driver in retargeter.drivers}
    return tuple(_shape(retargeter, leg, driven) for leg in legs_of(retargeter.skeleton))


def _shape(retargeter: "Retargeter", leg: Leg, driven: Mapping[int, Driver]) -> FootShape:
    body, rig, bone_map = retargeter.body, retargeter.rig, retargeter.bone_map
    names = [bone_map.bone(f"{leg.side}_{part}") for part in ("hip", "knee", "ankle", "foot")]
    bones = tuple(rig.index(name) for name in names if name is not None)
    hip, knee, ankle = body.heads[list(bones[:3])]

    def level(bone: int, vector: np.ndarray) -> np.ndarray:
        return quaternion_rotate(driven[bone].alignment, vector)

    foot = bones[2]
    if len(bones) == 4:
        toe = level(foot, body.heads[bones[3]] - ankle)
    else:
        toe = _virtual_toe(retargeter, level(foot, body.tails[foot] - ankle))
    # Above the floor of the reference pose, which need not be the rest pose.
    ankle_height = body.ankle_height
    toe_height = float(ankle_height + toe[1])
    sole = min(0.0, toe_height)
    forward = normalize(np.array([toe[0], 0.0, toe[2]])) if toe[2] > 0.0 else np.array([0, 0, 1.0])
    long = max(float(np.hypot(toe[0], toe[2])), _SHORTEST_FOOT * _FOOT_LENGTH * body.scale)
    toes = _TOES * long
    if len(bones) == 4:
        shown = level(bones[3], body.tails[bones[3]] - body.heads[bones[3]]) @ forward
        toes = float(np.clip(shown, 0.2 * long, long)) if shown > 0.0 else toes
    return FootShape(
        leg=leg,
        bones=bones,
        length=float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee)),
        toe=toe,
        heel=np.array([0.0, sole - ankle_height, 0.0])
        - _HEEL_LENGTH / _FOOT_LENGTH * long * forward,
        tip=np.array([0.0, sole - toe_height, 0.0]) + toes * forward,
        toe_height=toe_height,
        sole=sole,
    )


def _virtual_toe(retargeter: "Retargeter", tail: np.ndarray) -> np.ndarray:
    """Where a foot without toe bones rolls [3]: below its bone's tail if that looks like a foot."""
    scale, ankle_height = retargeter.body.scale, retargeter.body.ankle_height
    length = float(np.hypot(tail[0], tail[2])) if tail[2] > 0.0 else 0.0
    share = length / (_FOOT_LENGTH * scale)
    if not _SHORTEST_FOOT < share < _LONGEST_FOOT:
        tail = np.array([0.0, 0.0, _FOOT_LENGTH * scale])
    height = min(TOE_HEIGHT * scale, 0.5 * max(ankle_height, 0.0))
    return np.array([tail[0], height - ankle_height, tail[2]])
