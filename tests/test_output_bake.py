"""Baking a result in bpy: range, frame rate, a new action or the present one."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.blender

START = """
import sys
from pathlib import Path
folder = Path(sys.argv[2])
import bpy
import numpy as np
from tests.refusals import refused
import scalemogen_blender
from scalemogen_blender import bake, compat, mannequin, results
from scalemogen_blender import rig as rigs
from scalemogen_blender.client.messages import Finished
from scalemogen_blender.output import baking, splice
from scalemogen_blender._core import errors
from tests.synthetic import tumbling, walking

bpy.ops.wm.read_factory_settings(use_empty=True)
scalemogen_blender.register()
scene = bpy.context.scene
settings = scene.scalemogen.output
rig = mannequin.build()
bpy.context.view_layer.objects.active = rig
bpy.context.view_layer.update()
CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")

def land(motion, start=1, play=False):
    results.land(scene, rig, Finished(1, (motion,), (3,), {"prompt": "a walk"}), start, play)

def custom(first, last):
    settings.range, settings.frame_start, settings.frame_end = "CUSTOM", first, last

def curve(path, index=0):
    return next(c for c in compat.active_curves(rig)
                if c.data_path == path and c.array_index == index)

def keys(c):
    points, columns = compat.read_keys(c, splice.ATTRIBUTES)
    return np.concatenate([*points, np.stack(list(columns.values()), -1)], axis=1)

def frames(c):
    return [p.co.x for p in c.keyframe_points]

def pose(frame):
    "All channels of all bones at a frame, as the rig shows them."
    scene.frame_set(int(np.floor(frame)), subframe=frame % 1.0)
    return np.concatenate([np.array(getattr(b, n)) for b in rig.pose.bones for n in CHANNELS])

def heads(frame):
    scene.frame_set(frame)
    evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([evaluated.matrix_world @ b.head for b in evaluated.pose.bones])

def key(bone, name, frame, value):
    setattr(rig.pose.bones[bone], name, value)
    rig.pose.bones[bone].keyframe_insert(name, frame=frame)
"""

#: An action of the artist's: few keys, all kinds of interpolation and handles, bones in motion
#: that no motion keys (fingers), the object itself, a marker.
ARTISTS = """
rng = np.random.default_rng(4)
KINDS = ("CONSTANT", "LINEAR", "BEZIER", "SINE", "BOUNCE", "ELASTIC", "BACK")
HANDLES = ("FREE", "ALIGNED", "VECTOR", "AUTO", "AUTO_CLAMPED")
def paint(at=(-5, 3, 12, 20, 33, 41, 60), bones=None):
    for bone in bones or ("pelvis", "spine2", "left_hip", "left_knee", "right_shoulder", "head"):
        for frame in at:
            turned = rng.normal(0, 0.4, 4) + (1, 0, 0, 0)
            key(bone, "rotation_quaternion", frame, turned / np.linalg.norm(turned))
    for frame in at:
        key("pelvis", "location", frame, rng.normal(0, 0.3, 3))
        key("left_hip", "location", frame, rng.normal(0, 0.05, 3))
        key("head", "scale", frame, rng.normal(1, 0.1, 3))
        rig.location = rng.normal(0, 1, 3)
        rig.keyframe_insert("location", frame=frame)
    for c in compat.active_curves(rig):
        for p in c.keyframe_points:
            p.interpolation = str(rng.choice(KINDS))
            p.handle_left_type, p.handle_right_type = (str(h) for h in rng.choice(HANDLES, 2))
            if p.handle_left_type == "FREE":
                p.handle_left = p.co + type(p.co)((-rng.uniform(0, 9), rng.normal(0, 0.2)))
                p.handle_right = p.co + type(p.co)((rng.uniform(0, 9), rng.normal(0, 0.2)))
            p.easing = str(rng.choice(("EASE_IN", "EASE_OUT", "AUTO")))
            p.type = str(rng.choice(("KEYFRAME", "EXTREME", "BREAKDOWN")))
        c.extrapolation = str(rng.choice(("CONSTANT", "LINEAR")))
        c.update()
    scene.frame_set(1)
