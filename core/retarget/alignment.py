"""Which joint drives which bone, and the rotation between the two rest poses.

A bone's alignment is the world rotation that takes the rig's rest pose to the canonical T-pose:
afterwards the limb (from the bone's head to the next mapped bone's head, wherever the bone's own
axes point) lies along the canonical limb, with the least possible twist.  A driven bone's world
rotation in a motion is then  joint rotation * alignment * rest rotation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_between,
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)
from ..skeleton import Skeleton
from .body_frame import BodyFrame
from .bone_map import SIDES, BoneMap
from .chains import middles, spread
from .rest_rig import RestRig

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
UP = np.array([0.0, 1.0, 0.0])

#: A limb shorter than this (metres, on a body of canonical size) has no direction.
_SHORTEST = 1e-3
#: Beyond this lean (radians) the line from hips to spine says nothing about the pelvis.
_PELVIS_LEAN = np.radians(30.0)
_CLAVICLE_LIMIT = np.radians(30.0)
_HAND_BEND = np.radians(50.0)
#: Bones nearer to the wrist than this (metres, canonical size) are no finger roots.
_HAND_SIZE = 0.02

SPINE_JOINTS = ("spine1", "spine2", "spine3")


@dataclass(frozen=True)
class Driver:
    """A bone that follows the slerp, at ``blend``, between two joints' global rotations."""

    bone: int
    joint: int
    other: int
    blend: float
    alignment: np.ndarray


def drivers(rig: RestRig, bone_map: BoneMap, body: BodyFrame, skeleton: Skeleton) -> list[Driver]:
    """Drivers of all mapped bones, parents first."""
    builder = _Builder(rig, bone_map, body, skeleton)
    found = [*builder.trunk(), *builder.head()]
    for side in SIDES:
        found += builder.leg(side) + builder.arm(side)
    return sorted(found, key=lambda driver: driver.bone)


