"""Rigs under a motion, posed with plain matrices: what Blender would show, without Blender.

Independent of the transfer's own mathematics, so that it can judge it.
"""

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.motion import Motion
from core.retarget import (
    BoneMap,
    PoseChannels,
    RestRig,
    Retargeter,
    RetargetOptions,
    map_bones,
)
from core.rotations import quaternion_to_matrix
from core.skeleton import canonical


class Posed(Protocol):
    """What is measured of a posed rig.

    heads: bone heads [T, B, 3] in the canonical world, metres; axes: the bones' axes [T, B, 3, 3]
    there, unit columns; seconds: how long the transfer took.
    """

    @property
    def bone_names(self) -> tuple[str, ...]: ...

    @property
    def heads(self) -> np.ndarray: ...

    @property
    def axes(self) -> np.ndarray: ...

    @property
    def seconds(self) -> float: ...


@dataclass(frozen=True)
class NumpyPosed:
    """Bone heads [T, B, 3] in the canonical world, metres, and the bones' axes [T, B, 3, 3] there.

    seconds: how long the transfer took.
    """

    bone_names: tuple[str, ...]
    heads: np.ndarray
    axes: np.ndarray
    seconds: float


class Subject(Protocol):
    """A rig that has been mapped and can be put through motions.

    mapping_seconds: how long mapping and measuring took.
    """

    @property
    def bone_map(self) -> BoneMap: ...

    @property
    def mapping_seconds(self) -> float: ...

    def posed(self, motion: Motion, options: RetargetOptions) -> Posed:
        """The rig in every frame of a motion, standing where it stood at rest."""


class NumpySubject:
    """A rig posed by multiplying its matrices, parent to child.

    ScaleMoGenError if it has no hips or legs.
    """

    def __init__(self, rest: RestRig) -> None:
        started = time.perf_counter()
        self.rest = rest
        self.bone_map = map_bones(rest.bone_names, rest.parents, rest.name, rest.heads)
        self._retargeter = Retargeter.build(rest, self.bone_map, canonical())
        self.mapping_seconds = time.perf_counter() - started

    def posed(self, motion: Motion, options: RetargetOptions) -> Posed:
        started = time.perf_counter()
        channels = self._retargeter.transfer(motion, options)
        seconds = time.perf_counter() - started
        world = pose_matrices(self.rest, channels)
        axes = world[..., :3, :3] / np.linalg.norm(world[..., :3, :3], axis=-2, keepdims=True)
        return NumpyPosed(self.rest.bone_names, world[..., :3, 3], axes, seconds)


def pose_matrices(rest: RestRig, channels: PoseChannels) -> np.ndarray:
    """World matrices of all bones [T, B, 4, 4] under channels; rigs without constraints."""
    poses = np.empty((channels.frame_count, rest.bone_count, 4, 4))
    columns = {name: column for column, name in enumerate(channels.bones)}
    for bone, name in enumerate(rest.bone_names):
        own = np.tile(np.eye(4), (channels.frame_count, 1, 1))
        if name in columns:
            own[:, :3, :3] = quaternion_to_matrix(channels.rotations[:, columns[name]])
        if name in channels.locations:
            own[:, :3, 3] = channels.locations[name]
        parent = rest.parents[bone]
        if parent < 0:
            poses[:, bone] = rest.rest[bone] @ own
        else:
            local = np.linalg.inv(rest.rest[parent]) @ rest.rest[bone]
            poses[:, bone] = poses[:, parent] @ local @ own
    placed = rest.to_world if channels.object_to_world is None else channels.object_to_world
    world: np.ndarray = np.broadcast_to(placed, (channels.frame_count, 4, 4))[:, None] @ poses
    return world
