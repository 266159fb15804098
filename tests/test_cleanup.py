"""Clean-up of motions: jitter, contacts, the root's path, locked feet."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic import tumbling, walking

from core.cleanup import (
    clean_up,
    contacts_from,
    find_contacts,
    legs_of,
    lifted_out_of_floor,
    lock_feet,
    root_on_feet,
    solve_two_bones,
    within_limits,
    without_jitter,
)
from core.cleanup.curves import smoothest
from core.cleanup.filters import smooth
from core.features import feature_layout
from core.motion import Motion
from core.rotations import (
    normalize,
    quaternion_multiply,
    quaternion_rotate,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical

SKELETON = canonical()
LEFT, RIGHT = legs_of(SKELETON)
TOES = [LEFT.toe, RIGHT.toe]
GROUND = [0, 2]


def pose(frames: int = 60, bend: float = 0.3) -> Motion:
    """Standing with bent knees, soles flat on the floor."""
    angles = np.zeros((frames, 22, 3))
    for leg in (LEFT, RIGHT):
        angles[:, leg.hip, 0] = -bend
        angles[:, leg.knee, 0] = 2 * bend
        angles[:, leg.ankle, 0] = -bend
    motion = Motion(SKELETON, rotation_vector_to_quaternion(angles), np.zeros((frames, 3)), 30.0)
    height = 0.02 - motion.positions()[0, LEFT.toe, 1]
    root = np.tile([0.0, height, 0.0], (frames, 1))
    return replace(motion, root_positions=root, contacts=np.ones((frames, 4)))


def moved(motion: Motion, by: np.ndarray) -> Motion:
    """The whole motion moved by [T, 3]."""
    return replace(motion, root_positions=motion.root_positions + by)


def turned(motion: Motion, joint: int, angles: np.ndarray) -> Motion:
    """A joint turned further by rotation vectors [T, 3]."""
    rotations = motion.rotations.copy()
    more = rotation_vector_to_quaternion(angles)
    rotations[:, joint] = quaternion_multiply(rotations[:, joint], more)
    return replace(motion, rotations=rotations)


def ramp(frames: int, axis: int, speed: float) -> np.ndarray:
    """A steady way along one axis, speed in m/s at 30 frames a second: [T, 3]."""
    way = np.zeros((frames, 3))
    way[:, axis] = speed * np.arange(frames) / 30.0
    return way


def bump(frames: int, centre: float, width: float) -> np.ndarray:
    """1 at the centre, 0 away from it: a smooth bump [T], frames."""
    return np.exp(-0.5 * ((np.arange(frames) - centre) / width) ** 2)


def slip(motion: Motion, joint: int) -> float:
    """How far a joint gets away along the floor from where it was first, in metres."""
    path = motion.positions()[:, joint][:, GROUND]
    return float(np.linalg.norm(path - path[0], axis=-1).max())


def acceleration(motion: Motion) -> float:
    steps = np.diff(motion.positions(), n=2, axis=0) * motion.fps**2
    return float(np.linalg.norm(steps, axis=-1).mean())


def stepping(frames: int = 60, height: float = 0.25) -> Motion:
    """Stands on the left foot; the right one is lifted in the middle of the clip."""
    lift = bump(frames, frames / 2, frames / 12)
    motion = pose(frames)
    motion = turned(motion, RIGHT.hip, np.stack([-3 * height * lift, 0 * lift, 0 * lift], -1))
    motion = turned(motion, RIGHT.knee, np.stack([6 * height * lift, 0 * lift, 0 * lift], -1))
    contacts = np.ones((frames, 4))
    contacts[lift > 0.02, 2:] = 0.0
    return replace(motion, contacts=contacts)


# --- smooth curves and filters -------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4, 30])
@pytest.mark.parametrize(("slope", "bend"), [(0.0, 0.0), (3.0, 0.0), (0.0, 2.0), (1.5, 20.0)])
def test_the_smoothest_curve_is_the_least_squares_solution(count, slope, bend) -> None:
    rng = np.random.default_rng(count)
    demands, weights = rng.normal(size=(count, 2)), rng.uniform(0.01, 5.0, count)
    first, second = (np.diff(np.eye(count), n=n, axis=0) for n in (1, 2))
    matrix = np.diag(weights) + slope * first.T @ first + bend * second.T @ second
    expected = np.linalg.solve(matrix, weights[:, None] * demands)
    np.testing.assert_allclose(smoothest(demands, weights, slope, bend), expected, atol=1e-10)


@pytest.mark.parametrize("count", [2, 9, 40, 700])
def test_smoothing_leaves_straight_lines_and_the_ends(count: int) -> None:
    line = np.linspace(-1.0, 3.0, count)[:, None]
    np.testing.assert_allclose(smooth(line, 4.0), line, atol=1e-9)
    noisy = np.random.default_rng(0).normal(size=(count, 2))
    np.testing.assert_allclose(smooth(noisy, 4.0)[[0, -1]], noisy[[0, -1]], atol=1e-9)


def test_long_clips_are_smoothed_in_blocks_without_seams() -> None:
    noisy = np.random.default_rng(0).normal(size=(600, 3))
    np.testing.assert_allclose(smooth(noisy, 3.0)[100:400], smooth(noisy[50:450], 3.0)[50:350])


# --- jitter --------------------------------------------------------------------------------------


def test_noise_on_a_smooth_motion_is_removed() -> None:
    clean = walking(120)
    rng = np.random.default_rng(3)
    angles = rng.normal(0, 0.02, (120, 22, 3))
    noise = rotation_vector_to_quaternion(angles)
    noisy = replace(
        clean,
        rotations=quaternion_multiply(clean.rotations, noise),
        root_positions=clean.root_positions + rng.normal(0, 0.004, (120, 3)),
    )
    calm = without_jitter(noisy)
    before, after = acceleration(noisy) - acceleration(clean), acceleration(calm)
    assert after - acceleration(clean) < 0.6 * before
    error = [np.abs(m.positions() - clean.positions()).mean() for m in (noisy, calm)]
    assert error[1] < error[0]


def test_the_pattern_that_cells_of_eight_frames_leave_in_a_root_goes() -> None:
    """What tokens drawn cell by cell leave: a jerk that comes again every eight frames."""
    jerks = np.random.default_rng(5).normal(0, 0.004, (8, 3))
    pattern = np.tile(jerks - jerks.mean(axis=0), (15, 1))
    clean = walking(120)
    calm = without_jitter(moved(clean, pattern))
    excess = [acceleration(m) - acceleration(clean) for m in (moved(clean, pattern), calm)]
    assert excess[1] < 0.65 * excess[0]


@pytest.mark.parametrize("width", [2.0, 3.0, 5.0])
def test_a_fast_kick_keeps_its_peak(width: float) -> None:
    """The knee snaps open within a tenth of a second, amid stillness."""
    snap = 1.4 * bump(90, 45, width)
    kick = turned(pose(90), RIGHT.hip, np.stack([-snap, 0 * snap, 0 * snap], -1))

    def peak(motion: Motion) -> float:
        return float(
            np.linalg.norm(np.diff(motion.positions()[:, RIGHT.toe], axis=0), axis=-1).max()
        )

    assert peak(without_jitter(kick)) > 0.97 * peak(kick)


def test_smooth_motion_is_left_alone_and_lengths_do_not_matter() -> None:
    for frames in (2, 3, 4, 7, 15, 300):
        motion = walking(frames)
        np.testing.assert_allclose(
            without_jitter(motion).positions(), motion.positions(), atol=5e-3
        )


@pytest.mark.parametrize(("fps", "left"), [(20.0, 0.8), (60.0, 0.6)])
def test_jitter_goes_at_other_frame_rates_too(fps: float, left: float) -> None:
    clean = walking(int(4 * fps), fps)
    shaken = moved(clean, np.random.default_rng(0).normal(0, 0.003, (clean.frame_count, 3)))
    excess = [acceleration(m) - acceleration(clean) for m in (shaken, without_jitter(shaken))]
    assert excess[1] < left * excess[0]


# --- contacts ------------------------------------------------------------------------------------


def knee_bends(motion: Motion, leg) -> np.ndarray:
    """How far the shin is bent back from the thigh [T], degrees, negative the wrong way round."""
    shin = quaternion_rotate(motion.rotations[:, leg.knee], SKELETON.rest_offsets[leg.ankle])
    thigh = SKELETON.rest_offsets[leg.knee]
    return np.degrees(np.arctan2(-shin[:, 2], -shin[:, 1]) - np.arctan2(-thigh[2], -thigh[1]))


@pytest.mark.parametrize("bend", [-0.02, -0.1, -0.2, -0.4])
def test_knees_do_not_bend_backwards(bend: float) -> None:
    """Nor after the clean-up, which shortens straight legs; the feet stay where they were."""
    legs = pose(bend=0.5 * bend)
    limited = within_limits(legs)
    for leg in (LEFT, RIGHT):
        assert knee_bends(legs, leg).max() < -0.5
        assert knee_bends(limited, leg).min() > -2.0
        off = limited.positions()[:, leg.toe] - legs.positions()[:, leg.toe]
        # A leg that is straight is longer than one that was bent, and no more.
        assert np.abs(off).max() < 0.05 * abs(bend) + 1e-6
        before, after = (m.global_rotations()[:, leg.ankle] for m in (legs, limited))
        assert rotation_angle(before, after).max() < 1e-5
    lower = moved(legs, np.tile([0.0, -0.02, 0.0], (legs.frame_count, 1)))
    sliding = moved(lower, np.linspace([0.0, 0.0, -0.03], [0.0, 0.0, 0.03], legs.frame_count))
    cleaned = clean_up(sliding)
    assert min(knee_bends(cleaned, leg).min() for leg in (LEFT, RIGHT)) > -2.0


def test_a_knee_goes_through_straight_without_a_jump() -> None:
    """A knee that swings from bent to bent backwards and on comes to rest softly."""
    swing = np.linspace(0.5, -0.8, 400)
    still = pose(400, bend=0.0)
    limited = within_limits(turned(still, LEFT.knee, swing[:, None] * [1.0, 0.0, 0.0]))
    bends = knee_bends(limited, LEFT)
    assert np.abs(np.diff(bends)).max() < 1.01 * np.degrees(swing[0] - swing[1])
    np.testing.assert_allclose(bends[:140], np.degrees(swing[:140]), atol=0.05)
    assert bends.min() > -2.0


@pytest.mark.parametrize(("side", "sign"), [("left", -1.0), ("right", 1.0)])
def test_elbows_do_not_bend_backwards(side: str, sign: float) -> None:
    """The hands keep their direction from the shoulders and their rotation; bent arms stay."""
    shoulder, elbow, wrist = (SKELETON.index(f"{side}_{p}") for p in ("shoulder", "elbow", "wrist"))
    out = normalize(SKELETON.rest_offsets[elbow])

    def arm(bend: float) -> tuple[Motion, Motion, np.ndarray]:
        angles = np.tile([0.0, sign * bend, 0.0], (60, 1))
        before = turned(turned(pose(), shoulder, np.tile([0.3, 0.2, 0.5], (60, 1))), elbow, angles)
        after = within_limits(before)
        lower = quaternion_rotate(after.rotations[:, elbow], out)
        return before, after, np.degrees(np.arcsin(lower[:, 2]))

    before, after, bends = arm(-0.6)
    assert (bends > -8.0).all() and (bends < 1.0).all()
    reach = [
        normalize(m.positions()[:, wrist] - m.positions()[:, shoulder]) for m in (before, after)
    ]
    np.testing.assert_allclose(*reach, atol=1e-6)
    hands = [m.global_rotations()[:, wrist] for m in (before, after)]
    assert rotation_angle(*hands).max() < 1e-5
    before, after, _ = arm(0.6)
    np.testing.assert_array_equal(before.rotations, after.rotations)


@pytest.mark.parametrize("rolled", [120.0, 180.0, -180.0, -150.0])
def test_toes_that_are_turned_over_are_turned_back(rolled: float) -> None:
    """About the foot's own length; where they point, up or down, stays."""
    lifted = np.array([-0.4, 0.0, 0.0])
    legs = turned(pose(), LEFT.toe, np.tile(lifted, (60, 1)))
    over = turned(legs, LEFT.toe, np.tile([0.0, 0.0, np.radians(rolled)], (60, 1)))
    back = within_limits(over).rotations[:, LEFT.toe]
    ahead = quaternion_rotate(legs.rotations[:, LEFT.toe], np.eye(3)[2])
    np.testing.assert_allclose(quaternion_rotate(back, np.eye(3)[2]), ahead, atol=1e-6)
    left = np.degrees(rotation_angle(back, legs.rotations[:, LEFT.toe])).max()
    assert left < 8.0
    if abs(rolled) == 180.0:
        assert left < 1e-3


