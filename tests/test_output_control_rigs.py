"""Baking onto a generated Rigify rig over an action of the artist's, by FK and by IK."""

import textwrap

import pytest

pytestmark = pytest.mark.blender

SCRIPT = """
import sys
import bpy
import numpy as np
import scalemogen_blender
from scalemogen_blender import compat, results
from scalemogen_blender.client.messages import Finished
from tests.synthetic import walking

bpy.ops.wm.read_factory_settings(use_empty=True)
scalemogen_blender.register()
compat.enable_bundled_addon("rigify")
scene = bpy.context.scene
bpy.ops.object.armature_human_metarig_add()
meta = bpy.context.view_layer.objects.active
bpy.ops.pose.rigify_generate()
rig = next(o for o in bpy.data.objects if o.type == "ARMATURE" and o is not meta)
bpy.context.view_layer.objects.active = rig
DEFORM = [b.name for b in rig.data.bones if b.name.startswith("DEF-")]

def shown():
    found = []
    for frame in (5, 14, 23):
        scene.frame_set(frame)
        evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([evaluated.pose.bones[name].matrix for name in DEFORM])
    return np.array(found)

for frame in (-20, 60):
    rig.pose.bones["torso"].keyframe_insert("location", frame=frame)
    rig.pose.bones["chest"].keyframe_insert("rotation_quaternion", frame=frame)
rig.scalemogen.controls = {controls!r}
"""


@pytest.mark.parametrize("controls", ["FK", "IK"])
@pytest.mark.parametrize("target", ["OVERWRITE", "ADDITIVE"])
def test_a_result_is_baked_over_the_animation_of_a_control_rig(run_in_blender, controls, target):
    """Menus among the switches and the stretch of inverse kinematics are keyed, too."""
    body = f"""
    results.land(scene, rig, Finished(1, (walking(30),), (3,), {{"prompt": "a walk"}}), 1, True)
    wanted = shown()
    scene.scalemogen.output.target = {target!r}
    bpy.ops.scalemogen.bake()
    assert np.abs(shown() - wanted).max() < 2e-3, np.abs(shown() - wanted).max()
    """
    run_in_blender(SCRIPT.replace("{controls!r}", repr(controls)) + textwrap.dedent(body))
