"""What rigs are judged by: every measure is zero for the motion itself and sees what is wrong."""

from dataclasses import replace

import numpy as np
import pytest

import rig_library
from core.cleanup import find_contacts
from core.motion import Motion
from core.retarget import BoneMap, RestRig, RetargetOptions
from core.rotations import quaternion_multiply, quaternion_rotate
from core.skeleton import canonical
from rig_library import judging, measures, table
from rig_library.figures import motion_figure
from rig_library.judging import Row, judge
from rig_library.measures import Figure
from rig_library.posing import NumpySubject, Posed, pose_matrices
from tests.synthetic import pose_rig, turn, walking


@pytest.fixture
def source() -> Figure:
    return motion_figure(walking())


def scaled(figure: Figure, factor: float) -> Figure:
    return Figure(
        {slot: factor * at for slot, at in figure.moving.items()},
        {slot: factor * at for slot, at in figure.rest.items()},
        figure.hinges,
        figure.turns,
    )


def moved(figure: Figure, slot: str, by: np.ndarray) -> Figure:
    return replace(figure, moving={**figure.moving, slot: figure.moving[slot] + by})


def standing(frames: int, *slots: str) -> np.ndarray:
    planted = np.zeros((frames, 4), dtype=bool)
    for slot in slots:
        planted[:, measures.FEET.index(slot)] = True
    return planted


def all_measures(source: Figure, posed: Figure) -> dict[str, float]:
    frames = len(source.hips())
    found = {f"direction {k}": v for k, v in measures.direction_errors(source, posed).items()}
    found["hips"] = measures.hip_height_error(source, posed)
    found["feet"] = measures.foot_height_error(source, posed, standing(frames, *measures.FEET))
    found["hyperextension"] = measures.hyperextension(source, posed)
    return {name: float(values.max()) for name, values in found.items()}


def test_the_motion_itself_is_perfect_at_any_size(source: Figure) -> None:
    for size in (1.0, 0.6, 3.0):
        worst = all_measures(source, scaled(source, size))
        assert max(worst.values()) < 1e-4, worst


def test_a_figure_that_faces_elsewhere_is_turned_back(source: Figure) -> None:
    away = turn("y", 130.0)
    turned = Figure(
        {slot: quaternion_rotate(away, at) for slot, at in source.moving.items()},
        {slot: quaternion_rotate(away, at) for slot, at in source.rest.items()},
        {},
        {
            slot: quaternion_multiply(quaternion_multiply(away, q), turn("y", -130.0))
            for slot, q in source.turns.items()
        },
    )
    assert measures.direction_errors(source, turned)["left thigh"].max() > 20.0
    assert measures.turn_errors(source, turned)["left_ankle"].max() > 10.0
    back = measures.aligned(turned)
    assert max(errors.max() for errors in measures.turn_errors(source, back).values()) < 1e-4
    assert max(errors.max() for errors in measures.direction_errors(source, back).values()) < 1e-4


def test_a_limb_that_points_elsewhere_is_seen_alone(source: Figure) -> None:
    bent = moved(source, "left_wrist", np.array([0.0, 0.05, 0.0]))
    errors = {k: v.max() for k, v in measures.direction_errors(source, bent).items()}
    assert 3.0 < errors.pop("left forearm") < 15.0
    assert max(errors.values()) < 1e-4
    leaning = moved(source, "neck", np.array([0.0, 0.0, 0.1]))
    assert measures.direction_errors(source, leaning)["trunk"].max() > 5.0


def test_hips_too_high_and_feet_too_low_count_in_legs(source: Figure) -> None:
    leg = source.leg
    up = np.array([0.0, 0.02 * leg, 0.0])
    high = moved(moved(source, "left_hip", up), "right_hip", up)
    assert measures.hip_height_error(source, high) == pytest.approx(2.0, abs=1e-6)

    # On the floor at rest, so that there is nothing to forgive.
    rest_height = source.rest["left_ankle"][1]
    path = source.moving["left_ankle"] * np.array([1.0, 0.0, 1.0]) + [0.0, rest_height, 0.0]
    flat = replace(source, moving={**source.moving, "left_ankle": path})
    planted = standing(len(path), "left_ankle")
    for sign in (1.0, -1.0):
        off = moved(flat, "left_ankle", sign * up)
        assert measures.foot_height_error(flat, off, planted) == pytest.approx(2.0, abs=1e-6)
    unplanted = standing(len(path), "right_foot")
    off = moved(flat, "left_ankle", up)
    assert measures.foot_height_error(flat, off, unplanted).max() < 1e-6


