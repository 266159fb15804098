"""Files that somebody else made: damaged or malicious properties never raise in Blender's calls."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.results_scripts import PRELUDE, asker

pytestmark = pytest.mark.blender

NASTY = """
from scalemogen_blender.generate import order
from scalemogen_blender.results import handlers, panel, regenerate
from tests import panel_fakes

TEXTS = [
    "", "{", "[]", "null", "3", "{}", "[" * 100000, '{"bones": 3}', '{"playback": true}',
    '{"model": "\\\\ud800", "prompt": "\\\\ud800"}', '{"device": "a\\\\u0000b"}',
    '{"preview_range": 5, "frame": "x", "layers": [], "fps": null, "range": {}}',
    '{"preview_range": [1, 1e400, "x"], "frame": [NaN, Infinity], "playback": [1]}',
    '{"frame": [1e99, 0], "fps": [0, 0], "layers": {"ViewLayer": 4}, "playback": 0}',
]

def draw_all():
    for cls in (panel.SCALEMOGEN_PT_results, panel.SCALEMOGEN_PT_result_details,
                bpy.types.SCALEMOGEN_PT_generate, bpy.types.SCALEMOGEN_PT_rig,
                bpy.types.SCALEMOGEN_PT_rig_bone_map, bpy.types.SCALEMOGEN_PT_output):
        panel_fakes.draw(cls, bpy.context)
"""


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[..., object]:
    return asker(run_in_blender, tmp_path, PRELUDE + NASTY)


def test_damaged_settings_of_a_result_are_none(ask_blender):
    found = ask_blender("""
rig, scene = mannequin(), bpy.context.scene
said = set()
land(rig=rig, count=1)
for text in [*TEXTS, '{"prompt": "x", "seed": Infinity}', '{"prompt": "x", "seed": "1"}']:
    item = listed().entries[0]
    item.settings = text
    draw_all()
    said.add(refusal(regenerate.request_of, regenerate.settings_of_item(item), False) or "")
    ops.result_accept()
    rig.animation_data.action = item.accepted = None
answer(sorted(said))
""")
    assert len(found) == 2 and found[0] == "", found  # one of them was whole
    assert "does not say how it was made" in found[1]


def test_a_damaged_memory_of_the_scene_still_lets_the_preview_end(ask_blender):
    found = ask_blender("""
rig, scene = mannequin(), bpy.context.scene
own = keyed(rig)
ends = []
for text in TEXTS[1:]:
    land(rig=rig, count=1)
    listed().scene_snapshot = text
    order.timeline(scene)
    draw_all()
    ops.result_stop()
    ends.append([listed().playing_uid, listed().scene_snapshot, rig.animation_data.action == own])
for text in TEXTS:
    land(rig=rig, count=2)
    listed().scene_snapshot = text
    draw_all()
    ops.result_play(index=1)
    ops.results_clear()
    preview.end_on(rig)
    rig.animation_data.action = own
answer(ends)
""")
    assert all(end == ["", "", True] for end in found), found


def test_a_damaged_memory_of_the_rig_still_gives_its_action_back(ask_blender):
    found = ask_blender("""
rig, scene = mannequin(), bpy.context.scene
own = keyed(rig)
ends = []
whole = None
def variants():
    random.seed(0)
    yield from TEXTS[1:]
    for key in whole:
        yield json.dumps({k: v for k, v in whole.items() if k != key})
        yield json.dumps(whole | {key: random.choice([7, ["x", None], {"x": None}])})
    for key in whole["animation"]:
        yield json.dumps(whole | {"animation": whole["animation"] | {key: {"x": [3]}}})
land(rig=rig, count=1)
whole = json.loads(listed().rig_snapshot.state)
ops.result_stop()
for text in variants():
    land(rig=rig, count=1)
    listed().rig_snapshot.state = rig.animation_data.action.scalemogen_snapshot.state = text
    draw_all()
    ops.result_stop()
    ends.append([listed().playing_uid, rig.animation_data.action == own, text[:60]])
answer(ends)
""")
    assert all(end[:2] == ["", True] for end in found), found


def test_animated_values_of_a_file_reach_nothing_but_the_rig(ask_blender):
    """What a preview remembers cannot be used to change other data of the file."""
    found = ask_blender("""
from scalemogen_blender.results import rig_snapshot
rig, scene = mannequin(), bpy.context.scene
other = bpy.data.objects.new("Other", None)
scene.collection.objects.link(other)
rig.parent = other
rig["mine"] = 1.0
state = rig_snapshot.capture(rig)
state["values"] = {"parent.location": [5.0, 5.0, 5.0], 'parent["x"]': 1.0, '["mine"]': 2.0,
                   "hide_render": True, "parent.hide_render": True, "location": {"x": 1},
                   "no.such": 1.0, "": 1.0, "name": "renamed", '["': 3, "__class__": 4}
rig_snapshot.restore_pose(rig, state)
answer([list(other.location), "x" in other, other.hide_render, rig["mine"], rig.hide_render])
""")
    assert found == [[0.0, 0.0, 0.0], False, False, 2.0, True]


def test_objects_of_another_type_are_no_rigs(ask_blender):
    """Pointers are only filtered in the interface; a file may hold anything."""
    found = ask_blender("""
rig, scene = mannequin(), bpy.context.scene
land(rig=rig, count=2)
mesh = bpy.data.objects.new("Mesh", bpy.data.meshes.new("Mesh"))
empty = bpy.data.objects.new("Empty", None)
poseless = bpy.data.objects.new("Poseless", bpy.data.armatures.new("Poseless"))
for o in (mesh, empty):
    scene.collection.objects.link(o)
said = []
for o in (mesh, empty, poseless):
    for item in listed().entries:
        item.rig = o
    scene.scalemogen.rig.target = o
    draw_all()
    handlers._remember()
    listed().active_index = 0
    listed().playing_uid = "changed"
    handlers._keep_poses()
    said.append(preview.problem(scene, listed().entries[1]) is None)
    preview.stop(scene)
answer(said)
""")
    assert all(found), "the armature of the scene takes their place"


def test_rows_and_corrections_of_a_file_may_be_anything(ask_blender):
    ask_blender("""
rig, scene = mannequin(), bpy.context.scene
group = scene.scalemogen.rig
row = group.rows.add()
row.name = "no such joint {0}"
record = group.records.add()
record.object = rig
for name, bones in (("nonsense", ["x"]), ("left_hip", ["no such bone"]), ("spine", ["", ""]),
                    ("left_hip", []), ("head", ["x" * 60])):
    slot = record.slots.add()
    slot.name = name
    for bone in bones:
        slot.bones.add().name = bone
draw_all()
ops.rig_map_reset()
draw_all()
answer(0)
""")


def test_a_linked_rig_may_have_the_name_of_another(ask_blender):
    found = ask_blender("""
rig, scene = mannequin(), bpy.context.scene
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "library.blend"), copy=True)
with bpy.data.libraries.load(str(folder / "library.blend"), link=True) as (there, here):
    here.objects = ["Mannequin"]
linked = here.objects[0]
scene.collection.objects.link(linked)
land(rig=rig, count=1)
found = []
for o in (rig, linked):
    listed().entries[0].rig = o
    found.append(preview.problem(scene, listed().entries[0]))
answer([rig.name == linked.name, *found])
""")
    assert found[0]
    assert found[1] is None
    assert "library override" in found[2]