def test_what_bodies_can_do_is_left_alone() -> None:
    """Toes on which one stands, deep squats and bodies that lie folded."""
    tiptoe = turned(pose(bend=1.1), LEFT.toe, np.tile([-1.1, 0.2, 0.1], (60, 1)))
    np.testing.assert_array_equal(within_limits(tiptoe).rotations, tiptoe.rotations)


def test_contacts_are_phases_of_a_foot_a_joint_and_frames() -> None:
    motion = stepping()
    contacts = find_contacts(motion)
    left = [phase for phase in contacts.phases if phase.foot == "left"]
    assert {(p.joint, p.first, p.last) for p in left} == {(LEFT.ankle, 0, 59), (LEFT.toe, 0, 59)}
    right = [phase for phase in contacts.phases if phase.joint == RIGHT.toe]
    assert (right[0].foot, right[0].first) == ("right", 0)
    assert len(right) == 2 and right[0].last < 25 and right[1].first > 35
    assert not contacts.planted[30, 2:].any()


def test_the_model_is_believed_over_the_shape_only_so_far() -> None:
    raised = moved(pose(), np.tile([0.0, 0.5, 0.0], (60, 1)))
    assert not find_contacts(raised).phases, "sure of standing, half a metre up"
    fast = moved(pose(), ramp(60, 2, 3.0))
    assert not find_contacts(replace(fast, contacts=np.full((60, 4), 0.3))).phases
    still = replace(pose(), contacts=np.full((60, 4), 0.3))
    assert find_contacts(still).planted.all(), "low and still, the model a little in doubt"
    unsure = replace(pose(), contacts=np.full((60, 4), 0.01))
    assert not find_contacts(unsure).phases, "the model is sure that nothing stands"


