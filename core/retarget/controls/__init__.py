"""Control rigs: motions onto the controls, so that the deform bones show them.

``find_plan`` knows published control rigs, probing (in the add-on) shows what carries each
control, and ``build`` makes a :class:`ControlRetargeter` that keys FK or IK controls and switches.
"""

from .frames import Probes
from .plan import LIMBS, ControlPlan, Limb, Switch
from .presets import find_plan, is_preset
from .retargeter import ControlRetargeter, build, reader

__all__ = [
    "LIMBS",
    "ControlPlan",
    "ControlRetargeter",
    "Limb",
    "Probes",
    "Switch",
    "build",
    "find_plan",
    "is_preset",
    "reader",
]
