"""Which bones carry a rig through the world, numpy only."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..errors import ScaleMoGenError
from .bone_map import SIDES, BoneMap
from .driver import Driver
from .rest_rig import RestRig


def mover_of(rig: RestRig, bone_map: BoneMap) -> int:
    """The bone that moves the body: the pelvis, or the next above it that can and has it all.

    A bone that is connected to its parent cannot be moved, and a pelvis may have the legs below it
    but not the spine.
    """
    name = bone_map.bone("pelvis")
    assert name is not None  # map_bones saw to it
    pelvis = rig.index(name)
    free = [bone for bone in (pelvis, *rig.ancestors(pelvis)) if not rig.connected[bone]]
    mapped = _mapped(rig, bone_map)
    return max(free, key=lambda bone: (len(_carried(rig, bone, mapped)), -free.index(bone)))


def root_bone_of(rig: RestRig, mover: int) -> int:
    """The topmost bone above the mover; ScaleMoGenError if there is none."""
    above = rig.ancestors(mover)
    if not above:
        name = rig.bone_names[mover]
        raise ScaleMoGenError(
            f"'{rig.name}' has no root bone: nothing is above '{name}'. Let the hips or the object "
            f"carry the motion, or make a bone on the floor the parent of '{name}'."
        )
    return above[-1]


def spine_of(rig: RestRig, bone_map: BoneMap) -> tuple[list[int], list[int]]:
    """Spine bones that belong to the pelvis, because a leg hangs on them, and the others."""
    chain = [rig.index(name) for name in bone_map.bones.get("spine", ())]
    hips = [rig.index(name) for side in SIDES if (name := bone_map.bone(f"{side}_hip"))]
    carrying = {bone for hip in hips for bone in rig.ancestors(hip)}
    return [b for b in chain if b in carrying], [b for b in chain if b not in carrying]


def leader(found: Sequence[Driver], rig: RestRig, bone_map: BoneMap) -> list[Driver]:
    """The drivers, with one more where the mover is above a pelvis that has not all below it.

    There the mover has to turn with the pelvis, or the rest of the body would stay behind.
    """
    mover, pelvis = mover_of(rig, bone_map), rig.index(bone_map.bones["pelvis"][0])
    mapped = _mapped(rig, bone_map)
    leads = mover != pelvis and mover not in {driver.bone for driver in found}
    if not leads or _carried(rig, mover, mapped) == _carried(rig, pelvis, mapped):
        return list(found)
    own = next(driver for driver in found if driver.bone == pelvis)
    return sorted((*found, replace(own, bone=mover)), key=lambda driver: driver.bone)


def _mapped(rig: RestRig, bone_map: BoneMap) -> set[int]:
    return {rig.index(name) for chain in bone_map.bones.values() for name in chain}


def _carried(rig: RestRig, bone: int, mapped: Iterable[int]) -> set[int]:
    """The mapped bones that move with a bone, itself included."""
    return {other for other in mapped if other == bone or bone in rig.ancestors(other)}