def test_without_channels_height_and_speed_decide() -> None:
    np.testing.assert_array_equal(
        find_contacts(replace(stepping(), contacts=None)).planted[[0, 30, 59]],
        [[True] * 4, [True, True, False, False], [True] * 4],
    )


def test_gaps_are_closed_and_blips_dropped() -> None:
    flickering = pose()
    contacts = np.ones((60, 4))
    contacts[20:22, 1] = 0.0
    contacts[:, 3] = 0.0
    contacts[30:32, 3] = 1.0
    found = find_contacts(replace(flickering, contacts=contacts)).planted
    assert found[:, 1].all()
    assert not found[:, 3].any()


def test_feet_of_a_body_that_lies_do_not_stand() -> None:
    """On the back, feet in the air: the lowest joint of the body is on the floor."""
    lying = pose()
    back = np.tile([-np.pi / 2, 0.0, 0.0], (60, 1))
    lying = turned(lying, 0, back)
    root = np.tile([0.0, 0.1, 0.0], (60, 1))
    lying = replace(lying, root_positions=root, contacts=np.full((60, 4), 0.5))
    assert not find_contacts(lying).planted[:, [1, 3]].any()


# --- the root's path -----------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 2])
def test_a_drifting_figure_that_stands_is_held(axis: int) -> None:
    drifting = moved(pose(90), ramp(90, axis, 0.3))
    held = root_on_feet(drifting, find_contacts(drifting))
    assert slip(drifting, LEFT.toe) > 0.8
    assert slip(held, LEFT.toe) < 0.05
    np.testing.assert_array_equal(held.rotations, drifting.rotations)
    np.testing.assert_allclose(held.root_positions[0], drifting.root_positions[0], atol=1e-12)


