"""A motion as octahedral bones: numpy only, no Blender.

Bones run from each joint to its children; the ends of the limbs get a tip of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._core import coordinates, rotations

if TYPE_CHECKING:
    from .._core import motion as motions
    from .._core import skeleton as skeletons

#: Bones at the ends of limbs, from the joint, canonical metres at rest.
_TIPS = {
    "head": (0.0, 0.18, 0.0),
    "left_wrist": (0.16, 0.0, 0.0),
    "right_wrist": (-0.16, 0.0, 0.0),
    "left_foot": (0.0, 0.0, 0.07),
    "right_foot": (0.0, 0.0, 0.07),
}
_RING = 0.12  # where along a bone it is widest, as a part of its length
#: Half of how wide it is there: a part of its length, and metres at a person's size. Thin bones
#: would fall apart into dots: nothing smooths the edges of what is drawn over the viewport.
_WIDTH, _LEAST_WIDTH = 0.07, 0.014
_LIGHT = np.array([-0.3, -0.6, 0.74])  # from above, left and in front, in Blender's axes


@dataclass(frozen=True)
class Placement:
    """Where and how large the preview stands: origin [3] and turn [4] in the canonical world.

    frames: the first and last that are shown of a motion that has a place of its own there (an
    edit); None shows all, from the origin.
    """

    origin: np.ndarray
    turn: np.ndarray
    scale: float
    frames: tuple[int, int] | None = None


AT_ORIGIN = Placement(np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]), 1.0)


@dataclass(frozen=True)
class Bones:
    """A motion that can be looked at frame by frame.

    turns: global joint rotations [T, J, 4]; positions: [T, J, 3], canonical, from the placement's
    origin; joints: for every bone the joint that turns it [B]; tips: its rest vector [B, 3].
    """

    turns: np.ndarray
    positions: np.ndarray
    joints: np.ndarray
    tips: np.ndarray
    fps: float
    placement: Placement

    def frame_at(self, seconds: float) -> int:
        """The frame that shows after so many seconds of a loop."""
        return int(seconds * self.fps) % len(self.positions)

    def ends(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Heads and tails of the bones [B, 3], in Blender's world."""
        heads = self.positions[frame, self.joints]
        tails = heads + rotations.quaternion_rotate(self.turns[frame, self.joints], self.tips)
        return self._placed(heads), self._placed(tails)

    def triangles(self, frame: int) -> np.ndarray:
        """Corners [B, 8, 3, 3] of the octahedra's faces, counter-clockwise seen from outside."""
        across = np.cross(self.tips, _least_along(self.tips))
        across = rotations.quaternion_rotate(self.turns[frame, self.joints], across)
        across = rotations.quaternion_rotate(self.placement.turn, across)
        across = rotations.normalize(coordinates.vectors_to_blender(across))
        widths = _WIDTH * np.linalg.norm(self.tips, axis=-1, keepdims=True) + _LEAST_WIDTH
        return octahedra(*self.ends(frame), across * widths * self.placement.scale)

    def _placed(self, points: np.ndarray) -> np.ndarray:
        at = self.placement
        world = rotations.quaternion_rotate(at.turn, points * at.scale) + at.origin
        return coordinates.vectors_to_blender(world)


def build(motion: motions.Motion, placement: Placement = AT_ORIGIN) -> Bones:
    """The bones of a canonical motion; see :class:`Placement` for where it begins."""
    joints, tips = _rest_bones(motion.skeleton)
    turns, positions = motion.global_rotations(), motion.positions()
    if placement.frames is None:
        positions = positions - positions[0, 0] * np.array([1.0, 0.0, 1.0])
    else:
        first, last = (min(frame, len(positions) - 1) for frame in placement.frames)
        turns, positions = turns[first : last + 1], positions[first : last + 1]
    return Bones(
        turns=turns,
        positions=positions,
        joints=joints,
        tips=tips,
        fps=motion.fps,
        placement=placement,
    )


def octahedra(heads: np.ndarray, tails: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Faces [B, 8, 3, 3] of bones from heads to tails [B, 3].

    ``across`` [B, 3] fixes their roll and, by its length, half their width.
    """
    along = rotations.normalize(tails - heads)
    first = across - (across * along).sum(-1, keepdims=True) * along
    widths = np.linalg.norm(across, axis=-1, keepdims=True)
    first = rotations.normalize(first) * widths
    second = np.cross(along, first)
    middle = heads + (tails - heads) * _RING
    ring = np.stack([middle + first, middle + second, middle - first, middle - second], axis=1)
    following = np.roll(ring, -1, axis=1)
    head = np.broadcast_to(heads[:, None], ring.shape)
    tail = np.broadcast_to(tails[:, None], ring.shape)
    lower = np.stack([head, following, ring], axis=2)
    upper = np.stack([tail, ring, following], axis=2)
    return np.concatenate([lower, upper], axis=1)


def shades(triangles: np.ndarray) -> np.ndarray:
    """How light each face [...] is, from 0.45 to 1."""
    edges = triangles[..., 1:, :] - triangles[..., :1, :]
    normals = rotations.normalize(np.cross(edges[..., 0, :], edges[..., 1, :]))
    return 0.725 + 0.275 * (normals @ (_LIGHT / np.linalg.norm(_LIGHT)))


def far_to_near(triangles: np.ndarray, view: np.ndarray) -> np.ndarray:
    """The bones [B, 8, 3, 3] in the order in which to paint them; ``view``: world to camera."""
    depths = triangles.mean(axis=(1, 2)) @ view[2, :3]
    return triangles[np.argsort(depths, kind="stable")]


def _rest_bones(skeleton: skeletons.Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """For every bone the joint that turns it [B], and its rest vector [B, 3]."""
    bones = [
        (parent, skeleton.rest_offsets[joint])
        for joint, parent in enumerate(skeleton.parents)
        if parent >= 0
    ]
    names = skeleton.joint_names
    bones += [(names.index(name), np.array(tip)) for name, tip in _TIPS.items() if name in names]
    joints, tips = zip(*bones, strict=True)
    return np.array(joints), np.stack(tips)


def _least_along(vectors: np.ndarray) -> np.ndarray:
    """For every vector the coordinate axis that it is least parallel to."""
    return np.eye(3)[np.abs(vectors).argmin(axis=-1)]
