"""Keys of an edit in the rig's action: everything outside stays, to the last bit."""

import textwrap
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.blender

START = """
import sys
import bpy
import numpy as np
from hypothesis import given, settings, strategies as st, HealthCheck
from scalemogen_blender import compat
from scalemogen_blender._core import editing, errors, retarget
from scalemogen_blender.edit import moves, writing
from scalemogen_blender.edit.key_table import BEZIER, CONSTANT, KEY, LINEAR
from tests.blender_scripts.edit_writing import *
from tests import refusals

EXAMPLES = settings(max_examples=int(sys.argv[2]), deadline=None, derandomize=True, database=None)
scene = None

def fresh(bones=2, mode="QUATERNION"):
    global scene
    rig = rig_of(bones, mode)
    scene = bpy.context.scene
    return rig

def animated(bones=2, mode="QUATERNION", frames=(1, 12, 30, 50)):
    "A rig with smooth keys on all rotations and locations, as an artist makes them."
    rig, rng = fresh(bones, mode), np.random.default_rng(3)
    for frame in frames:
        for bone in rig.pose.bones:
            name = KINDS.get(mode, ("rotation_euler", 3))[0]
            value = rng.normal(size=len(getattr(bone, name))) * 0.2
            value[0] += 1.0
            setattr(bone, name, value)
            bone.location = rng.normal(size=3)
            for path in (name, "location"):
                bone.keyframe_insert(path, frame=frame, group=bone.name)
    return rig

def refused(call, words):
    message = refusals.refused(call)
    assert words in message, message

def curve(rig, path, index=0):
    return compat.find_curve(rig, path, index)

def shown(rig, frames):
    "What is seen: matrices of all bones, as bit patterns."
    found = []
    for frame in frames:
        scene.frame_set(int(frame))
        pose = rig.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose
        found.append([np.array(bone.matrix, dtype=np.float32) for bone in pose.bones])
    return np.array(found).view(np.int32)

def everything(rig):
    "All of an action, for finding it unchanged."
    now = Before.of(rig, np.arange(-5, 70))
    return {key: (table.tobytes(), now.values[key].tobytes(), now.settings[key])
            for key, table in now.keys.items()}, sorted(compat.group_names(rig))
"""


@pytest.fixture
def in_blender(run_in_blender: Callable[..., str]) -> Callable[..., str]:
    """Run a script after START; its arguments begin with the number of examples."""

    def run(source: str, examples: int = 25) -> str:
        return run_in_blender(START + textwrap.dedent(source), examples)

    return run


def test_random_actions_stay_outside_of_random_ranges(in_blender: Callable[..., str]) -> None:
    output = in_blender(
        """
        made = {"curves": 0, "extra": 0}

        @EXAMPLES
        @given(st.data())
        def stays(data):
            mode = data.draw(st.sampled_from(["QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE"]))
            rig = fresh(3, mode)
            rig.animation_data_create()
            compat.ActionWriter.new(rig, "Artist").assign(rig)
            for bone in ("b0", "b1", "b2"):
                for path, index in (*rotation_paths(rig, bone), *location_paths(bone)):
                    if data.draw(st.integers(0, 5)):
                        add_curve(rig, path, index, data.draw(curve_keys()))
            first, count = data.draw(st.integers(-5, 60)), data.draw(st.integers(1, 25))
            last = first + count - 1
            rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
            pose = pose_of(rng, count, ("b0", "b1"), ("b0",))
            # Curves that go on with a slope are exact as far as anybody looks.
            frames = np.array([f for f in range(1, 61) if not first <= f <= last])
            before = Before.of(rig, frames)
            try:
                done = writing.write(rig, pose, first)
            except errors.ScaleMoGenError as error:
                assert "extrapolation" in str(error)
                return
            now = Before.of(rig, frames)
            extra = extra_keys(before, now, first, last)
            made["curves"] += done.curves
            made["extra"] += extra
            for name in before.keys:  # of a bone that was not asked for
                if '"b2"' in name[0]:
                    assert before.keys[name].tobytes() == now.keys[name].tobytes()
            for column, bone in enumerate(("b0", "b1")):
                for path, index in rotation_paths(rig, bone):
                    at = now.keys[path, index]["co"][:, 0]
                    inside = at[(at > first - 1e-3) & (at < last + 1e-3)]
                    assert inside.tolist() == list(range(first, last + 1))

        stays()
        print("EXTRA", made["extra"] / made["curves"])
        """
    )
    assert "EXTRA" in output


