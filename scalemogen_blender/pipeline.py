"""A motion onto a rig and into a file: what the command line does with Blender.

The panel will use the same parts (bake, export) on the artist's own scene; ``open_rig`` is only
for a Blender without a window, because it empties the scene.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import armature, bake, character, mannequin, rig_import, rigify_rig
from . import export as exporting
from ._core import errors, retarget, rotations, skeleton
from ._core import motion as motions

_RIG_KEY = "scalemogen_rig"


def open_rig(rig: str = "mannequin") -> bpy.types.Object:
    """Start an empty scene and put a rig into it.

    ``rig`` is "mannequin", "rigify" (Rigify's human metarig) or the path of a .blend, .fbx, .glb,
    .gltf or .bvh file. ScaleMoGenError if the file is unreadable, or has no armature with legs.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    builders = {"mannequin": mannequin.build, "rigify": rigify_rig.build}
    if rig in builders:
        opened = builders[rig]()
        opened.data.pose_position = "POSE"
    else:
        opened = rig_import.open_file(Path(rig))
    bpy.context.scene[_RIG_KEY] = opened.name
    bpy.context.view_layer.update()
    return opened


def retargeter(rig: bpy.types.Object) -> "retarget.Retargeter":
    """Map and measure a rig; ScaleMoGenError if it has no hips or legs."""
    with character.shown([rig]):
        rest = armature.read_rest_rig(rig)
    bone_map = retarget.map_bones(rest.bone_names, rest.parents, rig.name)
    return retarget.Retargeter.build(rest, bone_map, skeleton.canonical())


def retarget_onto(
    rig_object: bpy.types.Object,
    motion: "motions.Motion",
    name: str = "ScaleMoGen",
    properties: Mapping[str, Any] | None = None,
) -> bpy.types.Action:
    """Put a canonical motion on a rig as its new active action.

    The first frame stands where the rig stands and faces where it faces. The scene takes the
    motion's frame rate and range; ``properties`` (prompt, seed, …) become the action's own.
    """
    if motion.frame_count == 0:
        raise errors.ScaleMoGenError("The motion has no frames; generate at least one second.")
    channels = retargeter(rig_object).transfer(motion)
    bake.set_scene_time(bpy.context.scene, motion.frame_count, motion.fps)
    action = bake.bake(rig_object, channels, name, properties)
    bpy.context.scene[_RIG_KEY] = rig_object.name
    bpy.context.scene.frame_set(bake.FIRST_FRAME)
    return action


def export(path: Path, rig: bpy.types.Object | None = None) -> None:
    """Write a rig (by default the one last opened or animated) as .fbx, .glb, .blend or .bvh."""
    rig = rig or bpy.data.objects.get(bpy.context.scene.get(_RIG_KEY, ""))
    if rig is None:
        raise errors.ScaleMoGenError("There is no rig to export; open one first.")
    exporting.export(rig, Path(path))


def motion_from_rig(
    rig: bpy.types.Object, first: float | None = None, last: float | None = None
) -> "motions.Motion":
    """The canonical motion that a mapped rig shows between two frames of the scene.

    Default is the scene's range; one motion frame per scene frame, at the scene's frame rate.
    """
    scene = bpy.context.scene
    measured = retargeter(rig)
    frames = np.arange(
        scene.frame_start if first is None else first,
        (scene.frame_end if last is None else last) + 1,
    )
    with character.shown([rig]):
        names, axes, heads = armature.sample_pose(rig, frames)
    hips = [names.index(measured.bone_map.bone(f"{side}_hip")) for side in ("left", "right")]
    return retarget.recover_motion(
        measured,
        rotations.matrix_to_quaternion(axes / np.linalg.norm(axes, axis=-2, keepdims=True)),
        heads[:, hips].mean(axis=1),
        scene.render.fps / scene.render.fps_base,
    )


def clean_up() -> None:
    """Remove Blender's folder for temporary files.

    For a process that ends with ``os._exit``, past the place where Blender does this itself.
    """
    folder = Path(bpy.app.tempdir)
    if folder.name.startswith("blender_"):  # never the folder of all programs, its fallback
        shutil.rmtree(folder, ignore_errors=True)
