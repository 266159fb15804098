"""Exports for engines in bpy: read back, compared bone by bone, and looked into.

Every rig is exported, imported by Blender's own importer into a new scene, and all exported bones
and skinned vertices are compared with what the artist saw, frame by frame.
"""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_output_export import START as EXPORTS

pytestmark = pytest.mark.blender

TESTS = Path(__file__).parent
START = (
    EXPORTS
    + """
import addon_utils
from scalemogen_blender import export as exporter
from scalemogen_blender.output import clip as clips, skeletons
from scalemogen_blender.results import nla

FRAMES = range(5, 25)
scene.render.fps = 30

def bake(rig):
    land(rig, tumbling(5, 20, reach=0.7), start=5)
    ops.bake()
    settings.range, settings.frame_start, settings.frame_end = "CUSTOM", 5, 24

def generated():
    "Rigify's control rig, moved by its own controls, with a mesh on its deforming bones."
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    metarig = bpy.context.object
    bpy.ops.pose.rigify_generate()
    rig = next(o for o in bpy.data.objects if o.type == "ARMATURE" and "rig_id" in o.data)
    metarig.hide_viewport = True
    bpy.context.view_layer.objects.active = rig
    for name in ("torso", "upper_arm_fk.L", "thigh_fk.L", "hand_ik.R", "foot_ik.L", "head"):
        bone = rig.pose.bones[name]
        bone.rotation_mode = "QUATERNION"
        for frame, value in ((5, 0.0), (14, 0.4), (24, -0.3)):
            bone.rotation_quaternion = (1, value, 0, value / 2)
            bone.location = (value / 4, 0, value / 8)
            bone.keyframe_insert("rotation_quaternion", frame=frame)
            bone.keyframe_insert("location", frame=frame)
    skin(rig, "DEF-spine.003")
    settings.range, settings.frame_start, settings.frame_end = "CUSTOM", 5, 24
    return rig

def skin(rig, bone):
    mesh = bpy.data.meshes.new("skin")
    mesh.from_pydata([(0, 0, 1), (0.1, 0, 1.2), (0, 0.1, 1.4), (0, 0, 1.5)], [],
                     [(0, 1, 2), (1, 2, 3)])
    skinned = bpy.data.objects.new("Skin", mesh)
    scene.collection.objects.link(skinned)
    skinned.parent = rig
    skinned.vertex_groups.new(name=bone).add([0, 1, 2, 3], 1.0, "ADD")
    skinned.modifiers.new("Armature", "ARMATURE").object = rig
    return skinned

def world(rig, frames, names):
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        shown = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([shown.matrix_world @ shown.pose.bones[name].head for name in names])
    return np.array(found)

def vertices(o, frame):
    bpy.context.scene.frame_set(frame)
    shown = o.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([shown.matrix_world @ v.co for v in shown.data.vertices])

def seen(rig):
    names = sorted(skeletons.exported(rig))
    meshes = {o.name: vertices(o, 20) for o in bpy.data.objects if o.type == "MESH"
              and o.visible_get()}
    rest = {n: np.array(rig.matrix_world @ rig.data.bones[n].head_local) for n in names}
    return names, world(rig, FRAMES, names), meshes, rest

def write_fbx(rig, preset, name="out"):
    settings.fbx_for = preset
    before = sorted((o.name, o.users) for block in (bpy.data.objects, bpy.data.meshes,
        bpy.data.armatures, bpy.data.actions, bpy.data.materials) for o in block)
    path = export("fbx", name)
    after = sorted((o.name, o.users) for block in (bpy.data.objects, bpy.data.meshes,
        bpy.data.armatures, bpy.data.actions, bpy.data.materials) for o in block)
    assert before == after
    return path

def read(path):
    rig, first, last = imported(path, 30)
    bpy.context.view_layer.objects.active = rig
    rig.hide_set(False)
    bpy.ops.object.mode_set(mode="EDIT")  # the importer connects bones, which then cannot move
    for bone in rig.data.edit_bones:
        bone.use_connect = False
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig, round(first), round(last)

def compare(rig, first, names, wanted, meshes, rest, tolerance=1e-4):
    assert set(names) <= set(rig.data.bones.keys())
    found = world(rig, range(first, first + len(FRAMES)), names)
    size = np.ptp(wanted.reshape(-1, 3), axis=0).max()
    worst = np.abs(found - wanted).max() / size
    assert worst < tolerance, (worst, names[np.abs(found - wanted).max(axis=(0, 2)).argmax()])
    for o in [o for o in bpy.data.objects if o.type == "MESH" and o.name in meshes]:
        now = vertices(o, first + 15)  # in any order: formats divide vertices at hard edges
        apart = np.linalg.norm(now[:, None] - meshes[o.name][None], axis=-1)
        off = max(apart.min(axis=0).max(), apart.min(axis=1).max()) / size
        assert off < tolerance, (o.name, off)

def model_curve(path, model, node, axis):
    "Values of one of a model's animation curves."
    from io_scene_fbx import parse_fbx
    root, _ = parse_fbx.parse(str(path))
    one = lambda parent, name: next(e for e in parent.elems if e.id == name)
    objects = {e.props[0]: e for e in one(root, b"Objects").elems}
    links = [c.props for c in one(root, b"Connections").elems]
    name = model.encode()
    owner = next(k for k, e in objects.items()
                 if e.id == b"Model" and e.props[1].split(bytes(1))[0] == name)
    group = next(p[1] for p in links if p[2] == owner and p[3:] == [node])
    curve = next(p[1] for p in links if p[2] == group and p[3:] == [axis])
    return np.array(one(objects[curve], b"KeyValueFloat").props[0])

def header(path):
    "The settings in an FBX file, and its models: name, kind and scale."
    from io_scene_fbx import parse_fbx
    root, _ = parse_fbx.parse(str(path))
    one = lambda parent, name: next(e for e in parent.elems if e.id == name)
    settings = {e.props[0].decode(): e.props[4] for e in one(one(root, b"GlobalSettings"),
        b"Properties70").elems if len(e.props) == 5}
    models = {}
    for e in one(root, b"Objects").elems:
        if e.id == b"Model":
            values = {p.props[0]: p.props[4:] for p in one(e, b"Properties70").elems}
            models[e.props[1].split(b"\\x00")[0].decode()] = (
                e.props[2].decode(), values.get(b"Lcl Scaling", (1.0, 1.0, 1.0)))
    times = [t for e in one(root, b"Objects").elems if e.id == b"AnimationCurve"
             for t in one(e, b"KeyTime").props[0]]
    takes = [e.props[0].decode() for e in one(root, b"Takes").elems if e.id == b"Take"]
    return settings, models, times, takes
"""
)


