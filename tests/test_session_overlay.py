"""The coarse preview: its bones are where the joints are, closed, outward, in Blender's axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core import rotations, skeleton
from core.motion import Motion
from scalemogen_blender.overlay import bones
from scalemogen_blender.overlay.pace import BEAT, Pace

CANONICAL = skeleton.canonical()
points = arrays(np.float64, (5, 3), elements=st.floats(-2, 2))


def motion(frames: int = 4) -> Motion:
    """A figure that turns, bends an elbow and walks forward (+Z, canonical)."""
    turns = np.zeros((frames, CANONICAL.joint_count, 4))
    turns[..., 0] = 1.0
    angle = np.linspace(0.0, 1.0, frames)[:, None] * np.array([0.0, 1.0, 0.0])
    turns[:, 0] = rotations.rotation_vector_to_quaternion(angle)
    turns[:, CANONICAL.index("left_elbow")] = rotations.rotation_vector_to_quaternion(angle * 1.5)
    roots = np.array([0.3, 0.95, -0.2]) + np.linspace(0, 1, frames)[:, None] * [0.0, 0.0, 1.0]
    return Motion(CANONICAL, turns, roots, 30.0)


def all_ends(made: bones.Bones) -> tuple[np.ndarray, np.ndarray]:
    """Heads and tails [T, B, 3]."""
    heads, tails = zip(*map(made.ends, range(len(made.positions))), strict=True)
    return np.stack(heads), np.stack(tails)


def test_bones_run_from_joint_to_joint():
    heads, tails = all_ends(bones.build(motion()))
    expected = motion().positions()
    expected = expected - expected[0, 0] * [1.0, 0.0, 1.0]
    for joint, parent in enumerate(CANONICAL.parents):
        if parent < 0:
            continue
        x, y, z = np.moveaxis(expected[:, [parent, joint]], -1, 0)
        in_blender = np.stack([x, -z, y], axis=-1)  # Z up, characters face -Y
        bone = joint - 1
        np.testing.assert_allclose(heads[:, bone], in_blender[:, 0], atol=1e-9)
        np.testing.assert_allclose(tails[:, bone], in_blender[:, 1], atol=1e-9)


def test_head_hands_and_toes_have_tips():
    heads, tails = bones.build(motion(1)).ends(0)
    assert heads.shape == (CANONICAL.joint_count - 1 + 5, 3)
    head = tails[-5] - heads[-5]
    np.testing.assert_allclose(head / np.linalg.norm(head), [0, 0, 1], atol=1e-9)


def test_it_stands_where_the_rig_stands_faces_its_way_and_has_its_size():
    quarter = rotations.rotation_vector_to_quaternion(np.array([0.0, np.pi / 2, 0.0]))
    placement = bones.Placement(np.array([5.0, 1.0, 2.0]), quarter, 2.0)
    plain_heads, plain_tails = all_ends(bones.build(motion()))
    heads, tails = all_ends(bones.build(motion(), placement))
    size = np.linalg.norm(tails - heads, axis=-1)
    np.testing.assert_allclose(size, 2 * np.linalg.norm(plain_tails - plain_heads, axis=-1))
    np.testing.assert_allclose(heads[0, 0], [5.0, -2.0, 1.0 + 2 * 0.95], atol=1e-9)
    walked = heads[-1, 0] - heads[0, 0]
    np.testing.assert_allclose(walked, [2.0, 0.0, 0.0], atol=1e-9)  # its left is the old front


@given(points, points, points)
def test_octahedra_are_closed_and_face_outwards(heads, tails, across):
    across = across * 0.1
    length = np.linalg.norm(tails - heads, axis=-1)
    crossing = np.linalg.norm(np.cross(tails - heads, across), axis=-1)
    usable = (length > 0.01) & (crossing > 0.001)
    faces = bones.octahedra(heads, tails, across)
    assert faces.shape == (5, 8, 3, 3) and np.isfinite(faces).all()
    for bone in np.flatnonzero(usable):
        middle = (heads[bone] + tails[bone]) / 2
        for a, b, c in faces[bone]:
            assert np.cross(b - a, c - a) @ (a - middle) > 0, "a face looks inwards"
        edges = [
            tuple(np.round([*f[i], *f[(i + 1) % 3]], 6)) for f in faces[bone] for i in range(3)
        ]
        assert {(*e[3:], *e[:3]) for e in edges} == set(edges), "a hole"


def test_far_bones_are_painted_first():
    heads = np.array([[0.0, 0.0, z] for z in (-5.0, -1.0, -3.0)])
    faces = bones.octahedra(
        heads, heads + np.array([0.0, 1.0, 0.0]), np.tile([1.0, 0.0, 0.0], (3, 1))
    )
    ordered = bones.far_to_near(faces, np.eye(4))  # a camera looks along -Z
    assert [round(bone[..., 2].mean()) for bone in ordered] == [-5, -3, -1]


def test_faces_towards_the_light_are_lighter():
    up = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])
    light, dark = bones.shades(up), bones.shades(up[:, ::-1])
    assert 0.45 <= dark[0] < light[0] <= 1.0


def test_it_plays_in_real_time_and_starts_again():
    made = bones.build(motion(60))
    assert [made.frame_at(t) for t in (0.0, 0.5, 1.99, 2.0, 3.0)] == [0, 15, 59, 0, 30]


def drawn(seconds: float, cost: float) -> list[float]:
    """When a preview is drawn in so many seconds, if drawing takes ``cost``."""
    pace, now, times = Pace(), 0.0, []
    while now < seconds:
        asked = pace.beat(now)
        if asked:
            times.append(now)
        now += max(BEAT, cost if asked else 0.0)
    return times


def test_a_light_scene_is_drawn_with_every_beat():
    assert len(drawn(2.0, 0.02)) >= 59


@pytest.mark.parametrize("cost", [0.1, 0.5, 2.0])
def test_a_heavy_scene_is_drawn_less_often(cost):
    times = drawn(60.0, cost)
    assert 0.25 < len(times) * cost / 60.0 < 0.5


PREVIEW = """
import sys
sys.path.insert(0, sys.argv[2])
import bpy, numpy as np
from session_fakes import Bench, walk
from mathutils import Matrix, Vector
from scalemogen_blender import mannequin, session
from scalemogen_blender.overlay import place, bones
bench = Bench()
"""


@pytest.mark.blender
def test_the_preview_is_placed_on_the_rig(run_in_blender):
    run_in_blender(
        PREVIEW
        + """