def test_a_way_is_not_taken_away_where_the_model_itself_doubts_that_feet_stand() -> None:
    """Gliding: the feet go along with the body.  Held, a sidestep would go nowhere."""
    gliding = replace(moved(pose(90), ramp(90, 0, 0.4)), contacts=np.full((90, 4), 0.8))
    assert clean_up(gliding).root_positions[-1, 0] == pytest.approx(0.4 * 89 / 30, rel=0.02)


def test_the_root_walks_as_fast_as_its_feet_say() -> None:
    """Legs of a walk at 1 m/s under a body that is moved at 0.6: feet tell the speed."""
    frames, speed = 60, 1.0
    motion = pose(frames, bend=0.25)
    # Both hips swing the legs back at the same time: the body has to pass over its feet.
    angle = np.arctan2(speed * (np.arange(frames) - 8) / 30, 0.85)
    standing = slice(0, 20)
    both = np.stack([angle, 0 * angle, 0 * angle], -1)
    for leg in (LEFT, RIGHT):
        motion = turned(motion, leg.hip, both)
        motion = turned(motion, leg.ankle, -both)
    slow = moved(motion, ramp(frames, 2, 0.6)).at_frames(standing)
    root = slow.root_positions.copy()
    root[:, 1] += 0.02 - slow.positions()[:, LEFT.toe, 1]
    slow = replace(slow, root_positions=root, contacts=np.ones((20, 4)))
    fixed = root_on_feet(slow, contacts_from(np.ones((20, 4), bool), slow))
    made = np.diff(fixed.root_positions[:, 2])[4:16].mean() * 30
    assert made == pytest.approx(speed, rel=0.1)


