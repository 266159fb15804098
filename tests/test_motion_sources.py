"""Motions from the files that artists have: FBX, glTF, Blender files with an animated armature."""

import json
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.blender

_PRELUDE = """
import contextlib, io, json, sys
from pathlib import Path
sys.path.insert(0, "tests/blender_scripts")
import bpy, numpy as np
from core.errors import ScaleMoGenError
from core.retarget import RetargetOptions
from core.rotations import rotation_angle
from scalemogen_blender import pipeline, rig_import
from make_rigs import write_rig_file, add_rig, STYLES
from tests.synthetic import tumbling, walking
folder = Path(sys.argv[2])

def answer(value):
    print("ANSWER " + json.dumps(value))

def refusal(action, *arguments):
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            action(*arguments)
    except ScaleMoGenError as error:
        return str(error)
    return None

def animated(style, motion, name="take"):
    # A rig of a style that shows the motion; its object has a scale of 0.01 and a quarter turn.
    write_rig_file(folder / f"{name}-rig.blend", style)
    rig = pipeline.open_rig(str(folder / f"{name}-rig.blend"))
    as_it_is = RetargetOptions(feet="NEVER", keep_hands=False)
    pipeline.retarget_onto(rig, motion, name, options=as_it_is)
    return rig

def gap(found, motion):
    # Worst joint rotation in degrees and worst step of the path in metres, frame by frame.
    count = min(found.frame_count, motion.frame_count)
    turned = np.degrees(rotation_angle(found.rotations[:count], motion.rotations[:count])).max()
    steps = [np.diff(one.root_positions[:count], axis=0) for one in (found, motion)]
    steps = steps[0] - steps[1]
    return [found.frame_count, found.fps, float(turned), float(abs(steps).max())]
"""


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path) -> Callable[[str], object]:
    def ask(source: str, *arguments: object) -> object:
        output = run_in_blender(_PRELUDE + source, tmp_path, *arguments, timeout=500)
        line = next(li for li in output.splitlines() if li.startswith("ANSWER "))
        return json.loads(line.removeprefix("ANSWER "))

    return ask


@pytest.mark.parametrize("suffix", [".fbx", ".glb", ".blend"])
@pytest.mark.parametrize("style", ["mixamo T-pose", "unreal A-pose"])
def test_what_was_exported_is_read_back(ask_blender, suffix, style):
    """At 30 frames a second from frame 1; the unreal rig has five spine bones for our three."""
    frames, fps, degrees, metres = ask_blender(
        """
motion = walking(31)
animated(sys.argv[3], motion)
pipeline.export(folder / f"take{sys.argv[4]}")
found, bones = pipeline.open_motion(folder / f"take{sys.argv[4]}")
assert bones.joint_count == 22
answer(gap(found, motion))
""",
        style,
        suffix,
    )
    assert (frames, fps) == (31, pytest.approx(30.0))
    assert degrees < (0.2 if style.startswith("mixamo") else 8.0)
    assert metres < 2e-3


def test_rigs_below_turned_and_scaled_empties_give_the_same_motion(ask_blender):
    """As importers leave them: Z up by an empty's quarter turn, centimetres by its scale."""
    found = ask_blender(
        """
motion, found = walking(20), {}
for case in ("plain", "turned", "scaled", "both", "animated empty"):
    rig = animated("mixamo T-pose", motion)
    above = bpy.data.objects.new("Above", None)
    bpy.context.scene.collection.objects.link(above)
    if case in ("turned", "both"):
        above.rotation_euler = (1.5707963, 0.0, 0.7)
    if case in ("scaled", "both"):
        above.scale = (0.01,) * 3
    if case == "animated empty":
        for frame, x in ((1, 0.0), (20, 1.0)):
            above.location.x = x
            above.keyframe_insert("location", frame=frame)
    if case != "plain":
        bpy.context.view_layer.update()
        rig.parent = above
        if case != "animated empty":  # it stands where it stood: the armature is Y up, and large
            rig.matrix_basis = above.matrix_world.inverted() @ rig.matrix_basis
    rig.data.pose_position = "REST"
    path = folder / "take.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    made, _ = pipeline.open_motion(path)
    found[case] = gap(made, motion)
answer(found)
"""
    )
    for case in ("plain", "turned", "scaled", "both"):
        frames, _, degrees, metres = found[case]
        assert frames == 20 and degrees < 0.1 and metres < 1e-3, (case, found[case])
    assert found["animated empty"][3] > 0.03, "an empty that moves the rig moves the motion"


