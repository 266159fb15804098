"""What the tests of results share: a prelude for scripts inside Blender, and how to ask it."""

import json
from collections.abc import Callable
from pathlib import Path

PRELUDE = """
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
    rig = pipeline.open_rig("mannequin")
    bpy.context.scene.render.fps = 30
    return rig

def rig_of_file():
    return next(o for o in bpy.data.objects if o.type == "ARMATURE")

def keyed(rig, name="artist's own"):
    rig.animation_data_create().action = bpy.data.actions.new(name)
    for frame, angle in ((1, 0.0), (40, 1.0)):
        rig.pose.bones[2].rotation_quaternion = (1.0, angle, 0.0, 0.0)
        rig.pose.bones[2].keyframe_insert("rotation_quaternion", frame=frame)
    bpy.context.scene.frame_set(5)
    return rig.animation_data.action

def shown(frames):
    # World heads of all bones at some frames.
    scene, rig, found = bpy.context.scene, rig_of_file(), []
    for frame in frames:
        scene.frame_set(frame)
        evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([list(rig.matrix_world @ bone.head) for bone in evaluated.pose.bones])
    return np.array(found)

def state():
    # The file, and what the list says.
    r = listed()
    return dump() | {"results": [r.playing_uid, [i.uid for i in r.entries], r.active_index,
        [i.accepted.name if i.accepted else None for i in r.entries], bool(r.scene_snapshot),
        r.preview.name if r.preview else None]}

def refusal(action, *arguments, **options):
    try:
        action(*arguments, **options)
    except (ScaleMoGenError, RuntimeError) as error:
        return str(error).strip()
    return None
"""


#: After the prelude: edits as the engine would make them, and looking at keys.
EDITING = """
import json
from scalemogen_blender import compat
from scalemogen_blender.client.messages import EditRequest
from scalemogen_blender.edit import order
from scalemogen_blender.results import edits
from tests import session_fakes

def edit(rig, names=("left_arm",), first=12, last=30, count=2, play=True, operation="EDIT", **more):
    # An edit as the engine would make it, but for what it does: it bends the joints a little.
    scene = bpy.context.scene
    wanted = order.Order(operation, names, first, last, prompt="waves", **more)
    prepared = order.prepare(wanted, scene, rig)
    request = EditRequest(prepared.source, prepared.edit, tuple(range(7, 7 + count)))
    made = tuple(session_fakes.edited(request, seed) for seed in request.seeds)
    settings = {"prompt": "waves", "guidance": 3.0, "temperature": 1.0, "model": "open"}
    done = Finished(1, tuple(e.motion for e in made), request.seeds, settings, edited=made)
    return results.land_edits(scene, rig, done, prepared.made(), play)

def walking_rig(frames=60):
    rig = mannequin()
    pipeline.retarget_onto(rig, walking(frames))
    rig.animation_data.action.name = "Walk"
    return rig

def keys(rig, outside=None):
    # All keys of the rig's action as bytes; with ``outside`` only those outside that range.
    found = {}
    for curve in compat.active_curves(rig):
        points, columns = compat.read_keys(curve, {
            "interpolation": 0, "handle_left_type": 0, "handle_right_type": 0, "easing": 0})
        wanted = np.ones(len(points[0]), bool)
        if outside is not None:
            at = points[0][:, 0]
            wanted = (at < outside[0] - 0.01) | (at > outside[1] + 0.01)
        name = f"{curve.data_path}[{curve.array_index}]"
        found[name] = [c[wanted].tobytes() for c in [*points, *columns.values()]]
    return found

def changed(before, after):
    return sorted(name for name in before.keys() | after.keys()
                  if before.get(name) != after.get(name))
"""


def asker(
    run_in_blender: Callable[..., str], folder: Path, prelude: str = PRELUDE
) -> Callable[..., object]:
    """``ask(source, *arguments)`` runs a script that ends in ``answer(value)``, its value."""

    def ask(source: str, *arguments: object) -> object:
        output = run_in_blender(prelude + source, folder, *arguments, timeout=500)
        assert "Traceback" not in output, output
        line = next(li for li in output.splitlines() if li.startswith("ANSWER "))
        return json.loads(line.removeprefix("ANSWER "))

    return ask
