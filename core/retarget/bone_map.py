"""Which bone of a rig plays which canonical joint, from names and parent order.

A scheme (assets/rig_maps/NAME.json) lists exact names; the vocabulary scores every other name by
its body words.  Both only give scores: the hierarchy decides, because a limb is a chain of bones
in parent order and the trunk is what lies between pelvis, chest and head.  So a rig of a known
scheme with a renamed bone, or with any number of spine bones, still maps.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from ..errors import ScaleMoGenError
from ..paths import ASSETS
from .bone_names import NameParts, comparable, parse, shared_prefix

RIG_MAPS = ASSETS / "rig_maps"
SIDES = ("left", "right")
LEG = ("hip", "knee", "ankle", "foot")
ARM = ("collar", "shoulder", "elbow", "wrist")

#: Slots of a map: canonical joint names, but the trunk's chains are "spine" and "neck".
SLOTS = (
    "pelvis", "spine", "neck", "head",
    *(f"{side}_{part}" for side in SIDES for part in (*LEG, *ARM)),
)  # fmt: skip
REQUIRED = ("pelvis", *(f"{side}_{part}" for side in SIDES for part in LEG[:3]))
#: Slots that take any number of bones, in parent order.
CHAINS = ("spine", "neck")
#: Canonical joints that a slot stands for, where it is not just one.
_JOINTS = {"spine": 3}
JOINT_COUNT = sum(_JOINTS.get(slot, 1) for slot in SLOTS)

#: Scheme of a map that no known naming scheme explains.
BY_WORDS = "by words"

_PLAIN_WORDS = {
    "pelvis": "hips", "collar": "clavicle", "shoulder": "upper arm", "elbow": "forearm",
    "wrist": "hand", "hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toes",
}  # fmt: skip
_SCHEME_SCORE = 10.0
_SCHEME_COVERAGE = 0.75


@dataclass(frozen=True)
class BoneMap:
    """Bone names per slot; single bones are chains of one.  Unmapped slots are absent."""

    scheme: str
    bones: Mapping[str, tuple[str, ...]]

    def bone(self, slot: str) -> str | None:
        """First bone of a slot, or None."""
        chain = self.bones.get(slot)
        return chain[0] if chain else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Slots without a bone, in plain words (a rig may well lack toes or clavicles)."""
        return tuple(plain_name(slot) for slot in SLOTS if slot not in self.bones)

    @property
    def bone_count(self) -> int:
        return sum(len(chain) for chain in self.bones.values())

    @property
    def joint_count(self) -> int:
        """How many of the canonical joints (JOINT_COUNT) have a bone."""
        return sum(_JOINTS.get(slot, 1) for slot in self.bones)

    @property
    def title(self) -> str:
        """The naming scheme as people call it; empty for names that follow no known scheme."""
        return next((scheme.title for scheme in schemes() if scheme.name == self.scheme), "")


@dataclass(frozen=True)
class Scheme:
    """A naming scheme: bone names per slot."""

    name: str
    title: str
    bones: Mapping[str, tuple[str, ...]]


def plain_name(slot: str) -> str:
    """``left_hip`` is "left thigh": joints are named by where they turn, bones by what they are."""
    side, _, part = slot.rpartition("_")
    return " ".join(filter(None, (side, _PLAIN_WORDS.get(part, part))))


