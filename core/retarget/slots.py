"""The joints that a bone map fills, and their names in plain words."""

SIDES = ("left", "right")
LEG = ("hip", "knee", "ankle", "foot")
ARM = ("collar", "shoulder", "elbow", "wrist")
LIMBS = (LEG, ARM)

#: Slots of a map: canonical joint names, but the trunk's chains are "spine" and "neck".
SLOTS = (
    "pelvis", "spine", "neck", "head",
    *(f"{side}_{part}" for side in SIDES for part in (*LEG, *ARM)),
)  # fmt: skip
REQUIRED = ("pelvis", *(f"{side}_{part}" for side in SIDES for part in LEG[:3]))
#: Slots without which a limb is none; clavicles and toes may well be missing.
CORE_PARTS = frozenset((*LEG[:3], *ARM[1:]))
#: Slots that take any number of bones, in parent order.
CHAINS = ("spine", "neck")
#: Canonical joints that a slot stands for, where it is not just one.
JOINTS_OF_SLOT = {"spine": 3}
JOINT_COUNT = sum(JOINTS_OF_SLOT.get(slot, 1) for slot in SLOTS)

_PLAIN_WORDS = {
    "pelvis": "hips", "collar": "clavicle", "shoulder": "upper arm", "elbow": "forearm",
    "wrist": "hand", "hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toes",
}  # fmt: skip


def plain_name(slot: str) -> str:
    """``left_hip`` is "left thigh": joints are named by where they turn, bones by what they are."""
    side, part = side_and_part(slot)
    return " ".join(filter(None, (side, _PLAIN_WORDS.get(part, part))))


def side_and_part(slot: str) -> tuple[str, str]:
    """``left_hip`` is ("left", "hip"), ``spine`` is ("", "spine")."""
    side, _, part = slot.rpartition("_")
    return side, part


def limb_slots(side: str, limb: tuple[str, ...]) -> tuple[str, ...]:
    """Slots of one side's leg or arm, from the trunk outwards."""
    return tuple(f"{side}_{part}" for part in limb)
