"""An edit put on a rig: the asked bones in the frames of the range, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from .. import bake
from .._core import editing
from . import posing
from .reading import Reading
from .region import Region


@dataclass(frozen=True)
class Applied:
    """Names of the bones that were keyed, from scene frame ``first`` to ``last``."""

    bones: tuple[str, ...]
    first: int
    last: int


def apply(rig: bpy.types.Object, read: Reading, edited: editing.Edited, region: Region) -> Applied:
    """Key an edit on the rig's present action.

    ``read`` is what the edit was made of. ScaleMoGenError with a remedy where it cannot be keyed;
    then nothing has changed.
    """
    from . import writing

    pose = posing.channels(rig, read, edited, region)
    writing.write(rig, pose, region.first, edited.offset, read.retargeter)
    return Applied(bake.keyed_bones(pose), region.first, region.last)
