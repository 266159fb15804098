"""Armatures built from arrays are read back as the same arrays."""

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.blender

BUILT = """
import bpy, numpy as np, rig_library
from scalemogen_blender import armature, rest_armature
bpy.ops.wm.read_factory_settings(use_empty=True)
"""

ROUND_TRIP = (
    BUILT
    + """
def back(rest, **options):
    made = rest_armature.build(rest, "Rig", **options)
    read = armature.read_rest_rig(made)
    order = [read.index(name) for name in rest.bone_names]
    assert read.bone_count == rest.bone_count
    parents = [read.parents[i] for i in order]
    named = [read.bone_names[p] if p >= 0 else "" for p in parents]
    assert named == [rest.bone_names[p] if p >= 0 else "" for p in rest.parents]
    size = np.abs(rest.rest[:, :3, 3]).max()
    assert np.abs(read.rest[order][:, :3, :3] - rest.rest[:, :3, :3]).max() < 1e-4, rest.name
    assert np.abs(read.rest[order][:, :3, 3] - rest.rest[:, :3, 3]).max() < 2e-6 * size
    assert np.abs(read.tails[order] - rest.tails).max() < 2e-5 * size
    assert np.allclose(read.to_world, rest.to_world, atol=1e-5 * max(1.0, rest.scale)), rest.name
    assert (read.connected[order] == rest.connected).all()
    assert read.inherits_rotation.all() and read.local_location.all()
    return made

for name in ("mixamo", "unreal5", "rigify_metarig", "mmd", "cmu", "words_l_r"):
    for variation in ("usual", "random roll", "under an empty", "turned"):
        rest = rig_library.build(name, "BENT", 1, rig_library.VARIATIONS[variation])
        back(rest)
        made = back(rest, parent=True)
        assert made.parent is not None and abs(made.parent.scale.x - 1.0) > 0.5
"""
)

FLAGS = (
    BUILT
    + """
from dataclasses import replace
rest = rig_library.build("mixamo", "T")
off = np.zeros(rest.bone_count, bool)
made = rest_armature.build(replace(rest, inherits_rotation=off, local_location=off), "Loose")
read = armature.read_rest_rig(made)
assert not read.inherits_rotation.any() and not read.local_location.any()
"""
)


def test_what_is_built_is_read_back(run_in_blender: Callable[..., str]) -> None:
    run_in_blender(ROUND_TRIP)


def test_flags_of_the_bones_are_kept(run_in_blender: Callable[..., str]) -> None:
    run_in_blender(FLAGS)


JUDGED = """
import numpy as np, rig_library
from rig_library.judging import PLAIN, judge
from rig_library.posing import NumpySubject
from scalemogen_blender.rig_judge import rest_subject
from tests.synthetic import walking

motion = walking(10)
for name in ("unreal5", "words_l_r", "cmu"):
    for variation in ("usual", "under an empty"):
        rest = rig_library.build(name, "BENT", 0, rig_library.VARIATIONS[variation])
        subjects = NumpySubject(rest), rest_subject(rest)
        plain, evaluated = (subject.posed(motion, PLAIN) for subject in subjects)
        order = [evaluated.bone_names.index(bone) for bone in plain.bone_names]
        apart = np.abs(evaluated.heads[:, order] - plain.heads).max()
        assert apart < 1e-4, (name, variation, apart)
        assert np.abs(evaluated.axes[:, order] - plain.axes).max() < 1e-3
        assert np.ptp(evaluated.heads[:, order], axis=0).max() > 0.05  # it does move
row = judge("mixamo", "A", [motion], rest_subject).row
assert row.mapped == 22 and not row.wrong and row.direction < 0.01, row
"""


def test_blender_shows_what_the_plain_matrices_say(run_in_blender: Callable[..., str]) -> None:
    run_in_blender(JUDGED)


CONTROL_RIG = """
from cli.rig_judging import CONTROL_RIGS, judge_control_rig
from tests.synthetic import walking

assert set(CONTROL_RIGS.values()) == {"FK", "IK"}
for name in CONTROL_RIGS:
    row = judge_control_rig(name, [walking(8)]).row
    assert row.mapped == row.joints == 22 and row.direction < 0.1 and row.trunk < 0.1, row
    assert row.hip_height < 0.1 and row.turns != row.turns, row  # turns are not known
"""


def test_control_rigs_are_judged_by_their_deform_bones(run_in_blender: Callable[..., str]) -> None:
    run_in_blender(CONTROL_RIG)
