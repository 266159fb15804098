"""What turning and moving the world does to a bone's own channels."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import mathutils
import numpy as np

from .. import armature
from .._core import coordinates, editing, retarget, rotations
from . import reading


def in_world(retargeter: retarget.Retargeter, later: editing.Offset) -> np.ndarray:
    """The offset [4, 4] in the canonical world, at the rig's size and where its body stands."""
    body = retargeter.body
    place, move = np.eye(4), np.eye(4)
    place[:3, :3] = rotations.quaternion_to_matrix(body.turn)
    place[:3, 3] = body.origin
    turn = rotations.rotation_vector_to_quaternion(later.turn * coordinates.UP)
    move[:3, :3] = rotations.quaternion_to_matrix(turn)
    move[:3, 3] = body.scale * later.shift
    return np.asarray(place @ move @ np.linalg.inv(place))


@dataclass(frozen=True)
class Move:
    """What an offset does to a bone's own channels.

    turn: [4] quaternion in front of its rotation; axes [3, 3] and shift [3]: of its location.
    """

    turn: np.ndarray
    axes: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(cls, rig: bpy.types.Object, bone: str, world: np.ndarray) -> Move:
        """For the pose that the rig has now; ``rig`` may be an evaluated one."""
        turned, moved = _armed(armature.canonical_world(rig), world)

        def local(place: np.ndarray) -> np.ndarray:
            matrix = np.eye(4)
            matrix[:3, 3] = place
            pose_bone = rig.pose.bones[bone]
            found = rig.convert_space(
                pose_bone=pose_bone,
                matrix=mathutils.Matrix(matrix.tolist()),
                from_space="POSE",
                to_space="LOCAL",
            )
            return np.array(found, dtype=np.float64)

        start = local(np.zeros(3))
        axes = np.stack([local(axis)[:3, 3] for axis in np.eye(3)], axis=-1) - start[:3, 3:]
        back = np.linalg.inv(axes)
        origin = -back @ start[:3, 3]  # where the bone is in armature space when it is not moved
        return cls._between(start[:3, :3], axes, origin, turned, moved)

    @classmethod
    def _between(
        cls,
        unit: np.ndarray,
        axes: np.ndarray,
        origin: np.ndarray,
        turned: np.ndarray,
        moved: np.ndarray,
    ) -> Move:
        """From armature space to the channels: of rotation by unit, of location by axes [3, 3]."""
        unit = unit / np.linalg.norm(unit, axis=0)
        return cls(
            rotations.matrix_to_quaternion(unit @ turned @ unit.T),
            axes @ turned @ np.linalg.inv(axes),
            axes @ (turned @ origin + moved - origin),
        )

    @classmethod
    def of_sample(
        cls, bone: bpy.types.Bone, pose: reading.Sampled, row: int, world: np.ndarray
    ) -> Move:
        """For a frame of a sample."""
        at = pose.names.index(bone.name)
        matrix, basis = pose.matrices[row, at], pose.basis[row, at]
        frame = matrix @ np.linalg.inv(basis)
        across = frame[:3, :3]
        if not bone.use_local_location:
            above = None if bone.parent is None else pose.names.index(bone.parent.name)
            across = np.eye(3) if above is None else pose.matrices[row, above, :3, :3]
        origin = matrix[:3, 3] - across @ basis[:3, 3]
        turned, moved = _armed(pose.world[row], world)
        return cls._between(
            np.linalg.inv(frame[:3, :3]), np.linalg.inv(across), origin, turned, moved
        )


def _armed(to_world: np.ndarray, world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn [3, 3] and shift [3] in armature space for a move [4, 4] in the world."""
    armed = np.linalg.inv(to_world) @ world @ to_world
    u, _, vt = np.linalg.svd(armed[:3, :3])
    return u @ vt, armed[:3, 3]


def sampled(
    rig: bpy.types.Object, name: str, pose: reading.Sampled, world: np.ndarray
) -> list[Move]:
    """A move for each frame of a sample; one alone where they are all the same."""
    bone = rig.data.bones[name]
    moves = [Move.of_sample(bone, pose, row, world) for row in range(len(pose.matrices))]
    first = moves[0]
    if all(
        np.allclose(one, other, rtol=0.0, atol=1e-6)
        for move in moves
        for one, other in (
            (move.turn * np.sign(move.turn @ first.turn), first.turn),
            (move.axes, first.axes),
            (move.shift, first.shift),
        )
    ):
        return moves[:1]
    return moves