def test_extra_keys_come_only_where_a_curve_needs_them(in_blender: Callable[..., str]) -> None:
    in_blender(
        """
        def extra(kinds, frames, values, first=10, count=10, sloping=False):
            rig = fresh(1, "XYZ")
            rig.animation_data_create()
            compat.ActionWriter.new(rig, "Artist").assign(rig)
            keys = np.zeros(len(frames), KEY)
            keys["co"] = np.stack([frames, values], -1)
            keys["handle_left"] = keys["co"] - [2.0, 0.0]
            keys["handle_right"] = keys["co"] + [2.0, 0.0]
            keys["interpolation"] = kinds
            for path, index in rotation_paths(rig, "b0"):
                add_curve(rig, path, index, (keys, sloping, False))
            before = Before.of(rig, np.array([*range(1, first), *range(first + count, 60)]))
            turned = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1, 1))
            turned[..., 1] = 0.5
            turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
            writing.write(rig, retarget.PoseChannels(("b0",), turned, {}), first)
            after = Before.of(rig, before.frames)
            extra_keys(before, after, first, first + count - 1)
            keys = after.keys[rotation_paths(rig, "b0")[0]]["co"][:, 0]
            return sorted(set(keys.tolist()) - set(range(first, first + count))
                          - set(np.float32(frames).tolist()))

        every = np.arange(1.0, 40.0)
        assert extra(LINEAR, every, np.sin(every)) == []       # a key next to the range holds it
        assert extra(BEZIER, every, np.sin(every)) == []
        assert extra(CONSTANT, [1.0, 15.0, 30.0], [1.0, 2.0, 3.0]) == [20.0]
        assert extra(LINEAR, [1.0, 15.0, 30.0], [2.0, 2.0, 2.0]) == [9.0, 20.0]
        assert extra(BEZIER, [1.0, 15.0, 30.0], [2.0, 2.0, 2.0]) == [9.0, 20.0]
        assert extra(LINEAR, [12.0, 15.0], [1.0, 2.0]) == [9.0, 20.0]    # held beyond its ends
        assert extra(LINEAR, [9.7, 15.0, 19.3], [1.0, 2.0, 3.0]) == [] # keys 0.3 frames outside
        smooth = extra(BEZIER, [5.0, 15.0, 25.0], [1.0, 2.0, 3.0])
        assert smooth[0] == 6.0 and smooth[-1] == 24.0
        assert set(smooth) <= {6.0, 7.0, 8.0, 9.0, 20.0, 21.0, 22.0, 23.0, 24.0}
        """
    )


