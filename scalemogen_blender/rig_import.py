"""Any armature from a file, as a rig to animate or as a motion to take over."""

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from . import character, compat
from ._core import errors, retarget
from .armature import names_and_parents, pose_matrices, read_rest_rig, rest_heads
from .operator_errors import reason, without_tracebacks

#: BVH files do not say their unit: metres, centimetres, inches, CMU's unit (inches / 0.45).
_BVH_UNITS = (1.0, 0.01, 0.0254, 0.0254 / 0.45)
_HUMAN_LEG = 0.83
#: glTF keeps time in seconds: the scene's frames are to fall on the usual ones of captures.
_GLTF_FPS = 30


def open_file(path: Path) -> bpy.types.Object:
    """Load a .blend (which replaces everything open) or import .fbx, .glb, .gltf or .bvh.

    Returns the armature with most mapped bones, free of its old animation; at rest unless it
    comes from a .blend.
    """
    rig = _open_rig(path, animated=False)
    _free(rig, keep_pose=path.suffix.lower() == ".blend")
    return rig


def open_posed(path: Path) -> tuple[bpy.types.Object, np.ndarray]:
    """Like :func:`open_file`, but the armature stays in its pose.

    That is the saved one of a .blend, the first frame's of other files. Also the matrices
    [B, 4, 4] of the bones in that pose, parents first, in armature space.
    """
    rig = _open_rig(path, animated=True)
    if path.suffix.lower() != ".blend":
        _to_first_frame(rig)
    rig.data.pose_position = "POSE"
    with character.evaluated(rig):
        pose = pose_matrices(rig)
    _free(rig, keep_pose=True)
    return rig, pose


def _open_rig(path: Path, animated: bool) -> bpy.types.Object:
    load(path, animated)
    rig = best_armature(path)
    if path.suffix.lower() == ".bvh":
        _scale_to_metres(rig)
    return rig


def open_animated(path: Path) -> bpy.types.Object:
    """Load a file as :func:`open_file` does, and leave its armature moving.

    Of several, one that moves goes before one that does not. ScaleMoGenError if none does.
    """
    load(path, animated=True)
    rig = best_armature(path, prefer=is_animated)
    if not is_animated(rig):
        raise errors.ScaleMoGenError(
            f"The armature '{rig.name}' in '{path}' is not animated; export it with its animation."
        )
    if path.suffix.lower() == ".bvh":
        _scale_to_metres(rig)
    rig.data.pose_position = "POSE"
    bpy.context.view_layer.update()
    return rig


def is_animated(rig: bpy.types.Object) -> bool:
    """Whether an action, a strip, or a constraint of its bones moves a rig."""
    animation = rig.animation_data
    if animation is not None:
        if compat.active_curves(rig):
            return True
        if animation.use_nla and any(t.strips and not t.mute for t in animation.nla_tracks):
            return True
    constraints = (c for bone in rig.pose.bones for c in bone.constraints)
    others = (getattr(c, "target", None) for c in constraints if not c.mute)
    return any(o is not None and o != rig and o.animation_data is not None for o in others)


def animated_range(rig: bpy.types.Object) -> tuple[float, float]:
    """First and last frame of what moves a rig: its action or strips, else the scene's range."""
    ends = [end for curve in compat.active_curves(rig) for end in curve.range()]
    animation = rig.animation_data
    if animation is not None and animation.use_nla:
        for track in animation.nla_tracks:
            if not track.mute:
                strips = [strip for strip in track.strips if not strip.mute]
                ends += [end for s in strips for end in (s.frame_start, s.frame_end)]
    if not ends or min(ends) == max(ends):
        scene = bpy.context.scene
        return float(scene.frame_start), float(scene.frame_end)
    return min(ends), max(ends)


def load(path: Path, animated: bool, with_windows: bool = False) -> None:
    """Open or import; ScaleMoGenError that says what to do if that cannot be.

    ``with_windows``: a .blend's windows and workspaces, too, for one that is saved again.
    """
    loaders: dict[str, Callable[[str], None]] = {
        ".blend": lambda name: _load_blend(name, with_windows),
        ".fbx": lambda name: compat.import_fbx(name, animated),
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


def _load_blend(path: str, with_windows: bool) -> None:
    # Scripts and driver expressions of a file that somebody sent must not run.
    bpy.ops.wm.open_mainfile(filepath=path, load_ui=with_windows, use_scripts=False)


def _import_gltf(path: str) -> None:
    render = bpy.context.scene.render
    render.fps, render.fps_base = _GLTF_FPS, 1.0
    bpy.ops.import_scene.gltf(filepath=path)


def _import_bvh(path: str) -> None:
    bpy.ops.import_anim.bvh(
        filepath=path, rotate_mode="QUATERNION", use_fps_scale=False, update_scene_fps=True
    )


def best_armature(
    path: Path, prefer: Callable[[bpy.types.Object], bool] = lambda _: False
) -> bpy.types.Object:
    """The armature with most mapped bones; ScaleMoGenError if there is none with hips and legs.

    Of equal ones that which deforms most meshes. ``prefer`` goes before all that, among those
    with hips and legs.
    """
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

    def worth(o: bpy.types.Object) -> tuple[bool, bool, int, int]:
        found = retarget.best_effort_map(*names_and_parents(o), rest_heads(o))
        usable = all(found.bones.get(slot) for slot in retarget.REQUIRED)
        meshes = sum(member.type == "MESH" for member in character.members(o))
        return usable, usable and prefer(o), found.joint_count, meshes

    best = max(armatures, key=worth)
    retarget.map_bones(*names_and_parents(best), best.name, rest_heads(best))
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
    bone_map = retarget.map_bones(rest.bone_names, rest.parents, rig.name, rest.heads)
    measured = retarget.rig_leg_length(rest, bone_map)

    def misfit(unit: float) -> float:
        ratio = max(measured * unit, 1e-9) / _HUMAN_LEG
        return max(ratio, 1.0 / ratio)

    unit = min(_BVH_UNITS, key=misfit)
    rig.scale = [factor * unit for factor in rig.scale]


def _to_first_frame(rig: bpy.types.Object) -> None:
    curves = compat.active_curves(rig)
    first = min((curve.range()[0] for curve in curves), default=1.0)
    bpy.context.scene.frame_set(int(first), subframe=float(first % 1.0))


def _free(rig: bpy.types.Object, keep_pose: bool) -> None:
    """Take away what would override or mix with the new action."""
    is_own_file = bool(bpy.data.filepath)
    above: bpy.types.Object | None = rig
    while above is not None:  # an empty above an imported rig may be animated, too
        if above.animation_data is not None and (above == rig or not is_own_file):
            if keep_pose:
                above.animation_data.use_nla = False
                above.animation_data.action = None
            else:
                above.animation_data_clear()
        above = above.parent
    rig.data.pose_position = "POSE"
    bone_map = retarget.best_effort_map(*names_and_parents(rig), rest_heads(rig))
    mapped = {name for chain in bone_map.bones.values() for name in chain}
    for bone in rig.pose.bones:
        if not keep_pose:
            bone.matrix_basis = Matrix()
        if bone.name in mapped:
            for constraint in bone.constraints:
                constraint.mute = True
    bpy.context.view_layer.update()
