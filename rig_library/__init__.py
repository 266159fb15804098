"""Test rigs: every naming scheme's published bones, as rigs that artists have; numpy only.

``schemes`` lists them; ``build`` makes one in a rest pose, ``truth`` says which bones are right.
Nothing of this is in the add-on: it is what retargeting is judged by.
"""

from .body import REST_POSES, RestPose
from .build import accepted, build, truth
from .tree import Scheme, scheme, schemes
from .variation import USUAL, VARIATIONS, Variation

__all__ = [
    "REST_POSES",
    "USUAL",
    "VARIATIONS",
    "RestPose",
    "Scheme",
    "Variation",
    "accepted",
    "build",
    "scheme",
    "schemes",
    "truth",
]
