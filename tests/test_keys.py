"""Fewer keys for the same motion: within the tolerance, with extremes, and feet that stay put."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.keys import Body, Ends, Part, Tolerance, Track, planted, reduce, reduce_body
from core.keys.hermite import fit
from core.keys.tracks import quaternions
from core.motion import Motion
from core.retarget import Retargeter, map_bones, rotation_channels
from core.rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_multiply,
    rotation_angle,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical
from tests.synthetic import SIDES, RigRecipe, build_rig, pose_rig, tumbling, turn, walking

MODES = ("QUATERNION", "AXIS_ANGLE", "XYZ", "ZXY", "YZX")


def times(count: int, fps: float = 30.0) -> np.ndarray:
    return np.arange(count) / fps


def swinging(count: int, seed: int = 0) -> np.ndarray:
    """Smooth quaternions [T, 4] through large angles."""
    rng = np.random.default_rng(seed)
    t = times(count)[:, None]
    angles = rng.normal(0, 0.8, 3) * np.sin(3.0 * t + rng.uniform(0, 6, 3)) + 0.4 * np.sin(7 * t)
    return rotation_vector_to_quaternion(angles)


def off_degrees(track: Track, values: np.ndarray) -> float:
    part = track.parts[-1]
    made, wanted = quaternions(values, part.kind), quaternions(part.values, part.kind)
    return float(np.degrees(rotation_angle(made, wanted)).max())


def hermite(track: Track, part: int, reduced, at: np.ndarray) -> np.ndarray:
    """The curves [T, C] from keys and slopes alone, by another formula: de Casteljau's."""
    keys = at[reduced.index]
    values = track.parts[part].values[reduced.index]
    slopes = reduced.slopes[part]
    found = np.empty((len(at), values.shape[1]))
    for row, time in enumerate(at):
        k = int(np.clip(np.searchsorted(keys, time, side="right") - 1, 0, len(keys) - 2))
        gap = keys[k + 1] - keys[k]
        points = [
            values[k],
            values[k] + slopes[k] * gap / 3,
            values[k + 1] - slopes[k + 1] * gap / 3,
            values[k + 1],
        ]
        u = (time - keys[k]) / gap
        while len(points) > 1:
            points = [a + u * (b - a) for a, b in zip(points, points[1:], strict=False)]
        found[row] = points[0]
    return found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("degrees", [0.1, 0.5, 3.0])
def test_every_frame_stays_within_the_tolerance(mode: str, degrees: float) -> None:
    at = times(200)
    tracks = [
        Track(f"bone{i}", (Part(rotation_channels(swinging(200, i), mode)[1], mode),))
        for i in range(5)
    ]
    for track, reduced in zip(tracks, reduce(tracks, at, Tolerance(degrees)), strict=True):
        assert off_degrees(track, reduced.values[0]) <= degrees
        assert reduced.degrees == pytest.approx(off_degrees(track, reduced.values[0]), abs=1e-4)
        assert np.abs(hermite(track, 0, reduced, at) - reduced.values[0]).max() < 1e-9
        assert reduced.index[0] == 0 and reduced.index[-1] == 199
        assert len(reduced.index) < 200 * {0.1: 0.7, 0.5: 0.5, 3.0: 0.35}[degrees]


def test_a_larger_tolerance_needs_fewer_keys() -> None:
    track = Track("bone", (Part(swinging(300), "QUATERNION"),))
    counts = [
        len(reduce([track], times(300), Tolerance(degrees))[0].index)
        for degrees in (0.05, 0.2, 1.0, 5.0)
    ]
    assert counts == sorted(counts, reverse=True) and counts[0] > 2 * counts[-1]


def test_all_curves_of_a_bone_share_their_frames_and_locations_count() -> None:
    at = times(120)
    location = np.stack([np.sin(9 * at), 0 * at, at], axis=-1)
    still = np.tile([1.0, 0, 0, 0], (120, 1))
    track = Track("hips", (Part(location, "LOCATION"), Part(still, "QUATERNION")))
    (reduced,) = reduce([track], at, Tolerance(1.0, 5.0))
    off = np.linalg.norm(reduced.values[0] - location, axis=-1) * 1000
    assert off.max() <= 5.0 and reduced.millimetres == pytest.approx(off.max())
    assert [len(slopes) for slopes in reduced.slopes] == [len(reduced.index)] * 2
    # Ten times the scale, ten times the error: more keys.
    big = Track("hips", (Part(location, "LOCATION", scale=10_000.0), track.parts[1]))
    assert len(reduce([big], at, Tolerance(1.0, 5.0))[0].index) > len(reduced.index)


def test_what_does_not_move_has_two_keys() -> None:
    track = Track("bone", (Part(np.tile([0.3, 0.2, -1.0], (50, 1)), "XYZ"),))
    (reduced,) = reduce([track], times(50), Tolerance())
    assert reduced.index.tolist() == [0, 49] and np.abs(reduced.slopes[0]).max() < 1e-9


