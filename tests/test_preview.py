"""Contact sheets and GIFs: framing, colours, timing."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from core.motion import Motion
from core.preview import animation, contact_sheet, save_animation
from core.preview.body import body_of
from core.preview.camera import frame_clip
from core.preview.canvas import convex_hull, write_text
from core.preview.figure import CONTACT, LEFT, RIGHT, SKIN
from core.preview.sheet import CELL_HEIGHT, CELL_WIDTH, pose_cell, pose_frames
from core.rotations import euler_to_quaternion
from core.skeleton import canonical, load_skeleton


def standing(seconds: float = 1.0, yaw: float = 0.0, walk: tuple[float, float] = (0, 0)) -> Motion:
    """The rest pose, turned by ``yaw`` and moved by ``walk`` (metres along x and z) over time."""
    frames = round(seconds * 30)
    rotations = np.tile([1.0, 0, 0, 0], (frames, 22, 1))
    rotations[:, 0] = euler_to_quaternion(np.array([yaw, 0.0, 0.0]), "YXZ")
    root = np.zeros((frames, 3))
    root[:, 1] = 0.98
    root[:, 0], root[:, 2] = (np.linspace(0, distance, frames) for distance in walk)
    return Motion(canonical(), rotations, root, 30.0)


def pixels(image: Image.Image, colour: tuple[int, int, int], tolerance: int = 12) -> np.ndarray:
    """Columns of the pixels that have about this colour."""
    distance = np.abs(np.asarray(image).astype(int) - np.array(colour)).max(axis=-1)
    return np.nonzero(distance <= tolerance)[1]


def drawn(motion: Motion, frame: int = 0) -> Image.Image:
    body = body_of(motion)
    camera = frame_clip(body.outline, 192, 218)[frame]
    return pose_cell(body, frame, camera, None, 196, 226)


def test_sheet_has_a_row_per_motion_and_a_column_per_pose() -> None:
    one = contact_sheet([("a", standing())], columns=5)
    three = contact_sheet([("a", standing()), ("b", standing()), ("c", standing(2.0))], columns=5)
    assert 5 * CELL_WIDTH <= one.width <= 5 * CELL_WIDTH + 40
    assert one.width == three.width
    assert (three.height - one.height) % 2 == 0
    assert (three.height - one.height) // 2 >= CELL_HEIGHT
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])


@given(st.integers(1, 400), st.integers(2, 12))
def test_poses_are_at_even_times_with_both_ends(frames: int, columns: int) -> None:
    at = pose_frames(frames, columns)
    assert len(at) == columns and at[0] == 0 and at[-1] == frames - 1
    steps = np.diff(at)
    assert steps.min() >= 0 and steps.max() - steps.min() <= 1


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.floats(0, 3),
    st.integers(40, 400),
    st.integers(0, 99),
)
def test_the_whole_clip_stays_in_the_picture(x, z, height, width, seed) -> None:
    random = np.random.default_rng(seed)
    root = np.linspace([0, 0.9, 0], [x, 0.9 + height, z], 25)
    points = root[:, None] + random.uniform(-0.9, 0.9, (25, 8, 3))
    points[:, 0] = root
    for frame, camera in enumerate(frame_clip(points, width, 200)):
        xy, _ = camera.project(points[frame])
        assert xy.min() >= 0
        assert (xy <= [width, 200]).all()


def test_a_long_walk_is_drawn_as_large_as_a_short_one() -> None:
    near, far = (
        frame_clip(body_of(standing(walk=(0, distance))).outline, 192, 218)[0].pixels_per_metre
        for distance in (1.0, 30.0)
    )
    assert far > 0.85 * near


def test_a_walking_figure_crosses_the_picture() -> None:
    motion = standing(walk=(3.0, 0.0))
    first, last = drawn(motion, 0), drawn(motion, 29)
    assert pixels(last, LEFT).mean() > pixels(first, LEFT).mean() + 20


def test_left_is_blue_and_right_is_orange_and_the_face_shows_the_heading() -> None:
    front, back = drawn(standing()), drawn(standing(yaw=np.pi))
    # Facing us, the figure's left is on our right; from behind it is on our left.
    assert pixels(front, LEFT).mean() > pixels(front, RIGHT).mean() + 20
    assert pixels(back, LEFT).mean() < pixels(back, RIGHT).mean() - 20
    assert len(pixels(front, SKIN)) > len(pixels(back, SKIN)) + 30


def test_standing_feet_are_marked_and_jumping_ones_are_not() -> None:
    ground = standing()
    air = Motion(
        ground.skeleton, ground.rotations, ground.root_positions + np.array([0, 0.4, 0]), 30.0
    )
    assert len(pixels(drawn(ground), CONTACT)) > 20
    assert len(pixels(drawn(air), CONTACT)) == 0
    told = Motion(ground.skeleton, ground.rotations, ground.root_positions, 30.0, np.zeros((30, 4)))
    assert len(pixels(drawn(told), CONTACT)) == 0


def test_a_raised_hand_is_higher_than_a_hanging_one() -> None:
    motion = standing()
    raised = motion.rotations.copy()
    raised[:, canonical().index("left_shoulder")] = euler_to_quaternion(
        np.array([np.pi / 2, 0.0, 0.0]), "ZXY"
    )
    hanging = motion.rotations.copy()
    hanging[:, canonical().index("left_shoulder")] = euler_to_quaternion(
        np.array([-np.pi / 2, 0.0, 0.0]), "ZXY"
    )
    up, down = (
        body_of(Motion(canonical(), rotations, motion.root_positions, 30.0)).hands["left"][0]
        for rotations in (raised, hanging)
    )
    assert up[1] - down[1] == pytest.approx(2 * (0.27 + 0.25 + 0.09))


@pytest.mark.parametrize("name", ["snapmogen", "humanml3d"])
def test_published_skeletons_are_drawn_in_human_size(name: str) -> None:
    skeleton = load_skeleton(name)
    rotations = np.tile([1.0, 0, 0, 0], (4, skeleton.joint_count, 1))
    root = np.zeros((4, 3))
    body = body_of(Motion(skeleton, rotations, root, skeleton.fps))
    assert 1.0 < np.ptp(body.outline[0, :, 1]) < 2.2
    assert (
        len(pixels(contact_sheet([("rest", Motion(skeleton, rotations, root, 30.0))]), LEFT)) > 99
    )


def test_one_frame_is_enough() -> None:
    assert contact_sheet([("still", standing(1 / 30))]).width > 0
    assert len(animation(standing(1 / 30))) == 1


def test_gif_plays_at_true_speed(tmp_path: Path) -> None:
    motion = standing(2.0, walk=(1.0, 0.0))
    path = tmp_path / "walk.gif"
    save_animation(path, animation(motion, "a person walks", 200, 220))
    with Image.open(path) as gif:
        seconds = 0.0
        for frame in range(gif.n_frames):
            gif.seek(frame)
            seconds += gif.info["duration"] / 1000
        assert gif.size == (200, 220)
        assert gif.info["loop"] == 0
    assert seconds == pytest.approx(2.0, abs=0.1)
    assert list(tmp_path.iterdir()) == [path]


@settings(deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(3, 40), st.just(2)), elements=st.integers(-9, 9)))
def test_hull_holds_every_point_and_only_uses_given_ones(points: np.ndarray) -> None:
    assume(len(np.unique(points, axis=0)) > 2)
    hull = np.array(convex_hull(points))
    assert {tuple(p) for p in hull} <= {tuple(p) for p in points}
    edges = np.roll(hull, -1, axis=0) - hull
    to_points = points[:, None] - hull[None]
    cross = edges[:, 0] * to_points[..., 1] - edges[:, 1] * to_points[..., 0]
    assert (cross >= -1e-9).all()


def test_long_captions_are_cut_to_the_room() -> None:
    image = Image.new("RGB", (300, 30), (255, 255, 255))
    write_text(image, (0, 0), "a person " * 50 + "\nand more", 16, (0, 0, 0), 150)
    assert 100 < np.nonzero(np.asarray(image.convert("L")) < 128)[1].max() < 151
