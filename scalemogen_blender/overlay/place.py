"""Where the preview stands: on the rig's spot, facing its way, in its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np

from .. import armature
from .._core import errors
from . import bones

if TYPE_CHECKING:
    from .._core.retarget.body_frame import BodyFrame


def of_edit(body: BodyFrame, first: int, last: int) -> bones.Placement:
    """The place of a motion that was read from a rig with this body; only its range is shown."""
    return bones.Placement(body.origin, body.turn, body.scale, (first, last))


def of_rig(rig: bpy.types.Object | None) -> bones.Placement:
    """The place at which the rig would start the motion; the world's origin without a rig."""
    if rig is None:
        return bones.AT_ORIGIN
    try:
        from .. import rig as rigs

        body = rigs.retargeter(rig).body
    except (errors.ScaleMoGenError, AttributeError):
        world = armature.canonical_world(rig)  # not mapped: at least at its spot
        return bones.Placement(world[:3, 3], np.array([1.0, 0.0, 0.0, 0.0]), 1.0)
    return bones.Placement(body.origin, body.turn, body.scale)