def test_flight_keeps_the_models_own_velocity() -> None:
    frames = 60
    arc = np.zeros((frames, 3))
    arc[:, 2] = np.clip(np.arange(frames) - 20, 0, 20) * 0.05
    air = (np.arange(frames) > 20) & (np.arange(frames) < 40)
    arc[:, 1] = np.where(air, 0.3 * np.sin(np.pi * (np.arange(frames) - 20) / 20), 0.0)
    contacts = np.where(air, 0.0, 1.0)[:, None].repeat(4, axis=1)
    jump = replace(moved(pose(frames), arc), contacts=contacts)
    made = clean_up(jump)
    way = made.root_positions[-1] - made.root_positions[0]
    assert way[2] == pytest.approx(1.0, abs=0.05)
    assert made.root_positions[:, 1].max() > jump.root_positions[:, 1].max() - 0.02


@pytest.mark.parametrize("height", [-0.06, 0.05])
def test_a_standing_figure_is_set_on_the_floor(height: float) -> None:
    wrong = moved(pose(), np.tile([0.0, height, 0.0], (60, 1)))
    toes = clean_up(wrong).positions()[:, TOES, 1]
    assert np.abs(toes - 0.02).max() < 0.012


def test_feet_that_contradict_each_other_share_the_root_and_the_legs_do_the_rest() -> None:
    spread = 0.10 * np.arange(60) / 60
    motion = turned(pose(), LEFT.hip, np.stack([0 * spread, 0 * spread, spread], -1))
    motion = turned(motion, RIGHT.hip, np.stack([0 * spread, 0 * spread, -spread], -1))
    made, contacts = lock_feet(motion, contacts_from(np.ones((60, 4), bool), motion))
    assert contacts.planted.all()
    for joint in TOES:
        assert slip(motion, joint) > 0.04
        assert slip(made, joint) < 0.002


