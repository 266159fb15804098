"""Editing a motion: which joints and frames may change, and how new goes into old; numpy only.

What is sampled anew is the business of :mod:`core.editor`, which alone needs torch.
"""

from . import asked, in_place, window, wire
from .blocks import Block
from .edit import DEFAULT_BLEND, Edit, Edited, Later, Offset, Report, joints_of, lacking, parts_of

__all__ = [
    "DEFAULT_BLEND",
    "Block",
    "Edit",
    "Edited",
    "Later",
    "Offset",
    "Report",
    "asked",
    "in_place",
    "joints_of",
    "lacking",
    "parts_of",
    "window",
    "wire",
]
