"""Where a rig stands, which way it faces, and how large it is.

Everything after this module happens in the body's own frame: the canonical one, floor at height
zero, hips above the origin.  Bone-local poses are the same in any frame, so a rig may stand
anywhere, face anywhere and even lie on its back in the file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import ScaleMoGenError
from ..rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)
from ..skeleton import Skeleton
from .bone_map import SIDES, BoneMap
from .rest_rig import RestRig

#: The canonical toe joints rest this high above the floor, in metres.
TOE_HEIGHT = 0.02

#: Bodies that lean no further than this (cosines of 25 and 15 degrees) from the vertical, or from
#: another axis, belong along it.
_LEANING, _LYING = np.cos(np.radians(25.0)), np.cos(np.radians(15.0))
#: Metres; what is shorter has no direction.  A leg this much shorter than the other is none.
_NO_LENGTH, _NO_LEG = 1e-9, 1e-3

#: Bone indices of a body part, left then right, as far as mapped.
BonesOfPart = Callable[[str], list[int]]


@dataclass(frozen=True)
class BodyFrame:
    """The rig at rest in its body's frame.

    heads, tails: [B, 3] metres; rotations: [B, 4] of the bones' axes.
    origin [3] and turn [4] place the body in the canonical world: world = origin + turn * body.
    scale: rig leg length / canonical leg length.
    ankle_height: height of the rig's ankles above its floor, in metres.
    """

    heads: np.ndarray
    tails: np.ndarray
    rotations: np.ndarray
    origin: np.ndarray
    turn: np.ndarray
    scale: float
    ankle_height: float

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Points [..., 3] of the body's frame in the canonical world."""
        return self.origin + quaternion_rotate(self.turn, points)

    def to_body(self, points: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`to_world`."""
        return quaternion_rotate(quaternion_conjugate(self.turn), points - self.origin)


def ankle_rest_height(skeleton: Skeleton) -> float:
    """Height of the skeleton's ankles above the floor at rest, in its units (metres)."""
    rest = skeleton.rest_positions
    ankle, toe = skeleton.index("left_ankle"), skeleton.index("left_foot")
    return float(rest[ankle, 1] - rest[toe, 1]) + TOE_HEIGHT


def leg_length(positions: np.ndarray, legs: Sequence[Sequence[int]]) -> float:
    """Mean over the legs of hip to knee to ankle; ``legs`` are triples of rows of [N, 3]."""
    lengths = [np.linalg.norm(np.diff(positions[list(leg)], axis=0), axis=-1).sum() for leg in legs]
    return float(np.mean(lengths))


def skeleton_legs(skeleton: Skeleton) -> list[list[int]]:
    """Hip, knee and ankle of both legs."""
    return [
        [skeleton.index(f"{side}_{part}") for part in ("hip", "knee", "ankle")] for side in SIDES
    ]


def rig_leg_length(rig: RestRig, bone_map: BoneMap) -> float:
    """Length of a mapped rig's legs from hip to ankle, in metres."""
    return float(np.mean(_leg_lengths(rig, bone_map)))


def _leg_lengths(rig: RestRig, bone_map: BoneMap) -> list[float]:
    parts = zip(*(_bones(rig, bone_map, p) for p in ("hip", "knee", "ankle")), strict=True)
    return [leg_length(rig.heads, [leg]) for leg in parts]


def _bones(rig: RestRig, bone_map: BoneMap, part: str) -> list[int]:
    found = [bone_map.bone(f"{side}_{part}") for side in SIDES]
    return [rig.index(name) for name in found if name is not None]


def body_frame(rig: RestRig, bone_map: BoneMap, skeleton: Skeleton) -> BodyFrame:
    """Measure a mapped rig; legs and hips must be there (see :func:`bone_map.map_bones`).

    ScaleMoGenError if a leg has no length.
    """

    def bones(part: str) -> list[int]:
        return _bones(rig, bone_map, part)

    lengths = _leg_lengths(rig, bone_map)
    if not min(lengths) > max(_NO_LENGTH, _NO_LEG * max(lengths)):
        raise ScaleMoGenError(
            f"A leg of '{rig.name}' has no length; check both legs in the bone map."
        )
    scale = float(np.mean(lengths)) / leg_length(skeleton.rest_positions, skeleton_legs(skeleton))
    turn = matrix_to_quaternion(_axes(rig, bones))
    back = quaternion_conjugate(turn)

    hips = quaternion_rotate(back, rig.heads[bones("hip")].mean(axis=0))
    floor = _floor_height(rig, bones, back, scale, ankle_rest_height(skeleton))
    origin = quaternion_rotate(turn, np.array([hips[0], floor, hips[2]]))
    heads = quaternion_rotate(back, rig.heads - origin)
    return BodyFrame(
        heads=heads,
        tails=quaternion_rotate(back, rig.world_tails - origin),
        rotations=quaternion_multiply(back, rig.rotations),
        origin=origin,
        turn=turn,
        scale=scale,
        ankle_height=float(heads[bones("ankle"), 1].mean()),
    )


def _axes(rig: RestRig, bones: BonesOfPart) -> np.ndarray:
    """Body axes (left, up, forward as columns [3, 3]) in the canonical world.

    Left comes from the hips, and from the shoulders if they do not contradict them; where the hips
    lie in one place, from the shoulders or the feet.
    """
    ankles, hips, shoulders, toes = (
        rig.heads[bones(part)] for part in ("ankle", "hip", "shoulder", "foot")
    )
    up = _up(rig, ankles, hips, shoulders)

    def level(line: np.ndarray) -> np.ndarray:
        flat = line - line @ up * up
        return normalize(flat) if np.linalg.norm(flat) > _NO_LENGTH else np.zeros(3)

    left = level(hips[0] - hips[1])
    across = level(shoulders[0] - shoulders[1]) if len(shoulders) == 2 else np.zeros(3)
    if across @ left > 0.5:
        left = normalize(left + across)
    elif not left.any():
        ahead = toes.mean(axis=0) - ankles.mean(axis=0) if len(toes) == 2 else np.zeros(3)
        known = [across, level(np.cross(up, ahead)), *map(level, np.eye(3))]
        left = next(line for line in known if line.any())
    return np.stack([left, up, np.cross(left, up)], axis=-1)


def _up(rig: RestRig, ankles: np.ndarray, hips: np.ndarray, shoulders: np.ndarray) -> np.ndarray:
    """Which direction of the canonical world [3] is up for the body; from pairs of heads [2, 3].

    The vertical, upwards or downwards, so that a lean of the rest pose stays a lean; where the
    body lies, an axis of the armature object, however that is turned, or of the world.  A body
    that stands or lies along none of them is its own measure.  Legs count as much as the whole
    body: a hunched one stands on upright legs.
    """
    top = shoulders if len(shoulders) == 2 else hips
    body, legs = (normalize(part.mean(axis=0) - ankles.mean(axis=0)) for part in (top, hips))
    vertical = np.eye(3)[:, 1:2]
    known = ((vertical, _LEANING), (rig.object_rotation, _LYING), (np.eye(3), _LYING))
    for axes, least in known:
        along = np.maximum(np.abs(body @ axes), np.abs(legs @ axes))
        nearest = int(np.argmax(along))
        if along[nearest] > least:
            axis: np.ndarray = axes[:, nearest]
            return axis if (body + legs) @ axis > 0.0 else -axis
    return body if body.any() else vertical[:, 0]


def _floor_height(
    rig: RestRig, bones: BonesOfPart, back: np.ndarray, scale: float, ankle_height: float
) -> float:
    """Height of the floor along the body's up axis, in metres from the world's origin.

    The armature's own origin, where it lies about as far below the feet as a sole does;
    otherwise (a BVH with the hips in the origin) what the lowest foot joint suggests.
    """
    toes, ankles = bones("foot"), bones("ankle")

    def height(points: np.ndarray) -> np.ndarray:
        return quaternion_rotate(back, points)[..., 1]

    candidates = [height(rig.heads[ankles]).min() - ankle_height * scale]
    if toes:
        candidates.append(height(rig.heads[toes]).min() - TOE_HEIGHT * scale)
    suggested = float(min(candidates))
    origin = float(height(rig.to_world[:3, 3]))
    return origin if abs(origin - suggested) < 0.1 * scale else suggested
