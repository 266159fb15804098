"""Looking at what a rig does, for an edit: nothing moves by it, and what was seen is not old."""

import pytest

pytestmark = pytest.mark.blender

_SCRIPT = """
import bpy, numpy as np
from scalemogen_blender import compat, mannequin, pipeline, registration
from scalemogen_blender.edit import reading
from scalemogen_blender.overlay import bones, place
from scalemogen_blender.results import seen
from tests.synthetic import walking

registration.register()
scene = bpy.context.scene
rig = mannequin.build()
pipeline.retarget_onto(rig, walking(40))
# What moves it from outside: another armature, and an object below a third.
other = rig.copy()
other.data = rig.data.copy()
target, above = (bpy.data.objects.new(name, None) for name in ("Target", "Above"))
for made in (other, target, above):
    scene.collection.objects.link(made)
target.parent = above
head = rig.pose.bones["head"].constraints.new("COPY_ROTATION")
head.target, head.subtarget, head.influence = other, "head", 0.5
held = rig.pose.bones["neck"].constraints.new("COPY_LOCATION")
held.target, held.influence = target, 0.1
for frame, x in ((1, 0.0), (40, 3.0)):
    target.location.x = x
    target.keyframe_insert("location", frame=frame)
scene.frame_set(10)
bpy.context.view_layer.update()

# Poses that are not keyed, of the rig and of what it looks at, stay.
for owner in (rig, other):
    owner.pose.bones["left_elbow"].rotation_quaternion = (0.5, 0.5, 0.5, 0.5)
target.location = (7, 7, 7)
def posed():
    bpy.context.view_layer.update()
    turns = [tuple(o.pose.bones["left_elbow"].rotation_quaternion) for o in (rig, other)]
    return [*turns, tuple(target.location), scene.frame_current, rig.hide_viewport,
            len(bpy.data.scenes)]
rig.hide_viewport = True
before = posed()
read = reading.read(rig, 1, 40)
assert posed() == before, (posed(), before)
assert np.ptp(read.pose.matrices[:, :, :3, 3], axis=0).max() > 0.5, "it walks"

rig.hide_viewport = False

# The coarse preview of an edit stands where the rig is in those frames.
made = bones.build(read.motion, place.of_edit(read.retargeter.body, 20, 29))
assert len(made.positions) == 10
scene.frame_set(21)
pelvis = rig.matrix_world @ rig.pose.bones["pelvis"].head
assert np.abs(made.ends(0)[0][0] - np.array(pelvis)).max() < 0.03 < abs(pelvis.y), pelvis
scene.frame_set(10)
for owner in (rig, other):
    owner.pose.bones["left_elbow"].rotation_quaternion = (0.5, 0.5, 0.5, 0.5)
target.location = (7, 7, 7)

# In steps it is the same, and given up in the middle it leaves nothing.
work = reading.steps(rig, 1, 40)
shares = []
while True:
    try:
        shares.append(next(work))
    except StopIteration as done:
        stepped = done.value
        break
assert len(shares) == 40 and shares == sorted(shares) and shares[-1] == 1.0
assert np.array_equal(stepped.pose.matrices, read.pose.matrices)
before = posed()
work = seen.steps(rig, 1, 40)
next(work)
assert len(bpy.data.scenes) == 2
work.close()
assert posed() == before

# What was seen is used again, until something that moves the rig is another.
def looked_again(change):
    known = seen.read(rig, 1, 40)
    assert seen.read(rig, 1, 40) is known
    change()
    return seen.read(rig, 1, 40) is not known
def set_in(owner, name, value):
    return lambda: setattr(owner, name, value)
key = target.animation_data.action
def move_key():
    compat.active_curves(target)[0].keyframe_points[1].co[1] = 2.0
    key.update_tag()
free = bpy.data.objects.new("Free", None)
scene.collection.objects.link(free)
for number, change in enumerate((lambda: scene.frame_set(20), set_in(free, "scale", (2, 2, 2)))):
    assert not looked_again(change), number
for number, change in enumerate((
    set_in(above, "location", (0, 0, 2)), move_key, set_in(head, "influence", 0.25),
    set_in(held, "mute", True), lambda: rig.__setitem__("switch", 1.0),
    lambda: target.keyframe_insert("location", frame=30),
    set_in(other.pose.bones["head"], "rotation_quaternion", (0, 1, 0, 0)),
)):
    assert looked_again(change), number
"""


def test_looking_at_a_rig_moves_nothing_and_is_done_again_when_something_has(run_in_blender):
    run_in_blender(_SCRIPT)