def test_turning_points_and_wanted_frames_keep_their_keys() -> None:
    at = times(91)
    angles = np.zeros((91, 3))
    angles[:, 0] = 0.5 * np.cos(2 * np.pi * at)  # turns round at frames 15, 30, 45, 60, 75
    track = Track("arm", (Part(rotation_vector_to_quaternion(angles), "QUATERNION"),), kept=(7,))
    (reduced,) = reduce([track], at, Tolerance(5.0))
    assert {0, 7, 15, 30, 45, 60, 75, 90} <= set(reduced.index.tolist())


def test_few_frames_and_uneven_times() -> None:
    for count in (1, 2, 3):
        track = Track("bone", (Part(swinging(count), "QUATERNION"),))
        (reduced,) = reduce([track], times(count), Tolerance())
        assert reduced.degrees <= 0.5 and reduced.index[-1] == count - 1
    at = np.sort(np.random.default_rng(1).uniform(0, 4, 150))
    angles = np.stack([np.sin(2 * at), np.cos(3 * at), 0 * at], axis=-1)
    track = Track("bone", (Part(rotation_vector_to_quaternion(angles), "QUATERNION"),))
    (reduced,) = reduce([track], at, Tolerance(0.5))
    assert np.abs(hermite(track, 0, reduced, at) - reduced.values[0]).max() < 1e-9
    assert off_degrees(track, reduced.values[0]) <= 0.5 and len(reduced.index) < 75


def test_differences_are_judged_by_the_pose_that_they_make() -> None:
    """Euler differences on a base at gimbal lock: what counts is the sum's rotation."""
    at = times(100)
    base = np.stack([2 * at, np.full(100, np.pi / 2), np.sin(at)], axis=-1)
    own = np.stack([np.sin(5 * at), np.sin(3 * at), 0.2 * at], axis=-1)
    track = Track("bone", (Part(own, "XYZ", offset=base),))
    (reduced,) = reduce([track], at, Tolerance(0.5))
    turned = [quaternions(v + base, "XYZ") for v in (reduced.values[0], own)]
    assert np.degrees(rotation_angle(*turned)).max() <= 0.5


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(4, 60))
def test_any_curves_stay_within_the_tolerance(seed: int, count: int) -> None:
    """Also noise, jumps and sign changes."""
    rng = np.random.default_rng(seed)
    values = normalize(rng.normal(size=(count, 4)) + np.array([2.0, 0, 0, 0]))
    tracks = [
        Track("noise", (Part(values, "QUATERNION"),)),
        Track("way", (Part(rng.normal(size=(count, 3)), "LOCATION"),)),
    ]
    turned, moved = reduce(tracks, times(count), Tolerance(1.0, 1.0))
    assert off_degrees(tracks[0], turned.values[0]) <= 1.0
    assert moved.millimetres <= 1.0


def test_slopes_are_the_best_there_are() -> None:
    """No other slope at a key brings the curves closer to the frames."""
    at, rng = times(40), np.random.default_rng(3)
    values = np.cumsum(rng.normal(0, 0.1, (40, 2)), axis=0)
    mask = np.zeros((40, 1), dtype=bool)
    mask[[0, 9, 14, 30, 39]] = True
    owner = np.zeros(2, dtype=int)
    made, slopes = fit(values, at, owner, mask, np.zeros_like(values))
    best = np.sum((made - values) ** 2)
    keys = np.flatnonzero(mask)
    for key in keys:
        for change in (-0.05, 0.05):
            other = slopes.copy()
            other[key] += change
            curve = _curve(values, at, keys, other)
            assert np.sum((curve - values) ** 2) > best - 1e-6


