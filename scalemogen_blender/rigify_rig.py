"""Rigify's human metarig."""

import bpy

from . import compat
from ._core import errors


def build() -> bpy.types.Object:
    """Add the human metarig to the scene."""
    if not compat.enable_bundled_addon("rigify"):
        raise errors.ScaleMoGenError(
            "Rigify is not part of this Blender; use --rig mannequin or the file of a rig."
        )
    bpy.ops.object.armature_human_metarig_add()
    return bpy.context.view_layer.objects.active
