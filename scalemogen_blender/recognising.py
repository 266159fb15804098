"""Which bones of a rig play which joint, with a saved bone map going before what is found."""

import bpy

from . import armature
from ._core import errors, retarget


def recognised(
    rig: bpy.types.Object, bone_map: "retarget.BoneMap | None" = None
) -> "retarget.BoneMap":
    """The rig's bones for the joints; ``bone_map`` goes before what is found by itself.

    ScaleMoGenError if hips or legs are missing, or if the rig has none of the map's bones.
    """
    names, parents = armature.names_and_parents(rig)
    heads = armature.rest_heads(rig)
    if bone_map is None:
        return retarget.map_bones(names, parents, rig.name, heads)
    fit = retarget.corrections.fitted(bone_map, names)
    if not fit.bones:
        raise errors.ScaleMoGenError(
            f"The armature '{rig.name}' has none of the bone map's bones; name a map that was "
            "saved for this kind of rig."
        )
    automatic = retarget.best_effort_map(names, parents, heads)
    found = retarget.corrections.merged(automatic, fit.bones)
    retarget.corrections.check(found, names, parents, rig.name)
    return found
