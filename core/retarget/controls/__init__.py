"""Control rigs: motions onto the controls, so that the deform bones show them.

``find_plan`` knows published control rigs, ``search_plan`` follows the constraints of others,
probing (in the add-on) shows what carries each control, and ``build`` makes a
:class:`ControlRetargeter` that keys FK or IK controls and switches.
"""

from .frames import Probes
from .graph import Hold, RigGraph
from .plan import LIMBS, ControlPlan, Limb, Switch
from .presets import find_plan
from .retargeter import ControlRetargeter, build, reader
from .search import Obstacle, needs_controls, obstacle, search_plan

__all__ = [
    "LIMBS",
    "ControlPlan",
    "ControlRetargeter",
    "Hold",
    "Limb",
    "Obstacle",
    "Probes",
    "RigGraph",
    "Switch",
    "build",
    "find_plan",
    "needs_controls",
    "obstacle",
    "reader",
    "search_plan",
]
