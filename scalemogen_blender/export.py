"""An animated rig into a file, through Blender's own exporters."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path

import bpy

from . import compat
from ._core import errors, files
from .operator_errors import reason, without_tracebacks
from .output import clip as clips
from .output import fbx, skeletons, stage, stand_in
from .output.clip import Clip

#: Blender's exporter of each format, and the add-on that brings it.
EXPORTERS = {
    ".fbx": ("export_scene.fbx", "FBX format"),
    ".glb": ("export_scene.gltf", "glTF 2.0 format"),
    ".bvh": ("export_anim.bvh", "BioVision Motion Capture (BVH) format"),
}


def export(
    rig: bpy.types.Object, path: Path, clip: Clip | None = None, preset: fbx.Preset = "PLAIN"
) -> None:
    """Write the rig, its meshes and what it shows, in the format of the suffix.

    clip: frames and frame rate, by default the scene's; a .blend file is written as it is.
    preset: for whom an FBX file is: UNREAL, UNITY or PLAIN.
    The target is complete or untouched, the scene is afterwards as it was before.
    ScaleMoGenError for an unknown suffix, a folder that cannot be written, a full disk, Edit
    Mode, and where Blender's exporter is disabled.
    """
    path = Path(path)
    writers = {
        ".fbx": functools.partial(_fbx, settings=fbx.SETTINGS[preset]),
        ".glb": _glb,
        ".blend": _blend,
        ".bvh": _bvh,
    }
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


def _fbx(rig: bpy.types.Object, path: Path, clip: Clip, settings: fbx.Settings) -> None:
    scale_length = bpy.context.scene.unit_settings.scale_length
    # Without a gap before the first frame, which the exporter would leave.
    stands_in = settings.stands_in or skeletons.is_controlled(rig) or not clips.can_be_shifted(rig)
    with _on_stage(rig, clip, stands_in, settings.unit(scale_length), settings.armature):
        compat.call_operator(
            bpy.ops.export_scene.fbx,
            filepath=str(path),
            use_armature_deform_only=not stands_in and skeletons.deform_bones_suffice(rig),
            **settings.options(scale_length, stands_in),
        )


@contextlib.contextmanager
def _on_stage(
    rig: bpy.types.Object,
    clip: Clip,
    stands_in: bool,
    unit: float = 1.0,
    name: str | None = None,
    from_zero: bool = True,
) -> Iterator[None]:
    """The character, or a plain copy of it, selected in a scene that is the clip."""
    with stage.alone(rig), contextlib.ExitStack() as stack:
        if stands_in:
            stack.enter_context(stand_in.standing_in(rig, clip, unit, name))
        else:
            stack.enter_context(clips.shown(rig, clip, from_zero))
        yield


def _glb(rig: bpy.types.Object, path: Path, clip: Clip) -> None:
    with _on_stage(rig, clip, skeletons.is_controlled(rig), from_zero=False):
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
    with _on_stage(rig, clip, skeletons.is_controlled(rig), from_zero=False):
        bpy.ops.export_anim.bvh(
            filepath=str(path),
            frame_start=scene.frame_start,
            frame_end=scene.frame_end,
            # The usual file has places for its root alone; below a root bone the hips need theirs.
            root_transform_only=not _any_bone_travels(bpy.context.view_layer.objects.active),
        )


#: At so many frames a bone is looked for that leaves its place, by more than this share of the rig.
_LOOKS, _STAYS = 24, 1e-4


def _any_bone_travels(rig: bpy.types.Object) -> bool:
    """Whether a bone below another leaves its place there within the scene's range."""
    scene = bpy.context.scene
    current, subframe = scene.frame_current, scene.frame_subframe
    bones = [bone.name for bone in rig.data.bones if bone.parent and not bone.use_connect]
    rest = {bone.name: bone.matrix_local for bone in rig.data.bones}
    size = max(rig.dimensions) / max(1e-12, *map(abs, rig.matrix_world.to_scale()))
    count = min(_LOOKS, scene.frame_end - scene.frame_start + 1)
    step = (scene.frame_end - scene.frame_start) / max(count - 1, 1)
    try:
        for look in range(count):
            scene.frame_set(scene.frame_start + round(look * step))
            for name in bones:
                bone = rig.pose.bones[name]
                above = bone.parent.matrix @ rest[bone.parent.name].inverted()
                place = above @ rest[name].to_translation()
                if (bone.matrix.to_translation() - place).length > _STAYS * size:
                    return True
    finally:
        scene.frame_set(current, subframe=subframe)
    return False
