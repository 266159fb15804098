"""Feet stay put on rigs of other proportions than the motion's."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from footwork import LEGS, feet_to_motion, jumping, standing, strolling
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import SIDES, RigRecipe, build_rig, pose_rig, tumbling

from core.cleanup import find_contacts
from core.motion import Motion
from core.retarget.bone_map import map_bones
from core.retarget.feet import foot_shapes, planted
from core.retarget.options import RetargetOptions
from core.retarget.pose import JointPose
from core.retarget.transfer import Retargeter
from core.rotations import quaternion_multiply, quaternion_rotate, rotation_vector_to_quaternion
from core.skeleton import canonical

SKELETON = canonical()
GROUND = [0, 2]
UP = np.array([0.0, 1.0, 0.0])


def legs(thigh: float = 1.0, shin: float = 1.0, foot: float = 1.0, hips: float = 1.0) -> dict:
    """Proportions of both legs beside the canonical ones."""
    parts = {"knee": thigh, "ankle": shin, "foot": foot, "hip": hips}
    return {f"{side}_{part}": share for side in SIDES for part, share in parts.items()}


def retargeter(**recipe) -> Retargeter:
    rig = build_rig(RigRecipe(**recipe))
    return Retargeter.build(rig, map_bones(rig.bone_names, rig.parents), SKELETON)


ODD = legs(thigh=1.3, shin=0.75, foot=1.5, hips=1.4)
PROPORTIONS = st.builds(
    legs, st.floats(0.75, 1.3), st.floats(0.75, 1.3), st.floats(0.6, 1.8), st.floats(0.7, 1.8)
)


@dataclass(frozen=True)
class Foot:
    """A rig's foot in a pose; lengths in legs."""

    ankle: np.ndarray
    knee: np.ndarray
    hip: np.ndarray
    ball: np.ndarray
    heel: np.ndarray
    tip: np.ndarray
    rest_ankle: float
    flat: np.ndarray
    rolls: np.ndarray


def feet(rig: Retargeter, pose: JointPose, motion: Motion) -> list[Foot]:
    """Both feet, and when the motion's contacts say that they stand flat or on the ball."""
    contacts = find_contacts(motion).planted if motion.contacts is None else motion.contacts > 0.99
    found = []
    for shape in foot_shapes(rig):
        leg = shape.leg
        hip, knee, ankle = np.moveaxis(rig.bone_heads(pose, shape.bones[:3]), 1, 0) / shape.length
        turns, toes = pose.turns[:, leg.ankle], pose.turns[:, leg.toe]
        ball = ankle + quaternion_rotate(turns, shape.toe) / shape.length
        ankle_stands, toe_stands = contacts[:, leg.ankle_contact], contacts[:, leg.toe_contact]
        found.append(
            Foot(
                ankle=ankle,
                knee=knee,
                hip=hip,
                ball=ball - UP * shape.toe_height / shape.length,
                heel=ankle + quaternion_rotate(turns, shape.heel) / shape.length,
                tip=ball + quaternion_rotate(toes, shape.tip) / shape.length,
                rest_ankle=float(rig.body.heads[shape.bones[2], 1]) / shape.length,
                flat=ankle_stands & toe_stands,
                rolls=toe_stands & ~ankle_stands,
            )
        )
    return found


def before_and_after(rig: Retargeter, motion: Motion, lock: str = "AUTOMATIC"):
    pose = rig.joint_pose(motion)
    return pose, planted(rig, motion, pose, lock)


def sliding(rig: Retargeter, pose: JointPose, motion: Motion) -> float:
    """Fastest way of a standing foot over the floor, cm/s on a leg of canonical length."""
    fastest = 0.0
    for foot in feet(rig, pose, motion):
        for path, stands in ((foot.ankle, foot.flat), (foot.ball, foot.flat | foot.rolls)):
            speed = np.linalg.norm(np.diff(path[:, GROUND], axis=0), axis=-1) * motion.fps
            fastest = max(fastest, float((speed * (stands[1:] & stands[:-1])).max()))
    return fastest * 83.0


def height_error(rig: Retargeter, pose: JointPose, motion: Motion) -> float:
    """Furthest that a flat foot is above or below its place on the floor, in percent of the leg."""
    return 100 * max(
        float(np.abs(foot.ankle[:, 1] - foot.rest_ankle)[foot.flat].max())
        for foot in feet(rig, pose, motion)
    )


