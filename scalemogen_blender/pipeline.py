"""A motion onto a rig and into a file: what the command line does with Blender.

The panel uses the same parts (bake, export, edit) on the artist's own scene; ``open_…`` are only
for a Blender without a window, because they replace the scene.
"""

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import armature, bake, character, edit_file, mannequin, rig_import, rigify_rig
from . import export as exporting
from ._core import errors, retarget, rotations
from ._core import motion as motions
from .output import fbx
from .recognising import recognised
from .rig import abilities, controls

_RIG_KEY = "scalemogen_rig"
_PRESETS: "Mapping[str, fbx.Preset]" = {"plain": "PLAIN", "unreal": "UNREAL", "unity": "UNITY"}
#: Poses that stand for the rest poses of opened rigs, by ``session_uid``.
_references: dict[int, np.ndarray] = {}


def open_rig(rig: str = "mannequin", reference: str = "rest") -> bpy.types.Object:
    """Start an empty scene and put a rig into it.

    ``rig`` is "mannequin", "rigify" (Rigify's human metarig) or the path of a .blend, .fbx, .glb,
    .gltf or .bvh file. ``reference`` "pose" lets the pose in the file (a .blend's saved one, else
    the first frame) stand for the rest pose. ScaleMoGenError if the file is unreadable, or has no
    armature with legs.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _references.clear()
    builders = {"mannequin": mannequin.build, "rigify": rigify_rig.build}
    if rig in builders:
        opened = builders[rig]()
        opened.data.pose_position = "POSE"
    elif reference == "pose":
        opened, pose = rig_import.open_posed(Path(rig))
        _references[opened.session_uid] = pose
    else:
        opened = rig_import.open_file(Path(rig))
    bpy.context.scene[_RIG_KEY] = opened.name
    bpy.context.view_layer.update()
    return opened


def retargeter(
    rig: bpy.types.Object, bone_map: "retarget.BoneMap | None" = None
) -> "retarget.Retargeter":
    """Map and measure a rig; ScaleMoGenError if it has no hips or legs."""
    bones = recognised(rig, bone_map)
    with character.evaluated(rig):
        rest = armature.read_rest_rig(rig)
        posed = _references.get(rig.session_uid)
        reference = None if posed is None else dataclasses.replace(rest, rest=posed)
        return controls.retargeter_for(rig, bones, rest, reference)


def check_rig(
    rig: bpy.types.Object,
    options: "retarget.RetargetOptions",
    bone_map: "retarget.BoneMap | None" = None,
) -> "retarget.BoneMap":
    """The rig's map, if a motion can be put on it with these options; else ScaleMoGenError."""
    retargeter(rig, bone_map)
    found = recognised(rig, bone_map)
    able = abilities.of_rig(rig, found)
    if options.root == "ROOT_BONE" and not able.root_bone:
        raise errors.ScaleMoGenError(
            f"The armature '{rig.name}' has no bone above the hips; use --root object or hips."
        )
    if options.controls == "IK" and not able.both_controls:
        raise errors.ScaleMoGenError(
            f"The armature '{rig.name}' has no controls of inverse kinematics; use --controls fk."
        )
    return found


def retarget_onto(
    rig_object: bpy.types.Object,
    motion: "motions.Motion",
    name: str = "ScaleMoGen",
    properties: Mapping[str, Any] | None = None,
    options: "retarget.RetargetOptions | None" = None,
    bone_map: "retarget.BoneMap | None" = None,
    start_frame: int = bake.FIRST_FRAME,
) -> bpy.types.Action:
    """Put a canonical motion on a rig as its new active action.

    The first frame stands where the rig stands and faces where it faces. The scene takes the
    motion's frame rate, and its range from ``start_frame`` on; ``properties`` (prompt, seed, …)
    and the options become the action's own.
    """
    if motion.frame_count == 0:
        raise errors.ScaleMoGenError("The motion has no frames; generate at least one second.")
    options = options or retarget.RetargetOptions()
    channels = retargeter(rig_object, bone_map).transfer(motion, options)
    bake.set_scene_time(bpy.context.scene, motion.frame_count, motion.fps, start_frame)
    posed = rig_object.session_uid in _references
    remembered = {**(properties or {}), **bake.options_properties(options, posed)}
    action = bake.bake(rig_object, channels, name, remembered, start_frame)
    bpy.context.scene[_RIG_KEY] = rig_object.name
    bpy.context.scene.frame_set(start_frame)
    return action


def export(path: Path, rig: bpy.types.Object | None = None, fbx_for: str = "plain") -> None:
    """Write a rig (by default the one last opened or animated) as .fbx, .glb, .blend or .bvh.

    fbx_for: "plain", "unreal" or "unity".
    """
    rig = rig or bpy.data.objects.get(bpy.context.scene.get(_RIG_KEY, ""))
    if rig is None:
        raise errors.ScaleMoGenError("There is no rig to export; open one first.")
    exporting.export(rig, Path(path), preset=_PRESETS[fbx_for])


def open_motion(
    path: Path, bone_map: "retarget.BoneMap | None" = None
) -> "tuple[motions.Motion, retarget.BoneMap]":
    """The motion of an animated humanoid armature in a file, and how its bones were taken.

    The whole of its action (or strips), with constraints, at the file's frame rate. The scene is
    replaced. ScaleMoGenError for a file without such an armature.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _references.clear()
    rig = rig_import.open_animated(Path(path))
    first, last = rig_import.animated_range(rig)
    found = recognised(rig, bone_map)
    return motion_from_rig(rig, first, last, bone_map), found


def open_edit(
    path: Path, armature: str | None = None, bone_map: "retarget.BoneMap | None" = None
) -> "edit_file.EditFile":
    """A file whose animation is to be edited; it replaces what is open.

    ScaleMoGenError for a file without an animated humanoid, or with several and none named.
    """
    return edit_file.EditFile.open(Path(path), armature, bone_map)


def motion_from_rig(
    rig: bpy.types.Object,
    first: float | None = None,
    last: float | None = None,
    bone_map: "retarget.BoneMap | None" = None,
) -> "motions.Motion":
    """The canonical motion that a mapped rig shows between two frames of the scene.

    Default is the scene's range; one motion frame per scene frame, at the scene's frame rate.
    """
    scene = bpy.context.scene
    bones = recognised(rig, bone_map)
    with character.evaluated(rig):
        measured = controls.reader_for(rig, bones, armature.read_rest_rig(rig))
    frames = np.arange(
        scene.frame_start if first is None else first,
        (scene.frame_end if last is None else last) + 1e-3,
    )
    with character.shown([rig]):
        names, axes, heads = armature.sample_pose(rig, frames)
    hips = [names.index(measured.bone_map.bone(f"{side}_hip")) for side in ("left", "right")]
    axes = axes[:, [names.index(name) for name in measured.rig.bone_names]]
    return retarget.recover_motion(
        measured,
        rotations.matrix_to_quaternion(axes / np.linalg.norm(axes, axis=-2, keepdims=True)),
        heads[:, hips].mean(axis=1),
        bake.scene_fps(scene),
    )


def clean_up() -> None:
    """Remove Blender's folder for temporary files.

    For a process that ends with ``os._exit``, past the place where Blender does this itself.
    """
    folder = Path(bpy.app.tempdir)
    if folder.name.startswith("blender_"):  # never the folder of all programs, its fallback
        shutil.rmtree(folder, ignore_errors=True)
