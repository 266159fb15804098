"""Rig files as other programs write them, for the tests: run inside bpy.

``write_rig_file(path, style)``: an armature with the style's bone names and a small body, with
random bone rolls, as FBX (object scale 0.01 and turned 90 degrees, the way Blender imports
centimetre files) or .blend.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.coordinates import vectors_to_blender
from core.retarget.bone_map import schemes
from tests.synthetic import RigRecipe, rest_joints


@dataclass(frozen=True)
class Style:
    """Scheme of names, rest pose, spine bones, prefix of every bone, a root bone or none."""

    scheme: str
    recipe: RigRecipe
    spine: int
    prefix: str = ""
    root: str = ""
    modes: tuple[str, ...] = ("QUATERNION",)


STYLES = {
    "unreal A-pose": Style("unreal", RigRecipe(arm_drop=45.0, spread=6.0), 5, root="root"),
    "mixamo T-pose": Style("mixamo", RigRecipe(), 3, prefix="mixamorig:"),
    "mixamo A-pose": Style(
        "mixamo",
        RigRecipe(arm_drop=45.0, spread=4.0, size=1.25, heading=35.0, location=(1.0, 0.3, -2.0)),
        3,
        prefix="mixamorig7:",
        modes=("XYZ", "ZYX", "AXIS_ANGLE", "QUATERNION", "YXZ"),
    ),
}


def add_rig(style: Style, unit: float = 0.01, seed: int = 3) -> bpy.types.Object:
    """The armature object, in centimetres with Y up, under an object that undoes both."""
    rng = np.random.default_rng(seed)
    scheme = next(s for s in schemes() if s.name == style.scheme)
    joints = {n: vectors_to_blender(p) for n, p in rest_joints(style.recipe).items()}
    armature = bpy.data.armatures.new("Armature")
    rig = bpy.data.objects.new("Armature", armature)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    rig.matrix_world = Matrix.Rotation(np.radians(90.0), 4, "X") @ Matrix.Scale(unit, 4)
    to_armature = rig.matrix_world.inverted()
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.edit_bones

    def add(name: str, parent: str | None, head: np.ndarray, tail: np.ndarray) -> str:
        bone = bones.new(style.prefix + name)
        bone.head, bone.tail = to_armature @ Vector(head), to_armature @ Vector(tail)
        bone.roll = rng.uniform(-3.0, 3.0)
        if parent is not None:
            bone.parent = bones[style.prefix + parent]
        return name

    def length(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        # Importers rarely point bones along their limbs: neither do we.
        return a + np.linalg.norm(b - a) * rng.dirichlet([1, 1, 1]) * rng.choice([-1, 1], 3)

    above = add(style.root, None, np.zeros(3), np.array([0, 0.1, 0])) if style.root else None
    pelvis = above = add(
        scheme.bones["pelvis"][0],
        above,
        joints["pelvis"],
        length(joints["pelvis"], joints["spine1"]),
    )
    knots = [joints[n] for n in ("spine1", "spine2", "spine3", "neck")]
    for i in range(style.spine):
        at = i * 3 / style.spine
        low = int(at)
        head = knots[low] + (at - low) * (knots[low + 1] - knots[low])
        above = add(scheme.bones["spine"][i], above, head, length(head, knots[low + 1]))
    chest = above
    above = add(scheme.bones["neck"][0], above, joints["neck"], joints["head"])
    add(scheme.bones["head"][0], above, joints["head"], joints["head"] + [0, 0, 0.15])
    for side in ("left", "right"):
        for start, limb in (
            (pelvis, ("hip", "knee", "ankle", "foot")),
            (chest, ("collar", "shoulder", "elbow", "wrist")),
        ):
            above = start
            for part in limb:
                head = joints[f"{side}_{part}"]
                above = add(
                    scheme.bones[f"{side}_{part}"][0], above, head, length(head, head + 0.1)
                )
    bpy.ops.object.mode_set(mode="OBJECT")
    for i, bone in enumerate(rig.pose.bones):
        bone.rotation_mode = style.modes[i % len(style.modes)]
    _add_body(rig)
    return rig


def _add_body(rig: bpy.types.Object) -> None:
    """A little cube on every bone, so that the file has a skin."""
    mesh = bpy.data.meshes.new("Body")
    cube = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 2.0
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    bones = list(rig.data.bones)
    points = [tuple(c + np.array(b.head_local)) for b in bones for c in cube]
    mesh.from_pydata(
        points, [], [tuple(8 * i + k for k in q) for i in range(len(bones)) for q in quads]
    )
    body = bpy.data.objects.new("Body", mesh)
    bpy.context.scene.collection.objects.link(body)
    for i, bone in enumerate(bones):
        body.vertex_groups.new(name=bone.name).add(list(range(8 * i, 8 * i + 8)), 1.0, "REPLACE")
    body.parent = rig
    body.modifiers.new("Armature", "ARMATURE").object = rig


def write_rig_file(path: Path, style: str) -> None:
    """Make the style's rig in an empty scene and write it to a .fbx or .blend file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    add_rig(STYLES[style])
    bpy.context.view_layer.update()
    if path.suffix == ".fbx":
        bpy.ops.export_scene.fbx(filepath=str(path), add_leaf_bones=False, bake_anim=False)
    else:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
