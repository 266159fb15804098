"""Results inside Blender: played on a rig, stopped, accepted, rejected, whatever the artist does."""

import json
import os
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.blender

_PRELUDE = """
import json, sys, os, random
from pathlib import Path
sys.path.insert(0, "tests/blender_scripts")
import bpy, numpy as np
import scalemogen_blender
scalemogen_blender.register()
import artist_file
from artist_file import differences, dump
from scalemogen_blender import pipeline, results
from scalemogen_blender.client.messages import Finished
from scalemogen_blender.results import preview
from core.errors import ScaleMoGenError
from tests.synthetic import tumbling, walking
folder = Path(sys.argv[2])
ops = bpy.ops.scalemogen

def answer(value):
    print("ANSWER " + json.dumps(value))

def finished(count=3, frames=24, prompt="a person walks"):
    motions = tuple(walking(frames) if i == 0 else tumbling(i, frames + i) for i in range(count))
    return Finished(1, motions, tuple(range(7, 7 + count)), {
        "prompt": prompt, "seconds": 0.8, "guidance": 3.0, "temperature": 1.0, "cleanup": True,
        "model": "open", "device": "cpu", "engine": "1.0"})

def land(scene=None, rig=None, start=10, play=True, **options):
    scene = scene or bpy.context.scene
    uids = results.land(scene, rig, finished(**options), start, play)
    assert not scene.scalemogen.results.message, scene.scalemogen.results.message
    return uids

def listed(scene=None):
    return (scene or bpy.context.scene).scalemogen.results

def step(operator, **options):
    # True: with an undo step, as when a button is pressed.
    return operator("EXEC_DEFAULT", True, **options)

def mannequin():
    return pipeline.open_rig("mannequin")

def rig_of_file():
    return next(o for o in bpy.data.objects if o.type == "ARMATURE")

def keyed(rig, name="artist's own"):
    rig.animation_data_create().action = bpy.data.actions.new(name)
    for frame, angle in ((1, 0.0), (40, 1.0)):
        rig.pose.bones[2].rotation_quaternion = (1.0, angle, 0.0, 0.0)
        rig.pose.bones[2].keyframe_insert("rotation_quaternion", frame=frame)
    bpy.context.scene.frame_set(5)
    return rig.animation_data.action
"""


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path) -> Callable[..., object]:
    """Run a script that ends in ``answer(value)``; return the value."""

    def ask(source: str, *arguments: object) -> object:
        output = run_in_blender(_PRELUDE + source, tmp_path, *arguments, timeout=500)
        line = next(li for li in output.splitlines() if li.startswith("ANSWER "))
        return json.loads(line.removeprefix("ANSWER "))

    return ask


def test_stop_brings_back_whatever_file_the_artist_has(ask_blender):
    """Random rigs, scenes and selections; results are played, changed and stopped."""
    count = int(os.environ.get("SCALEMOGEN_ARTIST_FILES", "25"))
    found = ask_blender(
        """
wrong = {}
for seed in range(int(sys.argv[3])):
    rig = artist_file.build(seed)
    rng = random.Random(seed)
    before, counted = dump(users=False), dump()
    land(rig=rig)
    assert rig.animation_data.action.name == preview.PREVIEW_NAME
    for _ in range(rng.randint(0, 3)):
        listed().active_index = rng.randint(0, 2)
        bpy.context.scene.frame_set(rng.randint(0, 40), subframe=0.5)
    if rng.random() < 0.5:
        ops.result_stop()
    else:
        ops.result_reject(index=next(i for i, item in enumerate(listed().entries)
                                     if item.uid == listed().playing_uid))
    if found := differences(before, dump(users=False)):
        wrong[seed] = found[:6]
    ops.results_clear()
    bpy.context.view_layer.update()
    if found := differences(counted, dump()):
        wrong.setdefault(seed, found[:6])
answer(wrong)
""",
        count,
    )
    assert found == {}