# --- the foot lock -------------------------------------------------------------------------------


def test_a_sliding_foot_stands_still_after_the_clean_up() -> None:
    """The body sways, and the feet with it: they shall not."""
    sway = np.zeros((120, 3))
    sway[:, 0] = 0.012 * np.sin(2 * np.pi * np.arange(120) / 50)
    made = clean_up(moved(pose(120), sway))
    path = made.positions()[:, TOES][..., GROUND]
    speed = np.linalg.norm(np.diff(path, axis=0), axis=-1) * 30
    assert speed.max() < 0.005
    assert made.contacts is not None and made.contacts.all()
    assert np.ptp(made.root_positions[:, 0]) > 0.02, "the body still sways"


def test_a_step_is_taken_and_blended() -> None:
    drift = np.zeros((60, 3))
    drift[:, 0] = 0.02 * np.sin(np.arange(60) / 8)
    motion = moved(stepping(), drift)
    made = clean_up(motion)
    right = made.positions()[:, RIGHT.toe]
    assert right[:, 1].max() > motion.positions()[:, RIGHT.toe, 1].max() - 0.02
    assert slip(made, LEFT.toe) < 0.002
    jump = np.linalg.norm(np.diff(right, n=2, axis=0), axis=-1).max()
    assert (
        jump
        < 1.5
        * np.linalg.norm(np.diff(motion.positions()[:, RIGHT.toe], n=2, axis=0), axis=-1).max()
    )


def test_the_foot_may_roll_over_a_standing_toe() -> None:
    frames = 60
    roll = 0.6 * bump(frames, 30, 6)
    motion = turned(pose(frames), LEFT.ankle, np.stack([roll, 0 * roll, 0 * roll], -1))
    planted = np.zeros((frames, 4), bool)
    planted[:, LEFT.toe_contact] = True
    made, _ = lock_feet(motion, contacts_from(planted, motion))
    assert slip(made, LEFT.toe) < 0.002
    turn = rotation_angle(
        made.global_rotations()[:, LEFT.ankle], motion.global_rotations()[:, LEFT.ankle]
    )
    assert turn.max() < 1e-6, "the roll of the foot is the motion's own"
    assert np.ptp(made.positions()[:, LEFT.ankle, 1]) > 0.05


def test_a_foot_out_of_reach_is_released_and_never_stretches_the_leg() -> None:
    away = moved(pose(), np.tile([0.0, 0.6, 0.0], (60, 1)))
    made, _ = lock_feet(away, contacts_from(np.ones((60, 4), bool), away))
    positions = made.positions()
    reach = np.linalg.norm(positions[:, LEFT.ankle] - positions[:, LEFT.hip], axis=-1)
    assert reach.max() <= 0.83
    lowered = (away.root_positions - made.root_positions)[:, 1]
    assert lowered.min() >= 0.0
    assert lowered.max() < 0.05


def test_only_legs_and_the_roots_height_are_touched_by_the_lock() -> None:
    motion = moved(pose(), ramp(60, 0, 0.05))
    made, _ = lock_feet(motion, find_contacts(motion))
    legs = {leg_joint for leg in (LEFT, RIGHT) for leg_joint in (leg.hip, leg.knee, leg.ankle)}
    others = [joint for joint in range(22) if joint not in legs]
    np.testing.assert_array_equal(made.rotations[:, others], motion.rotations[:, others])
    np.testing.assert_array_equal(made.root_positions[:, GROUND], motion.root_positions[:, GROUND])


@pytest.mark.parametrize("step", [lock_feet, lambda m, c: (root_on_feet(m, c), c)])
def test_a_motion_without_contacts_is_not_changed(step) -> None:
    motion = tumbling(1)
    nothing = contacts_from(np.zeros((motion.frame_count, 4), bool), motion)
    assert step(motion, nothing)[0] is motion