@pytest.fixture
def in_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[[str], str]:
    def run(body: str) -> str:
        return run_in_blender(START + textwrap.dedent(body), TESTS, tmp_path, timeout=300)

    return run


@pytest.mark.parametrize("preset", ["UNREAL", "UNITY", "PLAIN"])
@pytest.mark.parametrize("how", ["as it is", "small", "parented", "NLA", "tweak", "root bone"])
def test_an_fbx_shows_what_the_artist_saw(in_blender, preset, how):
    in_blender(f"""
    how, preset = {how!r}, {preset!r}
    rig = new_rig()
    if how == "small":  # as rigs from engines come: a hundredth, turned upright by the object
        import math
        for o in (rig, *rig.children_recursive):
            o.data.transform(__import__("mathutils").Matrix.Scale(100, 4))
        rig.scale = (0.01, 0.01, 0.01)
    if how == "parented":
        empty = bpy.data.objects.new("Empty", None)
        scene.collection.objects.link(empty)
        empty.rotation_euler, empty.location, empty.scale = (0.3, 0.2, 1), (1, 2, 3), (2, 2, 2)
        rig.parent, rig.rotation_euler = empty, (0, 0, 0.5)
    if how == "root bone":
        rig.scalemogen.root = "OBJECT"
    bpy.context.view_layer.update()
    bake(rig)
    if how in ("NLA", "tweak"):
        strip = nla.push_down(rig)
    if how == "tweak":
        rig.animation_data.nla_tracks.active = rig.animation_data.nla_tracks[0]
        strip.select = True
        rig.animation_data.use_tweak_mode = True
    before = seen(rig)
    path = write_fbx(rig, preset)
    assert rig.animation_data.use_tweak_mode == (how == "tweak")
    found, models, times, takes = header(path)
    assert min(times) == 0, "the clip begins at frame 0"
    assert len(set(times)) == len(FRAMES) and takes == [exporting.clip_name(scene, rig)]
    assert (found["UpAxis"], found["UpAxisSign"]) == (1, 1)
    assert (found["FrontAxis"], found["CoordAxis"]) == (2, 0) and found["CustomFrameRate"] == 30
    unit = 1.0 if preset == "UNREAL" else 100.0
    assert abs(found["UnitScaleFactor"] - unit) < 1e-6 * unit
    roots = [name for name, (kind, _) in models.items() if kind == "Null"]
    if preset == "UNREAL":
        assert roots == ["Armature"]
    elif preset == "UNITY":
        assert roots == [rig.name]
    if preset != "PLAIN":
        assert all(np.allclose(scale, 1.0, atol=1e-6) for _, scale in models.values()), models
    again, first, last = read(path)
    assert last - first == len(FRAMES) - 1
    compare(again, first, *before)
    """)