def test_a_foot_that_hovers_may_be_put_down_but_not_sink(source: Figure) -> None:
    frames = len(source.hips())
    planted = standing(frames, "left_ankle", "left_foot")

    def raised(per_cent: float) -> Figure:
        height = source.rest["left_ankle"][1] + 0.01 * per_cent * source.leg
        path = source.moving["left_ankle"] * np.array([1.0, 0.0, 1.0]) + [0.0, height, 0.0]
        return replace(source, moving={**source.moving, "left_ankle": path})

    assert measures.foot_height_error(raised(2.0), raised(0.0), planted).max() < 1e-6
    assert measures.foot_height_error(raised(2.0), raised(-1.0), planted).max() > 0.9
    assert measures.foot_height_error(raised(2.0), raised(3.0), planted).max() > 0.9


def test_a_heel_is_judged_from_where_the_motion_puts_it_flat(source: Figure) -> None:
    frames = len(source.hips())
    planted = standing(frames, "left_ankle", "left_foot")

    def standing_at(per_cent: np.ndarray) -> Figure:
        height = source.rest["left_ankle"][1] + 0.01 * per_cent * source.leg
        path = source.moving["left_ankle"] * np.array([1.0, 0.0, 1.0])
        path[:, 1] = height
        return replace(source, moving={**source.moving, "left_ankle": path})

    pitched = np.full(frames, 4.0)  # feet pitched throughout, as some recordings have them
    assert (
        measures.foot_height_error(standing_at(pitched), standing_at(0 * pitched), planted).max()
        < 1e-6
    )
    lifted = np.where(np.arange(frames) < frames // 2, 4.0, 9.0)
    down = measures.foot_height_error(standing_at(lifted), standing_at(0 * lifted), planted)
    assert down.max() == pytest.approx(5.0)
    # A foot that sinks for a moment does not make the floor lower.
    sunken = np.where(np.arange(frames) < 2, -2.0, 2.0)
    on_floor = measures.foot_height_error(standing_at(sunken), standing_at(0 * sunken), planted)
    assert on_floor.max() < 1e-6
    kept = np.where(np.arange(frames) < frames // 2, 0.0, 5.0)
    assert measures.foot_height_error(standing_at(lifted), standing_at(kept), planted).max() < 1e-6


def test_sliding_is_measured_while_standing_only_and_at_canonical_size(source: Figure) -> None:
    frames, fps = len(source.hips()), 30.0
    still = {slot: np.repeat(at[:1], frames, axis=0) for slot, at in source.moving.items()}
    drift = np.linspace(0.0, 0.1, frames)[:, None] * np.array([1.0, 5.0, 0.0])
    still["left_ankle"] = still["left_ankle"] + drift
    figure = replace(source, moving=still)
    planted = standing(frames, "left_ankle")
    wanted = 100.0 * 0.1 / ((frames - 1) / fps)
    assert measures.sliding(figure, planted, fps, source.leg) == pytest.approx(wanted)
    giant = scaled(figure, 3.0)
    assert measures.sliding(giant, planted, fps, source.leg) == pytest.approx(wanted)
    planted[::2] = False
    assert len(measures.sliding(figure, planted, fps, source.leg)) == 0


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("part", "axis"), [("knee", "x"), ("elbow", "y")])
def test_knees_and_elbows_that_bend_backwards_are_seen(side: str, part: str, axis: str) -> None:
    out = 1.0 if side == "left" else -1.0
    flexing = 1.0 if part == "knee" else -out
    skeleton = canonical()
    joint = skeleton.index(f"{side}_{part}")

    def figure(degrees: float) -> Figure:
        motion = walking(3)
        rotations = motion.rotations.copy()
        rotations[:, joint] = turn(axis, flexing * degrees)
        return motion_figure(replace(motion, rotations=rotations))

    assert measures.hyperextension(figure(40.0), figure(10.0)).max() < 1e-3
    assert measures.hyperextension(figure(3.0), figure(-12.0)).max() == pytest.approx(12, abs=0.1)
    assert measures.hyperextension(figure(40.0), figure(-12.0)).max() == pytest.approx(12, abs=0.1)
    # What the motion itself does is no fault of the rig's.
    assert measures.hyperextension(figure(-8.0), figure(-9.0)).max() == pytest.approx(1, abs=0.1)


def test_hands_are_judged_where_they_meet_and_in_arm_lengths(source: Figure) -> None:
    middle = 0.5 * (source.moving["left_wrist"] + source.moving["right_wrist"])
    gap = np.array([0.05, 0.0, 0.0])
    meeting = replace(
        source,
        moving={**source.moving, "left_wrist": middle + gap, "right_wrist": middle - gap},
    )
    assert len(measures.hands_error(source, source)) == 0  # this walk's hands never meet
    assert measures.hands_error(meeting, scaled(meeting, 2.0)).max() < 1e-9
    apart = moved(meeting, "left_wrist", np.array([0.0, 0.04 * meeting.arm, 0.0]))
    assert measures.hands_error(meeting, apart) == pytest.approx(4.0)


# --- whole rigs ------------------------------------------------------------------------------


def test_plain_matrices_pose_as_the_tests_of_the_transfer_do() -> None:
    rest = rig_library.build("unreal4", "A", variation=rig_library.VARIATIONS["under an empty"])
    subject = NumpySubject(rest)
    channels = subject._retargeter.transfer(walking(5))
    rotations, heads = pose_rig(
        rest, dict(zip(channels.bones, channels.rotations.transpose(1, 0, 2), strict=True)),
        channels.locations,
    )  # fmt: skip
    assert np.allclose(pose_matrices(rest, channels)[..., :3, 3], heads, atol=1e-9)
    assert rotations.shape == (5, rest.bone_count, 4)


def test_a_rig_is_judged_by_its_true_bones() -> None:
    row = judge("mixamo", "A", [walking()], NumpySubject).row
    assert row.mapped == row.joints == 22
    assert row.direction < 1e-3 and row.hip_height < 1e-3
    assert row.time > 0.0


class Crooked(NumpySubject):
    """A rig whose left thigh is always turned by five degrees too many."""

    def posed(self, motion: Motion, options: RetargetOptions) -> Posed:
        rotations = motion.rotations.copy()
        hip = motion.skeleton.index("left_hip")
        rotations[:, hip] = quaternion_multiply(rotations[:, hip], turn("x", 5.0))
        return super().posed(replace(motion, rotations=rotations), options)


class Swapped(NumpySubject):
    """A rig whose shin was taken for the foot."""

    @property
    def bone_map(self) -> BoneMap:
        return BoneMap("test", {**self._found.bones, "left_ankle": ("mixamorig:LeftLeg",)})

    @bone_map.setter
    def bone_map(self, found: BoneMap) -> None:
        self._found = found


def test_a_wrong_pose_and_a_wrong_map_are_told() -> None:
    row = judge("mixamo", "A", [walking()], Crooked).row
    assert 4.0 < row.limbs["left thigh"] < 6.0
    assert row.limbs["right thigh"] < 1e-3
    assert "direction" in row.missed()

    row = judge("mixamo", "T", [walking()], Swapped).row
    assert row.wrong == ("left_ankle",)
    assert "mapping" in row.missed()


def test_a_rig_that_is_refused_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(rest: RestRig) -> NumpySubject:
        raise judging.ScaleMoGenError("no legs")

    row = judge("mixamo", "T", [walking()], refuse).row
    assert row.error == "no legs"
    assert "refused: no legs" in " ".join(table.cells(row))
    assert row.missed()


def test_the_table_marks_what_misses_its_target_and_ends_with_the_worst() -> None:
    good = Row(
        "fine", "T", mapped=22, joints=22, direction=0.1, direction_mean=0.05, trunk=0.2,
        hip_height=0.1, foot_height=0.2, sliding_before=(4.0, 9.0), sliding=(0.1, 0.4),
        hyperextension=0.0, hands=0.5, time=0.01,
    )  # fmt: skip
    bad = replace(good, scheme="worse", direction=3.0, sliding=(2.5, 6.0))
    assert good.missed() == ()
    assert set(bad.missed()) == {"direction", "sliding"}
    assert table.cells(good)[-1] == "✓"
    text = table.markdown([good, bad], ["A walk."])
    worst = next(line for line in text.splitlines() if "worst of all" in line)
    assert "3.00 (0.05) ✗" in worst and "44/44" in worst
    assert "1 of 2 rigs meet every target" in text
    assert all(len(table.cells(row)) == len(table.HEADINGS) for row in (good, bad))
    assert table.as_json([replace(good, hands=float("nan"))])[0]["hands"] is None


def test_contact_joints_are_in_the_order_of_the_measures() -> None:
    skeleton = canonical()
    assert tuple(skeleton.joint_names[j] for j in skeleton.contact_joints) == measures.FEET
    assert find_contacts(walking()).planted.shape[1] == len(measures.FEET)


class Twisted(NumpySubject):
    """A rig whose left hand is turned about the arm."""

    def posed(self, motion: Motion, options: RetargetOptions) -> Posed:
        rotations = motion.rotations.copy()
        wrist = motion.skeleton.index("left_wrist")
        rotations[:, wrist] = quaternion_multiply(rotations[:, wrist], turn("x", 90.0))
        return super().posed(replace(motion, rotations=rotations), options)


@pytest.mark.parametrize("rest_pose", ["T", "BENT"])
def test_a_hand_that_is_twisted_is_seen_whatever_the_rest_pose(
    rest_pose: rig_library.RestPose,
) -> None:
    variation = rig_library.VARIATIONS["turned"]
    fine = judge("mixamo", rest_pose, [walking()], NumpySubject, variation).row
    assert fine.turns < 25.0  # a bent rest pose leaves some doubt about the twist
    row = judge("mixamo", rest_pose, [walking()], Twisted, variation).row
    assert 60.0 < row.limbs["left_wrist"] < 120.0
    assert row.limbs["right_wrist"] == pytest.approx(fine.limbs["right_wrist"], abs=1e-6)