def test_a_sunken_body_is_lifted_and_one_above_the_floor_is_not() -> None:
    sitting = turned(pose(), 0, np.tile([-0.3, 0.0, 0.0], (60, 1)))
    deep = replace(sitting, root_positions=np.tile([0.0, -0.2, 0.0], (60, 1)))
    trunk = [0, 3, 6, 9, 12, 15]
    assert lifted_out_of_floor(deep).positions()[:, trunk, 1].min() > 0.015
    np.testing.assert_array_equal(lifted_out_of_floor(pose()).root_positions, pose().root_positions)


# --- two-bone inverse kinematics -----------------------------------------------------------------

COORDINATES = st.floats(-1.0, 1.0, allow_subnormal=False)
VECTORS = arrays(np.float64, 3, elements=COORDINATES)


@settings(max_examples=200, deadline=None)
@given(VECTORS, VECTORS, st.floats(0.1, 2.6), st.floats(0.45, 0.82), st.floats(-3.0, 3.0))
def test_the_ankle_reaches_its_target_and_bones_keep_their_length(
    towards, aside, bend, distance, turn
) -> None:
    thigh, shin = 0.41, 0.42
    frame = rotation_vector_to_quaternion(turn * normalize(aside + np.array([0.1, 0.2, 0.3])))
    upper = np.array([0.0, -thigh, 0.0])
    lower = np.array([0.0, -shin * np.cos(bend), -shin * np.sin(bend)])
    root = np.array([0.3, 0.9, -0.2])
    middle = root + quaternion_rotate(frame, upper)
    end = middle + quaternion_rotate(frame, lower)
    target = root + distance * normalize(towards + np.array([0.011, 0.0, 0.007]))
    hinge = quaternion_rotate(frame, np.array([1.0, 0.0, 0.0]))
    solved = solve_two_bones(*(x[None] for x in (root, middle, end, target, hinge)))
    np.testing.assert_allclose(solved.end[0], target, atol=1e-9)
    new_middle = root + quaternion_rotate(solved.upper[0], middle - root)
    new_end = new_middle + quaternion_rotate(solved.lower[0], end - middle)
    np.testing.assert_allclose(new_middle, solved.middle[0], atol=1e-9)
    np.testing.assert_allclose(new_end, target, atol=1e-9)
    # The knee bends about the hinge as before, forwards and not sideways.
    axis = quaternion_rotate(solved.upper[0], hinge)
    assert abs(np.dot(axis, normalize(new_end - root))) < 1e-6
    assert np.dot(np.cross(new_middle - root, new_end - new_middle), axis) > 0


def test_a_target_where_the_ankle_is_changes_nothing() -> None:
    legs = pose(5).positions()
    hip, knee, ankle = (legs[:, joint] for joint in (LEFT.hip, LEFT.knee, LEFT.ankle))
    solved = solve_two_bones(hip, knee, ankle, ankle, np.tile([1.0, 0, 0], (5, 1)))
    still = np.tile([1.0, 0, 0, 0], (5, 1))
    assert rotation_angle(solved.upper, still).max() < 1e-7
    assert rotation_angle(solved.lower, still).max() < 1e-7


def test_a_straight_leg_bends_at_the_knee_forwards() -> None:
    hip, knee, ankle = (np.array([[0.0, y, 0.0]]) for y in (0.83, 0.42, 0.0))
    solved = solve_two_bones(hip, knee, ankle, np.array([[0.0, 0.1, 0.0]]), np.array([[1.0, 0, 0]]))
    assert solved.middle[0, 2] > 0.1
    assert abs(solved.middle[0, 0]) < 1e-9


def test_out_of_reach_points_the_limb_at_the_target() -> None:
    hip, knee, ankle = (np.array([[0.0, y, z]]) for y, z in ((0.8, 0.0), (0.4, 0.05), (0.0, 0.0)))
    solved = solve_two_bones(hip, knee, ankle, np.array([[3.0, 0.8, 0.0]]), np.array([[1.0, 0, 0]]))
    np.testing.assert_allclose(normalize(solved.end - hip), [[1.0, 0, 0]], atol=1e-9)
    assert np.isfinite(solved.upper).all() and np.isfinite(solved.lower).all()