class _Builder:
    """The rest poses of one rig and one skeleton, side by side."""

    def __init__(
        self, rig: RestRig, bone_map: BoneMap, body: BodyFrame, skeleton: Skeleton
    ) -> None:
        self.rig, self.map, self.body, self.skeleton = rig, bone_map, body, skeleton
        self.shortest = _SHORTEST * body.scale

    def bones(self, slot: str) -> list[int]:
        return [self.rig.index(name) for name in self.map.bones.get(slot, ())]

    def head_of(self, slot: str) -> np.ndarray | None:
        chain = self.bones(slot)
        return self.body.heads[chain[0]] if chain else None

    def driver(self, bone: int, joint: str, alignment: np.ndarray) -> Driver:
        index = self.skeleton.index(joint)
        return Driver(bone, index, index, 0.0, alignment)

    def limb(self, start: int, end: np.ndarray | None) -> np.ndarray | None:
        """Rest direction from a bone's head to a point; None if there is no such point."""
        if end is None:
            return None
        line = end - self.body.heads[start]
        return normalize(line) if np.linalg.norm(line) > self.shortest else None

    def canonical_limb(self, joint: str, child: str) -> np.ndarray:
        rest = self.skeleton.rest_positions
        return normalize(rest[self.skeleton.index(child)] - rest[self.skeleton.index(joint)])

    # --- trunk ---

    def trunk(self) -> list[Driver]:
        """Pelvis and spine."""
        spine, necks = self.bones("spine"), self.bones("neck")
        pelvis = self.bones("pelvis")[0]
        points = [self.body.heads[b] for b in spine] + [self._spine_end(necks)]

        direction = self.limb(pelvis, points[0])
        if direction is None or direction[1] < np.cos(_PELVIS_LEAN):
            direction = UP
        found = [self.driver(pelvis, "pelvis", self._frame("hip", direction, hinge_first=True))]
        alignment = found[0].alignment
        places = self._spine_places(points) if spine else []
        for bone, end, (low, blend) in zip(spine, points[1:], places, strict=True):
            direction = self.limb(bone, end)
            if direction is not None:
                line = "shoulder" if bone == spine[-1] else "hip"
                alignment = self._frame(line, direction, hinge_first=False)
            names = SPINE_JOINTS[low], SPINE_JOINTS[min(low + 1, 2)]
            joint, other = (self.skeleton.index(name) for name in names)
            found.append(Driver(bone, joint, other, blend, alignment))
        return found

    def _spine_end(self, necks: Sequence[int]) -> np.ndarray | None:
        """Where the spine ends: at the neck, else at the head, else between the shoulders."""
        if necks:
            return self.body.heads[necks[0]]
        if (head := self.head_of("head")) is not None:
            return head
        for part in ("collar", "shoulder"):
            pair = [p for side in SIDES if (p := self.head_of(f"{side}_{part}")) is not None]
            if len(pair) == 2:
                middle: np.ndarray = np.mean(pair, axis=0)
                return middle
        return None

    def _spine_places(self, points: Sequence[np.ndarray | None]) -> list[tuple[int, float]]:
        """Where the spine's bones lie on the canonical spine; points are heads and the end."""
        known = [point for point in points if point is not None]
        if len(known) < len(points):
            known.append(known[-1])
        rest = self.skeleton.rest_positions
        joints = [rest[self.skeleton.index(j)] for j in (*SPINE_JOINTS, "neck")]
        return spread(middles(known), middles(joints))

    def _frame(self, part: str, direction: np.ndarray, hinge_first: bool) -> np.ndarray:
        """Rotation that stands ``direction`` upright and lays the rig's left along +X.

        Of the two, which need not be perpendicular, one is exact: the left line of the hips or
        shoulders if ``hinge_first``, else the direction.
        """
        pair = [self.head_of(f"{side}_{part}") for side in SIDES]
        left = np.array([1.0, 0.0, 0.0])
        if pair[0] is not None and pair[1] is not None:
            line = pair[0] - pair[1]
            if line[0] > 0.5 * np.linalg.norm(line):
                left = normalize(line)
        if hinge_first:
            up = normalize(direction - direction @ left * left)
        else:
            up = direction
            left = normalize(left - left @ up * up)
        rig_axes = np.stack([left, up, np.cross(left, up)], axis=-1)
        return matrix_to_quaternion(rig_axes.T)

    def head(self) -> list[Driver]:
        """Neck and head.  The neck's bones turn as one; an upright head stays upright."""
        necks, heads = self.bones("neck"), self.bones("head")
        found = []
        if necks:
            end = self.body.heads[heads[0]] if heads else self.body.tails[necks[-1]]
            direction = self.limb(necks[0], end)
            bend = IDENTITY if direction is None else quaternion_between(direction, UP)
            found += [self.driver(bone, "neck", bend) for bone in necks]
        found += [self.driver(bone, "head", IDENTITY) for bone in heads]
        return found

    # --- limbs ---

    def leg(self, side: str) -> list[Driver]:
        """Thigh and shin along the canonical leg; foot and toes keep their soles flat."""
        found = []
        alignment = IDENTITY
        for part, child in (("hip", "knee"), ("knee", "ankle")):
            bone = self.bones(f"{side}_{part}")[0]
            direction = self.limb(bone, self.head_of(f"{side}_{child}"))
            target = self.canonical_limb(f"{side}_{part}", f"{side}_{child}")
            alignment = _straighten(alignment, direction, target)
            found.append(self.driver(bone, f"{side}_{part}", alignment))
        ankle = self.bones(f"{side}_ankle")[0]
        heading = self._foot_heading(side, ankle)
        # Soles are flat in both rest poses, whatever the slope from ankle to toe joint.
        yaw = rotation_vector_to_quaternion(np.array([0.0, -heading, 0.0]))
        found.append(self.driver(ankle, f"{side}_ankle", yaw))
        found += [self.driver(toe, f"{side}_foot", yaw) for toe in self.bones(f"{side}_foot")]
        return found

    def _foot_heading(self, side: str, ankle: int) -> float:
        """Angle of the foot about the vertical, radians, zero forwards (+Z), positive to +X."""
        toe = self.head_of(f"{side}_foot")
        hints = [toe] if toe is not None else []
        hints += [self.body.tails[ankle], *self.body.heads[self.rig.children(ankle)]]
        for point in hints:
            direction = self.limb(ankle, point)
            if direction is not None and direction[2] > 0.3:
                return float(np.arctan2(direction[0], direction[2]))
        return 0.0

    def arm(self, side: str) -> list[Driver]:
        """Clavicle, upper arm, forearm and hand."""
        found = []
        for bone in self.bones(f"{side}_collar"):
            found.append(self.driver(bone, f"{side}_collar", self._clavicle(side, bone)))
        alignment = IDENTITY
        parts = ("shoulder", "elbow", "wrist")
        for part, child in zip(parts, ("elbow", "wrist", None), strict=True):
            chain = self.bones(f"{side}_{part}")
            if not chain:
                continue
            if child is None:
                direction = self._hand_direction(side, chain[0], alignment)
                target = self.canonical_limb(f"{side}_elbow", f"{side}_wrist")
            else:
                direction = self.limb(chain[0], self.head_of(f"{side}_{child}"))
                target = self.canonical_limb(f"{side}_{part}", f"{side}_{child}")
            alignment = _straighten(alignment, direction, target)
            found.append(self.driver(chain[0], f"{side}_{part}", alignment))
        return found

    def _clavicle(self, side: str, bone: int) -> np.ndarray:
        """Level the clavicle as the canonical one is, but keep how far it points back.

        Rigs begin their clavicles anywhere between breastbone and spine, so its heading is the
        build of the rig and not its pose; and a slope far from ours is a build, too.
        """
        direction = self.limb(bone, self.head_of(f"{side}_shoulder"))
        if direction is None:
            return IDENTITY
        target = self.canonical_limb(f"{side}_collar", f"{side}_shoulder")
        rise = np.arctan2(target[1], abs(target[0])) - np.arctan2(direction[1], abs(direction[0]))
        rise = float(np.clip(rise, -_CLAVICLE_LIMIT, _CLAVICLE_LIMIT))
        return rotation_vector_to_quaternion(np.array([0.0, 0.0, np.sign(target[0]) * rise]))

    def _hand_direction(self, side: str, hand: int, forearm: np.ndarray) -> np.ndarray | None:
        """Direction from the wrist to the fingers' roots; None if the rig does not show it."""
        below = [b for b in range(self.rig.bone_count) if hand in self.rig.ancestors(b)]
        named = [b for b in below if "mid" in self.rig.bone_names[b].lower()]
        roots = named[:1] or [
            b for b in self.rig.children(hand) if "thumb" not in self.rig.bone_names[b].lower()
        ]
        wrist = self.body.heads[hand]
        near = _HAND_SIZE * self.body.scale
        far = [p for b in roots if np.linalg.norm((p := self.body.heads[b]) - wrist) > near]
        direction = self.limb(hand, np.mean(far, axis=0)) if far else None
        if direction is None:
            return None
        along = self.canonical_limb(f"{side}_elbow", f"{side}_wrist")
        bend = np.arccos(np.clip(quaternion_rotate(forearm, direction) @ along, -1.0, 1.0))
        return direction if bend < _HAND_BEND else None


def _straighten(
    carried: np.ndarray, direction: np.ndarray | None, target: np.ndarray
) -> np.ndarray:
    """Carry a rest direction with the bone above, then turn it the rest of the way."""
    if direction is None:
        return carried
    turned = quaternion_rotate(carried, direction)
    return quaternion_multiply(quaternion_between(turned, target), carried)
