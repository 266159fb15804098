"""An animated rig into a file, through Blender's own exporters."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import character, compat
from ._core import errors, files
from .operator_errors import reason, without_tracebacks
from .output import clip as clips
from .output import stage
from .output.clip import Clip

#: Blender's exporter of each format, and the add-on that brings it.
EXPORTERS = {
    ".fbx": ("export_scene.fbx", "FBX format"),
    ".glb": ("export_scene.gltf", "glTF 2.0 format"),
    ".bvh": ("export_anim.bvh", "BioVision Motion Capture (BVH) format"),
}


def export(rig: bpy.types.Object, path: Path, clip: Clip | None = None) -> None:
    """Write the rig, its meshes and what it shows, in the format of the suffix.

    clip: frames and frame rate, by default the scene's; a .blend file is written as it is.
    The target is complete or untouched, the scene is afterwards as it was before.
    ScaleMoGenError for an unknown suffix, a folder that cannot be written, a full disk, Edit
    Mode, and where Blender's exporter is disabled.
    """
    path = Path(path)
    writers = {".fbx": _fbx, ".glb": _glb, ".blend": _blend, ".bvh": _bvh}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise errors.ScaleMoGenError(
            f"'{path}' has no format to write; name a {', '.join(writers)} file."
        )
    if found := missing_exporter(path.suffix):
        raise errors.ScaleMoGenError(f"{found}.")
    clip = clip or clips.of_scene(rig)
    with files.replacing(path) as temporary:
        temporary.unlink()  # Blender keeps a backup copy of a .blend that it finds
        try:
            with without_tracebacks():
                writer(rig, temporary, clip)
        except _NotSavedError as error:
            raise errors.ScaleMoGenError(
                f"Blender could not save '{path}'; the disk may be full: free space or choose "
                "another folder."
            ) from error
        except RuntimeError as error:  # what an operator's failure becomes
            raise OSError(reason(error)) from error
        if _is_empty(temporary):
            raise OSError("Blender wrote nothing")


def missing_exporter(suffix: str) -> str | None:
    """What to do if Blender's exporter of a format is disabled; None if it is there."""
    operator, addon = EXPORTERS.get(suffix.lower(), ("", ""))
    if not operator or compat.has_operator(operator):
        return None
    return f"Blender's exporter is disabled. Enable '{addon}' under Preferences > Add-ons"


class _NotSavedError(Exception):
    """Blender did not write a .blend; the reason that it reports is misleading."""


def _is_empty(path: Path) -> bool:
    return not path.is_file() or path.stat().st_size == 0


def _fbx(rig: bpy.types.Object, path: Path, clip: Clip) -> None:
    # Without a gap before the first frame, which the exporter would leave.
    with stage.alone(rig), clips.shown(rig, clip, from_zero=True):
        compat.call_operator(
            bpy.ops.export_scene.fbx,
            filepath=str(path),
            use_selection=True,
            object_types={"ARMATURE", "MESH", "EMPTY"},
            # Engines want metres as their unit on the armature itself, not a scale of 100 on it.
            apply_unit_scale=True,
            apply_scale_options="FBX_SCALE_ALL",
            axis_forward="-Z",
            axis_up="Y",
            add_leaf_bones=False,
            use_armature_deform_only=_deform_bones_suffice(rig),
            mesh_smooth_type="FACE",
            bake_anim=True,
            bake_anim_use_nla_strips=False,
            bake_anim_use_all_actions=False,
            bake_anim_use_all_bones=True,
            bake_anim_force_startend_keying=True,
            bake_anim_simplify_factor=0.0,
            path_mode="AUTO",
        )


def _glb(rig: bpy.types.Object, path: Path, clip: Clip) -> None:
    with stage.alone(rig), clips.shown(rig, clip, from_zero=False):
        compat.call_operator(
            bpy.ops.export_scene.gltf,
            filepath=str(path),
            export_format="GLB",
            use_selection=True,
            export_yup=True,
            export_skins=True,
            export_morph=True,
            export_animations=True,
            # What the scene shows in its range, be it an action, the NLA or constraints.
            export_animation_mode="SCENE",
            export_anim_scene_split_object=False,
            export_force_sampling=True,
            export_anim_slide_to_zero=True,
            export_optimize_animation_size=False,
            export_rest_position_armature=True,
            export_leaf_bone=False,
        )


def _blend(_rig: bpy.types.Object, path: Path, _clip: Clip) -> None:
    try:
        # Not compressed: Blender does not notice a full disk while it compresses.
        result = bpy.ops.wm.save_as_mainfile(
            filepath=str(path), copy=True, compress=False, check_existing=False
        )
    except RuntimeError as error:
        raise _NotSavedError from error
    finally:
        # Blender writes here first; on a full disk it would take the last space.
        path.with_name(path.name + "@").unlink(missing_ok=True)
    if "FINISHED" not in result or _is_empty(path):
        raise _NotSavedError


def _bvh(rig: bpy.types.Object, path: Path, clip: Clip) -> None:
    scene = bpy.context.scene
    with stage.alone(rig), clips.shown(rig, clip, from_zero=False):
        bpy.ops.export_anim.bvh(
            filepath=str(path),
            frame_start=scene.frame_start,
            frame_end=scene.frame_end,
            root_transform_only=True,
        )


def _deform_bones_suffice(rig: bpy.types.Object) -> bool:
    """Whether controls may be left out: all keyed bones, and all that carry objects, stay."""
    kept: set[str] = set()
    for bone in rig.data.bones:
        if bone.use_deform:
            kept.update((bone.name, *(parent.name for parent in bone.parent_recursive)))
    needed = {o.parent_bone for o in character.members(rig) if o.parent == rig and o.parent_bone}
    needed |= {curve.group.name for curve in compat.active_curves(rig) if curve.group}
    needed &= set(rig.data.bones.keys())
    return bool(kept) and needed <= kept
