"""Export in bpy: what the rig shows, in the panel's range and rate; the scene stays as it was."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.blender

TESTS = Path(__file__).parent
FORMATS = ["fbx", "gltf", "bvh"]
START = """
import contextlib, io, sys
from pathlib import Path
sys.path[:0] = [sys.argv[2], sys.argv[2] + "/blender_scripts"]
folder = Path(sys.argv[3])
import bpy
import numpy as np
import panel_fakes
import scalemogen_blender
from core.retarget import map_bones
from core.rotations import normalize
from scalemogen_blender import bake, compat, mannequin, results
from scalemogen_blender import rig as rigs
from scalemogen_blender.armature import names_and_parents
from scalemogen_blender.client.messages import Finished
from scalemogen_blender.output import exporting, panel
from scalemogen_blender._core import errors
from roundtrip import angle
from tests.synthetic import tumbling, walking

bpy.ops.wm.read_factory_settings(use_empty=True)
scalemogen_blender.register()
ops = bpy.ops.scalemogen
scene = bpy.context.scene
settings = scene.scalemogen.output
SUFFIX = {"fbx": ".fbx", "gltf": ".glb", "bvh": ".bvh"}
LIMBS = [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (
    ("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))]

def new_rig(kind="mannequin"):
    if kind == "rigify":
        import addon_utils
        addon_utils.enable("rigify", default_set=True)
        bpy.ops.object.armature_human_metarig_add()
        rig = bpy.context.object
    else:
        rig = mannequin.build()
    bpy.context.view_layer.objects.active = rig
    bpy.context.view_layer.update()
    return rig

def land(rig, motion, start=1, play=False):
    results.land(scene, rig, Finished(1, (motion,), (3,), {"prompt": "a walk"}), start, play)

def export(kind, name="out"):
    path = folder / (name + SUFFIX[kind])
    with contextlib.redirect_stdout(io.StringIO()):
        assert getattr(ops, f"export_{kind}")(filepath=str(path)) == {"FINISHED"}
    return path

def shown(rig, frames):
    "Heads of the mapped bones by slot [T, 3] at frames of the current scene."
    bones = {slot: chain[0] for slot, chain in map_bones(*names_and_parents(rig)).bones.items()}
    found = {slot: [] for slot in bones}
    current = bpy.context.scene
    for frame in frames:
        current.frame_set(int(np.floor(frame)), subframe=float(frame % 1.0))
        evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for slot, bone in bones.items():
            found[slot].append(np.array(evaluated.matrix_world @ evaluated.pose.bones[bone].head))
    return {slot: np.array(points) for slot, points in found.items()}

def imported(path, fps):
    "The armature of the file, in a new scene of that frame rate, and frames of its action."
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = fps
    if path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    elif path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    else:
        bpy.ops.import_anim.bvh(filepath=str(path), axis_forward="Y", axis_up="Z")
    rig = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    first, last = rig.animation_data.action.frame_range
    return rig, first, last

def same_pose(a, b):
    "Largest angle between limbs, in degrees, and largest difference of the hips' ways, in metres."
    turned = max(angle(normalize(a[q] - a[p]), normalize(b[q] - b[p])) for p, q in LIMBS)
    ways = [heads["pelvis"] - heads["pelvis"][:1] for heads in (a, b)]
    return turned, float(np.abs(ways[0] - ways[1]).max())

def refused(call, *arguments, **options):
    "The message of the error that the call ends with."
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            call(*arguments, **options)
    except (errors.ScaleMoGenError, RuntimeError) as error:
        return str(error)
    raise AssertionError("nothing was refused")
"""


@pytest.fixture
def in_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[[str], str]:
    def run(body: str) -> str:
        return run_in_blender(START + textwrap.dedent(body), TESTS, tmp_path, timeout=300)

    return run


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rig", ["mannequin", "rigify"])
@pytest.mark.parametrize(
    ("scene_fps", "rate", "own"), [(30, "SCENE", 0), (24, "RESULT", 30), (24, "CUSTOM", 60)]
)
def test_the_file_shows_what_the_rig_shows(in_blender, kind, rig, scene_fps, rate, own):
    """The baked clip and the re-imported one, limb by limb, at the same times."""
    in_blender(f"""
    scene.render.fps = {scene_fps}
    rig = new_rig({rig!r})
    land(rig, tumbling(5, 40, reach=0.7), start=8)
    ops.bake()
    settings.range, settings.frame_start, settings.frame_end = "CUSTOM", 11, 27
    settings.rate, settings.fps = {rate!r}, {own or 12}
    fps = {own or scene_fps}
    count = int((27 - 11) / {scene_fps} * fps + 1e-6) + 1
    wanted = shown(rig, 11 + np.arange(count) * {scene_fps} / fps)
    path = export({kind!r})
    again, first, last = imported(path, fps)
    assert abs(last - first - (count - 1)) < 1e-3, (first, last, count)
    found = shown(again, round(first) + np.arange(count))
    turned, way = same_pose(wanted, found)
    assert turned < 0.2 and way < 2e-3, (turned, way)
    """)


@pytest.mark.parametrize("root", ["HIPS", "ROOT_BONE"])
def test_a_bvh_file_of_a_rig_with_a_root_bone_walks(in_blender, root):
    """Hips below a root bone take their way with them, and only such bones have places."""
    in_blender(f"""
    scene.render.fps = 30
    rig = new_rig()
    land(rig, walking(30), start=1)
    ops.bake()
    plain = export("bvh", "plain").read_text()
    assert plain.count("CHANNELS 6") == 1
    bpy.ops.object.mode_set(mode="EDIT")
    ground = rig.data.edit_bones.new("Root")
    ground.head, ground.tail = (0.0, 0.0, 0.0), (0.0, 0.3, 0.0)
    rig.data.edit_bones["pelvis"].parent = ground
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.scalemogen.root = {root!r}
    land(rig, walking(30), start=1)
    ops.bake()
    wanted = shown(rig, range(1, 31))
    again, first, last = imported(export("bvh"), 30)
    found = shown(again, round(first) + np.arange(30))
    turned, way = same_pose(wanted, found)
    assert np.ptp(wanted["pelvis"], axis=0).max() > 0.2
    assert turned < 0.2 and way < 2e-3, (turned, way)
    """)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_preview_is_exported_and_goes_on(in_blender, kind):
    in_blender(f"""
    scene.render.fps = 30
    rig = new_rig()
    land(rig, walking(20), start=5, play=True)
    wanted = shown(rig, range(5, 25))
    scene.frame_set(9)
    action = rig.animation_data.action
    assert exporting.clip_name(scene, rig) == "a walk"
    path = export({kind!r})
    assert results.is_playing(scene) and rig.animation_data.action == action
    assert tuple(action.frame_range) == (5, 24)
    again, first, last = imported(path, 30)
    assert last - first == 19
    turned, way = same_pose(wanted, shown(again, round(first) + np.arange(20)))
    assert turned < 0.1 and way < 1e-3
    assert {kind!r} == "bvh" or [a.name for a in bpy.data.actions if "a walk" in a.name]
    """)


@pytest.mark.parametrize("kind", FORMATS)
def test_nla_strips_are_exported_as_they_are_seen(in_blender, kind):
    in_blender(f"""
    scene.render.fps = 30
    rig = new_rig()
    land(rig, walking(20), start=5)
    ops.result_accept(mode="NLA")
    assert rig.animation_data.action is None
    wanted = shown(rig, range(5, 25))
    path = export({kind!r})
    again, first, last = imported(path, 30)
    assert last - first == 19
    turned, way = same_pose(wanted, shown(again, round(first) + np.arange(20)))
    assert turned < 0.1 and way < 1e-3
    """)


_STATE = """
    def state():
        layer = bpy.context.view_layer
        render = scene.render
        return {
            "selected": sorted(o.name for o in layer.objects if o.select_get()),
            "active": layer.objects.active and layer.objects.active.name,
            "modes": sorted((o.name, o.mode) for o in bpy.data.objects),
            "hidden": sorted((o.name, o.hide_viewport, o.hide_select, o.hide_render,
                              o.name in layer.objects and o.hide_get()) for o in bpy.data.objects),
            "bones": sorted((o.name, b.name, tuple(np.ravel(b.matrix_basis)))
                            for o in bpy.data.objects if o.pose for b in o.pose.bones),
            "bone selection": compat.selected_bones(rig),
            "time": (scene.frame_current, scene.frame_subframe, scene.frame_start,
                     scene.frame_end, scene.use_preview_range, scene.frame_preview_start,
                     scene.frame_preview_end, render.fps, render.fps_base, render.frame_map_old,
                     render.frame_map_new),
            "scenes": [s.name for s in bpy.data.scenes],
            "collections": [c.name for c in bpy.data.collections],
            "actions": sorted((a.name, a.users, a.use_fake_user) for a in bpy.data.actions),
            "action": (rig.animation_data.action.name,
                       getattr(rig.animation_data, "last_slot_identifier", ""),
                       compat.slot_handle(rig.animation_data)),
            "keys": [tuple(p.co) + tuple(p.handle_left) + tuple(p.handle_right)
                     for c in compat.active_curves(rig) for p in c.keyframe_points],
        }
"""


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mode", ["OBJECT", "POSE", "two in POSE", "WEIGHT_PAINT"])
def test_the_scene_is_exactly_as_before(in_blender, kind, mode):
    in_blender(
        f"mode, kind = {mode!r}, {kind!r}\n"
        + textwrap.dedent(_STATE)
        + textwrap.dedent("""
    scene.render.fps, scene.render.fps_base = 24, 1.001
    scene.render.frame_map_old, scene.render.frame_map_new = 100, 110
    scene.name = "Shot 1"
    rig = new_rig()
    other = new_rig()
    land(rig, walking(30), start=-3)
    bpy.context.view_layer.objects.active = rig
    ops.bake()
    for c in compat.active_curves(rig):  # handles that would not survive being recalculated
        for p in c.keyframe_points:
            p.interpolation, p.handle_left_type, p.handle_right_type = "BEZIER", "FREE", "FREE"
            p.handle_left = p.co.x - 0.3, p.co.y + 0.01
            p.handle_right = p.co.x + 0.4, p.co.y + 0.02
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 2, 9
    for o in bpy.context.view_layer.objects:
        o.select_set(False)
    active = rig.children[0] if mode == "WEIGHT_PAINT" else rig
    for o in (rig, other) if mode == "two in POSE" else (active,):
        o.select_set(True)
    bpy.context.view_layer.objects.active = active
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode="POSE" if "POSE" in mode else mode)
    other.children[0].hide_set(True)
    rig.children[0].hide_select = True
    compat.select_bones(rig, ["head", "left_hip"])
    scene.frame_set(4, subframe=0.25)
    rig.pose.bones["head"].rotation_quaternion = (0.5, 0.5, 0.5, 0.5)  # not keyed yet
    rig.pose.bones["head"].location = (1, 2, 3)
    bpy.context.view_layer.update()
    settings.range, settings.frame_start, settings.frame_end = "CUSTOM", -3, 13
    for settings.rate in ("SCENE", "RESULT"):
        before = state()
        export(kind)
        after = state()
        assert before == after, {k: (before[k], after[k]) for k in before if before[k] != after[k]}
    # And when the exporter fails in the middle.
    (folder / "walk.fbx").mkdir()
    import scalemogen_blender.export as exporter
    exporter._is_empty = lambda path: True
    assert "wrote nothing" in refused(export, kind)
    assert state() == before
    """)
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_a_rig_in_another_scene_is_exported(in_blender, kind):
    in_blender(f"""
    scene.render.fps = 30
    rig = new_rig()
    land(rig, walking(10))
    ops.bake()
    other = bpy.data.scenes.new("Other")
    other.render.fps = 30
    bpy.context.window.scene = other
    other.scalemogen.rig.target = rig
    assert len(other.objects) == 0
    path = export({kind!r})
    assert len(other.objects) == 0 and len(bpy.data.collections) == 0
    again, first, last = imported(path, 30)
    assert last - first == 9
    """)


def test_the_panels_range_and_rate_decide(in_blender):
    in_blender("""
    scene.render.fps = 24
    rig = new_rig()
    land(rig, walking(61), start=10)
    ops.bake()
    scene.frame_start, scene.frame_end = 1, 100
    clips = {}
    for settings.range in ("RESULT", "SCENE", "PREVIEW"):
        clip = exporting.clip_of(scene, rig)
        clips[settings.range] = (clip.first, clip.last, clip.fps)
    assert clips == {"RESULT": (10, 58, None), "SCENE": (1, 100, None), "PREVIEW": (1, 100, None)}
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 20, 30
    settings.rate = "RESULT"
    clip = exporting.clip_of(scene, rig)
    assert (clip.first, clip.last, clip.fps, clip.name) == (20, 30, 30.0, "a walk")
    """)


@pytest.mark.parametrize("kind", FORMATS)
def test_exporting_says_why_it_cannot_and_leaves_no_file(in_blender, kind):
    in_blender(f"""
    kind = {kind!r}
    operator, suffix = getattr(ops, "export_" + kind), SUFFIX[kind]
    assert "no armature" in refused(operator, filepath=str(folder / "a"))
    rig = new_rig()
    assert "no animation" in refused(operator, filepath=str(folder / "a"))
    land(rig, walking(10))
    ops.bake()
    there = sorted(p.name for p in folder.iterdir())
    wrong = ".bvh" if kind == "fbx" else ".fbx"
    message = refused(operator, filepath=str(folder / "a") + wrong)
    assert f"'a{{wrong}}' is no {{suffix}} file" in message
    assert "Name a" in refused(operator, filepath="")
    assert "no folder" in refused(operator, filepath=str(folder / "absent" / "a"))
    (folder / ("folder" + suffix)).mkdir()
    assert "is a folder" in refused(operator, filepath=str(folder / "folder") + suffix)
    settings.range, settings.frame_start, settings.frame_end = "CUSTOM", 9, 2
    assert "before it begins" in refused(operator, filepath=str(folder / "a"))
    settings.range = "SCENE"
    bpy.ops.object.mode_set(mode="EDIT")
    assert "Edit Mode" in refused(operator, filepath=str(folder / "a"))
    bpy.ops.object.mode_set(mode="OBJECT")
    assert sorted(p.name for p in folder.iterdir() if not p.name.startswith("folder")) == there
    # A name without suffix gets one, an existing file is replaced.
    (folder / ("a" + suffix)).write_text("old")
    with contextlib.redirect_stdout(io.StringIO()):
        assert operator(filepath=str(folder / "a")) == {{"FINISHED"}}
    assert (folder / ("a" + suffix)).stat().st_size > 1000
    """)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_disabled_exporter_is_named_and_not_enabled(in_blender, kind):
    in_blender(f"""
    import addon_utils
    kind = {kind!r}
    module = {{"fbx": "io_scene_fbx", "gltf": "io_scene_gltf2", "bvh": "io_anim_bvh"}}[kind]
    rig = new_rig()
    land(rig, walking(10))
    ops.bake()
    addon_utils.disable(module, default_set=True)
    message = refused(getattr(ops, "export_" + kind), filepath=str(folder / "a"))
    assert "exporter is disabled" in message and "Preferences > Add-ons" in message
    assert module not in bpy.context.preferences.addons
    title = addon_utils.module_bl_info(
        next(m for m in addon_utils.modules(refresh=False) if m.__name__ == module))["name"]
    assert f"'{{title}}'" in message, (title, message)
    """)


def test_the_success_is_reported_with_name_and_size(in_blender):
    output = in_blender("""
    rig = new_rig()
    land(rig, walking(10))
    ops.bake()
    for kind in SUFFIX:
        getattr(ops, "export_" + kind)(filepath=str(folder / "walk"))
    """)
    for name in ("walk.fbx", "walk.glb", "walk.bvh"):
        assert f"Exported {name} (" in output


def test_the_panel_has_settings_and_buttons(in_blender):
    in_blender("""
    def names():
        return [item.name for item in panel_fakes.draw(panel.SCALEMOGEN_PT_output, bpy.context)
                if item.name]
    ways = ["simplify", "scalemogen.bake", "fbx_for", "scalemogen.export_fbx",
            "scalemogen.export_gltf", "scalemogen.export_bvh"]
    assert names() == ["range", "rate", "target", "start", *ways]
    settings.range = settings.rate = settings.start = "CUSTOM"
    settings.target = "ADDITIVE"
    assert names() == ["range", "frame_start", "frame_end", "rate", "fps", "target", "reference",
                       "start", "start_frame", *ways]
    settings.simplify = True
    assert names()[-7:-5] == ["simplify_angle", "simplify_distance"]
    """)