def test_rigs_look_the_same_outside(in_blender: Callable[..., str]) -> None:
    in_blender(
        """
        # Missing channels, an action of its own, automatic handles, saving, undo and redo.
        rig = animated(3)
        action = rig.animation_data.action
        curve(rig, 'pose.bones["b1"].location').mute = True
        outside = [f for f in range(-3, 60) if not 20 <= f <= 27]
        before, looks = Before.of(rig, np.array(outside)), shown(rig, outside)
        bpy.ops.ed.undo_push(message="before")
        rng = np.random.default_rng(1)
        pose = pose_of(rng, 8, ("b0", "b1"), ("b0",))
        done = writing.write(rig, pose, 20)
        assert not done.copied and rig.animation_data.action == action
        extra_keys(before, Before.of(rig, np.array(outside)), 20, 27)
        assert (shown(rig, outside) == looks).all()
        scene.frame_set(23)
        assert np.allclose(np.abs(np.array(rig.pose.bones["b0"].rotation_quaternion)
                                  @ pose.rotations[3, 0]), 1.0, atol=1e-5)
        assert np.allclose(rig.pose.bones["b0"].location, pose.locations["b0"][3], atol=1e-5)
        written = everything(rig)
        bpy.ops.ed.undo_push(message="after")
        bpy.ops.ed.undo()
        rig, scene = bpy.data.objects["Rig"], bpy.context.scene
        extra_keys(before, Before.of(rig, np.array(outside)), 20, 27)
        assert everything(rig) != written
        bpy.ops.ed.redo()
        rig, scene = bpy.data.objects["Rig"], bpy.context.scene
        assert everything(rig) == written
        import tempfile, pathlib
        with tempfile.TemporaryDirectory() as folder:
            path = str(pathlib.Path(folder) / "saved.blend")
            bpy.ops.wm.save_as_mainfile(filepath=path)
            bpy.ops.wm.open_mainfile(filepath=path)
        rig, scene = bpy.data.objects["Rig"], bpy.context.scene
        assert everything(rig) == written

        # No action at all: the rig rests outside.
        rig = fresh(2)
        rig.pose.bones["b0"].rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
        looks = shown(rig, outside)
        writing.write(rig, pose_of(rng, 8, ("b0",), ("b1",)), 20)
        assert (shown(rig, outside) == looks).all()
        assert len(compat.active_curves(rig)) == 7

        # Shared with another rig: copied first.
        rig = animated(2)
        other = rig.copy()
        scene.collection.objects.link(other)
        shared = rig.animation_data.action
        was = everything(other)
        assert writing.write(rig, pose_of(rng, 4, ("b0",)), 20).copied
        assert rig.animation_data.action != shared == other.animation_data.action
        assert everything(other) == was

        # The sign of a quaternion changes within a frame, never by way of a spin.
        rig = fresh(1)
        for frame, sign in ((1, 1.0), (60, -1.0)):
            rig.pose.bones["b0"].rotation_quaternion = (sign, 0.0, 0.0, 0.0)
            rig.pose.bones["b0"].keyframe_insert("rotation_quaternion", frame=frame)
        for c in compat.active_curves(rig):
            for point in c.keyframe_points:
                point.interpolation = "CONSTANT"
            c.keyframe_points.insert(45, -1.0 if c.array_index == 0 else 0.0)
            c.keyframe_points[1].interpolation = "CONSTANT"
        turned = np.tile([-1.0, 0.0, 0.0, 0.0], (15, 1, 1))
        writing.write(rig, retarget.PoseChannels(("b0",), turned, {}), 30)
        w = curve(rig, 'pose.bones["b0"].rotation_quaternion', 0)
        assert all(abs(abs(w.evaluate(f)) - 1.0) < 1e-6 for f in np.arange(25.0, 50.0, 0.1))
        """
    )


