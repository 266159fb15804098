"""Motions on rigs inside Blender: baked, exported, imported again."""

import json
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.blender

_PRELUDE = """
import contextlib, io, json, sys, os
from pathlib import Path
sys.path.insert(0, "tests/blender_scripts")
import bpy, numpy as np
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.rotations import rotation_angle
from core.skeleton import canonical
from scalemogen_blender import pipeline
from tests.synthetic import tumbling, walking
folder = Path(sys.argv[2])

def answer(value):
    print("ANSWER " + json.dumps(value))

def refusal(action, *arguments):
    noise = io.StringIO()
    try:
        with contextlib.redirect_stderr(noise):
            action(*arguments)
    except ScaleMoGenError as error:
        return str(error) + noise.getvalue()
    return None
"""


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path) -> Callable[[str], object]:
    """Run a script that ends in ``answer(value)``; return the value."""

    def ask(source: str, *arguments: object) -> object:
        output = run_in_blender(_PRELUDE + source, tmp_path, *arguments, timeout=500)
        line = next(li for li in output.splitlines() if li.startswith("ANSWER "))
        return json.loads(line.removeprefix("ANSWER "))

    return ask


@pytest.mark.parametrize(
    "rig", ["mannequin", "rigify", "unreal A-pose", "mixamo T-pose", "mixamo A-pose"]
)
def test_an_exported_fbx_shows_the_motion_when_imported_again(ask_blender, rig):
    """Limbs of the re-imported FBX against the motion's, degrees.

    The files have random bone rolls and axes, an object scale of 0.01 and a quarter turn; the last
    one also stands elsewhere, faces elsewhere, is larger and mixes all rotation modes.
    """
    errors = ask_blender(
        """
from roundtrip import round_trip
answer([round_trip(sys.argv[3], motion, folder) for motion in (walking(8), tumbling(5, 6))])
""",
        rig,
    )
    for baked, imported in errors:
        if rig == "rigify":
            # Its clavicles point 30 degrees back by build: only their slope follows the motion.
            # Its spine is bent a little so that the whole trunk leads where the motion's does.
            for part in ("clavicle", "spine"):
                del baked[part], imported[part]
        assert max(baked.values()) < 0.02
        assert max(imported.values()) < 0.1


def test_the_mannequin_walks_as_far_and_as_high_as_the_motion(ask_blender):
    worst = ask_blender(
        """
from core.retarget import RetargetOptions
from roundtrip import heads_over_time, import_animated_fbx
motion = walking(12)
rig = pipeline.open_rig("mannequin")
# Its feet slide on purpose: the lock would put that right.
pipeline.retarget_onto(rig, motion, "walk", options=RetargetOptions(feet="NEVER"))
pipeline.export(folder / "walk.fbx")
again = import_animated_fbx(folder / "walk.fbx")
# Blender imports time zero as frame 1: the clip has no gap in front.
assert tuple(again.animation_data.action.frame_range) == (1.0, 12.0)
assert (bpy.context.scene.render.fps, len(bpy.data.actions)) == (30, 1)
heads = heads_over_time(again, 12, 1)
names, positions = motion.skeleton.joint_names, motion.positions()
answer({n: float(abs(heads.get(n, positions[:, i]) - positions[:, i]).max())
        for i, n in enumerate(names)})
"""
    )
    assert max(worst.values()) < 1e-3, "metres"


def test_the_action_has_a_key_on_every_frame_and_remembers_where_it_came_from(ask_blender):
    found = ask_blender(
        """
rig = pipeline.open_rig("mannequin")
action = pipeline.retarget_onto(rig, walking(20, fps=24.0), "a walk",
    {"prompt": "walk", "seed": 2**40, "guidance": 2.5, "settings": {"top": [1, 2]}})
if hasattr(action, "slots"):
    curves = action.layers[0].strips[0].channelbag(rig.animation_data.action_slot).fcurves
else:
    curves = action.fcurves
keys = [sorted({len(c.keyframe_points) for c in curves}),
        sorted({p.interpolation for c in curves for p in c.keyframe_points}), len(curves)]
pipeline.export(folder / "walk.blend")
bpy.ops.wm.open_mainfile(filepath=str(folder / "walk.blend"))
kept, scene = bpy.data.actions["a walk"], bpy.context.scene
answer({
    "keys": keys,
    "properties": {k: kept[k] for k in kept.keys()},
    "fps": scene.render.fps / scene.render.fps_base,
    "range": [scene.frame_start, scene.frame_end],
    "frames": list(kept.frame_range),
    "animated": bpy.data.objects["Mannequin"].animation_data.action.name,
})
"""
    )
    assert found["keys"] == [[20], ["LINEAR"], 22 * 4 + 3]
    own = {
        "prompt": "walk",
        "seed": str(2**40),
        "guidance": 2.5,
        "settings": '{"top": [1, 2]}',
    }
    assert own.items() <= found["properties"].items()
    assert found["fps"] == pytest.approx(24.0)
    assert found["range"] == [1, 20] and found["frames"] == [1.0, 20.0]
    assert found["animated"] == "a walk"


