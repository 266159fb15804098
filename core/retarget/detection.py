"""One rig's names, tree and places, and the map that follows from them.

A scheme (assets/rig_maps/NAME.json) lists exact names, the vocabulary scores every other name by
its body words, and where those say too little the shape of the hierarchy at rest speaks for bones
whatever they are called.  All three only give scores: the best chains in parent order decide.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from . import evidence as evidences
from .bone_names import NameParts, comparable, parse_all
from .bone_search import Chains, Scores, solve
from .evidence import Evidence
from .geometry_checks import SWAPPED, objections
from .hierarchy import Hierarchy
from .schemes import Match, match
from .shape import BodyShape, body_shape
from .slots import CHAINS, SLOTS, side_and_part

#: Schemes of maps that no known naming scheme explains.
BY_WORDS, BY_SHAPE = "by words", "by shape"

_SLOTS = frozenset(SLOTS)
_SCHEME_SCORE = 10.0
#: What the shape adds to the score of the bone that it would take: more than a word with two
#: meanings (hip, arm, leg), less than one with a single meaning.
_SHAPE_SCORE = 2.5
#: A name without its side counts less.
_NO_SIDE = 0.7
#: Names that are less than this strong are not trusted without a look at the shape.
_SURE_STRENGTH = 1.5
_SURE_SIDES = 0.5
_CONTRADICTED = 0.5


def _slot_of(side: str, part: str) -> str | None:
    """The slot of a body part on a side; None where there is no such slot."""
    slot = f"{side}_{part}" if side else part
    return slot if slot in _SLOTS else None


def _is_sure(chains: Chains, named: Scores) -> bool:
    """Whether names alone say all that there is to say."""
    return all(
        chains.get(slot) and all(named(bone, slot) >= _SURE_STRENGTH for bone in chains[slot])
        for slot in SLOTS
    )


class Detection:
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

    def found(self) -> tuple[str, dict[str, tuple[str, ...]], Mapping[str, Evidence]]:
        """Scheme, bone names per slot in the order of SLOTS, evidence per slot."""
        if self.match is not None and self.match.scheme.is_control:
            chains = self._as_listed()
        else:
            named = self._named()
            chains = solve(self.tree, named)
            if self.heads is not None and not _is_sure(chains, named):
                chains = self._with_shape(chains)
        chains = {slot: chains[slot] for slot in SLOTS if chains.get(slot)}
        bones = {slot: tuple(self.names[b] for b in chain) for slot, chain in chains.items()}
        return self._scheme(chains), bones, self._evidence(chains)

    # --- scores ---

    def _exact(self, bone: int) -> str | None:
        """The slot of a bone in the rig's scheme; "" for none, None where it says nothing."""
        return None if self.match is None else self.match.slots[bone]

    def _named(self) -> Scores:
        """Scores of the names alone."""
        scores = Scores()
        for bone, part in enumerate(self.parts):
            exact = self._exact(bone)
            if exact is not None:
                scores.add(bone, exact, _SCHEME_SCORE)
                continue
            for word, strength in part.meanings.items():
                slot = _slot_of(part.side, word)
                if slot is not None:
                    scores.add(bone, slot, strength)
        return scores

    def _combined(self, shape: BodyShape) -> Scores:
        """Scores of names and shape together."""
        scores = self._named()
        for bone, limb in shape.limb_of.items():
            part = self.parts[bone]
            if self._exact(bone) is None and not part.side:  # the shape says the side
                side = limb.partition("_")[0]
                for word, strength in part.meanings.items():
                    slot = _slot_of(side, word)
                    if slot is not None:
                        scores.add(bone, slot, _NO_SIDE * strength)
        for slot, chain in shape.bones.items():
            side = side_and_part(slot)[0]
            for bone in chain:
                part = self.parts[bone]
                if self._exact(bone) is None and part.side in ("", side):
                    # hair where the head would be is no head, and an IK target no hand
                    scores.add(bone, slot, _SHAPE_SCORE * shape.quality * part.suitability)
        return scores

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

    def _with_shape(self, named: Chains) -> Chains:
        assert self.heads is not None
        found = body_shape(self.tree, self.heads, [part.meanings for part in self.parts])
        if found is None:
            return named
        self.shape = self._sides_as_named(found)
        return solve(self.tree, self._combined(self.shape))

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
                and bone not in self.shape.bones[slot]
            )
            return evidences.by_name(slot, strength, part, bool(side) and not part.side, elsewhere)
        if self.shape is None:
            return evidences.between(slot)
        return evidences.by_shape(
            slot, self.shape.quality, abs(self.shape.side_quality), bool(side and part.side)
        )