# --- the whole -----------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40), st.booleans())
def test_any_motion_comes_out_whole(seed: int, frames: int, channels: bool) -> None:
    motion = tumbling(seed, frames)
    if channels:
        contacts = np.random.default_rng(seed).uniform(size=(frames, 4)).round(2)
        motion = replace(motion, contacts=contacts)
    before = motion.positions()
    made = clean_up(motion)
    assert made.frame_count == frames and made.fps == motion.fps
    assert np.isfinite(made.positions()).all()
    np.testing.assert_allclose(np.linalg.norm(made.rotations, axis=-1), 1.0, atol=1e-9)
    np.testing.assert_array_equal(motion.positions(), before)
    again = clean_up(motion)
    assert np.array_equal(again.rotations, made.rotations)
    if frames >= 4:
        assert set(np.unique(made.contacts)) <= {0.0, 1.0}


def test_a_second_pass_changes_little() -> None:
    rough = moved(stepping(90), 0.02 * np.sin(np.arange(270).reshape(90, 3) / 9))
    once = clean_up(rough)
    twice = clean_up(once)
    assert np.abs(twice.positions() - once.positions()).mean() < 0.003


# --- captured motion -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def captured(motion_data: Path) -> list[tuple[str, Motion]]:
    """Every fourth validation clip with the contacts that a model would learn of it."""
    from core.training.corpus import load_corpus

    layout, clips = feature_layout("canonical"), []
    for clip in load_corpus(motion_data, "val")[::4]:
        motion = layout.canonicalize(clip.motion)
        contacts = layout.contacts(motion.positions())
        clips.append(
            (clip.captions[0], replace(motion, contacts=np.concatenate([contacts, contacts[-1:]])))
        )
    return clips


@pytest.mark.dataset
def test_captured_motion_is_nearly_unchanged(captured) -> None:
    changes, jitter = [], []
    for _, motion in captured:
        positions = motion.positions()
        calm, clean = without_jitter(motion), clean_up(motion)
        jitter.append(np.linalg.norm(calm.positions() - positions, axis=-1).mean())
        changes.append(np.linalg.norm(clean.positions() - positions, axis=-1).mean())
    assert np.mean(jitter) < 0.003
    assert np.mean(changes) < 0.01


@pytest.mark.dataset
def test_feet_of_captured_motion_slide_less_and_not_more(captured) -> None:
    def sliding(motion: Motion, planted: np.ndarray) -> float:
        path = motion.positions()[:, TOES][..., GROUND]
        speed = np.linalg.norm(np.diff(path, axis=0), axis=-1) * motion.fps
        both = planted[1:] & planted[:-1]
        return float(speed[both].mean()) if both.any() else 0.0

    before, after = [], []
    for _, motion in captured:
        assert motion.contacts is not None
        planted = motion.contacts[:, [LEFT.toe_contact, RIGHT.toe_contact]] > 0.5
        before.append(sliding(motion, planted))
        after.append(sliding(clean_up(motion), planted))
    assert np.mean(after) < 0.5 * np.mean(before)
    worse = [b - a for a, b in zip(before, after, strict=True) if b > a + 0.02]
    assert len(worse) <= 0.05 * len(before)


@pytest.mark.dataset
def test_fast_actions_of_captured_motion_keep_their_peaks(motion_data: Path) -> None:
    from core.training.corpus import load_corpus

    ends = [20, 21, LEFT.toe, RIGHT.toe]
    kept = []
    for clip in load_corpus(motion_data, "val"):
        if not any(
            word in clip.captions[0] for word in ("kick", "punch", "throw", "jump", "slash")
        ):
            continue
        speeds = [
            np.linalg.norm(np.diff(m.positions()[:, ends], axis=0), axis=-1).max(axis=0) * 30
            for m in (clip.motion, without_jitter(clip.motion))
        ]
        kept += [b / a for a, b in zip(*speeds, strict=True) if a > 3.0]
    assert kept
    assert np.median(kept) > 0.99
    assert np.mean(kept) > 0.97
