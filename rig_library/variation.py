"""What rigs of one scheme differ in: bones they lack or have besides, axes, units, parents."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from .tree import Bone, Scheme, without

Twists = Literal["none", "leaf", "inline"]
_LIMB_ENDS = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}


@dataclass(frozen=True)
class Variation:
    """Departures from a scheme's usual rig; None keeps what is usual.

    spine_bones, neck_bones: how many (0 takes the neck away).
    leave_out: parts without a bone: "collar" (the arms hang on the chest), "foot" (no toes),
    "wrist", "head".  twists: a bone inside every limb, beside it or in its chain.
    extras: False takes away every bone that no slot wants.
    axes, roll, placement, proportions: as in :class:`~rig_library.tree.Scheme`.
    random_roll: every bone is rolled at random (by the seed).
    under_empty: the armature hangs below a turned and scaled empty.
    heading: degrees that the rig is turned about the vertical in the world.
    """

    spine_bones: int | None = None
    neck_bones: int | None = None
    leave_out: tuple[str, ...] = ()
    twists: Twists = "none"
    extras: bool = True
    axes: str | None = None
    roll: float | None = None
    random_roll: bool = False
    placement: str | None = None
    proportions: str | None = None
    under_empty: bool = False
    heading: float = 0.0


USUAL = Variation()

#: The departures that a retargeter has to survive, by name.
VARIATIONS: Mapping[str, Variation] = {
    "usual": USUAL,
    **{f"spine {count}": Variation(spine_bones=count) for count in range(1, 7)},
    "no neck": Variation(neck_bones=0),
    "two necks": Variation(neck_bones=2),
    "no clavicles": Variation(leave_out=("collar",)),
    "no toes": Variation(leave_out=("foot",)),
    "bare": Variation(extras=False, leave_out=("foot", "collar"), neck_bones=0, spine_bones=1),
    "twists beside": Variation(twists="leaf"),
    "twists inline": Variation(twists="inline"),
    "random roll": Variation(random_roll=True),
    "x along": Variation(axes="unreal"),
    "world axes": Variation(axes="world"),
    "scattered axes": Variation(axes="scattered"),
    "fbx": Variation(placement="fbx_centimetres"),
    "fbx z up": Variation(placement="fbx_z_up"),
    "metres": Variation(placement="blender"),
    "under an empty": Variation(under_empty=True),
    "turned": Variation(heading=130.0),
    "child": Variation(proportions="child"),
    "giant": Variation(proportions="giant"),
}


def varied(scheme: Scheme, variation: Variation) -> tuple[Bone, ...]:
    """The scheme's bones after the departures."""
    bones = scheme.bones
    if not variation.extras:
        helpers = {i for i, bone in enumerate(bones) if not bone.exact and not _carries(bones, i)}
        bones = without(bones, helpers, with_children=False)
    for slot, count in (("spine", variation.spine_bones), ("neck", variation.neck_bones)):
        if count is not None:
            bones = _chain_of(bones, slot, count)
    for part in variation.leave_out:
        gone = {
            i
            for i, bone in enumerate(bones)
            if bone.slot.removeprefix("left_").removeprefix("right_") == part
        }
        bones = without(bones, gone, with_children=part not in ("collar", "neck"))
    if variation.twists != "none":
        bones = _with_twists(bones, inline=variation.twists == "inline")
    return bones


def _carries(bones: tuple[Bone, ...], index: int) -> bool:
    """Whether a helper is what keeps the tree in one piece: the root of everything."""
    return bones[index].parent < 0


def _chain_of(bones: tuple[Bone, ...], slot: str, count: int) -> tuple[Bone, ...]:
    """The tree with so many bones of a chain: the last ones go, or new ones follow them."""
    chain = [i for i, bone in enumerate(bones) if bone.slot == slot]
    if len(chain) >= count:
        return without(bones, set(chain[count:]), with_children=False)
    while len(chain) < count:
        last = chain[-1]
        added = replace(bones[last], name=_next_name(bones, last), parent=last)
        bones = _inserted(bones, last + 1, added, below=last)
        chain.append(last + 1)
    return bones


def _next_name(bones: tuple[Bone, ...], last: int) -> str:
    """Chest -> Chest1, spine_03 -> spine_04; skips names that are taken."""
    taken = {bone.name for bone in bones}
    stem = re.sub(r"\d+$", "", bones[last].name)
    digits = bones[last].name[len(stem) :]
    number = int(digits or 0)
    while True:
        number += 1
        name = f"{stem}{number:0{len(digits)}d}" if digits else f"{stem}{number}"
        if name not in taken:
            return name


def _with_twists(bones: tuple[Bone, ...], inline: bool) -> tuple[Bone, ...]:
    at = 0
    while at < len(bones):
        bone = bones[at]
        side, _, part = bone.slot.rpartition("_")
        if bone.exact and side and part in _LIMB_ENDS:
            twist = replace(
                bone,
                name=f"{bone.name}_twist_01",
                parent=at,
                slot="",
                exact=False,
                end=f"{side}_{_LIMB_ENDS[part]}",
                share=0.5,
            )
            bones = _inserted(bones, at + 1, twist, below=at if inline else None)
            at += 1
        at += 1
    return bones


def _inserted(bones: tuple[Bone, ...], at: int, added: Bone, below: int | None) -> tuple[Bone, ...]:
    """The tree with a bone more; it takes over the children of ``below``."""
    shifted = [
        replace(bone, parent=bone.parent + 1) if bone.parent >= at else bone for bone in bones
    ]
    if below is not None:
        shifted = [replace(bone, parent=at) if bone.parent == below else bone for bone in shifted]
    return (*shifted[:at], added, *shifted[at:])
