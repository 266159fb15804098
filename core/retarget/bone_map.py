"""Which bone of a rig plays which canonical joint, from names, parent order and shape.

A scheme (assets/rig_maps/NAME.json) lists exact names, the vocabulary scores every other name by
its body words, and where those say too little the shape of the hierarchy at rest speaks for bones
whatever they are called.  All three only give scores: the best chains in parent order decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from ..errors import ScaleMoGenError
from . import evidence as evidences
from .bone_names import NameParts, comparable, parse_all
from .bone_search import Chains, solve
from .evidence import DOUBT_LIMIT, Evidence
from .geometry_checks import SWAPPED, objections
from .hierarchy import Hierarchy
from .schemes import Match, Scheme, match, schemes
from .shape import BodyShape, body_shape
from .slots import (
    ARM,
    CHAINS,
    JOINT_COUNT,
    JOINTS_OF_SLOT,
    LEG,
    REQUIRED,
    SIDES,
    SLOTS,
    plain_name,
    side_and_part,
)
from .vocabulary import RIG_MAPS

__all__ = [
    "ARM",
    "BY_SHAPE",
    "BY_WORDS",
    "CHAINS",
    "DOUBT_LIMIT",
    "JOINT_COUNT",
    "LEG",
    "REQUIRED",
    "RIG_MAPS",
    "SIDES",
    "SLOTS",
    "SWAPPED",
    "BoneMap",
    "Evidence",
    "Scheme",
    "best_effort_map",
    "map_bones",
    "plain_name",
    "schemes",
]

#: Schemes of maps that no known naming scheme explains.
BY_WORDS, BY_SHAPE = "by words", "by shape"

_SCHEME_SCORE = 10.0
#: What the shape adds to the score of the bone that it would take.
_SHAPE_SCORE = 2.0
#: A name without its side counts less.
_NO_SIDE = 0.7
#: Names that are less than this strong are not trusted without a look at the shape.
_SURE_STRENGTH = 1.5
_SURE_SIDES = 0.5
_CONTRADICTED = 0.5


@dataclass(frozen=True)
class BoneMap:
    """Bone names per slot; single bones are chains of one.  Unmapped slots are absent.

    evidence: how sure each slot is and why; slots without are certain.
    """

    scheme: str
    bones: Mapping[str, tuple[str, ...]]
    evidence: Mapping[str, Evidence] = field(
        default_factory=lambda: MappingProxyType({}), compare=False
    )

    def bone(self, slot: str) -> str | None:
        """First bone of a slot, or None."""
        chain = self.bones.get(slot)
        return chain[0] if chain else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Slots without a bone, in plain words (a rig may well lack toes or clavicles)."""
        return tuple(plain_name(slot) for slot in SLOTS if slot not in self.bones)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Slots whose bone the artist should check (confidence below DOUBT_LIMIT)."""
        return evidences.doubtful(self.evidence, [slot for slot in SLOTS if slot in self.bones])

    @property
    def sides_swapped(self) -> bool:
        """Whether names and places contradict each other about left and right."""
        return any(SWAPPED in found.reason for found in self.evidence.values())

    @property
    def bone_count(self) -> int:
        return sum(len(chain) for chain in self.bones.values())

    @property
    def joint_count(self) -> int:
        """How many of the canonical joints (JOINT_COUNT) have a bone."""
        return sum(JOINTS_OF_SLOT.get(slot, 1) for slot in self.bones)

    @property
    def title(self) -> str:
        """The naming scheme as people call it; empty for names that follow no known scheme."""
        return next((scheme.title for scheme in schemes() if scheme.name == self.scheme), "")


def map_bones(
    names: Sequence[str],
    parents: Sequence[int],
    rig_name: str = "armature",
    heads: np.ndarray | None = None,
) -> BoneMap:
    """Find the bones of the canonical joints.

    ``parents`` [B] are indices into ``names`` (-1 for roots), parents before children.
    ``heads`` [B, 3] are the bones' rest positions in any frame and unit; without them only names
    and parents speak.
    Raises ScaleMoGenError naming the missing joints when there are no hips or legs.
    """
    bone_map = best_effort_map(names, parents, heads)
    missing = [plain_name(slot) for slot in REQUIRED if slot not in bone_map.bones]
    if missing:
        raise ScaleMoGenError(
            f"The armature '{rig_name}' cannot be used, these bones were not found: "
            f"{', '.join(missing)}; pick a humanoid armature, or rename its bones after Mixamo, "
            "Rigify or Unreal."
        )
    return bone_map


def best_effort_map(
    names: Sequence[str], parents: Sequence[int], heads: np.ndarray | None = None
) -> BoneMap:
    """Like :func:`map_bones`, but slots that cannot be found are just absent."""
    return _Mapper(names, parents, heads).bone_map()


class _Mapper:
    """One rig's names, tree and places, and what follows from them."""

    def __init__(
        self, names: Sequence[str], parents: Sequence[int], heads: np.ndarray | None
    ) -> None:
        self.names = tuple(names)
        self.tree = Hierarchy(parents)
        self.heads = None if heads is None else np.asarray(heads, dtype=np.float64)
        self.parts: list[NameParts] = parse_all(names)
        self.match: Match | None = match(names)
        self.shape: BodyShape | None = None
        self.shape_slots: dict[tuple[int, str], bool] = {}

    def bone_map(self) -> BoneMap:
        if self.match is not None and self.match.scheme.is_control:
            chains = self._as_listed()
        else:
            chains = solve(self.tree, self._named)
            if self.heads is not None and not self._is_sure(chains):
                chains = self._with_shape(chains)
        chains = {slot: chains[slot] for slot in SLOTS if chains.get(slot)}
        return BoneMap(
            self._scheme(chains),
            {slot: tuple(self.names[b] for b in chain) for slot, chain in chains.items()},
            self._evidence(chains),
        )

    # --- scores ---

    def _exact(self, bone: int) -> str | None:
        """The slot of a bone in the rig's scheme; "" for none, None where it says nothing."""
        return None if self.match is None else self.match.slots[bone]

    def _named(self, bone: int, slot: str) -> float:
        """Score of a name for a slot."""
        exact = self._exact(bone)
        if exact is not None:
            return _SCHEME_SCORE if exact == slot else 0.0
        part = self.parts[bone]
        side, word = side_and_part(slot)
        return part.meanings.get(word, 0.0) if part.side == side else 0.0

    def _combined(self, bone: int, slot: str) -> float:
        """Score of name and shape together."""
        exact = self._exact(bone)
        if exact is not None:
            return _SCHEME_SCORE if exact == slot else 0.0
        assert self.shape is not None
        part = self.parts[bone]
        side, word = side_and_part(slot)
        said = part.meanings.get(word, 0.0)
        if part.side != side:
            if part.side or not self.shape.limb_of.get(bone, "").startswith(side):
                return 0.0
            said *= _NO_SIDE
        placed = _SHAPE_SCORE * self.shape.quality if (bone, slot) in self.shape_slots else 0.0
        if not part.meanings:
            placed *= part.suitability  # hair where the head would be
        return said + placed

    # --- chains ---

    def _as_listed(self) -> Chains:
        """The bones of a control rig's scheme: its controls need not hang on each other."""
        assert self.match is not None
        index = {comparable(self.names[b]): b for b in reversed(range(self.tree.count))}
        chains = {}
        for slot, listed in self.match.scheme.bones.items():
            bones = [index[name] for name in map(comparable, listed) if name in index]
            chains[slot] = bones if slot in CHAINS else bones[:1]
        return chains

    def _is_sure(self, chains: Chains) -> bool:
        """Whether names alone say all that there is to say."""
        if any(slot not in chains or not chains[slot] for slot in SLOTS):
            return False
        return all(
            self._named(bone, slot) >= _SURE_STRENGTH
            for slot, chain in chains.items()
            for bone in chain
        )

    def _with_shape(self, named: Chains) -> Chains:
        assert self.heads is not None
        found = body_shape(self.tree, self.heads, [part.meanings for part in self.parts])
        if found is None:
            return named
        self.shape = self._sides_as_named(found)
        self.shape_slots = {
            (bone, slot): True for slot, chain in self.shape.bones.items() for bone in chain
        }
        return solve(self.tree, self._combined)

    def _sides_as_named(self, shape: BodyShape) -> BodyShape:
        """The shape with the sides that most of its bones' names say."""
        agree = 0
        for bone, limb in shape.limb_of.items():
            if self.parts[bone].side:
                agree += 1 if limb.startswith(self.parts[bone].side) else -1
        if agree >= 0:
            return shape
        other = {"left": "right", "right": "left"}

        def swapped(word: str) -> str:
            side, _, part = word.partition("_")
            return f"{other[side]}_{part}" if side in other else word

        return BodyShape(
            {swapped(slot): chain for slot, chain in shape.bones.items()},
            shape.quality,
            -shape.side_quality,
            {bone: swapped(limb) for bone, limb in shape.limb_of.items()},
        )

    # --- what is told ---

    def _scheme(self, chains: Chains) -> str:
        if self.match is not None:
            return self.match.scheme.name
        said = sum(any(self._words(b, slot) for b in chain) for slot, chain in chains.items())
        return BY_WORDS if 2 * said >= len(chains) else BY_SHAPE

    def _words(self, bone: int, slot: str) -> float:
        """Strength of a bone's words for a slot, whatever its side."""
        return self.parts[bone].meanings.get(side_and_part(slot)[1], 0.0)

    def _evidence(self, chains: Chains) -> Mapping[str, Evidence]:
        found = {slot: self._evidence_of(slot, chain) for slot, chain in chains.items()}
        if self.heads is not None:
            against = objections(chains, self.heads)
            if self.shape is not None and self.shape.side_quality <= -_SURE_SIDES:
                against |= {slot: SWAPPED for slot in chains if side_and_part(slot)[0]}
            for slot, reason in against.items():
                found[slot] = evidences.weakened(found[slot], _CONTRADICTED, reason)
        return MappingProxyType(found)

    def _evidence_of(self, slot: str, chain: Sequence[int]) -> Evidence:
        """Evidence of the weakest bone of a chain."""
        return min((self._of_bone(slot, bone) for bone in chain), key=lambda e: e.confidence)

    def _of_bone(self, slot: str, bone: int) -> Evidence:
        if self._exact(bone) == slot and self.match is not None:
            return evidences.exact(self.match.scheme.title)
        part, strength = self.parts[bone], self._words(bone, slot)
        side = side_and_part(slot)[0]
        if strength > 0.0:
            elsewhere = (
                self.shape is not None
                and bool(self.shape.bones.get(slot))
                and (bone, slot) not in self.shape_slots
            )
            return evidences.by_name(slot, strength, part, bool(side) and not part.side, elsewhere)
        if self.shape is None:
            return evidences.between(slot)
        return evidences.by_shape(
            slot, self.shape.quality, abs(self.shape.side_quality), bool(side and part.side)
        )