def _curve(values: np.ndarray, at: np.ndarray, keys: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    track = Track("x", (Part(values, "OTHER"),))
    reduced = type("Given", (), {"index": keys, "slopes": (slopes[keys],)})
    return hermite(track, 0, reduced, at)


# --- hands and feet ------------------------------------------------------------------------------


def _body(motion: Motion, seed: int = 3) -> tuple:
    rig = build_rig(RigRecipe(roll_seed=seed, arm_drop=45.0, unit=0.01))
    found = map_bones(rig.bone_names, rig.parents)
    made = Retargeter.build(rig, found, canonical()).transfer(motion)
    millimetres = 1000.0 * rig.scale
    tracks = []
    for column, name in enumerate(made.bones):
        turned = Part(made.rotations[:, column], "QUATERNION")
        moved = made.locations.get(name)
        parts = (turned,) if moved is None else (Part(moved, "LOCATION", scale=millimetres), turned)
        tracks.append(Track(name, parts))
    body = Body(
        rig.bone_names,
        rig.parents,
        matrix_to_quaternion(rig.rest[:, :3, :3]),
        rig.rest[:, :3, 3] * millimetres,
        ~rig.inherits_rotation,
        ~rig.local_location,
    )
    bones = [rig.index(f"{side}_{part}") for side in SIDES for part in ("wrist", "ankle", "foot")]
    stand = np.array(["wrist" not in rig.bone_names[bone] for bone in bones])
    return rig, made, tracks, body, Ends(tuple(bones), np.zeros((len(bones), 3)), stand)


def _curves(tracks, reduced=None) -> dict:
    chosen = reduced or [None] * len(tracks)
    return {
        track.name: list(
            zip(track.parts, one.values if one else [p.values for p in track.parts], strict=True)
        )
        for track, one in zip(tracks, chosen, strict=True)
    }


def test_hands_and_feet_are_where_blender_puts_them() -> None:
    rig, made, tracks, body, ends = _body(tumbling(4, 20))
    basis = {name: made.rotations[:, i] for i, name in enumerate(made.bones)}
    _, heads = pose_rig(rig, basis, made.locations)
    placed = body.placed(_curves(tracks), ends) / 1000.0
    wanted = (heads[:, list(ends.bones)] - rig.to_world[:3, 3]) @ (rig.to_world[:3, :3] / rig.scale)
    assert np.abs(placed - wanted).max() < 1e-9


def _standing(count: int = 240) -> Motion:
    """Both feet stay where they are while the hips sway: knees and ankles make up for it."""
    walk = walking(count)
    rotations = walk.rotations.copy()
    skeleton = walk.skeleton
    t = times(count)
    bend = 0.35 + 0.2 * np.sin(2.1 * t)
    for side in SIDES:
        for part, share in (("hip", -1.0), ("knee", 2.0), ("ankle", -1.0)):
            angles = np.zeros((count, 3))
            angles[:, 0] = share * bend
            rotations[:, skeleton.index(f"{side}_{part}")] = rotation_vector_to_quaternion(angles)
    offsets = skeleton.rest_offsets
    thigh = -offsets[skeleton.index("left_knee")][1]
    shin = -offsets[skeleton.index("left_ankle")][1]
    height = (thigh + shin) * np.cos(bend) + 0.1
    forward = (shin - thigh) * np.sin(bend)
    root = np.stack([np.zeros(count), height, -forward], axis=-1)
    return Motion(skeleton, rotations, root, 30.0)


def test_standing_feet_stay_where_they_are() -> None:
    motion = _standing()
    at = times(motion.frame_count)
    _, _, tracks, body, ends = _body(motion)
    tolerance = Tolerance(2.0, 2.0)
    wanted = body.placed(_curves(tracks), ends)
    still = planted(wanted, at, body.height) & ends.stand
    assert still.mean() > 0.5
    alone = body.placed(_curves(tracks, reduce(tracks, at, tolerance)), ends)
    assert (np.linalg.norm(alone - wanted, axis=-1) * still).max() > 2.0, "else this tests nothing"
    found = reduce_body(tracks, at, tolerance, body, ends)
    moved = body.placed(_curves(tracks, found.tracks), ends) - wanted
    off = np.linalg.norm(moved, axis=-1)
    assert (off * still).max() <= 2.0
    assert found.standing.max() == pytest.approx((off * still).max(), abs=1e-6)
    assert found.ends.max() == pytest.approx(off.max(), abs=1e-6)
    speed = np.linalg.norm(np.diff(moved, axis=0), axis=-1) * 30.0
    allowed = 20.0 * body.height / 1700.0 + 0.5 * 0.06 * body.height
    assert (speed * (still[1:] & still[:-1])).max() <= allowed
    keys = sum(len(reduced.index) for reduced in found.tracks)
    assert keys < 0.5 * len(tracks) * len(at)


def test_hands_do_not_hold_keys_that_feet_would() -> None:
    at = times(240)
    _, _, tracks, body, ends = _body(_standing())
    free = Ends(ends.bones, ends.points, np.zeros_like(ends.stand))
    found = reduce_body(tracks, at, Tolerance(2.0, 2.0), body, free)
    alone = reduce(tracks, at, Tolerance(2.0, 2.0))
    assert [r.index.tolist() for r in found.tracks] == [r.index.tolist() for r in alone]


def test_bones_that_do_not_turn_with_their_parent() -> None:
    """One that keeps its direction, moved along the armature's axes."""
    body = Body(
        ("a", "b"),
        (-1, 0),
        np.stack([turn("x", 30.0), turn("z", 40.0)]),
        np.array([[0.0, 0.0, 0.0], [0.0, 100.0, 0.0]]),
        np.array([False, True]),
        np.array([False, True]),
    )
    parts = {
        "a": [(part := Part(turn("z", 90.0)[None], "QUATERNION"), part.values)],
        "b": [(part := Part(np.array([[0.01, 0.0, 0.0]]), "LOCATION"), part.values)],
    }
    ends = Ends((1, 1), np.array([[0.0, 0, 0], [0.0, 50.0, 0.0]]), np.ones(2, dtype=bool))
    (placed,) = body.placed(parts, ends)
    around = quaternion_multiply(
        quaternion_multiply(turn("x", 30.0), turn("z", 90.0)), turn("x", -30.0)
    )
    from core.rotations import quaternion_rotate

    head = quaternion_rotate(around, np.array([10.0, 100.0, 0.0]))
    assert np.abs(placed[0] - head).max() < 1e-9
    tip = head + quaternion_rotate(turn("z", 40.0), np.array([0.0, 50.0, 0.0]))
    assert np.abs(placed[1] - tip).max() < 1e-9
