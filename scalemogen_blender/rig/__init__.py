"""The rig that gets the motion, and the map from its bones to the model's joints.

What the rest of the add-on asks: which rig is meant (``target``), why it cannot be used
(``problem``, cheap enough for panels), what was found (``summary``), its ``bone_map`` with the
artist's corrections and its measured ``retargeter``.
"""

from .selection import is_in_file, is_in_scene, problem, target
from .state import bone_map, rig_problem
from .summary import RigSummary, measured, retargeter, summary

__all__ = [
    "RigSummary",
    "bone_map",
    "is_in_file",
    "is_in_scene",
    "measured",
    "problem",
    "retargeter",
    "rig_problem",
    "summary",
    "target",
]
