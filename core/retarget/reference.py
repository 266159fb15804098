"""A pose that stands for the rest pose, where that one is not how the character stands."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from ..errors import ScaleMoGenError
from ..rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_to_matrix,
)
from .body_frame import BodyFrame
from .driver import Driver
from .rest_rig import RestRig


def reachable(rig: RestRig, reference: RestRig, mapped: Collection[int], mover: int) -> RestRig:
    """The reference pose as keys on the mapped bones could make it, in the arrays of a rest pose.

    Of ``reference``, the same rig with posed matrices for ``rest``, only the turns of mapped bones
    and the place of the ``mover`` are taken: a motion leaves all other bones at rest below their
    parents.  ScaleMoGenError if the reference is another rig's.
    """
    if reference.bone_names != rig.bone_names:
        raise ScaleMoGenError(
            f"The reference pose has other bones than '{rig.name}'; set it again on this rig."
        )
    given, free = _axes(reference.rest), {mover, *rig.ancestors(mover)}
    rest, posed = rig.rest, rig.rest.copy()
    for bone, parent in enumerate(rig.parents):
        above = posed[parent] @ np.linalg.inv(rest[parent]) if parent >= 0 else np.eye(4)
        posed[bone, :3, :3] = given[bone] if bone in mapped else above[:3, :3] @ rest[bone, :3, :3]
        posed[bone, :3, 3] = (above @ rest[bone])[:3, 3]
        if bone in free:
            posed[bone, :3, 3] = reference.rest[bone, :3, 3]
    tails = np.einsum("bij,bj->bi", posed[:, :3, :3], _local_tails(rig)) + posed[:, :3, 3]
    return replace(rig, rest=posed, tails=tails)


def at_rest(frame: BodyFrame, rig: RestRig) -> BodyFrame:
    """A body's frame, measured in the reference pose, with the bones of the true rest pose."""
    back = quaternion_conjugate(frame.turn)
    return replace(
        frame,
        heads=frame.to_body(rig.heads),
        tails=frame.to_body(rig.world_tails),
        rotations=quaternion_multiply(back, rig.rotations),
    )


def from_rest(drivers: Sequence[Driver], posed: BodyFrame, rest: BodyFrame) -> list[Driver]:
    """Drivers whose alignments begin at the true rest pose and not at the reference pose."""
    return [
        replace(
            driver,
            alignment=quaternion_multiply(
                driver.alignment,
                quaternion_multiply(
                    posed.rotations[driver.bone],
                    quaternion_conjugate(rest.rotations[driver.bone]),
                ),
            ),
        )
        for driver in drivers
    ]


def _axes(matrices: np.ndarray) -> np.ndarray:
    """Rotation matrices [B, 3, 3] of posed bones, whatever their scale."""
    columns = normalize(np.swapaxes(matrices[:, :3, :3], -1, -2))
    return quaternion_to_matrix(matrix_to_quaternion(np.swapaxes(columns, -1, -2)))


def _local_tails(rig: RestRig) -> np.ndarray:
    """Tails [B, 3] along the bones' own axes."""
    local: np.ndarray = np.einsum("bji,bj->bi", rig.rest[:, :3, :3], rig.tails - rig.rest[:, :3, 3])
    return local
