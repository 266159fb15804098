"""What a BVH file's joints show, and what an edit makes of it, joint by joint; numpy only."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from .bvh import BvhClip
from .motion import Motion
from .retarget import Asked, Retargeter, ShownRig, edited_channels
from .rotations import quaternion_conjugate, quaternion_rotate, quaternion_to_matrix


@dataclass(frozen=True)
class ShownPose:
    """Some frames of a file.

    local: [T, J, 4] and translations [T, J, 3], as :class:`BvhClip` has them; turns: [T, J, 4]
    global rotations and heads [T, J, 3], in the file's axes and unit.
    """

    offsets: np.ndarray
    local: np.ndarray
    translations: np.ndarray
    turns: np.ndarray
    heads: np.ndarray

    @classmethod
    def of(cls, clip: BvhClip) -> "ShownPose":
        turns, heads = clip.globals()
        return cls(clip.offsets, clip.rotations, clip.translations, turns, heads)

    def at(self, frames: np.ndarray) -> "ShownPose":
        """Some frames; those beyond the end show the last."""
        frames = np.minimum(frames, len(self.local) - 1)
        return ShownPose(
            self.offsets,
            self.local[frames],
            self.translations[frames],
            self.turns[frames],
            self.heads[frames],
        )

    def hip_middle(self, retargeter: Retargeter) -> np.ndarray:
        """Middle between the hip joints [T, 3]."""
        names = [retargeter.bone_map.bone(f"{side}_hip") for side in ("left", "right")]
        hips = [self.heads[:, retargeter.rig.index(name)] for name in names if name]
        middle: np.ndarray = np.mean(hips, axis=0)
        return middle

    def on(self, retargeter: Retargeter) -> ShownRig:
        """The same as retargeting knows it: joints are bones with the file's axes at rest."""
        rig = retargeter.rig
        return ShownRig(
            names=rig.bone_names,
            matrices=_matrices(self.turns, self.heads),
            basis=_matrices(self.local, self.translations - self.offsets),
            world=np.repeat(rig.to_world[None], len(self.local), axis=0),
            rest=rig,
            body=retargeter.body,
        )


@dataclass(frozen=True)
class NewPose:
    """What is to be written, frame by frame, if it differs from what is there.

    local: [T, len(joints), 4] rotations of some joints of the file; moved: a joint and its place
    [T, 3] from its parent, in the file's unit.
    """

    joints: tuple[int, ...]
    local: np.ndarray
    moved: tuple[int, np.ndarray] | None = None

    def at(self, part: slice) -> "NewPose":
        """Some of the frames."""
        moved = None if self.moved is None else (self.moved[0], self.moved[1][part])
        return NewPose(self.joints, self.local[part], moved)


def edited_pose(
    retargeter: Retargeter,
    shown: ShownPose,
    source: Motion,
    edited: Motion,
    bones: Collection[str],
    legs: Collection[str],
    carrier: int | None,
) -> NewPose:
    """The file's pose after an edit, for some of its joints; all have the same frames.

    legs: sides whose feet stand where the edit lets them stand.  carrier: the joint whose position
    carries the hips, if they may move.
    """
    rig = retargeter.rig
    asked = Asked(frozenset(bones), carrier is not None, frozenset(legs))
    channels = edited_channels(retargeter, shown.on(retargeter), source, edited, asked)
    joints = tuple(rig.index(name) for name in channels.bones)
    if carrier is None:
        return NewPose(joints, channels.rotations)
    mover = retargeter.mover
    own = shown.translations[:, mover] - shown.offsets[mover]
    step = channels.locations[rig.bone_names[mover]] - own
    if carrier != mover:  # what lies between the two is not turned
        step = _along(shown, rig.parents[carrier], _across(shown, rig.parents[mover], step))
    return NewPose(joints, channels.rotations, (carrier, shown.translations[:, carrier] + step))


def _across(shown: ShownPose, parent: int, step: np.ndarray) -> np.ndarray:
    """A parent's step [T, 3] in the file's axes."""
    return step if parent < 0 else quaternion_rotate(shown.turns[:, parent], step)


def _along(shown: ShownPose, parent: int, step: np.ndarray) -> np.ndarray:
    """Inverse of :func:`_across`."""
    if parent < 0:
        return step
    return quaternion_rotate(quaternion_conjugate(shown.turns[:, parent]), step)


def _matrices(turns: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Matrices [T, J, 4, 4] of rotations [T, J, 4] and places [T, J, 3]."""
    found = np.zeros((*turns.shape[:-1], 4, 4))
    found[..., :3, :3], found[..., :3, 3] = quaternion_to_matrix(turns), places
    found[..., 3, 3] = 1.0
    return found
