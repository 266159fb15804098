"""Any armature from a file."""

from pathlib import Path

import bpy
from mathutils import Matrix

from . import character, compat
from ._core import errors, retarget
from .armature import names_and_parents, read_rest_rig
from .operator_errors import reason, without_tracebacks

#: BVH files do not say their unit: metres, centimetres, inches, CMU's unit (inches / 0.45).
_BVH_UNITS = (1.0, 0.01, 0.0254, 0.0254 / 0.45)
_HUMAN_LEG = 0.83


def open_file(path: Path) -> bpy.types.Object:
    """Load a .blend (which replaces everything open) or import .fbx, .glb, .gltf or .bvh.

    Returns the armature with most mapped bones, at rest and free of its old animation.
    """
    loaders = {
        ".blend": _load_blend,
        ".fbx": compat.import_fbx,
        ".glb": _import_gltf,
        ".gltf": _import_gltf,
        ".bvh": _import_bvh,
    }
    loader = loaders.get(path.suffix.lower())
    if loader is None:
        raise errors.ScaleMoGenError(
            f"'{path}' is no rig; name a {', '.join(loaders)} file, mannequin or rigify."
        )
    if not path.is_file():
        raise errors.ScaleMoGenError(f"The rig '{path}' does not exist; check the path.")
    try:
        with without_tracebacks():
            loader(str(path.resolve()))
    except Exception as error:  # importers are third-party code and raise anything
        raise errors.ScaleMoGenError(
            f"The rig '{path}' cannot be read ({reason(error)}); open it in Blender and save or "
            "export it again."
        ) from error
    rig = _best_armature(path)
    if path.suffix.lower() == ".bvh":
        _scale_to_metres(rig)
    _free(rig, keep_pose=path.suffix.lower() == ".blend")
    return rig


def _load_blend(path: str) -> None:
    # Scripts and driver expressions of a file that somebody sent must not run.
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=False, use_scripts=False)


def _import_gltf(path: str) -> None:
    bpy.ops.import_scene.gltf(filepath=path)


def _import_bvh(path: str) -> None:
    bpy.ops.import_anim.bvh(filepath=path, rotate_mode="QUATERNION", use_fps_scale=False)


def _best_armature(path: Path) -> bpy.types.Object:
    """The armature with most mapped bones; ScaleMoGenError if there is none with hips and legs."""
    all_armatures = [o for o in bpy.data.objects if o.type == "ARMATURE" and o.data.bones]
    armatures = [o for o in all_armatures if o.library is None]
    if not armatures and all_armatures:
        linked = all_armatures[0]
        source = bpy.path.abspath(linked.library.filepath)
        raise errors.ScaleMoGenError(
            f"The armature '{linked.name}' in '{path}' is linked from '{source}'; make it local "
            "or a library override in Blender, or name that file itself."
        )
    if not armatures:
        raise errors.ScaleMoGenError(
            f"There is no armature in '{path}'; name a file with a humanoid armature, or use "
            "--rig mannequin."
        )
    best = max(armatures, key=lambda o: retarget.best_effort_map(*names_and_parents(o)).bone_count)
    retarget.map_bones(*names_and_parents(best), rig_name=best.name)
    _bring_into_the_scene(best)
    return best


def _bring_into_the_scene(rig: bpy.types.Object) -> None:
    """Link a character that lies in another scene or an excluded collection."""
    present = set(bpy.context.view_layer.objects)
    own = bpy.context.scene.collection.objects
    for o in character.members(rig):
        if o not in present and o not in set(own):
            own.link(o)


def _scale_to_metres(rig: bpy.types.Object) -> None:
    """Scale a BVH's object so that its legs are as long as a person's, by the likeliest unit."""
    bpy.context.view_layer.update()
    rest = read_rest_rig(rig)
    bone_map = retarget.map_bones(rest.bone_names, rest.parents, rig.name)
    measured = retarget.rig_leg_length(rest, bone_map)

    def misfit(unit: float) -> float:
        ratio = max(measured * unit, 1e-9) / _HUMAN_LEG
        return max(ratio, 1.0 / ratio)

    unit = min(_BVH_UNITS, key=misfit)
    rig.scale = [factor * unit for factor in rig.scale]


def _free(rig: bpy.types.Object, keep_pose: bool) -> None:
    """Take away what would override or mix with the new action."""
    if rig.animation_data is not None:
        if keep_pose:
            rig.animation_data.use_nla = False
            rig.animation_data.action = None
        else:
            rig.animation_data_clear()
    rig.data.pose_position = "POSE"
    bone_map = retarget.best_effort_map(*names_and_parents(rig))
    mapped = {name for chain in bone_map.bones.values() for name in chain}
    for bone in rig.pose.bones:
        if not keep_pose:
            bone.matrix_basis = Matrix()
        if bone.name in mapped:
            for constraint in bone.constraints:
                constraint.mute = True
    bpy.context.view_layer.update()