def depth(rig: Retargeter, pose: JointPose, motion: Motion) -> float:
    """How deep soles are in the floor, in percent of the leg."""
    return -100 * min(
        float(min(foot.ball[:, 1].min(), foot.heel[:, 1].min(), foot.tip[:, 1].min()))
        for foot in feet(rig, pose, motion)
    )


def roughness(rig: Retargeter, pose: JointPose, motion: Motion) -> float:
    """Largest acceleration of ankles, balls and knees, in canonical metres per second squared."""
    return 0.83 * max(
        float(np.linalg.norm(np.diff(path, n=2, axis=0), axis=-1).max()) * motion.fps**2
        for foot in feet(rig, pose, motion)
        for path in (foot.ankle, foot.ball, foot.knee)
    )


# --- what the artist sees -------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(PROPORTIONS, st.sampled_from([12.0, 24.0, 30.0, 60.0, 120.0]), st.booleans())
def test_standing_feet_neither_slide_nor_float_nor_sink(proportions, fps, toes) -> None:
    leave_out = () if toes else tuple(f"{side}_foot" for side in SIDES)
    rig = retargeter(proportions=proportions, leave_out=leave_out)
    motion = strolling(fps=fps)
    _, locked = before_and_after(rig, motion)
    assert sliding(rig, locked, motion) < 1.0
    assert height_error(rig, locked, motion) < 1.0
    if toes:
        assert depth(rig, locked, motion) < 1.0


@pytest.mark.parametrize("motion", [strolling(), standing(), standing(crouch=0.35), jumping()])
def test_without_the_lock_they_do(motion) -> None:
    """The rigs and motions of these tests are hard enough to tell a lock from none."""
    rig = retargeter(proportions=ODD)
    pose, locked = before_and_after(rig, motion)
    assert sliding(rig, pose, motion) > 5.0
    assert max(height_error(rig, pose, motion), depth(rig, pose, motion)) > 0.4
    assert sliding(rig, locked, motion) < 0.1
    assert height_error(rig, locked, motion) < 0.1
    assert depth(rig, locked, motion) < 0.5


@settings(max_examples=15, deadline=None)
@given(PROPORTIONS, st.sampled_from(["AUTOMATIC", "ALWAYS"]))
def test_legs_are_never_stretched_and_knees_bend_forwards(proportions, lock) -> None:
    rig = retargeter(proportions=proportions)
    motion = strolling(crouch=0.12)
    pose, locked = before_and_after(rig, motion, lock)
    for own, foot in zip(feet(rig, pose, motion), feet(rig, locked, motion), strict=True):
        reach, limit = (np.linalg.norm(f.ankle - f.hip, axis=-1) for f in (foot, own))
        assert np.all(reach <= np.maximum(limit, 0.9931) + 1e-9)
        bend = np.cross(foot.knee - foot.hip, foot.ankle - foot.knee)
        assert np.all(bend[:, 0] > 0.9 * np.linalg.norm(bend, axis=-1))


@settings(max_examples=15, deadline=None)
@given(PROPORTIONS, st.sampled_from([24.0, 30.0, 60.0]))
def test_feet_come_and_go_without_pops(proportions, fps) -> None:
    rig = retargeter(proportions=proportions)
    motion = strolling(fps=fps)
    pose, locked = before_and_after(rig, motion)
    # A foot that changes direction takes what a step of the walk itself does.
    assert roughness(rig, locked, motion) < 1.25 * roughness(rig, pose, motion) + 20.0
    shift = (locked.hips - pose.hips)[:, 1] / rig.body.scale
    assert np.abs(np.diff(shift, n=2)).max(initial=0.0) * fps**2 < 4.0


def test_only_legs_turn_and_only_near_standing_frames() -> None:
    motion = jumping(fps=60.0)
    rig = retargeter(proportions=ODD)
    pose, locked = before_and_after(rig, motion)
    flight = np.flatnonzero(motion.contacts[:, 0] == 0.0)
    free = slice(flight[0] + 18, flight[-1] - 17)
    assert free.stop - free.start > 10
    np.testing.assert_array_equal(locked.turns[free], pose.turns[free])
    joints = {j for leg in LEGS for j in (leg.hip, leg.knee, leg.ankle, leg.toe)}
    others = [joint for joint in range(SKELETON.joint_count) if joint not in joints]
    np.testing.assert_array_equal(locked.turns[:, others], pose.turns[:, others])
    np.testing.assert_array_equal(locked.hips[:, GROUND], pose.hips[:, GROUND])
    assert not np.array_equal(locked.turns, pose.turns)