def test_strips_that_are_tweaked(in_blender: Callable[..., str]) -> None:
    in_blender(
        """
        def strip_of(rig, **options):
            animation = rig.animation_data
            action = animation.action
            track = animation.nla_tracks.new()
            strip = track.strips.new("Walk", 10, action)
            if hasattr(strip, "action_slot") and strip.action_slot is None:
                strip.action_slot = action.slots[0]
            animation.action = None
            for name, value in options.items():
                setattr(strip, name, value)
            return strip

        def tweak(rig, strip):
            animation = rig.animation_data
            for track in animation.nla_tracks:
                track.select = strip.name in track.strips
                for one in track.strips:
                    one.select = one == strip
                if track.select:
                    animation.nla_tracks.active = track
            animation.use_tweak_mode = True
            assert animation.use_tweak_mode

        rng = np.random.default_rng(1)
        outside = [f for f in range(0, 90) if not 20 <= f <= 27]
        for options in ({}, {"scale": 1.3}, {"use_reverse": True},
                        {"scale": 0.7, "use_reverse": True},
                        {"action_frame_start": 4.5, "use_sync_length": False}):
            rig = animated(2)
            strip = strip_of(rig, **options)
            tweak(rig, strip)
            looks = shown(rig, outside)
            pose = pose_of(rng, 8, ("b0", "b1"), ("b0",))
            writing.write(rig, pose, 20)
            assert (shown(rig, outside) == looks).all(), options
            for row in range(8):
                scene.frame_set(20 + row)
                bone = rig.pose.bones["b0"]
                assert np.allclose(bone.location, pose.locations["b0"][row], atol=1e-4), options
                assert abs(np.array(bone.rotation_quaternion) @ pose.rotations[row, 0]) > 1 - 1e-5
            rig.animation_data.use_tweak_mode = False
            assert (shown(rig, outside) == looks).all(), options

        for options, words in (
            ({"repeat": 2.0}, "repeated"),
            ({"blend_type": "ADD"}, "mixed"),
            ({"blend_in": 5.0}, "blends"),
            ({"scale": 0.2}, "plays frames"),
        ):
            rig = animated(2)
            strip = strip_of(rig, **options)
            tweak(rig, strip)
            was = everything(rig)
            refused(lambda: writing.write(rig, pose_of(rng, 8, ("b0",)), 20), words)
            assert everything(rig) == was
        rig = animated(2)
        strip = strip_of(rig)
        tweak(rig, strip)
        refused(lambda: writing.write(rig, pose_of(rng, 8, ("b0",)), 10), "holds its first")
        strip.extrapolation = "NOTHING"
        begins = (strip.frame_start, strip.frame_end)
        looks = shown(rig, range(18, 70))
        writing.write(rig, pose_of(rng, 8, ("b0",)), 10)
        rig.animation_data.use_tweak_mode = False
        assert begins == (strip.frame_start, strip.frame_end)
        assert (shown(rig, range(18, 70)) == looks).all()

        # Nothing but an NLA: a new action that has a say in the range alone.
        rig = animated(2)
        strip_of(rig)
        looks = shown(rig, outside)
        pose = pose_of(rng, 8, ("b0",))
        writing.write(rig, pose, 20)
        assert (shown(rig, outside) == looks).all()
        scene.frame_set(22)
        turned = np.array(rig.pose.bones["b0"].rotation_quaternion)
        assert abs(turned @ pose.rotations[2, 0]) > 1 - 1e-5
        refused(lambda: writing.write(rig, pose_of(rng, 8, ("b0",)), 40), "push it down")

        # An action over an NLA that plays other bones of it.
        rig = animated(2)
        strip_of(rig)
        rig.animation_data.action = None
        compat.ActionWriter.new(rig, "Top").assign(rig)
        rig.pose.bones["b1"].keyframe_insert("location", frame=3)
        refused(lambda: writing.write(rig, pose_of(rng, 8, ("b0",)), 20), "below the action")
        rig.animation_data.action_blend_type = "ADD"
        refused(lambda: writing.write(rig, pose_of(rng, 8, ("b0",)), 20), "is mixed")
        """
    )