def test_the_posed_rig_gives_the_motion_back(ask_blender):
    found = ask_blender(
        """
motion = tumbling(3, 8)
results = {}
for name in ("mannequin", "mixamo A-pose"):
    if name != "mannequin":
        from make_rigs import write_rig_file
        write_rig_file(folder / "rig.blend", name)
    rig = pipeline.open_rig("mannequin" if name == "mannequin" else str(folder / "rig.blend"))
    pipeline.retarget_onto(rig, motion, "turning")
    back = pipeline.motion_from_rig(rig)
    start = motion.root_positions - back.root_positions
    results[name] = [float(np.degrees(rotation_angle(back.rotations, motion.rotations).max())),
                     float(np.ptp(start, axis=0).max()), back.fps]
answer(results)
"""
    )
    for degrees, metres, fps in found.values():
        assert degrees < 0.01 and metres < 1e-4 and fps == pytest.approx(30.0)


def test_a_glb_has_the_skin_and_the_whole_animation(ask_blender):
    errors, meshes, clips = ask_blender(
        """
from roundtrip import heads_over_time, limb_errors
motion = walking(10)
rig = pipeline.open_rig("mannequin")
pipeline.retarget_onto(rig, motion, "walk")
pipeline.export(folder / "walk.glb")
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.render.fps = 30
bpy.ops.import_scene.gltf(filepath=str(folder / "walk.glb"))
again = next(o for o in bpy.data.objects if o.type == "ARMATURE")
first = round(again.animation_data.action.frame_range[0]) if again.animation_data.action else 0
skins = [o.name for o in bpy.data.objects
         if o.type == "MESH" and any(m.type == "ARMATURE" for m in o.modifiers)]
answer([limb_errors(heads_over_time(again, 10, first), motion, 0.0), skins,
        [a.name for a in bpy.data.actions]])
"""
    )
    assert max(errors.values()) < 0.1
    assert len(meshes) == 1
    assert len(clips) == 1 and clips[0].startswith("walk")


def test_a_bvh_file_is_a_rig_of_human_size(ask_blender):
    errors, hips = ask_blender(
        """
from core.bvh import write_bvh
from roundtrip import heads_over_time, limb_errors
write_bvh(folder / "in.bvh", tumbling(1, 5))
rig = pipeline.open_rig(str(folder / "in.bvh"))
motion = walking(8)
pipeline.retarget_onto(rig, motion, "walk")
heads = heads_over_time(rig, 8, 1)
answer([limb_errors(heads, motion, 0.0), float(np.ptp(heads["pelvis"][:, 2]))])
"""
    )
    assert max(errors.values()) < 0.02
    assert hips == pytest.approx(1.2 * 7 / 30, rel=0.02), "metres walked, not centimetres"


def test_bad_rigs_and_targets_are_one_clear_line(ask_blender):
    found = ask_blender(
        """
import resource, signal
(folder / "broken.fbx").write_bytes(b"Kaydara FBX Binary  " + bytes(40))
(folder / "broken.blend").write_bytes(b"no blend file")
(folder / "broken.glb").write_bytes(b"glTF" + bytes(30))
(folder / "rig.txt").write_text("spine")
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "empty.blend"), copy=True)
armature = bpy.data.armatures.new("Ghost")
ghost = bpy.data.objects.new("Ghost", armature)
bpy.context.scene.collection.objects.link(ghost)
bpy.context.view_layer.objects.active = ghost
bpy.ops.object.mode_set(mode="EDIT")
above = None
for i, name in enumerate(("hips", "spine", "neck", "head")):
    bone = armature.edit_bones.new(name)
    bone.head, bone.tail, bone.parent = (0, 0, i), (0, 0, i + 1), above
    above = bone
bpy.ops.object.mode_set(mode="OBJECT")
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "ghost.blend"), copy=True)
rigs = ["broken.fbx", "broken.blend", "broken.glb", "rig.txt", "absent.fbx", "empty.blend",
        "ghost.blend"]
found = {name: refusal(pipeline.open_rig, str(folder / name)) for name in rigs}

rig = pipeline.open_rig("mannequin")
pipeline.retarget_onto(rig, walking(10), "walk")
(folder / "file").write_text("")
before = sorted(p.name for p in folder.iterdir())
found["no suffix"] = refusal(pipeline.export, folder / "walk.obj")
for suffix in (".fbx", ".glb", ".blend"):
    found["no folder" + suffix] = refusal(pipeline.export, folder / "file" / ("walk" + suffix))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))  # like a disk that fills up
for suffix in (".fbx", ".glb", ".blend"):
    found["full disk" + suffix] = refusal(pipeline.export, folder / ("walk" + suffix))
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
found["left behind"] = sorted({p.name for p in folder.iterdir()} - set(before))
answer(found)
"""
    )
    assert found.pop("left behind") == []
    for case, message in found.items():
        assert message, f"{case} was accepted"
        assert "\n" not in message and "Traceback" not in message, case
    assert "File too large" in found["full disk.fbx"]
    assert "could not save" in found["full disk.blend"]
    assert "walk.blend'; the disk may be full: free space" in found["full disk.blend"]
    assert "hips" not in found["ghost.blend"]
    assert "left thigh" in found["ghost.blend"] and "right foot" in found["ghost.blend"]
    assert "no armature" in found["empty.blend"]
    assert "does not exist" in found["absent.fbx"]


