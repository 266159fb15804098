"""The rig that gets the motion, and the map from its bones to the model's joints.

What the rest of the add-on asks: which rig is meant (``target``), why it cannot be used
(``problem``, cheap enough for panels), what was found (``summary``), its ``bone_map`` with the
artist's corrections, its measured ``retargeter``, and how motions are put on it (``options``).
"""

from .options import fingerprint, options, remembered
from .reference_pose import reference
from .selection import is_in_file, is_in_scene, problem, target
from .state import bone_map, rig_problem
from .summary import RigSummary, measured, retargeter, summary

__all__ = [
    "RigSummary",
    "bone_map",
    "fingerprint",
    "is_in_file",
    "is_in_scene",
    "measured",
    "options",
    "problem",
    "reference",
    "remembered",
    "retargeter",
    "rig_problem",
    "summary",
    "target",
]