@pytest.mark.parametrize("preset", ["UNREAL", "UNITY", "PLAIN"])
def test_a_control_rig_leaves_its_controls_out(in_blender, preset):
    """One root, the deforming bones on each other, moving as they did below the controls."""
    in_blender(f"""
    rig = generated()
    before = seen(rig)
    names = before[0]
    assert all(n == "root" or rig.data.bones[n].use_deform for n in names)
    path = write_fbx(rig, {preset!r})
    again, first, last = read(path)
    assert set(again.data.bones.keys()) == set(names)
    assert [b.name for b in again.data.bones if b.parent is None] == ["root"]
    parents = {{b.name: getattr(b.parent, "name", None) for b in again.data.bones}}
    assert parents["DEF-thigh.L"] == "DEF-spine" and parents["DEF-shin.L"] == "DEF-thigh.L.001"
    assert parents["DEF-upper_arm.R"] == "DEF-shoulder.R"
    assert parents["DEF-shoulder.R"] == "DEF-spine.003"
    compare(again, first, *before)
    for frame in (first, first + 9):
        bpy.context.scene.frame_set(frame)
        assert all(np.allclose(b.scale, 1.0, atol=1e-4) for b in again.pose.bones)
    """)


@pytest.mark.parametrize("kind", ["gltf", "bvh"])
def test_a_control_rig_in_other_formats(in_blender, kind):
    in_blender(f"""
    rig = generated()
    names, wanted, meshes, rest = seen(rig)
    path = export({kind!r})
    again, first, last = read(path)
    assert last - first == len(FRAMES) - 1
    assert set(names) == set(again.data.bones.keys())
    if {kind!r} == "bvh":  # its bones turn, only roots are moved: compare directions
        now = world(again, range(first, first + 20), names)
        pairs = [("DEF-thigh.L", "DEF-shin.L"), ("DEF-shin.L", "DEF-foot.L"),
                 ("DEF-forearm.L", "DEF-hand.L"), ("DEF-spine.002", "DEF-spine.003")]
        for a, b in pairs:
            one, other = (normalize(heads[:, names.index(b)] - heads[:, names.index(a)])
                          for heads in (now, wanted))
            assert angle(one, other) < 8.0, (a, angle(one, other))
    else:
        compare(again, first, names, wanted, meshes, rest)
    """)