_HIDING = """
from make_rigs import write_rig_file
from roundtrip import heads_over_time, limb_errors

def in_collection(objects):
    collection = bpy.data.collections.new("Character")
    bpy.context.scene.collection.children.link(collection)
    for o in objects:
        bpy.context.scene.collection.objects.unlink(o)
        collection.objects.link(o)
    return collection, bpy.context.view_layer.layer_collection.children["Character"]

def hide(how):
    objects = list(bpy.context.scene.objects)
    if how in ("hide_viewport", "hide_select"):
        for o in objects:
            setattr(o, how, True)
    elif how == "hide_set":
        for o in objects:
            o.hide_set(True)
    elif how == "another scene":
        other = bpy.data.scenes.new("Other")
        for o in objects:
            bpy.context.scene.collection.objects.unlink(o)
            other.collection.objects.link(o)
    else:
        collection, layer = in_collection(objects)
        owner, flag = {"eye": (layer, "hide_viewport"), "monitor": (collection, "hide_viewport"),
                       "arrow": (collection, "hide_select"), "excluded": (layer, "exclude")}[how]
        setattr(owner, flag, True)

def flags():
    layer = bpy.context.view_layer
    return sorted((o.name, o.hide_viewport, o.hide_select, o.name in layer.objects
                   and (o.hide_get(), o.select_get())) for o in bpy.data.objects)

def imported(path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 30
    if path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))
    return next((o for o in bpy.data.objects if o.type == "ARMATURE"), None)
"""


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_hidden_and_faraway_characters_are_exported_whole(ask_blender, suffix):
    """However a .blend hides its character, the file has the rig, its skin and the motion."""
    found = ask_blender(
        _HIDING
        + """
motion = walking(6)
found = {}
for how in ("hide_viewport", "hide_select", "hide_set", "eye", "monitor", "arrow", "excluded",
            "another scene"):
    write_rig_file(folder / "plain.blend", "mixamo T-pose")
    bpy.ops.wm.open_mainfile(filepath=str(folder / "plain.blend"))
    hide(how)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "hidden.blend"), copy=True)
    rig = pipeline.open_rig(str(folder / "hidden.blend"))
    pipeline.retarget_onto(rig, motion, "walk")
    before, collections = flags(), len(bpy.data.collections)
    pipeline.export(folder / ("hidden" + sys.argv[3]))
    restored = before == flags() and collections == len(bpy.data.collections)
    again = imported(folder / ("hidden" + sys.argv[3]))
    if again is None:
        found[how] = "no rig"
        continue
    first = round(again.animation_data.action.frame_range[0])
    heads = heads_over_time(again, 6, first)
    skins = [o.name for o in bpy.data.objects
             if o.type == "MESH" and any(m.type == "ARMATURE" for m in o.modifiers)]
    found[how] = [limb_errors(heads, motion, 0.0), float(np.ptp(heads["pelvis"][:, 2])), skins,
                  restored]
answer(found)
""",
        suffix,
    )
    assert len(found) == 8
    for how, result in found.items():
        assert result != "no rig", how
        limbs, walked, skins, restored = result
        assert max(limbs.values()) < 0.1, how
        assert walked == pytest.approx(1.2 * 5 / 30, rel=0.05), f"{how}: metres"
        assert skins == ["Body"], how
        assert restored, f"{how}: the scene is as it was before"


