"""An animated rig into a file, through Blender's own exporters."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import bpy

from . import character, compat
from ._core import errors, files
from .operator_errors import reason, without_tracebacks


def export(rig: bpy.types.Object, path: Path) -> None:
    """Write the rig, its meshes and its active action, in the format of the suffix.

    The target is complete or untouched. ScaleMoGenError for an unknown suffix, a folder that
    cannot be written, a full disk.
    """
    path = Path(path)
    writers = {".fbx": _fbx, ".glb": _glb, ".blend": _blend, ".bvh": _bvh}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise errors.ScaleMoGenError(
            f"'{path}' has no format to write; name a {', '.join(writers)} file."
        )
    with files.replacing(path) as temporary:
        temporary.unlink()  # Blender keeps a backup copy of a .blend that it finds
        try:
            with without_tracebacks():
                writer(rig, temporary)
        except _NotSavedError as error:
            raise errors.ScaleMoGenError(
                f"Blender could not save '{path}'; the disk may be full: free space or choose "
                "another folder."
            ) from error
        except RuntimeError as error:  # what an operator's failure becomes
            raise OSError(reason(error)) from error
        if _is_empty(temporary):
            raise OSError("Blender wrote nothing")


class _NotSavedError(Exception):
    """Blender did not write a .blend; the reason that it reports is misleading."""


def _is_empty(path: Path) -> bool:
    return not path.is_file() or path.stat().st_size == 0


def _fbx(rig: bpy.types.Object, path: Path) -> None:
    with _only_selected(rig), _scene_named_after_action(rig), _starting_at_zero(rig):
        _call_fbx_exporter(rig, path)


def _call_fbx_exporter(rig: bpy.types.Object, path: Path) -> None:
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


def _glb(rig: bpy.types.Object, path: Path) -> None:
    with _only_selected(rig), _scene_named_after_action(rig):
        _call_gltf_exporter(rig, path)


def _call_gltf_exporter(rig: bpy.types.Object, path: Path) -> None:
    compat.call_operator(
        bpy.ops.export_scene.gltf,
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_yup=True,
        export_skins=True,
        export_morph=True,
        export_animations=True,
        export_animation_mode="ACTIVE_ACTIONS",
        export_nla_strips_merged_animation_name=_clip_name(rig),
        export_force_sampling=True,
        export_anim_slide_to_zero=True,
        export_optimize_animation_size=False,
        export_rest_position_armature=True,
        export_leaf_bone=False,
    )


def _clip_name(rig: bpy.types.Object) -> str:
    action = rig.animation_data.action if rig.animation_data else None
    return action.name if action is not None else "Animation"


def _blend(_rig: bpy.types.Object, path: Path) -> None:
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


def _bvh(rig: bpy.types.Object, path: Path) -> None:
    scene = bpy.context.scene
    with _only_selected(rig):
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


@contextlib.contextmanager
def _only_selected(rig: bpy.types.Object) -> Iterator[None]:
    """Show and select the rig and what belongs to it and nothing else, for a while."""
    objects = bpy.context.view_layer.objects
    before = [o for o in objects if o.select_get()]
    active = objects.active
    wanted = character.members(rig)
    with character.shown(wanted):
        try:
            for o in objects:
                o.select_set(o in wanted)
            objects.active = rig
            if not rig.select_get():
                raise errors.ScaleMoGenError(
                    f"The armature '{rig.name}' stays hidden in Blender, so it cannot be exported; "
                    "delete the driver or keys of its visibility."
                )
            yield
        finally:
            for o in objects:
                o.select_set(o in before)
            objects.active = active


@contextlib.contextmanager
def _starting_at_zero(rig: bpy.types.Object) -> Iterator[None]:
    """Let the clip begin at time zero; the FBX exporter would leave a gap before frame 1."""
    scene = bpy.context.scene
    start, end = scene.frame_start, scene.frame_end
    curves = compat.active_curves(rig)
    try:
        compat.shift_curves(curves, -start)
        scene.frame_start, scene.frame_end = 0, end - start
        yield
    finally:
        compat.shift_curves(curves, start)
        scene.frame_end, scene.frame_start = end, start
        scene.frame_set(start)


@contextlib.contextmanager
def _scene_named_after_action(rig: bpy.types.Object) -> Iterator[None]:
    """FBX calls its one take after the scene, and engines call the clip after the take."""
    scene = bpy.context.scene
    name = scene.name
    try:
        scene.name = _clip_name(rig)
        yield
    finally:
        scene.name = name
