"""Bones that follow joints, and chains of them that are pulled into line, numpy only."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..rotations import (
    normalize,
    quaternion_between,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
    slerp,
)
from .rest_rig import RestRig

#: The furthest (radians) that a chain is bent away from its joints to keep its direction.
_MOST_PULL = np.radians(35.0)


@dataclass(frozen=True)
class Driver:
    """A bone that follows the slerp, at ``blend``, between two joints' global rotations.

    alignment: [4] from the bone's rest pose to the canonical one.  pull: what turns the bone
    further, together with the others of its chain.
    """

    bone: int
    joint: int
    other: int
    blend: float
    alignment: np.ndarray
    pull: "Pull | None" = None


@dataclass(frozen=True, eq=False)
class Pull:
    """Keeps the direction of a chain of bones whose lengths are not the joints'.

    The chain goes from one place of the body to another, in pieces [N, 3] that are carried by
    drivers; all turned by ``bent`` drivers lie in the chain, the ``fixed`` ones before, behind or
    beside it.  chord: the same way on the skeleton, pieces by joint.
    """

    bent: tuple[tuple[Driver, np.ndarray], ...]
    fixed: tuple[tuple[Driver, np.ndarray], ...]
    chord: tuple[tuple[int, np.ndarray], ...]

    def turn(self, joints: np.ndarray) -> np.ndarray:
        """What the bent drivers turn further [T, 4], for joint rotations [T, J, 4]."""
        wanted = np.zeros((len(joints), 3))
        for joint, piece in self.chord:
            wanted = wanted + quaternion_rotate(joints[:, joint], piece)
        wanted = normalize(wanted)
        chain, beside = self._along(self.bent, joints), self._along(self.fixed, joints)
        # The chain's end lies on the wanted line: |distance * wanted - beside| = |chain|.
        near = np.sum(wanted * beside, axis=-1, keepdims=True)
        room = near**2 + np.sum(chain**2 - beside**2, axis=-1, keepdims=True)
        distance = near + np.sqrt(np.maximum(room, 0.0))
        turned = quaternion_to_rotation_vector(
            quaternion_between(chain, distance * wanted - beside)
        )
        angle = np.linalg.norm(turned, axis=-1, keepdims=True)
        return rotation_vector_to_quaternion(
            turned * np.minimum(1.0, _MOST_PULL / np.maximum(angle, 1e-9))
        )

    @staticmethod
    def _along(pieces: Iterable[tuple[Driver, np.ndarray]], joints: np.ndarray) -> np.ndarray:
        total = np.zeros((len(joints), 3))
        for driver, piece in pieces:
            aligned = quaternion_rotate(driver.alignment, piece)
            total = total + quaternion_rotate(followed(driver, joints), aligned)
        return total


def followed(driver: Driver, joints: np.ndarray) -> np.ndarray:
    """Joint rotation [T, 4] that a driver follows, for all joints' [T, J, 4]."""
    turn = joints[:, driver.joint]
    if driver.blend > 0.0:
        turn = slerp(turn, joints[:, driver.other], np.array(driver.blend))
    return turn


@dataclass(frozen=True, eq=False)
class Drivers:
    """All drivers of a rig, evaluated together."""

    drivers: tuple[Driver, ...]

    @cached_property
    def _joints(self) -> np.ndarray:
        return np.array([driver.joint for driver in self.drivers])

    @cached_property
    def _alignments(self) -> np.ndarray:
        return np.array([driver.alignment for driver in self.drivers])

    def turns(self, joints: np.ndarray) -> np.ndarray:
        """World rotations away from rest [T, D, 4] of the driven bones."""
        turns = joints[:, self._joints]
        pulls: dict[Pull, np.ndarray] = {}
        for column, driver in enumerate(self.drivers):
            if driver.blend > 0.0:
                turns[:, column] = followed(driver, joints)
            if (pull := driver.pull) is not None:
                if pull not in pulls:
                    pulls[pull] = pull.turn(joints)
                turns[:, column] = quaternion_multiply(pulls[pull], turns[:, column])
        return quaternion_multiply(turns, self._alignments)


def turn_links(rig: RestRig, driven: Collection[int]) -> list[int]:
    """The bone that each bone [B] would turn with if nothing drove it, -1 for none.

    Bones between driven ones turn with their parents even where Blender would not let them inherit
    rotation: they are keyed to make up for it.
    """
    keyed = {above for bone in driven for above in rig.ancestors(bone)}
    if rig.turn_parents is not None:
        keyed = set()
    return [
        rig.parents[bone] if bone in keyed else rig.turn_parent(bone)
        for bone in range(rig.bone_count)
    ]


def turn_sources(rig: RestRig, driven: Mapping[int, int]) -> list[int]:
    """Column of the driver that turns each bone, -1 for bones that do not turn at all.

    ``driven``: driver columns by bone.
    """
    sources: list[int] = []
    for bone, link in enumerate(turn_links(rig, driven)):
        sources.append(driven.get(bone, sources[link] if link >= 0 else -1))
    return sources


def turning_with(rig: RestRig, root: int, driven: Collection[int]) -> list[int]:
    """A bone and all the undriven ones that turn with it."""
    found = {root}
    for bone, link in enumerate(turn_links(rig, driven)):
        if link in found and bone not in driven:
            found.add(bone)
    return sorted(found)


def levers(
    parents: Sequence[int], sources: Sequence[int], heads: np.ndarray, bone: int
) -> dict[int, np.ndarray]:
    """Pieces [3] of the way from the world's origin to a bone's head, by what turns them."""
    pieces: dict[int, np.ndarray] = {}
    while (parent := parents[bone]) >= 0:
        source = sources[parent]
        pieces[source] = pieces.get(source, np.zeros(3)) + heads[bone] - heads[parent]
        bone = parent
    pieces[-1] = pieces.get(-1, np.zeros(3)) + heads[bone]
    return pieces
