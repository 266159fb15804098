"""Drawing one pose: floor, shadow, root path, trails of hands and feet, figure."""

from collections.abc import Callable

import numpy as np

from .body import HAND, HEAD_RADIUS, LIMBS, TORSO, TRAILED, Body
from .camera import Camera, faces_camera
from .canvas import Canvas, Colour

BACKGROUND: Colour = (246, 247, 249)
GRID: Colour = (222, 225, 230)
AXIS: Colour = (196, 201, 209)
SHADOW: Colour = (205, 209, 216)
PATH: Colour = (120, 126, 138)
CONTACT: Colour = (60, 170, 90)
LEFT: Colour = (38, 118, 214)
RIGHT: Colour = (226, 84, 36)
BODY: Colour = (176, 182, 194)
BODY_BACK: Colour = (140, 147, 161)
SKIN: Colour = (236, 214, 190)
HAIR: Colour = (108, 96, 92)
OUTLINE: Colour = (40, 44, 54)

_GRID_STEP = 0.5
_GRID_REACH = 3.0


def draw_pose(
    canvas: Canvas, body: Body, frame: int, camera: Camera, trail_from: int | None = None
) -> None:
    """Draw one frame; hands and feet trail their way since frame ``trail_from``."""
    _draw_floor(canvas, camera)
    _draw_shadow(canvas, body, frame, camera)
    root = body.joints["pelvis"][: frame + 1] * np.array([1.0, 0.0, 1.0])
    if len(root) > 1:
        canvas.line(camera.project(root)[0], PATH, 1.3)
    _draw_contacts(canvas, body, frame, camera)
    if trail_from is not None and trail_from < frame:
        _draw_trails(canvas, body, trail_from, frame, camera)
    _draw_figure(canvas, body, frame, camera)


def _draw_floor(canvas: Canvas, camera: Camera) -> None:
    middle = np.round(camera.target / _GRID_STEP) * _GRID_STEP
    steps = np.arange(-_GRID_REACH, _GRID_REACH + 1e-6, _GRID_STEP)
    for step in steps:
        for axis in (0, 2):
            ends = np.repeat(middle[None], 2, axis=0) * np.array([1.0, 0.0, 1.0])
            ends[:, axis] += step
            ends[:, 2 - axis] += (-_GRID_REACH, _GRID_REACH)
            through_start = abs(middle[axis] + step) < 1e-6
            colour = AXIS if through_start else GRID
            canvas.line(camera.project(ends)[0], colour, 1.3 if through_start else 0.8)


def _draw_shadow(canvas: Canvas, body: Body, frame: int, camera: Camera) -> None:
    """The figure's outline straight below it: how high it is, and where."""
    flat = np.array([1.0, 0.0, 1.0])

    def floor_disc(point: np.ndarray, radius: float) -> tuple[np.ndarray, float]:
        xy, depth = camera.project(point * flat)
        return xy, camera.length(0.6 * radius, float(depth))

    for start, end, a, b in LIMBS:
        discs = [
            floor_disc(body.joints[start][frame], a),
            floor_disc(body.joints[end][frame], b),
        ]
        canvas.hull(discs, SHADOW)
    canvas.hull([floor_disc(body.joints[n][frame], radius) for n, radius in TORSO], SHADOW)
    canvas.hull([floor_disc(body.head_centre[frame], HEAD_RADIUS)], SHADOW)


def _draw_contacts(canvas: Canvas, body: Body, frame: int, camera: Camera) -> None:
    for name, standing in body.contacts.items():
        if standing[frame]:
            xy, depth = camera.project(body.joints[name][frame] * np.array([1.0, 0.0, 1.0]))
            radius = camera.length(0.075, float(depth))
            canvas.ellipse(xy, radius, radius * 0.5, CONTACT)


