"""Retargeting: canonical motion onto any humanoid armature and back, numpy only.

``map_bones`` finds the bones, ``Retargeter.build`` measures the rig, ``Retargeter.transfer`` makes
the channels of a motion and ``recover_motion`` goes the other way.
"""

from .body_frame import rig_leg_length
from .bone_map import BoneMap, best_effort_map, map_bones
from .channels import rotation_channels
from .recover import recover_motion
from .rest_rig import RestRig
from .transfer import PoseChannels, Retargeter

__all__ = [
    "BoneMap",
    "PoseChannels",
    "RestRig",
    "Retargeter",
    "best_effort_map",
    "map_bones",
    "recover_motion",
    "rig_leg_length",
    "rotation_channels",
]