def test_what_would_change_something_else_is_refused(in_blender: Callable[..., str]) -> None:
    in_blender(
        """
        rng = np.random.default_rng(1)
        pose = pose_of(rng, 8, ("b0",), ("b1",))
        path = 'pose.bones["b0"].rotation_quaternion'

        def cycles(rig):
            curve(rig, path).modifiers.new("CYCLES")

        def noise(rig):
            modifier = curve(rig, path).modifiers.new("NOISE")
            modifier.use_restricted_range = True
            modifier.frame_start, modifier.frame_end = 15, 22

        def driver(rig):
            rig.driver_add(path, 2)

        def locked(rig):
            curve(rig, path, 1).lock = True

        def muted(rig):
            curve(rig, path, 1).mute = True

        def sampled(rig):
            curve(rig, path).convert_to_samples(0, 60)

        def disordered(rig):
            curve(rig, path).keyframe_points[1].co.x = 55.0

        for spoil, words in ((cycles, "modifiers"), (noise, "modifiers"), (driver, "driver"),
                             (locked, "locked"), (muted, "muted"), (sampled, "samples"),
                             (disordered, "order")):
            rig = animated(2)
            spoil(rig)
            was = everything(rig)
            refused(lambda: writing.write(rig, pose, 20), words)
            assert everything(rig) == was, words

        # A modifier that has no say in the range, or none at all, is in nobody's way.
        rig = animated(2)
        modifier = curve(rig, path).modifiers.new("NOISE")
        modifier.use_restricted_range = True
        modifier.frame_start, modifier.frame_end = 31, 60
        curve(rig, path, 1).modifiers.new("CYCLES").mute = True
        outside = np.array([f for f in range(1, 60) if not 20 <= f <= 27])
        before = Before.of(rig, outside)
        writing.write(rig, pose, 20)
        extra_keys(before, Before.of(rig, outside), 20, 27)

        # Whatever goes wrong in the middle, everything is as it was.
        for broken in range(0, 12, 3):
            for bare in (False, True):
                rig = fresh(2) if bare else animated(2)
                was = None if bare else everything(rig)
                actions = len(bpy.data.actions)
                put, calls = compat.put_key_table, []
                def failing(*arguments):
                    calls.append(arguments)
                    if len(calls) == broken + 1:
                        put(arguments[0], arguments[1][:3])
                        raise MemoryError("no more")
                    put(*arguments)
                compat.put_key_table = failing
                try:
                    writing.write(rig, pose, 20)
                    failed = False
                except MemoryError:
                    failed = True
                finally:
                    compat.put_key_table = put
                assert failed == (broken < len(calls))
                if failed:
                    assert len(bpy.data.actions) == actions
                    assert rig.animation_data is None if bare else everything(rig) == was
        """
    )


def test_what_comes_after_is_carried_on(in_blender: Callable[..., str]) -> None:
    in_blender(
        """
        from types import SimpleNamespace
        from scalemogen_blender._core import coordinates, rotations
        turn = rotations.rotation_vector_to_quaternion(np.array([0.0, 0.3, 0.0]))
        body = SimpleNamespace(turn=turn, origin=np.array([1.0, 0.0, -2.0]), scale=1.3)
        measured = SimpleNamespace(body=body)
        later = editing.Offset(2.2, np.array([1.0, 0.0, 0.5]))
        swap = np.eye(4)
        swap[:3, :3] = coordinates.BLENDER_TO_CANONICAL
        moved = np.linalg.inv(swap) @ moves.in_world(measured, later) @ swap

        def places(rig):
            found = []
            for frame in range(1, 61):
                scene.frame_set(frame)
                found.append(np.array(rig.matrix_world @ rig.pose.bones["b0"].matrix))
            return np.array(found)

        for mode, hangs, keys_stay in (("QUATERNION", False, True), ("QUATERNION", True, False),
                                       ("XYZ", False, False), ("AXIS_ANGLE", False, False)):
            rig = animated(2, mode)
            rig.location, rig.rotation_euler, rig.scale = (1, 2, 0), (0, 0, 0.3), (1.5, 1.5, 1.5)
            if hangs:  # below a bone that moves
                bpy.ops.object.mode_set(mode="EDIT")
                rig.data.edit_bones["b0"].parent = rig.data.edit_bones["b1"]
                bpy.ops.object.mode_set(mode="OBJECT")
            before = places(rig)
            pose = pose_of(np.random.default_rng(1), 10, ("b0",), ("b0",))
            writing.write(rig, pose, 15, later, measured)
            now = places(rig)
            assert (before[:14] == now[:14]).all()
            assert np.abs(moved @ before[24:] - now[24:]).max() < 1e-5, mode
            at = compat.read_key_table(curve(rig, 'pose.bones["b0"].location'), KEY)["co"][:, 0]
            assert set(at[at > 24]) >= {30.0, 50.0}
            assert (len(at[at > 30]) == 1) == keys_stay or mode != "QUATERNION"
        """
    )