def _draw_trails(canvas: Canvas, body: Body, start: int, frame: int, camera: Camera) -> None:
    for name in TRAILED:
        side, joint = name.split("_")
        path = body.hands[side] if joint == "wrist" else body.joints[name]
        xy = camera.project(path[start : frame + 1])[0]
        colour = LEFT if side == "left" else RIGHT
        for step in range(len(xy) - 1):
            age = 1.0 - (step + 1) / (len(xy) - 1)
            canvas.line(xy[step : step + 2], _mix(colour, BACKGROUND, 0.35 + 0.5 * age), 1.6)


def _draw_figure(canvas: Canvas, body: Body, frame: int, camera: Camera) -> None:
    """Painter's algorithm: the furthest part first."""
    parts: list[tuple[float, Callable[[], None]]] = []
    root_depth = float(camera.project(body.joints["pelvis"][frame])[1])

    def add(
        points: list[tuple[np.ndarray, float]], colour: Colour, depth_bias: float = 0.0
    ) -> float:
        projected = [(camera.project(point), radius) for point, radius in points]
        depth = float(np.mean([p[1] for p, _ in projected])) + depth_bias
        discs = [(p[0], camera.length(radius, float(p[1]))) for p, radius in projected]
        # What is further away than the hips is a little paler.
        shade = _mix(colour, BACKGROUND, float(np.clip((depth - root_depth) * 0.7, 0.0, 0.35)))
        edge = camera.length(0.011, depth)

        def draw() -> None:
            canvas.hull([(centre, radius + edge) for centre, radius in discs], OUTLINE)
            canvas.hull(discs, shade)

        parts.append((depth, draw))
        return depth

    joints = {name: path[frame] for name, path in body.joints.items()}
    for start, end, a, b in LIMBS:
        colour = LEFT if start.startswith("left") else RIGHT
        add([(joints[start], a), (joints[end], b)], colour)
    for side, colour in (("left", LEFT), ("right", RIGHT)):
        wrist, hand = joints[f"{side}_wrist"], body.hands[side][frame]
        add([(wrist, 0.030), (hand, 0.042), (wrist + (hand - wrist) * 1.6, 0.026)], colour)
    front = faces_camera(body.chest_forward[frame]) > 0
    add([(joints[name], radius) for name, radius in TORSO], BODY if front else BODY_BACK)
    add([(joints["neck"], 0.05), (joints["head"], 0.05)], SKIN)
    _add_head(parts, canvas, body, frame, camera)
    for _, draw in sorted(parts, key=lambda part: -part[0]):
        draw()


def _add_head(
    parts: list[tuple[float, Callable[[], None]]],
    canvas: Canvas,
    body: Body,
    frame: int,
    camera: Camera,
) -> None:
    """Skull, and on its front a face with a nose: which way does it look?"""
    centre, forward = body.head_centre[frame], body.head_forward[frame]
    xy, depth = camera.project(centre)
    face, _ = camera.project(centre + forward * 0.035)
    nose_root, _ = camera.project(centre + forward * HEAD_RADIUS * 0.8)
    nose, _ = camera.project(centre + forward * (HEAD_RADIUS + 0.035))
    radius = camera.length(HEAD_RADIUS, float(depth))
    edge = camera.length(0.011, float(depth))
    towards = float(faces_camera(forward))

    def draw_nose() -> None:
        canvas.hull([(nose_root, radius * 0.3 + edge), (nose, radius * 0.1 + edge)], OUTLINE)
        canvas.hull([(nose_root, radius * 0.3), (nose, radius * 0.1)], SKIN)

    def draw() -> None:
        if towards <= 0:
            draw_nose()
        canvas.disc(xy, radius + edge, OUTLINE)
        canvas.disc(xy, radius, HAIR)
        if towards > -0.3:
            canvas.disc(face, radius * 0.8, SKIN)
        if towards > 0:
            draw_nose()

    parts.append((float(depth), draw))


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    """``a`` with a share of ``b`` in it."""
    mixed = [round(x * (1 - share) + y * share) for x, y in zip(a, b, strict=True)]
    return (mixed[0], mixed[1], mixed[2])


__all__ = ["BACKGROUND", "CONTACT", "HAND", "LEFT", "RIGHT", "draw_pose"]
