"""Which way a body is up and where it faces, however it lies in its file."""

from dataclasses import replace

import numpy as np
import pytest

import rig_library
from core.errors import ScaleMoGenError
from core.retarget import BoneMap, RestRig, Retargeter
from core.retarget.body_frame import BodyFrame, body_frame
from core.rotations import quaternion_multiply, quaternion_to_matrix, rotation_angle
from core.skeleton import canonical
from tests.synthetic import combine, turn, walking

MAP = BoneMap("mixamo", rig_library.truth("mixamo"))
HEADINGS = (0.0, 20.0, 45.0, 100.0)


def frame(rig: RestRig) -> BodyFrame:
    return body_frame(rig, MAP, canonical())


def object_turned(rig: RestRig, rotation: np.ndarray) -> RestRig:
    matrix = np.eye(4)
    matrix[:3, :3] = quaternion_to_matrix(rotation)
    return replace(rig, to_world=matrix @ rig.to_world)


def bones_turned(rig: RestRig, rotation: np.ndarray) -> RestRig:
    """The rig with its rest pose turned, as seen in the world, below the same object."""
    turned = object_turned(rig, rotation).to_world
    inside = np.linalg.inv(rig.to_world) @ turned
    rest = inside @ rig.rest
    return replace(rig, rest=rest, tails=rig.tails @ inside[:3, :3].T + inside[:3, 3])


def moved(rig: RestRig, slots: dict[str, str]) -> RestRig:
    """The rig with some slots' bones where others begin."""
    rest = rig.rest.copy()
    for slot, where in slots.items():
        source, target = (rig.index(MAP.bones[name][0]) for name in (where, slot))
        rest[target, :3, 3] = rig.rest[source, :3, 3]
    return replace(rig, rest=rest)


def askew(rig: RestRig, upright: RestRig) -> float:
    """The most (degrees) that a bone of a rig is turned in its body, beside the upright rig's."""
    angles = rotation_angle(frame(rig).rotations, frame(upright).rotations)
    return float(np.degrees(angles.max()))


@pytest.mark.parametrize("pose", ["T", "A", "DOWN", "BENT"])
@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("tilt", [90.0, -90.0, 180.0, 60.0])
def test_a_lying_object_is_as_upright_in_itself_as_a_standing_one(pose, heading, tilt):
    rig = rig_library.build("mixamo", pose)
    lying = object_turned(rig, combine(turn("y", heading), turn("x", tilt)))
    assert askew(lying, rig) < 1e-3


@pytest.mark.parametrize("pose", ["T", "A", "DOWN", "BENT"])
@pytest.mark.parametrize("heading", [20.0, 45.0, 65.0])
def test_bones_that_lie_along_no_axis_are_their_own_measure(pose, heading):
    rig = rig_library.build("mixamo", pose)
    lying = bones_turned(rig, combine(turn("y", heading), turn("x", 90.0)))
    assert askew(lying, rig) < 5.0


@pytest.mark.parametrize("lean", [-20.0, -5.0, 12.0, 24.0])
def test_a_lean_of_the_rest_pose_stays_a_lean(lean):
    rig = rig_library.build("mixamo", "A")
    leaning = frame(bones_turned(rig, turn("x", lean)))
    expected = quaternion_multiply(turn("x", lean), frame(rig).rotations)
    assert np.degrees(rotation_angle(leaning.rotations, expected)).max() < 1e-3


def test_a_hunched_body_stands_on_upright_legs():
    rig = rig_library.build("mixamo", "A")
    chest, hips = rig.index(MAP.bones["spine"][0]), rig.index(MAP.bones["pelvis"][0])
    bow = np.eye(4)
    bow[:3, :3] = quaternion_to_matrix(turn("x", 80.0))
    pivot = np.eye(4)
    pivot[:3, 3] = rig.heads[hips]
    bowed = np.linalg.inv(rig.to_world) @ pivot @ bow @ np.linalg.inv(pivot) @ rig.to_world
    rest = rig.rest.copy()
    for bone in range(rig.bone_count):
        if chest in (bone, *rig.ancestors(bone)):
            rest[bone] = bowed @ rest[bone]
    assert np.allclose(frame(replace(rig, rest=rest)).turn, frame(rig).turn, atol=1e-9)


def test_hips_in_one_place_leave_the_sides_to_shoulders_or_feet():
    rig = rig_library.build("mixamo", "A")
    one = moved(rig, {"left_hip": "pelvis", "right_hip": "pelvis"})
    none = moved(one, {"left_shoulder": "neck", "right_shoulder": "neck"})
    for odd in (one, none):
        assert np.degrees(rotation_angle(frame(odd).turn, frame(rig).turn)) < 1.0
        channels = Retargeter.build(odd, MAP, canonical()).transfer(walking(12))
        assert np.isfinite(channels.rotations).all()


@pytest.mark.parametrize("sides", [("left",), ("left", "right")])
def test_legs_without_length_are_refused(sides):
    rig = rig_library.build("mixamo", "A")
    legs = {f"{side}_{part}": "pelvis" for side in sides for part in ("hip", "knee", "ankle")}
    with pytest.raises(ScaleMoGenError, match="no length"):
        frame(moved(rig, legs))
