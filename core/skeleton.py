"""Skeleton tables: our canonical 22 joints and the two published skeletons, numpy only.

A skeleton is the rest pose (all rotations identity), a T-pose in the canonical frame of
:mod:`core.coordinates`; the graph says how the tokenizer groups its joints into body parts.
"""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np

from .paths import ASSETS

BODY_PARTS = ("root", "left_leg", "right_leg", "spine", "left_arm", "right_arm", "head")


@dataclass(frozen=True)
class SkeletonGraph:
    """Joint graph of the tokenizer at its three levels (J, 12 and 7 nodes).

    ``edges[level]`` are undirected pairs; ``pools[level]`` lists, for every node of level + 1, the
    nodes of level that it gathers.
    """

    edges: tuple[tuple[tuple[int, int], ...], ...]
    pools: tuple[tuple[tuple[int, ...], ...], ...]

    def adjacency(self, level: int) -> np.ndarray:
        """Symmetric adjacency matrix with self-loops [nodes, nodes] in {0, 1}."""
        nodes = len(self.pools[level - 1]) if level else 1 + max(max(e) for e in self.edges[0])
        matrix = np.eye(nodes, dtype=np.float32)
        for a, b in self.edges[level]:
            matrix[a, b] = matrix[b, a] = 1.0
        return matrix

    def pool_mask(self, level: int) -> np.ndarray:
        """Group membership [nodes of level + 1, nodes of level] in {0, 1}."""
        mask = np.zeros((len(self.pools[level]), self.adjacency(level).shape[0]), dtype=np.float32)
        for row, members in enumerate(self.pools[level]):
            mask[row, list(members)] = 1.0
        return mask


@dataclass(frozen=True)
class Skeleton:
    """Joints in parent-before-child order; offsets [J, 3] from the parent at rest, in ``units``."""

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    rest_offsets: np.ndarray
    contact_joints: tuple[int, ...]
    fps: float
    units: str
    graph: SkeletonGraph

    @property
    def joint_count(self) -> int:
        return len(self.parents)

    def index(self, joint_name: str) -> int:
        """Index of a joint by name; ValueError when there is none."""
        return self.joint_names.index(joint_name)

    def children(self, joint: int) -> list[int]:
        """Indices of the direct children of a joint."""
        return [j for j, parent in enumerate(self.parents) if parent == joint]

    @property
    def rest_positions(self) -> np.ndarray:
        """Joint positions [J, 3] of the rest pose with the root at the origin."""
        positions = np.zeros_like(self.rest_offsets)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                positions[joint] = positions[parent] + self.rest_offsets[joint]
        return positions


@cache
def load_skeleton(name: str) -> Skeleton:
    """The skeleton ``canonical``, ``snapmogen`` or ``humanml3d`` of assets/skeletons/.

    HumanML3D's joints are the canonical ones at 20 fps; its layout stores positions, so it has no
    bone lengths of its own and borrows ours as rest pose.
    """
    table = json.loads((ASSETS / "skeletons" / f"{name}.json").read_text(encoding="utf-8"))
    offsets = np.array(table["rest_offsets"], dtype=np.float64)
    offsets.setflags(write=False)
    return Skeleton(
        name=table["name"],
        joint_names=tuple(table["joint_names"]),
        parents=tuple(table["parents"]),
        rest_offsets=offsets,
        contact_joints=tuple(table["contact_joints"]),
        fps=float(table["fps"]),
        units=table["units"],
        graph=SkeletonGraph(
            edges=tuple(tuple((a, b) for a, b in level) for level in table["edges"]),
            pools=tuple(tuple(tuple(group) for group in level) for level in table["pools"]),
        ),
    )


def canonical() -> Skeleton:
    """Our 22 joints in metres at 30 fps (SMPL order and topology)."""
    return load_skeleton("canonical")


#: Which canonical joints an edit of a body part moves (the finest pooling groups, by ownership).
BODY_PART_JOINTS: dict[str, tuple[str, ...]] = {
    "root": ("pelvis",),
    "left_leg": ("left_hip", "left_knee", "left_ankle", "left_foot"),
    "right_leg": ("right_hip", "right_knee", "right_ankle", "right_foot"),
    "spine": ("spine1", "spine2", "spine3"),
    "left_arm": ("left_collar", "left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_collar", "right_shoulder", "right_elbow", "right_wrist"),
    "head": ("neck", "head"),
}