def test_props_shape_keys_and_modifiers_go_along(in_blender):
    in_blender("""
    rig = new_rig()
    bake(rig)
    body = rig.children[0]
    body.shape_key_add(name="Basis")
    key = body.shape_key_add(name="Big")
    for point in key.data:
        point.co = point.co * 1.1
    for frame, value in ((5, 0.0), (24, 1.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    holder = bpy.data.objects.new("Holder", None)
    scene.collection.objects.link(holder)
    holder.parent, holder.parent_type, holder.parent_bone = rig, "BONE", "right_wrist"
    holder.location, holder.scale = (0.1, 0.2, 0), (0.5, 0.5, 0.5)
    bpy.ops.mesh.primitive_cube_add(size=0.2)
    prop = bpy.context.object
    prop.name = "Prop"
    prop.parent = holder
    prop.modifiers.new("Array", "ARRAY").count = 2
    for frame, turn in ((5, 0.0), (24, 1.0)):  # it moves in the hand, too
        prop.rotation_euler[0] = turn
        prop.keyframe_insert("rotation_euler", frame=frame)
    bpy.context.view_layer.objects.active = rig
    bpy.context.view_layer.update()
    for preset in ("UNREAL", "UNITY"):
        path = write_fbx(rig, preset)
    # Blender's importers leave out what objects on bones do by themselves: look into the file.
    turned = model_curve(path, "Prop", b"Lcl Rotation", b"d|X")
    assert np.allclose(turned[[0, -1]], [0.0, np.degrees(1.0)], atol=1e-3)
    assert np.ptp(model_curve(path, "Prop", b"Lcl Translation", b"d|Y")) < 1e-5, "its own origin"
    prop.animation_data_clear()
    prop.rotation_euler = (0.7, 0, 0)
    before = seen(rig)
    path = write_fbx(rig, "UNITY")
    again, first, last = read(path)
    assert {"Prop"} <= {o.name for o in bpy.data.objects}
    compare(again, first, *before)
    """)


def test_the_operator_and_scripts_choose_the_program(in_blender):
    in_blender("""
    rig = new_rig()
    bake(rig)
    clip = clips.Clip("Walk", 5, 24)
    with contextlib.redirect_stdout(io.StringIO()):
        exporter.export(rig, folder / "default.fbx", clip)
        exporter.export(rig, folder / "unreal.fbx", clip, preset="UNREAL")
        settings.fbx_for = "UNITY"
        assert ops.export_fbx(filepath=str(folder / "panel.fbx")) == {"FINISHED"}
        assert ops.export_fbx(filepath=str(folder / "own.fbx"), fbx_for="UNREAL") == {"FINISHED"}
    assert settings.fbx_for == "UNITY"
    unit = lambda name: round(header(folder / name)[0]["UnitScaleFactor"])
    assert [unit(n + ".fbx") for n in ("default", "unreal", "panel", "own")] == [100, 1, 100, 1]
    assert header(folder / "unreal.fbx")[3] == ["Walk"]
    """)


def test_names_that_are_taken_come_back(in_blender):
    """The scene has an object called Armature already, and the rig keeps its own name."""
    in_blender("""
    taken = bpy.data.objects.new("Armature", None)
    rig = new_rig()
    rig.name = "Hero"
    body = rig.children[0].name
    bake(rig)
    path = write_fbx(rig, "UNREAL")
    assert taken.name == "Armature" and rig.name == "Hero" and rig.children[0].name == body
    models = header(path)[1]
    assert "Armature" in models and body in models and not any("original" in n for n in models)
    # A failure in the middle leaves nothing behind either.
    exporter._is_empty = lambda path: True
    names = sorted(o.name for o in bpy.data.objects)
    assert "wrote nothing" in refused(export, "fbx")
    assert sorted(o.name for o in bpy.data.objects) == names
    """)


@pytest.mark.parametrize(("fps", "own"), [(24, 30), (60, 30), (24, 12)])
def test_another_frame_rate_for_an_engine(in_blender, fps, own):
    in_blender(f"""
    scene.render.fps = {fps}
    rig = new_rig()
    bake(rig)
    settings.rate, settings.fps = "CUSTOM", {own}
    settings.frame_end = int(5 + 20 / 30 * {fps})
    path = write_fbx(rig, "UNREAL")
    found, _, times, _ = header(path)
    count = int((settings.frame_end - 5) / {fps} * {own} + 1e-6) + 1
    assert found["CustomFrameRate"] == {own} or found["TimeMode"] != 14
    assert len(set(times)) == count and min(times) == 0, (len(set(times)), count)
    names = sorted(skeletons.exported(rig))
    wanted = shown(rig, 5 + np.arange(count) * {fps} / {own})
    again, first, last = imported(path, {own})
    now = shown(again, round(first) + np.arange(count))
    turned, way = same_pose(wanted, now)
    assert turned < 0.05 and way < 1e-3, (turned, way)
    """)