@cache
def schemes() -> tuple[Scheme, ...]:
    """All schemes of assets/rig_maps/, by file name."""
    found = []
    for path in sorted(RIG_MAPS.glob("*.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        if "bones" in table:
            bones = {slot: tuple(names) for slot, names in table["bones"].items()}
            found.append(Scheme(table["name"], table["title"], MappingProxyType(bones)))
    return tuple(found)


@cache
def _vocabulary() -> tuple[frozenset[str], Mapping[str, Mapping[str, float]]]:
    table = json.loads((RIG_MAPS / "vocabulary.json").read_text(encoding="utf-8"))
    return frozenset(table["noise"]), table["words"]


def map_bones(names: Sequence[str], parents: Sequence[int], rig_name: str = "armature") -> BoneMap:
    """Find the bones of the canonical joints.

    ``parents`` [B] are indices into ``names`` (-1 for roots), parents before children.
    Raises ScaleMoGenError naming the missing joints when there are no hips or legs.
    """
    bone_map = best_effort_map(names, parents)
    missing = [plain_name(slot) for slot in REQUIRED if slot not in bone_map.bones]
    if missing:
        raise ScaleMoGenError(
            f"The armature '{rig_name}' cannot be used, these bones were not found: "
            f"{', '.join(missing)}; pick a humanoid armature, or rename its bones after Mixamo, "
            "Rigify or Unreal."
        )
    return bone_map


def best_effort_map(names: Sequence[str], parents: Sequence[int]) -> BoneMap:
    """Like :func:`map_bones`, but slots that cannot be found are just absent."""
    scheme = _matching_scheme(names)
    score = _scorer(names, scheme)
    tree = _Tree(parents)
    chains: dict[str, list[int]] = {}
    for side in SIDES:
        for limb in (LEG, ARM):
            slots = [f"{side}_{part}" for part in limb]
            chains.update(_solve_limb(tree, slots, score))
    chains.update(_solve_trunk(tree, chains, score))
    return BoneMap(
        scheme.name if scheme else BY_WORDS,
        {slot: tuple(names[b] for b in chains[slot]) for slot in SLOTS if chains.get(slot)},
    )


def _matching_scheme(names: Sequence[str]) -> Scheme | None:
    """The scheme that names most bones of the rig, if it has most of its own bones there."""
    present = {comparable(name) for name in names}
    best: tuple[int, Scheme] | None = None
    for scheme in schemes():
        wanted = [comparable(name) for chain in scheme.bones.values() for name in chain]
        # Chains list the longest variant, so one name of each slot is enough for coverage.
        slots = [any(comparable(n) in present for n in c) for c in scheme.bones.values()]
        hits = sum(name in present for name in wanted)
        if sum(slots) >= _SCHEME_COVERAGE * len(slots) and (best is None or hits > best[0]):
            best = (hits, scheme)
    return best[1] if best else None


Score = Callable[[int, str], float]


def _scorer(names: Sequence[str], scheme: Scheme | None) -> Score:
    """Score of bone index and slot: exact scheme name, else the vocabulary's word, else 0."""
    noise, words = _vocabulary()
    prefix = shared_prefix(names)
    parts = [parse(name, prefix, noise) for name in names]
    exact: dict[str, str] = {}
    for slot, chain in scheme.bones.items() if scheme else ():
        exact.update({comparable(name): slot for name in chain})
    wanted = [exact.get(comparable(name)) for name in names]

    def score(bone: int, slot: str) -> float:
        if wanted[bone] is not None:
            return _SCHEME_SCORE if wanted[bone] == slot else 0.0
        part: NameParts = parts[bone]
        side, _, word_class = slot.rpartition("_")
        return float(words[word_class].get(part.word, 0.0)) if part.side == side else 0.0

    return score


class _Tree:
    """Ancestor questions on a bone hierarchy."""

    def __init__(self, parents: Sequence[int]) -> None:
        self.count = len(parents)
        self.above: list[tuple[int, ...]] = []  # from the root down to the bone's parent
        for parent in parents:
            self.above.append((*self.above[parent], parent) if parent >= 0 else ())

    def is_above(self, ancestor: int, bone: int) -> bool:
        return ancestor in self.above[bone]

    def depth(self, bone: int) -> int:
        return len(self.above[bone])

    def common(self, bones: Sequence[int]) -> list[int]:
        """Common ancestors (never one of the bones themselves), root first."""
        shared: list[int] = []
        for level in zip(*(self.above[bone] for bone in bones), strict=False):
            if len(set(level)) > 1:
                break
            shared.append(level[0])
        return shared

    def between(self, top: int, bottom: int) -> list[int]:
        """Bones strictly below ``top`` and above ``bottom``."""
        path = self.above[bottom]
        return list(path[path.index(top) + 1 :]) if top in path else []


def _solve_limb(tree: _Tree, slots: Sequence[str], score: Score) -> dict[str, list[int]]:
    """Best chain of bones in parent order; slots may be skipped.  Ties go to the higher bone."""
    # (total score, chosen (slot, bone) pairs) of the best partial chain that ends at each bone
    ending: dict[int, tuple[float, tuple[tuple[str, int], ...]]] = {}
    for slot in slots:
        extended = {}
        for bone in range(tree.count):
            own = score(bone, slot)
            if own <= 0.0:
                continue
            before = [ending[b] for b in tree.above[bone] if b in ending]
            total, chain = max(before, key=lambda e: e[0], default=(0.0, ()))
            extended[bone] = (total + own - 1e-3 * tree.depth(bone), (*chain, (slot, bone)))
        for bone, entry in extended.items():
            if bone not in ending or entry[0] > ending[bone][0]:
                ending[bone] = entry
    best = max(ending.values(), key=lambda e: e[0], default=(0.0, ()))
    return {slot: [bone] for slot, bone in best[1]}


def _solve_trunk(
    tree: _Tree, limbs: Mapping[str, Sequence[int]], score: Score
) -> dict[str, list[int]]:
    """Pelvis, spine, neck and head from where the limbs hang."""

    def first(side: str, limb: Sequence[str]) -> list[int]:
        """The topmost mapped bone of a limb, as a list of one or none."""
        found = [limbs[f"{side}_{part}"][0] for part in limb if f"{side}_{part}" in limbs]
        return found[:1]

    legs = [bone for side in SIDES for bone in first(side, LEG)]
    arms = [bone for side in SIDES for bone in first(side, ARM)]
    heads = [b for b in range(tree.count) if score(b, "head") > 0.0]
    head = max(heads, key=lambda b: (score(b, "head"), -tree.depth(b)), default=None)
    ends = arms + ([head] if head is not None else [])

    if len(legs) == len(SIDES):
        candidates = tree.common(legs + ends) or tree.common(legs)
    else:  # no use as a rig, but the report should not miss hips that are there
        candidates = sorted(range(tree.count), key=tree.depth, reverse=True)
    named = [bone for bone in candidates if score(bone, "pelvis") >= 2.0]
    if not named and (len(legs) != len(SIDES) or not candidates):
        return {}
    pelvis = named[-1] if named else candidates[-1]
    result = {"pelvis": [pelvis]}

    above_arms = [b for b in tree.common(arms) if tree.is_above(pelvis, b)] if arms else []
    chest = above_arms[-1] if above_arms else None
    if head is not None and tree.is_above(pelvis, head):
        result["head"] = [head]
        path = tree.between(pelvis, head)
    elif chest is not None:
        path = [*tree.between(pelvis, chest), chest]
    else:
        path = []
    # Where the arms branch off the spine ends; but some rigs hang the arms on the neck.
    to_chest = [b for b in path if chest is None or b == chest or tree.is_above(b, chest)]
    necks = [b for b in path if b not in to_chest or score(b, "neck") > 0.0]
    spine = [b for b in to_chest if b not in necks]
    result["spine"] = _named(spine, "spine", score)
    result["neck"] = _named(necks, "neck", score)
    return result


def _named(path: Sequence[int], slot: str, score: Score) -> list[int]:
    """The bones of a path whose names fit the slot (the others are helpers); all if none does."""
    return [b for b in path if score(b, slot) > 0.0] or list(path)
