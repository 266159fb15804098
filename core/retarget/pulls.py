"""What is pulled so that the trunk and the neck of a rig lead where the motion's do.

Bones that share the joints' turns, but not their lengths, add up to another direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..skeleton import Skeleton
from .bone_map import SIDES, BoneMap
from .carriers import spine_of
from .driver import Driver, Pull, levers, turn_sources
from .rest_rig import RestRig

#: Chains shorter than this (metres, canonical size) are not pulled.
_SHORTEST = 0.05

#: Pieces [3] of the way between two places, by the joint or the driver's column that turns them.
_Pieces = dict[int, np.ndarray]


def with_pulls(
    found: Sequence[Driver],
    rig: RestRig,
    bone_map: BoneMap,
    heads: np.ndarray,
    skeleton: Skeleton,
    scale: float,
) -> list[Driver]:
    """The drivers, with spine and neck pulled into line.

    heads: [B, 3] of the true rest pose in the body's frame, metres; scale: the rig's size.
    """
    chains = _Chains(found, rig, bone_map, heads, skeleton, _SHORTEST * scale)
    pulls = {bone: pull for bones, pull in (chains.spine(), chains.neck()) for bone in bones}
    return [replace(d, pull=pulls.get(d.bone, d.pull)) for d in found]


@dataclass(frozen=True)
class _Chains:
    drivers: Sequence[Driver]
    rig: RestRig
    map: BoneMap
    heads: np.ndarray
    skeleton: Skeleton
    shortest: float

    def bones(self, slot: str) -> list[int]:
        return [self.rig.index(name) for name in self.map.bones.get(slot, ())]

    def spine(self) -> tuple[list[int], Pull | None]:
        """From the middle of the hips to the neck, or to the middle of the shoulders.

        The chest stays as it is, unless it is all the spine that there is.
        """
        _, chain = spine_of(self.rig, self.map)
        shoulders = [f"{side}_shoulder" for side in SIDES]
        ends = [["neck"], shoulders, ["head"]]
        mapped = [slots for slots in ends if all(self.bones(slot) for slot in slots)]
        if not chain or not mapped:
            return [], None
        bent = chain[:-1] or chain
        return bent, self._pull(bent, [f"{side}_hip" for side in SIDES], mapped[0])

    def neck(self) -> tuple[list[int], Pull | None]:
        """From the first of several neck bones to the head."""
        chain = self.bones("neck")
        if len(chain) < 2 or not self.bones("head"):
            return [], None
        return chain, self._pull(chain, ["neck"], ["head"])

    def _pull(self, bent: Sequence[int], starts: list[str], ends: list[str]) -> Pull | None:
        """A pull from the middle of some slots' heads to the middle of others'."""
        pieces = _less(self._way(ends), self._way(starts))
        chord = _less(self._canonical_way(ends), self._canonical_way(starts))
        if -1 in pieces:
            return None  # part of the way stands still while the body turns
        carried = [(self.drivers[column], piece) for column, piece in pieces.items()]
        inside = tuple((d, piece) for d, piece in carried if d.bone in bent)
        if np.linalg.norm(sum(piece for _, piece in inside)) < self.shortest:
            return None
        beside = tuple((d, piece) for d, piece in carried if d.bone not in bent)
        return Pull(inside, beside, tuple(chord.items()))

    def _way(self, slots: Sequence[str]) -> _Pieces:
        driven = {driver.bone: column for column, driver in enumerate(self.drivers)}
        sources = turn_sources(self.rig, driven)
        return _middle(
            [levers(self.rig.parents, sources, self.heads, self.bones(slot)[0]) for slot in slots]
        )

    def _canonical_way(self, slots: Sequence[str]) -> _Pieces:
        skeleton = self.skeleton
        sources, rest = range(skeleton.joint_count), skeleton.rest_positions
        return _middle(
            [levers(skeleton.parents, sources, rest, skeleton.index(slot)) for slot in slots]
        )


def _middle(ways: Sequence[_Pieces]) -> _Pieces:
    total: _Pieces = {}
    for pieces in ways:
        for source, piece in pieces.items():
            total[source] = total.get(source, np.zeros(3)) + piece / len(ways)
    return total


def _less(pieces: _Pieces, others: _Pieces) -> _Pieces:
    """Pieces less others, without those that cancel out."""
    nothing = np.zeros(3)
    both = dict.fromkeys((*pieces, *others))
    found = {source: pieces.get(source, nothing) - others.get(source, nothing) for source in both}
    return {source: piece for source, piece in found.items() if np.abs(piece).max() > 1e-9}