def test_a_rig_of_the_motions_own_proportions_is_left_as_it_is() -> None:
    for motion in (standing(), jumping()):
        pose, locked = before_and_after(retargeter(), motion)
        np.testing.assert_allclose(locked.turns, pose.turns, atol=1e-6)
        np.testing.assert_allclose(locked.hips, pose.hips, atol=1e-6)


def test_never_touches_nothing() -> None:
    pose, same = before_and_after(retargeter(proportions=ODD), strolling(), "NEVER")
    assert same is pose


@pytest.mark.parametrize("size", [0.18, 1.0, 18.0])
def test_the_size_of_a_rig_does_not_matter(size: float) -> None:
    motion = strolling()
    small, large = (retargeter(proportions=ODD, size=s) for s in (1.0, size))
    (_, one), (_, other) = (before_and_after(rig, motion) for rig in (small, large))
    np.testing.assert_allclose(other.turns, one.turns, atol=1e-6)
    np.testing.assert_allclose(other.hips / size, one.hips, atol=1e-6)


# --- rolling, pivoting, tiptoes -------------------------------------------------------------------


def test_the_heel_lifts_as_in_the_motion_and_the_toes_stay_on_the_floor() -> None:
    rig, motion = retargeter(proportions=ODD), strolling()
    _, locked = before_and_after(rig, motion)
    source = motion.global_rotations()
    for leg, foot in zip(LEGS, feet(rig, locked, motion), strict=True):
        lift = foot.heel[foot.rolls, 1]
        assert lift.max() > 0.05
        toes = quaternion_rotate(locked.turns[foot.rolls, leg.toe], UP)
        np.testing.assert_allclose(toes[:, 1], 1.0, atol=1e-6)
        ahead = np.array([0.0, 0.0, 1.0])
        made, own = (
            quaternion_rotate(q[:, leg.ankle], ahead)[:, 1] for q in (locked.turns, source)
        )
        assert np.all(made[foot.rolls] < own[foot.rolls] + 0.15), "no less than in the motion"


def tilted(motion: Motion, degrees: float, side: int | None = None) -> Motion:
    """Feet turned toes down about the ball of the foot; the ball stays where it is."""
    pelvis = motion.root_positions
    positions, turns = motion.positions(), motion.global_rotations()
    turn = rotation_vector_to_quaternion(np.array([np.radians(degrees), 0.0, 0.0]))
    pitches = np.zeros((motion.frame_count, 2))
    ankles = np.stack([positions[:, leg.ankle] for leg in LEGS], axis=1)
    for index, leg in enumerate(LEGS):
        if side in (None, index):
            offset = SKELETON.rest_offsets[leg.toe]
            foot = quaternion_multiply(turns[:, leg.ankle], turn)
            ankles[:, index] = positions[:, leg.toe] - quaternion_rotate(foot, offset)
            pitches[:, index] = np.radians(degrees)
    return feet_to_motion(pelvis, ankles, pitches, motion.contacts, motion.fps)


def test_soles_that_a_recording_tilts_throughout_are_flat_on_the_rig() -> None:
    rig, motion = retargeter(proportions=ODD), tilted(standing(), 14.0)
    pose, locked = before_and_after(rig, motion)
    assert height_error(rig, pose, motion) > 3.0
    assert height_error(rig, locked, motion) < 0.1
    for leg in LEGS:
        assert quaternion_rotate(locked.turns[:, leg.ankle], UP)[:, 1].min() > 1.0 - 1e-9


def test_a_lifted_heel_stays_up_where_the_other_foot_is_flat() -> None:
    rig, motion = retargeter(proportions=ODD), tilted(standing(), 25.0, side=1)
    _, locked = before_and_after(rig, motion)
    left, right = feet(rig, locked, motion)
    assert np.abs(left.ankle[:, 1] - left.rest_ankle).max() < 0.001
    assert (right.ankle[:, 1] - right.rest_ankle).min() > 0.05
    assert np.abs(right.ball[:, 1]).max() < 0.001