def test_a_rig_that_cannot_be_shown_is_one_clear_line_and_no_file(ask_blender):
    message, left = ask_blender(
        """
rig = pipeline.open_rig("mannequin")
pipeline.retarget_onto(rig, walking(4), "walk")
rig.driver_add("hide_viewport").driver.expression = "1"
bpy.context.view_layer.update()
answer([refusal(pipeline.export, folder / "walk.fbx"), (folder / "walk.fbx").exists()])
"""
    )
    assert message is not None and "stays hidden" in message and "driver" in message
    assert "\n" not in message and not left


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_props_on_bones_and_below_other_objects_come_along(ask_blender, suffix):
    """A sword on a hand, a gem on the sword, a hat on an empty on the head; no bone shapes."""
    found = ask_blender(
        _HIDING
        + """
def cube(name, parent, bone=""):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (0.1, 0, 0), (0, 0.1, 0)], [], [(0, 1, 2)])
    return attach(bpy.data.objects.new(name, mesh), parent, bone)

def attach(o, parent, bone):
    bpy.context.scene.collection.objects.link(o)
    o.parent = parent
    if bone:
        o.parent_type, o.parent_bone = "BONE", bone
    return o

motion = walking(6)
rig = pipeline.open_rig("mannequin")
from core.retarget import map_bones
from scalemogen_blender.armature import names_and_parents
bones = map_bones(*names_and_parents(rig)).bones
hand, head = bones["left_wrist"][0], bones["head"][0]
rig.data.bones[head].use_deform = False
sword = cube("Sword", rig, hand)
cube("Gem", sword)
holder = attach(bpy.data.objects.new("Holder", None), rig, head)
cube("Hat", holder)
cube("Floor", None)
shape = cube("Shape", rig)
rig.pose.bones[hand].custom_shape = shape
pipeline.retarget_onto(rig, motion, "walk")

def places():
    result = []
    for frame in (0, 5):
        bpy.context.scene.frame_set(frame + first)
        result.append([list(bpy.data.objects[n].matrix_world.translation) for n in
                       ("Sword", "Gem", "Hat")])
    return result

first = 1
wanted = places()
pipeline.export(folder / ("armed" + sys.argv[3]))
again = imported(folder / ("armed" + sys.argv[3]))
names = {o.name for o in bpy.data.objects}
first = round(again.animation_data.action.frame_range[0])
answer([sorted(names & {"Sword", "Gem", "Hat", "Floor", "Shape"}),
        float(np.abs(np.array(wanted) - places()).max())])
""",
        suffix,
    )
    assert found[0] == ["Gem", "Hat", "Sword"]
    assert found[1] < 1e-3, "metres"


def test_a_linked_character_is_told_apart_from_none(ask_blender):
    message, library = ask_blender(
        """
from make_rigs import write_rig_file
write_rig_file(folder / "library.blend", "mixamo T-pose")
bpy.ops.wm.read_factory_settings(use_empty=True)
with bpy.data.libraries.load(str(folder / "library.blend"), link=True) as (source, target):
    target.objects = source.objects
for o in target.objects:
    bpy.context.scene.collection.objects.link(o)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"), copy=True)
answer([refusal(pipeline.open_rig, str(folder / "shot.blend")), str(folder / "library.blend")])
"""
    )
    assert message is not None and "is linked from" in message and library in message
    assert "library override" in message and "\n" not in message


def test_an_exported_bvh_shows_the_motion_when_imported_again(ask_blender):
    limbs, walked = ask_blender(
        """
from roundtrip import heads_over_time, limb_errors
motion = walking(8)
rig = pipeline.open_rig("mannequin")
pipeline.retarget_onto(rig, motion, "walk")
pipeline.export(folder / "walk.bvh")
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_anim.bvh(filepath=str(folder / "walk.bvh"), axis_forward="Y", axis_up="Z")
again = next(o for o in bpy.data.objects if o.type == "ARMATURE")
heads = heads_over_time(again, 8, 1)
answer([limb_errors(heads, motion, 0.0), float(np.ptp(heads["pelvis"][:, 2]))])
"""
    )
    assert max(limbs.values()) < 0.1
    assert walked == pytest.approx(1.2 * 7 / 30, rel=0.02), "metres"


def test_the_saved_blend_keeps_the_scene_as_it_was(ask_blender):
    """Name of the scene, selection and visibility are the artist's; no helper is left in it."""
    found = ask_blender(
        """
rig = pipeline.open_rig("mannequin")
pipeline.retarget_onto(rig, walking(4), "walk")
bpy.context.scene.name = "Shot 1"
rig.hide_viewport = True
pipeline.export(folder / "walk.blend")
bpy.ops.wm.open_mainfile(filepath=str(folder / "walk.blend"))
answer([bpy.context.scene.name, bpy.data.objects["Mannequin"].hide_viewport,
        [c.name for c in bpy.data.collections if "ScaleMoGen" in c.name]])
"""
    )
    assert found == ["Shot 1", True, []]


def test_clean_up_removes_blenders_temporary_folder(ask_blender):
    before, after, around = ask_blender(
        """
temporary = Path(bpy.app.tempdir)
before = temporary.is_dir()
pipeline.clean_up()
pipeline.clean_up()
answer([before, temporary.exists(), temporary.parent.is_dir()])
"""
    )
    assert before and not after and around
