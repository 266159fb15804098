"""Retargeting: canonical motion onto any humanoid armature and back, numpy only.

``map_bones`` finds the bones, ``corrections`` puts right what it got wrong and ``map_file`` keeps
the result; ``Retargeter.build`` measures the rig, ``Retargeter.transfer`` makes the channels of a
motion and ``recover_motion`` goes the other way.
"""

from . import controls, corrections, map_file
from .body_frame import rig_leg_length
from .bone_map import (
    CHAINS,
    DOUBT_LIMIT,
    JOINT_COUNT,
    REQUIRED,
    SLOTS,
    BoneMap,
    Evidence,
    best_effort_map,
    map_bones,
    plain_name,
)
from .channels import rotation_channels
from .onto_pose import Asked, Inverse, ShownRig, edited_channels
from .options import RetargetOptions
from .own_maps import own_map
from .pose import JointPose, PoseChannels, Setting
from .recover import recover_motion
from .rest_rig import RestRig
from .transfer import Retargeter

__all__ = [
    "CHAINS",
    "DOUBT_LIMIT",
    "JOINT_COUNT",
    "REQUIRED",
    "SLOTS",
    "Asked",
    "BoneMap",
    "Evidence",
    "Inverse",
    "JointPose",
    "PoseChannels",
    "RestRig",
    "RetargetOptions",
    "Retargeter",
    "Setting",
    "ShownRig",
    "best_effort_map",
    "controls",
    "corrections",
    "edited_channels",
    "map_bones",
    "map_file",
    "own_map",
    "plain_name",
    "recover_motion",
    "rig_leg_length",
    "rotation_channels",
]
