"""How a motion is put on a rig: what an artist may choose."""

from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import ScaleMoGenError

#: What carries the way through the world: the hips, the rig's root bone (on the floor, smoothly
#: below the hips, turned with the body), the armature object likewise, or nothing: in place, the
#: sway of the steps, height and facing stay.  All but the last show the same in the world.
RootMotion = Literal["HIPS", "ROOT_BONE", "OBJECT", "IN_PLACE"]
#: Standing feet stay put where the motion's contacts say so, wherever they are low, or not at all.
FootLock = Literal["AUTOMATIC", "ALWAYS", "NEVER"]
#: Which controls of a control rig are keyed.
Controls = Literal["FK", "IK"]

#: Largest arm and leg spread in either direction, degrees.
MOST_SPREAD = 45.0


@dataclass(frozen=True)
class RetargetOptions:
    """Choices for one transfer; the defaults suit most rigs.

    arm_spread, leg_spread: degrees that hanging arms and standing legs are held further out
    (negative: in) than in the motion, for broad or thin bodies.
    keep_hands: hands that meet in the motion meet on the rig, whatever its proportions.
    """

    root: RootMotion = "HIPS"
    feet: FootLock = "AUTOMATIC"
    controls: Controls = "FK"
    arm_spread: float = 0.0
    leg_spread: float = 0.0
    keep_hands: bool = True

    def __post_init__(self) -> None:
        """ScaleMoGenError for a choice that does not exist."""
        for name, kind in (("root", RootMotion), ("feet", FootLock), ("controls", Controls)):
            if getattr(self, name) not in get_args(kind):
                listed = ", ".join(get_args(kind))
                raise ScaleMoGenError(
                    f"'{getattr(self, name)}' is no choice for {name}; choose one of {listed}."
                )
        for name in ("arm_spread", "leg_spread"):
            if not abs(getattr(self, name)) <= MOST_SPREAD:
                raise ScaleMoGenError(
                    f"{name} must lie between -{MOST_SPREAD:g} and {MOST_SPREAD:g} degrees."
                )
