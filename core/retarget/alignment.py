"""Which joint drives which bone, and the rotation between the two rest poses.

A bone's alignment is the world rotation that takes the rig's rest pose to the canonical T-pose:
afterwards the limb (from the bone's head to the next mapped bone's head, wherever the bone's own
axes point and whatever unmapped bones lie between) lies along the canonical limb.  A driven bone's
world rotation in a motion is then  joint rotation * alignment * rest rotation.
"""

from ..skeleton import Skeleton
from .body_frame import BodyFrame
from .bone_map import SIDES, BoneMap
from .driver import Driver
from .limbs import arm, leg
from .measured import IDENTITY, Measured
from .rest_rig import RestRig
from .trunk import SPINE_JOINTS, head, trunk

__all__ = ["IDENTITY", "SPINE_JOINTS", "Driver", "drivers"]


def drivers(rig: RestRig, bone_map: BoneMap, body: BodyFrame, skeleton: Skeleton) -> list[Driver]:
    """Drivers of all mapped bones, parents first; ``body`` is the pose that is aligned."""
    measured = Measured(rig, bone_map, body, skeleton)
    found = [*trunk(measured), *head(measured)]
    for side in SIDES:
        found += leg(measured, side) + arm(measured, side)
    return sorted(found, key=lambda driver: driver.bone)