def test_the_armature_that_moves_is_taken_over_its_whole_action(ask_blender):
    found = ask_blender(
        """
motion = tumbling(2, 25)
rig = animated("mixamo T-pose", motion)
still = add_rig(STYLES["mixamo T-pose"], seed=4)
still.name = "Still"
prop = bpy.data.objects.new("Prop", bpy.data.armatures.new("Prop"))
bpy.context.scene.collection.objects.link(prop)
prop.keyframe_insert("location", frame=1)
bpy.context.scene.frame_start, bpy.context.scene.frame_end = 5, 8
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "two.blend"))
found = {"two": gap(pipeline.open_motion(folder / "two.blend")[0], motion)}

rig = next(o for o in bpy.data.objects if o.animation_data and o.name not in ("Still", "Prop"))
action = rig.animation_data.action
rig.animation_data.action = None
strip = rig.animation_data.nla_tracks.new().strips.new("take", 40, action)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "strip.blend"))
found["strip"] = gap(pipeline.open_motion(folder / "strip.blend")[0], motion)

rig = next(o for o in bpy.data.objects if o.animation_data and o.animation_data.nla_tracks)
rig.name = "Moving"
still = bpy.data.objects["Still"]
for bone in still.pose.bones:
    copied = bone.constraints.new("COPY_TRANSFORMS")
    copied.target, copied.subtarget = rig, bone.name
bpy.data.objects.remove(bpy.data.objects["Prop"])
rig.hide_viewport = True
bpy.context.scene.frame_start, bpy.context.scene.frame_end = 40, 64
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "constraint.blend"))
bpy.ops.wm.read_factory_settings(use_empty=True)
found["constraint"] = gap(pipeline.open_motion(folder / "constraint.blend")[0], motion)
answer(found)
"""
    )
    for case, (frames, _, degrees, _metres) in found.items():
        assert frames == 25 and degrees < 0.2, (case, found[case])


def test_files_without_a_motion_are_one_clear_line(ask_blender):
    found = ask_blender(
        """
(folder / "broken.fbx").write_bytes(b"no fbx at all")
pipeline.open_rig("mannequin")
pipeline.export(folder / "still.blend")
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "empty.blend"))
answer({name: refusal(pipeline.open_motion, folder / name)
        for name in ("broken.fbx", "missing.fbx", "still.blend", "empty.blend")})
"""
    )
    assert "cannot be read" in found["broken.fbx"]
    assert "does not exist" in found["missing.fbx"]
    assert "is not animated" in found["still.blend"]
    assert "no armature" in found["empty.blend"]


def test_the_pose_of_a_file_stands_for_its_rest_pose(ask_blender):
    """The pose itself for a .blend, the first frame for an FBX; and no old animation is left."""
    found = ask_blender(
        """
found = {}
motion = tumbling(4, 6, reach=0.3)
for suffix in (".blend", ".fbx"):
    rig = animated("mixamo T-pose", motion)
    bpy.context.scene.frame_set(1)
    pipeline.export(folder / f"posed{suffix}")
    rig = pipeline.open_rig(str(folder / f"posed{suffix}"), reference="pose")
    reference = pipeline._references[rig.session_uid]
    rest = np.array([b.matrix_local for b in rig.data.bones])
    seen = np.array([rig.pose.bones[b.name].matrix for b in rig.data.bones])
    order = {n: i for i, n in enumerate(pipeline.armature.names_and_parents(rig)[0])}
    same = reference[[order[b.name] for b in rig.data.bones]]
    found[suffix] = [float(abs(same - seen).max()) / float(abs(rest[:, :3, 3]).max()),
        float(abs(same - rest).max()) > 0.1,
        rig.animation_data is None or rig.animation_data.action is None]
answer(found)
"""
    )
    for suffix, (gap, posed, free) in found.items():
        assert gap < 1e-4 and posed and free, suffix


@pytest.mark.parametrize("unit", ["metres", "centimetres", "inches", "cmu"])
def test_bvh_files_of_any_unit_are_rigs_of_human_size(ask_blender, unit):
    height = ask_blender(
        """
from core.bvh import write_bvh
write_bvh(folder / "in.bvh", walking(5))
factor = {"metres": 0.01, "centimetres": 1.0, "inches": 1 / 2.54, "cmu": 0.45 / 2.54}[sys.argv[3]]
lines, in_motion = [], False
for line in (folder / "in.bvh").read_text().splitlines():
    words = line.split()
    if words[:1] == ["OFFSET"]:
        line = "OFFSET " + " ".join(f"{float(w) * factor:.8f}" for w in words[1:])
    elif in_motion:
        values = [float(w) for w in words]
        line = " ".join(f"{v * factor if i < 3 else v:.8f}" for i, v in enumerate(values))
    in_motion = in_motion or line.startswith("Frame Time")
    lines.append(line)
(folder / "unit.bvh").write_text("\\n".join(lines))
rig = pipeline.open_rig(str(folder / "unit.bvh"))
heads = [rig.matrix_world @ b.head_local for b in rig.data.bones]
answer(max(h.z for h in heads) - min(h.z for h in heads))
""",
        unit,
    )
    assert 1.3 < height < 1.8
