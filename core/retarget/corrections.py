"""A map that an artist has corrected: put together, checked, told in plain words.

Corrections are a table from slots to bone names; an empty chain says that the slot has no bone.
They go before what was found automatically, so a bone picked for one slot leaves any other.
"""

from collections.abc import Callable, Mapping, Sequence

from ..errors import ScaleMoGenError
from .bone_map import BoneMap
from .bone_names import comparable
from .evidence import CORRECTED
from .schemes import is_control_scheme
from .slots import ARM, CHAINS, LEG, REQUIRED, SIDES, SLOTS, plain_name

Chains = Mapping[str, Sequence[str]]
_Above = Callable[[str, str], bool]

_TRUNK = ("pelvis", "spine", "neck", "head")
_LIMBS = tuple(tuple(f"{side}_{part}" for part in limb) for side in SIDES for limb in (LEG, ARM))


def merged(automatic: BoneMap, corrections: Chains) -> BoneMap:
    """The automatic map with the corrections, which are certain; unknown slots are left out."""
    taken = {bone for chain in corrections.values() for bone in chain}
    bones: dict[str, tuple[str, ...]] = {}
    for slot in SLOTS:
        if slot in corrections:
            chain = tuple(corrections[slot])
        else:
            chain = tuple(b for b in automatic.bones.get(slot, ()) if b not in taken)
        if chain:
            bones[slot] = chain
    evidence = {slot: e for slot, e in automatic.evidence.items() if slot in bones}
    evidence.update({slot: CORRECTED for slot in corrections if slot in bones})
    return BoneMap(automatic.scheme, bones, evidence)


def chain_between(
    names: Sequence[str], parents: Sequence[int], first: str, last: str
) -> tuple[str, ...]:
    """Bones from ``first`` down to ``last``; empty if the one is not above the other."""
    index = {name: i for i, name in enumerate(names)}
    if first not in index or last not in index:
        return ()
    chain = [index[last]]
    while chain[-1] != index[first]:
        if parents[chain[-1]] < 0:
            return ()
        chain.append(parents[chain[-1]])
    return tuple(names[bone] for bone in reversed(chain))


def fitted(bone_map: BoneMap, names: Sequence[str]) -> BoneMap:
    """The part of a map that a rig has bones for.

    Names are taken exactly, else without namespace and separators (``mixamorig7:Hips`` for
    ``mixamorig:Hips``) where that means just one bone of the rig.
    """
    present = set(names)
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(comparable(name), []).append(name)

    def found(bone: str) -> list[str]:
        if bone in present:
            return [bone]
        candidates = alike.get(comparable(bone), [])
        return candidates if len(candidates) == 1 else []

    chains = {
        slot: tuple(name for bone in chain for name in found(bone))
        for slot, chain in bone_map.bones.items()
    }
    present_chains = {slot: chain for slot, chain in chains.items() if chain}
    return BoneMap(bone_map.scheme, present_chains, bone_map.evidence)


def problem(bone_map: BoneMap, names: Sequence[str], parents: Sequence[int]) -> str | None:
    """Why a map cannot be used with a rig's bones, with the remedy; None if it can.

    ``parents`` [B] are indices into ``names`` (-1 for roots).
    """
    missing = [plain_name(slot) for slot in REQUIRED if not bone_map.bones.get(slot)]
    if missing:
        return f"No bone found for {_listed(missing)}; pick it in the list under Bone Map"
    wrong = _wrong_bones(bone_map, names)
    if wrong or is_control_scheme(bone_map.scheme):
        return wrong
    return _wrong_order(bone_map, names, parents)


def check(bone_map: BoneMap, names: Sequence[str], parents: Sequence[int], rig_name: str) -> None:
    """ScaleMoGenError with the reason of :func:`problem`, if there is one."""
    reason = problem(bone_map, names, parents)
    if reason:
        raise ScaleMoGenError(f"The armature '{rig_name}' cannot be used. {reason}.")


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _wrong_bones(bone_map: BoneMap, names: Sequence[str]) -> str | None:
    """A bone that the rig does not have, a slot with too many, or a bone in two places."""
    present = set(names)
    owner: dict[str, str] = {}
    for slot, chain in bone_map.bones.items():
        word = plain_name(slot)
        if slot not in SLOTS:
            return f"'{slot}' is no joint of the map; pick the bones in the list under Bone Map"
        if len(chain) > 1 and slot not in CHAINS:
            return f"The {word} can only be one bone; pick it in the list under Bone Map"
        for bone in chain:
            if bone not in present:
                return f"There is no bone '{bone}' for the {word}; pick another under Bone Map"
            if bone in owner:
                both = word if owner[bone] == word else f"{owner[bone]} and {word}"
                return f"The bone '{bone}' is there twice ({both}); pick another under Bone Map"
            owner[bone] = word
    return None


def _wrong_order(bone_map: BoneMap, names: Sequence[str], parents: Sequence[int]) -> str | None:
    """Two bones of which the one would have to be above the other, and is not."""
    index = {name: i for i, name in enumerate(names)}

    def above(upper: str, lower: str) -> bool:
        bone = parents[index[lower]]
        while bone >= 0:
            if bone == index[upper]:
                return True
            bone = parents[bone]
        return False

    def line(slots: Sequence[str]) -> list[tuple[str, str]]:
        return [(slot, bone) for slot in slots for bone in bone_map.bones.get(slot, ())]

    pelvis = ("pelvis", bone_map.bones["pelvis"][0])
    lines = [line(_TRUNK), *([pelvis, *line(limb)] for limb in _LIMBS)]
    for bones in lines:
        for (slot, upper), (below, lower) in zip(bones, bones[1:], strict=False):
            if not above(upper, lower):
                return (
                    f"The {plain_name(below)} '{lower}' does not hang on the "
                    f"{plain_name(slot)} '{upper}'; pick other bones under Bone Map"
                )
    return _crossed(bone_map, above)


def _crossed(bone_map: BoneMap, above: _Above) -> str | None:
    """A leg or arm that hangs on the other one."""
    for limb in (LEG, ARM):
        tops = [
            next((bone_map.bones[s][0] for p in limb if (s := f"{side}_{p}") in bone_map.bones), "")
            for side in SIDES
        ]
        if all(tops):
            for upper, lower in (tops, tops[::-1]):
                if above(upper, lower):
                    return (
                        f"The bone '{lower}' hangs on the other side's '{upper}'; "
                        "pick other bones under Bone Map"
                    )
    return None