"""


@pytest.fixture
def in_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[[str], str]:
    def run(body: str, before: str = "") -> str:
        return run_in_blender(START + before + textwrap.dedent(body), tmp_path, timeout=300)

    return run


def test_a_new_action_has_the_result_and_keeps_the_old_one(in_blender):
    in_blender("""
    scene.render.fps = 30
    key("head", "location", 5, (1, 2, 3))
    old = rig.animation_data.action
    land(walking(40), start=10, play=True)
    wanted = [heads(frame) for frame in range(10, 50)]
    assert bpy.ops.scalemogen.bake() == {"FINISHED"}
    action = rig.animation_data.action
    assert action.name == "a walk" and tuple(action.frame_range) == (10, 49)
    assert (action["prompt"], action["seed"]) == ("a walk", 3)
    assert not results.is_playing(scene) and len(scene.scalemogen.results.entries) == 1
    assert old.users and tuple(old.frame_range) == (5, 5), "the artist's action stays"
    assert np.abs(np.array(wanted) - [heads(frame) for frame in range(10, 50)]).max() < 1e-6
    """)


@pytest.mark.parametrize(
    ("fps", "rate", "own", "expected"),
    [
        (30, "SCENE", 0, 1.0),
        (24, "SCENE", 0, 1.0),
        (24, "RESULT", 0, 0.8),
        (60, "RESULT", 0, 2.0),
        (24, "CUSTOM", 12, 2.0),
        (24, "CUSTOM", 8, 3.0),
    ],
)
def test_keys_come_at_the_wanted_rate_and_the_pose_is_the_motions(
    in_blender, fps, rate, own, expected
):
    in_blender(f"""
    scene.render.fps = {fps}
    settings.rate = {rate!r}
    settings.fps = {own or 12}
    rig.scalemogen.feet, rig.scalemogen.keep_hands = "NEVER", False  # the motion as it is
    motion = walking(61)  # two seconds
    land(motion, start=7)
    bpy.ops.scalemogen.bake()
    found = frames(compat.active_curves(rig)[0])
    assert found[0] == 7 and found[-1] == 7 + 2 * {fps}, found
    assert np.allclose(np.diff(found), {expected}, atol=1e-4)
    # At every key the rig is where the motion is at that time.
    skeleton_heads = motion.positions()
    worst = 0.0
    names = list(rig.pose.bones.keys())
    for frame in found:
        scene.frame_set(int(frame // 1), subframe=frame % 1)
        at = (frame - 7) / {fps} * 30
        if abs(at - round(at)) > 1e-3:
            continue
        wanted = skeleton_heads[round(at)]
        got = np.array([rig.matrix_world @ b.head for b in rig.pose.bones])
        got = np.stack([got[:, 0], got[:, 2], -got[:, 1]], -1)
        order = [names.index(n) for n in motion.skeleton.joint_names]
        worst = max(worst, np.abs(got[order] - wanted).max())
    assert worst < 1e-3, worst
    """)


def test_the_range_cuts_the_result(in_blender):
    in_blender("""
    scene.render.fps = 30
    land(walking(50), start=11)  # frames 11 to 60
    for name, first, last in (("RESULT", 11, 60), ("SCENE", 11, 40), ("PREVIEW", 21, 30),
                              ("CUSTOM", 55, 60)):
        settings.range = name
        scene.frame_start, scene.frame_end = 1, 40
        scene.use_preview_range = name == "PREVIEW"
        scene.frame_preview_start, scene.frame_preview_end = 21, 30
        settings.frame_start, settings.frame_end = 55, 90
        bpy.ops.scalemogen.bake()
        assert tuple(rig.animation_data.action.frame_range) == (first, last), name
    full = heads(58)  # the part stands where the whole does
    settings.range = "RESULT"
    bpy.ops.scalemogen.bake()
    assert np.abs(full - heads(58)).max() < 1e-5
    before = rig.animation_data.action
    custom(70, 90)
    assert "outside the range of frames 70 to 90" in refused(bpy.ops.scalemogen.bake)
    custom(20, 10)
    assert "ends (frame 10) before it begins (frame 20)" in refused(bpy.ops.scalemogen.bake)
    assert rig.animation_data.action == before
    """)


def test_one_frame_can_be_baked(in_blender):
    in_blender("""
    scene.render.fps = 30
    land(walking(50))
    custom(9, 9)
    bpy.ops.scalemogen.bake()
    assert frames(compat.active_curves(rig)[0]) == [9]
    settings.target = "OVERWRITE"
    custom(12, 12)
    bpy.ops.scalemogen.bake()
    assert frames(compat.active_curves(rig)[0]) == [9, 11, 12, 13]
    """)


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE"])
@pytest.mark.parametrize(("first", "last"), [(10, 30), (12, 33), (-20, -10), (70, 80), (0, 70)])
def test_overwriting_changes_nothing_outside_the_range(in_blender, mode, first, last):
    """Keys outside bit for bit, the pose outside on every frame, the result inside."""
    in_blender(
        f"""
    first, last = {first}, {last}
    scene.render.fps = 30
    paint()
    if {mode!r} != "QUATERNION":
        for bone in rig.pose.bones:
            bone.rotation_mode = {mode!r}
        for bone in ("pelvis", "left_knee"):
            for frame in (2, 15, 50):
                name = "rotation_axis_angle" if {mode!r} == "AXIS_ANGLE" else "rotation_euler"
                size = 4 if {mode!r} == "AXIS_ANGLE" else 3
                key(bone, name, frame, rng.normal(0, 1, size))
    rig.pose.bones["right_hip"].location = (0.1, 0, 0)  # posed, and not keyed
    scene.frame_set(1)
    outside = [f for f in range(-60, 120) if not first <= f <= last]
    before = {{f: pose(f) for f in outside}}
    kept = {{(c.data_path, c.array_index): keys(c) for c in compat.active_curves(rig)}}
    others = {{name for name in kept if not name[0].startswith("pose")}}
    land(tumbling(2, 100), start=-25)
    settings.target = "OVERWRITE"
    custom(first, last)
    action = rig.animation_data.action
    assert bpy.ops.scalemogen.bake() == {{"FINISHED"}}
    assert rig.animation_data.action == action and len(bpy.data.actions) == 1
    worst = max(np.abs(before[f] - pose(f)).max() for f in outside)
    assert worst < 1e-4, worst
    changed = 0
    for c in compat.active_curves(rig):
        old = kept.get((c.data_path, c.array_index))
        now = keys(c)
        if (c.data_path, c.array_index) in others:
            assert now.tobytes() == old.tobytes()
        elif old is not None:
            inside = (now[:, 0] >= first) & (now[:, 0] <= last)
            if inside.any():
                changed += 1
            # All but the key next to either border, which may have got another handle.
            low, high = old[old[:, 0] < first][:-1], old[old[:, 0] > last][1:]
            rows = [row.tobytes() for row in now]
            assert all(row.tobytes() in rows for row in (*low, *high)), c.data_path
            times = set(now[~inside, 0])
            assert set(old[(old[:, 0] < first) | (old[:, 0] > last), 0]) <= times
    assert changed > 0 or not any(first <= f <= last for f in (2, 3, 12, 15, 20, 33, 41, 50, 60))
    """,
        before=ARTISTS,
    )


def test_a_curve_goes_on_as_it_did_beyond_its_keys(in_blender):
    """Linear extrapolation, whatever lies between the range and the only key on its other side."""
    in_blender("""
    scene.render.fps = 30
    path = 'pose.bones["head"].rotation_quaternion'
    settings.target = "OVERWRITE"
    land(walking(60), start=1)
    for mode in ("CONSTANT", "LINEAR", "BEZIER", "SINE"):
        for last_mode in ("CONSTANT", "LINEAR", "BEZIER", "SINE"):
            for first, last in ((12, 20), (2, 8), (35, 40), (5, 35), (1, 30)):
                rig.animation_data_clear()
                for frame, value in ((10, 0.5), (30, 0.1)):
                    key("head", "rotation_quaternion", frame, (1, value, 0, 0))
                c = curve(path, 1)
                c.extrapolation = "LINEAR"
                for p, kind in zip(c.keyframe_points, (mode, last_mode)):
                    p.interpolation = kind
                    p.handle_left_type = p.handle_right_type = "FREE"
                    p.handle_left = p.co.x - 4, p.co.y - 0.05
                    p.handle_right = p.co.x + 4, p.co.y + 0.1
                c.update()
                outside = [f for f in range(-50, 100) if not first <= f <= last]
                before = [c.evaluate(f) for f in outside]
                custom(first, last)
                bpy.ops.scalemogen.bake()
                after = [curve(path, 1).evaluate(f) for f in outside]
                worst = np.abs(np.subtract(before, after)).max()
                assert worst < 1e-5, (mode, last_mode, first, last, worst)
    """)


def test_overwriting_shows_the_result_inside_the_range(in_blender):
    in_blender(
        """
    scene.render.fps = 30
    motion = tumbling(2, 60)
    land(motion, start=1)
    bpy.ops.scalemogen.bake()
    wanted = {f: heads(f) for f in range(10, 31)}
    rig.animation_data.action = None
    for bone in rig.pose.bones:
        bake.reset_bone(bone)
    paint()
    for c in list(compat.active_curves(rig)):  # the object itself moves in the artist's action
        if c.data_path == "location":
            c.mute = True
    rig.location = (0, 0, 0)
    settings.target = "OVERWRITE"
    custom(10, 30)
    bpy.ops.scalemogen.bake()
    worst = max(np.abs(wanted[f] - heads(f)).max() for f in wanted)
    assert worst < 1e-4, worst
    """,
        before=ARTISTS,
    )


def test_a_bone_does_not_spin_into_the_range(in_blender):
    """Of the two quaternions of a rotation, and of all Euler angles, those next to the old."""
    in_blender("""
    scene.render.fps = 30
    land(walking(60), start=1)
    for bone in rig.pose.bones:
        bone.rotation_mode = "QUATERNION" if bone.name.startswith("left") else "XYZ"
    for frame in (-5, 70):
        key("left_hip", "rotation_quaternion", frame, (-1, 0, 0, 0))
        key("right_hip", "rotation_euler", frame, (6 * np.pi, 0, 0))
    settings.target = "OVERWRITE"
    custom(20, 30)
    bpy.ops.scalemogen.bake()
    for path, count in (('pose.bones["left_hip"].rotation_quaternion', 4),
                        ('pose.bones["right_hip"].rotation_euler', 3)):
        steps = np.linspace(18, 31, 131)
        values = np.array([[curve(path, i).evaluate(f) for i in range(count)] for f in steps])
        assert np.abs(np.diff(values, axis=0)).max() < 0.2, path
    """)


def test_few_keys_are_added_to_a_hand_keyed_action(in_blender):
    in_blender("""
    scene.render.fps = 30
    for frame in (1, 40, 80):
        key("left_hip", "rotation_quaternion", frame, (1, 0.01 * frame, 0, 0))
    path = 'pose.bones["left_hip"].rotation_quaternion'
    land(walking(60), start=1)
    settings.target = "OVERWRITE"
    custom(20, 30)
    bpy.ops.scalemogen.bake()
    assert frames(curve(path)) == [1, 19, *range(20, 31), 31, 40, 80], frames(curve(path))
    assert frames(curve('pose.bones["head"].rotation_quaternion')) == [19, *range(20, 31), 31]
    """)


@pytest.mark.parametrize("smoothing", ["CONT_ACCEL", "NONE"])
def test_the_shape_stays_when_blender_recalculates_its_automatic_handles(in_blender, smoothing):
    """As it does when the artist touches a key later on; with the handles that new keys have."""
    in_blender(
        f"""
    scene.render.fps = 30
    KINDS, HANDLES = ("LINEAR", "BEZIER"), ("AUTO_CLAMPED",)
    paint()
    for c in compat.active_curves(rig):
        c.auto_smoothing = {smoothing!r}
        c.keyframe_points.handles_recalc()
    def shape():
        return np.array([[c.evaluate(f) for f in range(-5, 61) if not 10 <= f <= 30]
                         for c in (curve(*name) for name in names)])
    names = [(c.data_path, c.array_index) for c in compat.active_curves(rig)]
    before = shape()
    land(tumbling(2, 60))
    settings.target = "OVERWRITE"
    custom(10, 30)
    bpy.ops.scalemogen.bake()
    for c in compat.active_curves(rig):
        c.keyframe_points.handles_recalc()
    worst = np.abs(before - shape()).max()
    assert worst < 1e-5, worst
    """,
        before=ARTISTS,
    )


def test_overwriting_is_one_undo_step(in_blender):
    in_blender(
        """
    paint()
    land(walking(60), start=1)
    settings.target = "OVERWRITE"
    custom(10, 20)
    before = {(c.data_path, c.array_index): keys(c).tobytes() for c in compat.active_curves(rig)}
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.scalemogen.bake()
    bpy.ops.ed.undo_push(message="baked")
    bpy.ops.ed.undo()
    rig = bpy.data.objects["Mannequin"]
    after = {(c.data_path, c.array_index): keys(c).tobytes() for c in compat.active_curves(rig)}
    assert before == after
    """,
        before=ARTISTS,
    )


@pytest.mark.parametrize("how", ["another object", "NLA strip", "nobody", "another slot"])
def test_an_action_that_others_play_is_copied_first(in_blender, how):
    in_blender(f"""
    how = {how!r}
    key("head", "rotation_quaternion", 5, (1, 0, 0, 0))
    action = rig.animation_data.action
    if how == "another object":
        other = mannequin.build()
        other.animation_data_create()
        compat.assign_action(other.animation_data, action)
    elif how == "NLA strip":
        strip = rig.animation_data.nla_tracks.new().strips.new("a", 1, action)
        rig.animation_data.nla_tracks[0].mute = True
    elif how == "another slot" and hasattr(action, "slots"):
        other = mannequin.build()
        other.animation_data_create().action = action
        other.animation_data.action_slot = action.slots.new(id_type="OBJECT", name="Other")
    bpy.context.view_layer.objects.active = rig
    land(walking(30))
    settings.target = "OVERWRITE"
    bpy.ops.scalemogen.bake()
    copied = how in ("another object", "NLA strip")
    assert (rig.animation_data.action != action) == copied
    if copied:
        assert tuple(action.frame_range) == (5, 5), "theirs is as it was"
    assert tuple(rig.animation_data.action.frame_range)[0] <= 1
    """)


def test_curves_that_cannot_be_overwritten_say_why_and_nothing_changes(in_blender):
    in_blender("""
    for frame in (1, 9, 30):
        key("head", "rotation_quaternion", frame, (1, 0.01 * frame, 0, 0))
    land(walking(30))
    settings.target = "OVERWRITE"
    path = 'pose.bones["head"].rotation_quaternion'
    def state():
        return {(c.data_path, c.array_index): keys(c).tobytes() for c in compat.active_curves(rig)}
    before = state()
    modifier = curve(path).modifiers.new("NOISE")
    assert "F-curve modifiers" in refused(bpy.ops.scalemogen.bake) and state() == before
    modifier.mute = True
    curve(path, 1).lock = True
    assert "is locked" in refused(bpy.ops.scalemogen.bake) and state() == before
    curve(path, 1).lock = False
    curve(path, 2).convert_to_samples(1, 30)
    assert "made of samples" in refused(bpy.ops.scalemogen.bake)
    settings.target = "NEW"
    assert bpy.ops.scalemogen.bake() == {"FINISHED"}
    """)


def test_a_preview_ends_and_the_artists_action_is_overwritten(in_blender):
    in_blender("""
    key("head", "rotation_quaternion", 200, (1, 0, 0, 0))
    action = rig.animation_data.action
    land(walking(30), play=True)
    assert results.is_playing(scene) and rig.animation_data.action != action
    settings.target = "OVERWRITE"
    bpy.ops.scalemogen.bake()
    assert rig.animation_data.action == action and not results.is_playing(scene)
    assert 200 in frames(curve('pose.bones["head"].rotation_quaternion'))
    assert len(frames(curve('pose.bones["head"].rotation_quaternion'))) > 20
    """)


def test_baking_says_why_it_cannot(in_blender):
    in_blender("""
    assert "no result to bake" in refused(bpy.ops.scalemogen.bake)
    land(walking(30))
    rig.scale = (0, 0, 0)
    bpy.context.view_layer.update()
    assert "scale" in refused(bpy.ops.scalemogen.bake)
    rig.scale = (1, 1, 1)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    assert "Edit Mode" in refused(bpy.ops.scalemogen.bake)
    bpy.ops.object.mode_set(mode="POSE")
    assert bpy.ops.scalemogen.bake() == {"FINISHED"} and rig.mode == "POSE"
    bpy.data.objects.remove(rig)
    assert "no armature" in refused(bpy.ops.scalemogen.bake)
    """)


# --- start, rates --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "first", "second"),
    [("RESULT", 7.0, 8.0), ("CURRENT", 30.0, 31.0), ("CURRENT", 30.25, 31.0), ("CUSTOM", -40, -39)],
)
def test_the_result_begins_where_it_is_wanted(in_blender, start, first, second):
    """At a frame, and between two frames: then its other keys are on whole frames."""
    in_blender(f"""
    scene.render.fps = 30
    land(walking(40), start=7)
    bpy.ops.scalemogen.bake()
    wanted = [heads(frame) for frame in range(7, 47)]
    rig.animation_data_clear()
    settings.start, settings.start_frame = {start!r}, -40
    scene.frame_set(30, subframe={first % 1 if start == "CURRENT" else 0})
    bpy.ops.scalemogen.bake()
    found = frames(compat.active_curves(rig)[0])
    assert found[:2] == [{first}, {second}] and abs(found[-1] - {first} - 39) < 1e-4, found
    for row, head in enumerate(wanted):
        at = {first} + row
        scene.frame_set(int(np.floor(at)), subframe=at % 1.0)
        now = np.array([rig.matrix_world @ b.head for b in rig.pose.bones])
        assert np.abs(now - head).max() < (1e-5 if at == int(at) else 0.03), (at, row)
    """)


@pytest.mark.parametrize(
    ("fps", "base", "rate"), [(25, 1.0, 25), (60, 1.0, 60), (24, 1.001, 24 / 1.001), (24, 1.0, 12)]
)
def test_a_turning_bone_is_sampled_on_the_sphere(in_blender, fps, base, rate):
    """A steady turn stays steady at any rate; linear Euler angles or quaternions would not."""
    in_blender(f"""
    from core.motion import Motion
    from core.rotations import rotation_vector_to_quaternion
    motion = walking(61)
    at = np.arange(61) / 30
    turning = motion.rotations.copy()
    axis = np.array([0.6, 0.0, 0.8])
    turning[:, motion.skeleton.index("head")] = rotation_vector_to_quaternion(
        4.0 * at[:, None] * axis)
    scene.render.fps, scene.render.fps_base = {fps}, {base}
    settings.rate, settings.fps = ("CUSTOM", {rate}) if {rate} == 12 else ("SCENE", 12)
    land(Motion(motion.skeleton, turning, motion.root_positions, 30.0), start=1)
    bpy.ops.scalemogen.bake()
    path = 'pose.bones["head"].rotation_quaternion'
    found = np.array(frames(curve(path)))
    steps = np.diff(found) * {base} / {fps}
    assert np.allclose(steps[:-1], 1 / {rate}, atol=1e-5), steps
    values = np.array([[p.co.y for p in curve(path, i).keyframe_points] for i in range(4)]).T
    dots = np.abs((values[1:] * values[:-1]).sum(-1)) / np.linalg.norm(values, axis=-1)[1:] ** 2
    turned = 2 * np.arccos(np.clip(dots, -1, 1))
    assert np.abs(turned / steps - 4.0).max() < 0.01, turned / steps
    """)


# --- simplify ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "AXIS_ANGLE"])
@pytest.mark.parametrize("target", ["NEW", "OVERWRITE", "ADDITIVE"])
def test_simplified_keys_stay_within_the_tolerance_in_blender(in_blender, mode, target):
    """What Blender evaluates on every frame is compared with a key on every frame."""
    output = in_blender(
        f"""
    scene.render.fps = 30
    for bone in rig.pose.bones:
        bone.rotation_mode = {mode!r}
    key("pelvis", "location", 1, (0.3, 0, 0))
    key("pelvis", "location", 60, (0, 0.3, 0))
    if {mode!r} == "QUATERNION":
        key("head", "rotation_quaternion", 10, (0.8, 0.6, 0, 0))
    scene.frame_set(1)
    mode = {mode!r}
    settings.target = {target!r}
    land(tumbling(2, 120, reach=0.8), start=3)
    def turns():
        found = []
        for frame in range(3, 123):
            scene.frame_set(frame)
            found.append([b.matrix_basis.to_quaternion()[:] for b in rig.pose.bones])
        return np.array(found)
    def count():
        action = rig.animation_data.action or rig.animation_data.nla_tracks[-1].strips[0].action
        curves = compat.action_curves(action, action.slots[0].handle
                                      if hasattr(action, "slots") else None)
        return sum(len(c.keyframe_points) for c in curves), curves
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.scalemogen.bake()
    wanted, places, (full, _) = turns(), [heads(f) for f in range(3, 123)], count()
    bpy.ops.ed.undo_push(message="baked")
    bpy.ops.ed.undo()
    rig = bpy.data.objects["Mannequin"]
    scene = bpy.context.scene
    settings = scene.scalemogen.output
    settings.simplify, settings.simplify_angle = True, np.radians(0.8)
    settings.simplify_distance = 3.0
    bpy.ops.scalemogen.bake()
    found, (few, curves) = turns(), count()
    dots = np.abs((wanted * found).sum(-1))
    off = np.degrees(2 * np.arccos(np.clip(dots, -1, 1))).max()
    assert off < 0.8 + 0.06, off  # single precision of arccos
    moved = max(np.abs(a - heads(f)).max() for a, f in zip(places, range(3, 123)))
    assert 1e-4 < moved < 0.04, moved
    assert few < 0.5 * full, (few, full)
    by_bone = {{}}
    for c in curves:
        inside = tuple(round(p.co.x, 3) for p in c.keyframe_points if 3 <= p.co.x <= 122)
        by_bone.setdefault(c.data_path.rpartition(".")[0], set()).add(inside)
    assert all(len(times) == 1 for times in by_bone.values()), "curves of a bone share frames"
    """
    )
    assert " keys, largest error 0." in output and "standing feet" in output


def test_simplified_keys_are_smooth_and_keep_contacts(in_blender):
    in_blender("""
    from dataclasses import replace
    scene.render.fps = 30
    motion = walking(90)
    contacts = np.zeros((90, 4))
    names = [motion.skeleton.joint_names[j] for j in motion.skeleton.contact_joints]
    contacts[20:41, [n.startswith("left") for n in names]] = 1.0
    land(replace(motion, contacts=contacts), start=1)
    settings.simplify = True
    settings.simplify_angle = np.radians(5)
    bpy.ops.scalemogen.bake()
    for bone in ("left_hip", "left_ankle"):
        assert {21, 42} <= set(frames(curve(f'pose.bones["{bone}"].rotation_quaternion')))
    for c in compat.active_curves(rig):
        for p in c.keyframe_points:
            assert p.interpolation == "BEZIER" and p.handle_left_type == "ALIGNED"
            assert p.handle_left.x < p.co.x < p.handle_right.x
        c.keyframe_points.handles_recalc()  # as Blender does when a key is touched
    """)


def test_simplifying_does_not_let_standing_feet_slide(in_blender):
    in_blender("""
    scene.render.fps = 30
    from tests.footwork import standing
    rig.scalemogen.feet = "ALWAYS"
    land(standing(seconds=4.0), start=1)
    bpy.ops.scalemogen.bake()
    def feet(frame):
        scene.frame_set(frame)
        return np.array([rig.matrix_world @ rig.pose.bones[f"{s}_ankle"].head
                         for s in ("left", "right")])
    wanted = np.array([feet(f) for f in range(1, 121)])
    settings.simplify, settings.simplify_angle = True, np.radians(3.0)
    bpy.ops.scalemogen.bake()
    found = np.array([feet(f) for f in range(1, 121)])
    speed = np.linalg.norm(np.diff(wanted, axis=0), axis=-1) * 30
    slow = speed < 0.05
    for shift in (1, 2, 3):  # for a while, not where it turns round in the air
        slow[shift:] &= slow[:-shift]
        slow[:-shift] &= slow[shift:]
    assert slow.mean() > 0.9, f"else this tests nothing: {slow.mean()}"
    off = np.linalg.norm(found - wanted, axis=-1)[1:][slow]
    assert off.max() < 0.0025, off.max()
    slide = np.linalg.norm(np.diff(found - wanted, axis=0), axis=-1)[slow] * 30
    assert slide.max() < 0.05, slide.max()
    """)


# --- additive layer ------------------------------------------------------------------------------

LAYER = """
def channels_at(frame):
    scene.frame_set(int(np.floor(frame)), subframe=frame % 1.0)
    return {b.name: np.concatenate([np.array(b.matrix_basis.to_quaternion()), b.location, b.scale])
            for b in rig.pose.bones}

def same(a, b):
    "Largest difference of two poses; q and -q are one."
    worst = 0.0
    for name, one in a.items():
        other = b[name].copy()
        if one[:4] @ other[:4] < 0:
            other[:4] *= -1
        worst = max(worst, np.abs(one - other).max())
    return worst

def influence(value):
    strip = rig.animation_data.nla_tracks[-1].strips[-1]
    strip.use_animated_influence = True
    strip.influence = value
    for c in strip.fcurves:
        if c.data_path == "influence":
            c.keyframe_points.insert(strip.frame_start, value)
    return strip

def shuffle(mode):
    "Moves of the artist's in any rotation mode, static values among them."
    rng = np.random.default_rng(6)
    name = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(
        mode, "rotation_euler")
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    for frame in (-5, 2, 15, 50):
        for bone in ("pelvis", "left_knee", "head"):
            value = rng.normal(0, 0.6, 3 if name == "rotation_euler" else 4)
            key(bone, name, frame, value + ((1, 0, 0, 0) if mode == "QUATERNION" else 0))
        key("pelvis", "location", frame, rng.normal(0, 1, 3))
        key("head", "scale", frame, rng.uniform(0.5, 1.5, 3))
    setattr(rig.pose.bones["spine3"], name, (0.8, 0.6, 0, 0)[:4 if len(value) == 4 else 3])
    rig.pose.bones["right_hip"].location = (0.1, 0, 0)
"""


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE"])
@pytest.mark.parametrize("before", ["nothing", "action", "strips", "tweaked"])
def test_an_additive_layer_goes_from_the_original_to_the_result(in_blender, mode, before):
    in_blender(
        f"""
    from scalemogen_blender.results import nla
    scene.render.fps = 30
    scene.frame_start = -30
    mode, before = {mode!r}, {before!r}
    if before == "nothing":
        for bone in rig.pose.bones:
            bone.rotation_mode = mode
        rig.pose.bones["right_hip"].location = (0.1, 0, 0)
    else:
        shuffle(mode)
    if before in ("strips", "tweaked"):
        strip = nla.push_down(rig)
        strip.extrapolation = "HOLD"
        key("head", "location", 1, (0.1, 0, 0))
        key("head", "location", 60, (0.1, 0, 0.3))
        rig.animation_data.action_blend_type = "ADD"
        if before == "tweaked":
            nla.push_down(rig)
            track = rig.animation_data.nla_tracks[0]
            rig.animation_data.nla_tracks.active = track
            track.strips[0].select = True
            rig.animation_data.use_tweak_mode = True
            assert rig.animation_data.use_tweak_mode
            rig.animation_data.use_tweak_mode = False
    scene.frame_set(1)
    original = {{f: channels_at(f) for f in range(-20, 90, 4)}}
    actions = {{a: keys(c).tobytes() for a in bpy.data.actions for c in compat.action_curves(
        a, a.slots[0].handle if hasattr(a, "slots") else None)}}
    if before == "tweaked":
        rig.animation_data.use_tweak_mode = True
    land(tumbling(2, 60), start=5)
    settings.target = "ADDITIVE"
    assert bpy.ops.scalemogen.bake() == {{"FINISHED"}}
    shown = {{f: channels_at(f) for f in range(5, 65)}}
    assert max(same(original[f], channels_at(f)) for f in original if not 5 <= f <= 64) < 1e-5
    influence(0.0)
    assert max(same(original[f], channels_at(f)) for f in original) < 1e-5
    strip = influence(0.5)
    assert strip.blend_type == "COMBINE" and rig.animation_data.action is None
    half = channels_at(33)
    assert same(half, shown[33]) > 1e-2
    for action, before in actions.items():  # untouched
        curves = compat.action_curves(action, action.slots[0].handle
                                      if hasattr(action, "slots") else None)
        assert keys(curves[-1]).tobytes() == before
    rig.animation_data_clear()
    for bone in rig.pose.bones:
        bake.reset_bone(bone)
    settings.target = "NEW"
    bpy.ops.scalemogen.bake()
    assert max(same(shown[f], channels_at(f)) for f in shown) < 1e-5
    """,
        before=LAYER,
    )


def test_a_layer_from_its_first_frame_adds_movement_only(in_blender):
    in_blender(
        """
    scene.render.fps = 30
    shuffle("QUATERNION")
    scene.frame_set(1)
    original = {f: channels_at(f) for f in range(1, 60)}
    land(tumbling(2, 40), start=10)
    settings.target, settings.reference = "ADDITIVE", "FIRST"
    bpy.ops.scalemogen.bake()
    assert same(channels_at(10), original[10]) < 1e-5, "nothing at its first frame"
    layered = {f: channels_at(f) for f in range(10, 50)}
    rig.animation_data_clear()
    for bone in rig.pose.bones:
        bake.reset_bone(bone)
    settings.target = "NEW"
    bpy.ops.scalemogen.bake()
    from core.rotations import quaternion_conjugate as inverse, quaternion_multiply as times
    first = channels_at(10)
    for f in (20, 33, 49):
        now = channels_at(f)
        for bone, values in now.items():
            added = times(inverse(first[bone][:4]), values[:4])
            wanted = times(original[f][bone][:4], added)
            assert abs(abs(wanted @ layered[f][bone][:4]) - 1) < 1e-5, bone
            moved = original[f][bone][4:7] + values[4:7] - first[bone][4:7]
            assert np.abs(moved - layered[f][bone][4:7]).max() < 1e-5, bone
            assert np.abs(original[f][bone][7:] - layered[f][bone][7:]).max() < 1e-5
    """,
        before=LAYER,
    )


def test_a_layer_on_an_action_that_goes_on_beyond_its_keys(in_blender):
    """Cycles and slopes are still there when the action has become a strip."""
    in_blender(
        """
    scene.render.fps = 30
    scene.frame_start, scene.frame_end = 1, 120
    for frame, value in ((1, 0.0), (11, 0.4), (21, 0.0)):
        key("head", "rotation_quaternion", frame, (1, value, 0, 0))
        key("pelvis", "location", frame, (value, 0, 0))
    for c in compat.active_curves(rig):
        if "head" in c.data_path:
            c.modifiers.new("CYCLES")
        else:
            c.extrapolation = "LINEAR"
    scene.frame_set(1)
    original = {f: channels_at(f) for f in range(1, 121)}
    land(tumbling(2, 30), start=40)
    settings.target = "ADDITIVE"
    bpy.ops.scalemogen.bake()
    assert max(same(original[f], channels_at(f)) for f in original if not 40 <= f <= 69) < 1e-5
    influence(0.0)
    assert max(same(original[f], channels_at(f)) for f in original) < 1e-5
    """,
        before=LAYER,
    )


def test_an_additive_layer_is_one_undo_step_and_says_why_it_cannot(in_blender):
    in_blender(
        """
    shuffle("QUATERNION")
    land(tumbling(2, 30), start=5)
    settings.target = "ADDITIVE"
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.scalemogen.bake()
    bpy.ops.ed.undo_push(message="baked")
    assert len(rig.animation_data.nla_tracks) > 1
    bpy.ops.ed.undo()
    rig = bpy.data.objects["Mannequin"]
    scene = bpy.context.scene
    settings = scene.scalemogen.output
    assert rig.animation_data.action and not len(rig.animation_data.nla_tracks)
    track = rig.animation_data.nla_tracks.new()
    action = rig.animation_data.action
    strip = track.strips.new("x", 1, action)
    counts = [len(bpy.data.actions), len(bpy.data.scenes), len(bpy.data.objects)]
    def nothing_changed():
        return rig.animation_data.action == action and len(rig.animation_data.nla_tracks) == 1 and (
            counts == [len(bpy.data.actions), len(bpy.data.scenes), len(bpy.data.objects)])
    track.is_solo = True
    assert "is solo" in refused(bpy.ops.scalemogen.bake) and nothing_changed()
    track.is_solo = False
    rig.animation_data.use_nla = False
    assert "switched off" in refused(bpy.ops.scalemogen.bake) and nothing_changed()
    track.mute = True
    assert bpy.ops.scalemogen.bake() == {"FINISHED"}
    rig.animation_data_clear()
    rig.pose.bones["head"].scale = (0, 1, 1)
    assert "scale of zero" in refused(bpy.ops.scalemogen.bake)
    assert rig.animation_data.action is None and not len(rig.animation_data.nla_tracks)
    """,
        before=LAYER,
    )


def test_a_layer_on_locked_muted_and_driven_channels(in_blender):
    """None of which an additive layer touches."""
    in_blender(
        """
    scene.render.fps = 30
    shuffle("QUATERNION")
    for c in compat.active_curves(rig):
        c.lock = True
        c.mute = "left_knee" in c.data_path
    scene.frame_set(1)
    original = {f: channels_at(f) for f in range(1, 60, 5)}
    land(tumbling(2, 30), start=5)
    settings.target = "ADDITIVE"
    bpy.ops.scalemogen.bake()
    influence(0.0)
    assert max(same(original[f], channels_at(f)) for f in original) < 1e-5
    """,
        before=LAYER,
    )


def test_a_layer_turns_switches_by_their_difference_to_the_default(in_blender):
    """A custom property of a control rig: default 1, played 0.25, wanted 1 during the layer."""
    in_blender("""
    from scalemogen_blender.channels import Channel
    from scalemogen_blender.output import layering
    bone = rig.pose.bones["head"]
    for name, default, played in (("float", 1.0, 0.25), ("whole", 1, 0)):
        bone[name] = played
        bone.id_properties_ui(name).update(default=default)
        channel = Channel(bone, f'["{name}"]', np.ones((10, 1)), "head", held=True)
        made, offset = layering._difference(channel, np.full((10, 1), float(played)))
        assert np.allclose(made.values, 2 * default - played) and np.allclose(offset,
                                                                             played - default)
    """)