# --- heights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("height", [0.15, 0.4, 1.0])
@pytest.mark.parametrize("channels", [True, False])
def test_who_stands_on_something_high_stays_there_and_stands_still(height, channels) -> None:
    rig, motion = retargeter(proportions=ODD), standing(height=height)
    motion = motion if channels else replace(motion, contacts=None)
    pose, locked = before_and_after(rig, motion)
    known = replace(motion, contacts=np.ones((motion.frame_count, 4)))
    assert sliding(rig, pose, known) > 5.0
    assert sliding(rig, locked, known) < 1.0
    for foot in feet(rig, locked, known):
        above = (foot.ankle[:, 1] - foot.rest_ankle) * 0.83
        np.testing.assert_allclose(above, height, atol=0.005)


@pytest.mark.parametrize("height", [-0.12, -0.03, 0.05])
def test_a_recording_whose_floor_is_elsewhere_is_put_on_the_floor(height) -> None:
    rig, motion = retargeter(proportions=ODD), replace(standing(height=height), contacts=None)
    _, locked = before_and_after(rig, motion)
    known = replace(motion, contacts=np.ones((motion.frame_count, 4)))
    assert height_error(rig, locked, known) < 1.0
    knees = locked.turns[:, LEGS[0].knee]
    level, _ = before_and_after(rig, standing())
    assert np.abs(knees - level.turns[:, LEGS[0].knee]).max() < 0.08, "the pelvis goes, too"


def test_feet_of_who_kneels_say_nothing_about_the_floor() -> None:
    """On the knees, the feet pointing back: their toes are higher than those of who stands."""
    upright = standing(seconds=1.0)
    angles = np.zeros((upright.frame_count, 22, 3))
    for leg in LEGS:
        angles[:, leg.knee, 0] = np.pi / 2
        angles[:, leg.ankle, 0] = 0.9
    path = np.tile([0.0, 0.53, 0.0], (upright.frame_count, 1))
    rotations = rotation_vector_to_quaternion(angles)
    kneeling = Motion(SKELETON, rotations, path, 30.0)
    assert find_contacts(kneeling).planted.any()
    pose, locked = before_and_after(retargeter(), kneeling)
    np.testing.assert_array_equal(locked.hips, pose.hips)


def test_contacts_are_found_where_a_recording_has_none() -> None:
    rig, motion = retargeter(proportions=ODD), strolling()
    pose, locked = before_and_after(rig, replace(motion, contacts=None))
    planted_joints = find_contacts(replace(motion, contacts=None)).planted
    found = replace(motion, contacts=motion.contacts * planted_joints)
    assert found.contacts.mean() > 0.7 * motion.contacts.mean()
    assert sliding(rig, pose, found) > 5.0
    assert sliding(rig, locked, found) < 1.0


def test_a_pelvis_too_high_for_its_feet_comes_down_instead_of_stretching_legs() -> None:
    rig = retargeter(proportions=legs(hips=2.5))
    motion = strolling(speed=1.1, crouch=0.07)
    pose, locked = before_and_after(rig, motion)
    assert (locked.hips - pose.hips)[:, 1].min() < -0.004
    assert sliding(rig, locked, motion) < 1.0


# --- always ---------------------------------------------------------------------------------------


def moonwalk(speed: float = 0.5) -> Motion:
    """Both soles on the floor all the time, gliding backwards."""
    still = standing(seconds=3.0)
    back = np.zeros((still.frame_count, 3))
    back[:, 2] = -speed * np.arange(still.frame_count) / still.fps
    contacts = np.zeros((still.frame_count, 4))
    return replace(still, root_positions=still.root_positions + back, contacts=contacts)


def test_a_glide_is_kept_by_default_and_taken_in_steps_by_always() -> None:
    rig, motion = retargeter(), moonwalk()
    pose, automatic = before_and_after(rig, motion)
    np.testing.assert_allclose(automatic.turns, pose.turns, atol=1e-6)
    _, always = before_and_after(rig, motion, "ALWAYS")
    for foot in feet(rig, always, motion):
        speed = np.linalg.norm(np.diff(foot.ball[:, GROUND], axis=0), axis=-1) * motion.fps * 83
        assert 0.3 < np.mean(speed < 1.0) < 0.95
        way = foot.ball[-1, 2] - foot.ball[0, 2]
        assert way * 0.83 == pytest.approx(-0.5 * 89 / 30, abs=0.15)
    assert roughness(rig, always, motion) < 60.0