rig = mannequin.build()
rig.matrix_world = Matrix.LocRotScale((3, -2, 0.5), Matrix.Rotation(1.0, 3, "Z"), (2, 2, 2))
bpy.context.view_layer.update()
made = bones.build(walk(), place.of_rig(rig))
hips = rig.matrix_world @ rig.data.bones["pelvis"].head_local
np.testing.assert_allclose(made.ends(0)[0][0][:2], hips[:2], atol=0.05)
assert 1.6 < made.ends(0)[0][0][2] - 0.5 < 2.2, "twice a person's size, on the rig's floor"
walked = Matrix.Rotation(-1.0, 3, "Z") @ Vector(
    made.ends(59)[0][0] - made.ends(0)[0][0])
np.testing.assert_allclose(walked, (0, -2, 0), atol=1e-5)  # forward, twice as far

still = place.of_rig(None)
assert still.scale == 1.0 and not still.origin.any()
empty = bpy.data.objects.new("Empty", bpy.data.armatures.new("Empty"))
bpy.context.scene.collection.objects.link(empty)
empty.location = (1, 2, 3)
bpy.context.view_layer.update()
np.testing.assert_allclose(place.of_rig(empty).origin, (1, 3, -2))
""",
        __file__.rpartition("/")[0],
    )


@pytest.mark.blender
def test_the_preview_is_no_object_and_ends_with_the_job(run_in_blender):
    run_in_blender(
        PREVIEW
        + """
for end in ("finish", "cancel", "fail", "die", "load"):
    blank = len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.armatures)
    job = bench.submit()
    bench.make_ready()
    bench.client.progress(job.id, 1, 6, walk(30))
    bench.pump()
    assert bench.session.overlay.is_shown
    assert blank == (len(bpy.data.objects), len(bpy.data.meshes), len(bpy.data.armatures))
    if end == "finish":
        bench.client.finish(job.id)
    elif end == "cancel":
        session.cancel()
        bench.client.confirm_cancel(job.id)
    elif end == "fail":
        bench.client.fail(job.id, "no")
    elif end == "die":
        bench.client.die()
    else:
        bpy.ops.wm.read_homefile(use_empty=True)
    bench.pump()
    assert not bench.session.overlay.is_shown and not session.busy(), end
    bench.client.progress(job.id, 2, 6, walk(30))  # late
    bench.pump()
    assert not bench.session.overlay.is_shown, end
""",
        __file__.rpartition("/")[0],
    )
