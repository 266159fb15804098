"""The best chains of bones for the joints, given how well each bone suits each joint.

A limb is a chain of bones in parent order, and the trunk is what lies between pelvis, chest and
head: so scores that are only guesses still give one body.
"""

from collections.abc import Mapping, Sequence

from .hierarchy import Hierarchy
from .slots import ARM, CORE_PARTS, LEG, LIMBS, SIDES, limb_slots, side_and_part

Chains = dict[str, list[int]]

#: What a limb gains by having a joint that no limb lacks.
_CORE_BONUS = 0.6
#: Of several bones that suit equally the one nearer to the root.
_DEPTH_COST = 1e-3
#: A hips bone that is at least so well named goes before the place where the legs branch off.
_NAMED_PELVIS = 2.0
#: A bone between spine bones that suits less than this share of the best of them is a helper.
_TRUNK_SHARE = 0.6
#: Score of the usual word for a part; exact names of a scheme score more.
_USUAL_WORD = 3.0
_MOST_CANDIDATES = 80


class Scores:
    """How well bones (indices) suit slots; bones that do not suit a slot at all are absent."""

    def __init__(self) -> None:
        self.table: dict[str, dict[int, float]] = {}

    def add(self, bone: int, slot: str, score: float) -> None:
        """Raise a bone's score for a slot."""
        if score > 0.0:
            row = self.table.setdefault(slot, {})
            row[bone] = row.get(bone, 0.0) + score

    def of(self, slot: str) -> Mapping[int, float]:
        """Bones that suit a slot."""
        return self.table.get(slot, {})

    def __call__(self, bone: int, slot: str) -> float:
        return self.of(slot).get(bone, 0.0)


def solve(tree: Hierarchy, score: Scores) -> Chains:
    """Bones for the slots, as far as there are any."""
    chains: Chains = {}
    for side in SIDES:
        for limb in LIMBS:
            chains.update(solve_limb(tree, limb_slots(side, limb), score))
    chains.update(solve_trunk(tree, chains, score))
    return chains


def solve_limb(tree: Hierarchy, slots: Sequence[str], score: Scores) -> Chains:
    """Best chain of bones in parent order; slots may be skipped.  Ties go to the higher bone."""
    # (total score, chosen (slot, bone) pairs) of the best partial chain that ends at each bone
    ending: dict[int, tuple[float, tuple[tuple[str, int], ...]]] = {}
    for slot in slots:
        bonus = _CORE_BONUS if side_and_part(slot)[1] in CORE_PARTS else 0.0
        extended = {}
        for own, bone in _candidates(tree, slot, score):
            before = [entry for b, entry in ending.items() if tree.is_above(b, bone)]
            total, chain = max(before, key=lambda e: e[0], default=(0.0, ()))
            gain = own + bonus - _DEPTH_COST * tree.depth[bone]
            extended[bone] = (total + gain, (*chain, (slot, bone)))
        for bone, entry in extended.items():
            if bone not in ending or entry[0] > ending[bone][0]:
                ending[bone] = entry
    best = max(ending.values(), key=lambda e: e[0], default=(0.0, ()))
    return {slot: [bone] for slot, bone in best[1]}


def _candidates(tree: Hierarchy, slot: str, score: Scores) -> list[tuple[float, int]]:
    found = [(own, bone) for bone, own in sorted(score.of(slot).items())]
    if len(found) > _MOST_CANDIDATES:
        found = sorted(found, key=lambda entry: (-entry[0], tree.depth[entry[1]], entry[1]))
    return found[:_MOST_CANDIDATES]


def solve_trunk(tree: Hierarchy, limbs: Mapping[str, Sequence[int]], score: Scores) -> Chains:
    """Pelvis, spine, neck and head from where the limbs hang."""
    legs, arms = _tops(limbs, LEG), _tops(limbs, ARM)
    chests = tree.common(arms)
    head = _head(tree, chests, set(limbs_bones(limbs)), score)
    pelvis = _pelvis(tree, legs, arms + ([head] if head is not None else []), score)
    if pelvis is None:
        return {}
    result = {"pelvis": [pelvis]}
    above_arms = [b for b in chests if tree.is_above(pelvis, b)]
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
    if chest is None and head is not None and to_chest:
        necks = [b for b in path if score(b, "neck") > score(b, "spine")]
    else:
        necks = [b for b in path if b not in to_chest or score(b, "neck") > score(b, "spine")]
    spine = [b for b in to_chest if b not in necks]
    # A bone that carries the legs as well (as in 3ds Max) does not bend the back.
    apart = [b for b in spine if not any(tree.is_above(b, leg) for leg in legs)]
    result["spine"] = _suitable(apart or spine, "spine", score)
    result["neck"] = _suitable(necks, "neck", score)
    return result


def limbs_bones(limbs: Mapping[str, Sequence[int]]) -> list[int]:
    """All bones of some chains."""
    return [bone for chain in limbs.values() for bone in chain]


def _tops(limbs: Mapping[str, Sequence[int]], limb: Sequence[str]) -> list[int]:
    """The topmost mapped bone of each side's limb, as far as there is one."""
    found = []
    for side in SIDES:
        chain = [limbs[slot][0] for slot in limb_slots(side, tuple(limb)) if slot in limbs]
        found += chain[:1]
    return found


def _head(tree: Hierarchy, chests: Sequence[int], taken: set[int], score: Scores) -> int | None:
    """The bone that suits the head best; one beside the arms rather than elsewhere."""
    body = chests[0] if chests else None

    def rank(bone: int) -> tuple[float, bool, int]:
        beside = body is not None and tree.is_above(body, bone)
        return score(bone, "head"), beside, -tree.depth[bone]

    heads = [bone for bone in sorted(score.of("head")) if bone not in taken]
    return max(heads, key=rank, default=None)


def _pelvis(tree: Hierarchy, legs: Sequence[int], ends: Sequence[int], score: Scores) -> int | None:
    """What legs, arms and head hang on, by its name or else where the legs branch off."""
    if len(legs) == len(SIDES):
        candidates = tree.common([*legs, *ends]) or tree.common(legs)
    else:  # no use as a rig, but the report should not miss hips that are there
        candidates = sorted(range(tree.count), key=lambda b: (-tree.depth[b], b))
    named = [bone for bone in candidates if score(bone, "pelvis") >= _NAMED_PELVIS]
    if named:
        best = max(score(bone, "pelvis") for bone in named)
        # hips before what is above it, unless that is clearly the better name
        return [bone for bone in named if score(bone, "pelvis") >= 0.6 * best][-1]
    return candidates[-1] if candidates and len(legs) == len(SIDES) else None


def _suitable(path: Sequence[int], slot: str, score: Scores) -> list[int]:
    """The bones of a path that suit the slot (the others are helpers); all if none does."""
    best = min(max((score(b, slot) for b in path), default=0.0), _USUAL_WORD)
    return [b for b in path if best <= 0.0 or score(b, slot) >= _TRUNK_SHARE * best]