def test_always_ignores_a_model_that_doubts_a_low_foot() -> None:
    rig, motion = retargeter(proportions=ODD), standing()
    doubted = replace(motion, contacts=np.zeros((motion.frame_count, 4)))
    assert sliding(rig, before_and_after(rig, doubted, "ALWAYS")[1], motion) < 1.0
    assert sliding(rig, before_and_after(rig, doubted)[1], motion) > 1.0


# --- bodies that do not stand ---------------------------------------------------------------------


@pytest.mark.parametrize("lock", ["AUTOMATIC", "ALWAYS"])
@pytest.mark.parametrize("turn", [[-np.pi / 2, 0, 0], [np.pi / 2, 0, 0], [0, 0, np.pi]])
def test_feet_of_who_lies_or_stands_on_the_hands_are_left_alone(lock, turn) -> None:
    upright = standing()
    body = rotation_vector_to_quaternion(np.array(turn, dtype=float))
    rotations = upright.rotations.copy()
    rotations[:, 0] = quaternion_multiply(body, rotations[:, 0])
    lying = replace(upright, rotations=rotations, contacts=None)
    lowest = lying.positions()[..., 1].min()
    lying = replace(lying, root_positions=lying.root_positions - UP * (lowest - 0.1))
    pose, same = before_and_after(retargeter(proportions=legs(thigh=1.1)), lying, lock)
    np.testing.assert_array_equal(same.turns, pose.turns)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 20),
    st.sampled_from(["AUTOMATIC", "ALWAYS"]),
    st.booleans(),
    PROPORTIONS,
)
def test_any_motion_comes_out_whole(seed, frames, lock, channels, proportions) -> None:
    motion = tumbling(seed, frames)
    if channels:
        contacts = np.random.default_rng(seed).uniform(size=(frames, 4))
        motion = replace(motion, contacts=contacts)
    rig = retargeter(proportions=proportions)
    pose = rig.joint_pose(motion)
    before = pose.turns.copy()
    made = planted(rig, motion, pose, lock)
    assert made.turns.shape == pose.turns.shape
    assert np.isfinite(made.turns).all() and np.isfinite(made.hips).all()
    np.testing.assert_allclose(np.linalg.norm(made.turns, axis=-1), 1.0, atol=1e-9)
    np.testing.assert_array_equal(pose.turns, before)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_clips_of_a_few_frames_stand_on_the_floor(frames: int) -> None:
    rig, motion = retargeter(proportions=ODD), standing(crouch=0.35).at_frames(slice(0, frames))
    pose, locked = before_and_after(rig, motion)
    assert height_error(rig, pose, motion) > 0.3
    assert height_error(rig, locked, motion) < 0.1


def test_feet_stand_from_the_first_frame_to_the_last() -> None:
    rig = retargeter(proportions=ODD)
    motion = strolling().at_frames(slice(4, 71))
    _, locked = before_and_after(rig, motion)
    assert motion.contacts[[0, -1]].any(axis=1).all()
    assert sliding(rig, locked, motion) < 1.0
    assert height_error(rig, locked, motion) < 1.0


# --- as a part of the transfer --------------------------------------------------------------------


def test_the_transfer_locks_feet_unless_told_not_to() -> None:
    """Judged by bones as Blender poses them, not by the lock's own mathematics."""
    rig, motion = retargeter(proportions=ODD, heading=70.0, unit=0.01), standing(crouch=0.3)
    slips = []
    for lock in ("NEVER", "AUTOMATIC"):
        channels = rig.transfer(motion, RetargetOptions(feet=lock))
        basis = {name: channels.rotations[:, i] for i, name in enumerate(channels.bones)}
        _, heads = pose_rig(rig.rig, basis, channels.locations)
        soles = heads[:, [rig.rig.index(f"{side}_ankle") for side in SIDES]]
        slips.append(float(np.ptp(soles, axis=0).max()))
    assert slips[0] > 0.005
    assert slips[1] < 1e-6


def test_resampled_contacts_between_standing_and_not_are_understood() -> None:
    rig, motion = retargeter(proportions=ODD), strolling().resampled(48.0)
    assert np.any((motion.contacts > 0.0) & (motion.contacts < 1.0))
    _, locked = before_and_after(rig, motion)
    assert sliding(rig, locked, motion) < 1.0
