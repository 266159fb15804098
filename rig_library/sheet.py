"""A scheme's contact sheet: the motion above, the rig in every rest pose below (Pillow)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.motion import Motion
from core.preview.body import HAND, HEAD_ABOVE_JOINT, Body
from core.preview.camera import Camera
from core.preview.canvas import Canvas, write_text
from core.preview.figure import BACKGROUND, LEFT, RIGHT, draw_pose
from core.retarget import RestRig
from core.rotations import normalize, quaternion_rotate, rotation_vector_to_quaternion

from .figures import motion_figure, rig_figure
from .measures import FEET, aligned, facing
from .posing import Posed

CELL_WIDTH, CELL_HEIGHT = 150, 190
LABEL_WIDTH, TITLE_HEIGHT, BORDER = 96, 34, 10
_INK, _FAINT, _BONE = (34, 38, 48), (120, 126, 138), (20, 24, 34)
_PIXELS_PER_METRE = 78.0
#: Turns of the figure about the vertical: the usual three-quarter view, and from its right.
VIEWS = {"front": 0.0, "side": 65.0}


@dataclass(frozen=True)
class Pose:
    """One cell: a body of one frame, lines of all bones [n, 2, 3], both of canonical size."""

    body: Body
    bones: np.ndarray


def rest_pose(rest: RestRig, right: Mapping[str, tuple[str, ...]]) -> Pose:
    """The rig as it rests."""
    return rig_poses(rest, right, _Still(rest), [0], np.zeros((1, len(FEET)), dtype=bool))[0]


def motion_poses(motion: Motion, frames: Sequence[int], planted: np.ndarray) -> list[Pose]:
    """The motion's own figure at some frames."""
    figure = motion_figure(motion)
    turned = motion.global_rotations()

    def direction(slot: str, axis: np.ndarray) -> np.ndarray:
        return quaternion_rotate(turned[:, motion.skeleton.index(slot)], axis)

    found = []
    for frame in frames:
        joints = {slot: at[frame] for slot, at in figure.moving.items()}
        ways = {
            "head": direction("head", np.array([0.0, 0.0, 1.0]))[frame],
            "skull": direction("head", np.array([0.0, 1.0, 0.0]))[frame],
            "chest": direction("spine3", np.array([0.0, 0.0, 1.0]))[frame],
            "left": direction("left_wrist", np.array([1.0, 0.0, 0.0]))[frame],
            "right": direction("right_wrist", np.array([-1.0, 0.0, 0.0]))[frame],
        }
        lines = [
            (joints[name], joints[motion.skeleton.joint_names[parent]])
            for name, parent in zip(
                motion.skeleton.joint_names, motion.skeleton.parents, strict=True
            )
            if parent >= 0
        ]
        found.append(Pose(_body(joints, ways, planted[frame]), np.array(lines)))
    return found


def rig_poses(
    rest: RestRig,
    right: Mapping[str, tuple[str, ...]],
    posed: Posed,
    frames: Sequence[int],
    planted: np.ndarray,
) -> list[Pose]:
    """The posed rig at some frames, as large as the canonical body and facing as its motion."""
    resting = rig_figure(rest, right, posed)
    turn = facing(resting)
    figure = aligned(resting)
    scale = _CANONICAL_LEG / figure.leg
    order = [rest.index(name) for name in posed.bone_names]
    back = {name: column for column, name in enumerate(posed.bone_names)}
    spine_top = right["spine"][-1] if "spine" in right else right["pelvis"][0]
    # The floor is where the rig's feet stood at rest.
    ankles = [figure.rest[f"{side}_ankle"][1] for side in ("left", "right")]
    lift = np.array([0.0, _ANKLE - scale * float(np.mean(ankles)), 0.0])

    def way(bone: str, frame: int, axis: np.ndarray) -> np.ndarray:
        """A direction of the resting body, turned as the bone was."""
        at_rest = rest.object_rotation @ rest.rest[rest.index(bone), :3, :3]
        resting_axis = quaternion_rotate(turn * np.array([1.0, -1.0, -1.0, -1.0]), axis)
        moved = posed.axes[frame, back[bone]] @ at_rest.T @ resting_axis
        return quaternion_rotate(turn, moved)

    body = _below(rest, rest.index(right["pelvis"][0]))
    found = []
    for frame in frames:
        joints = {slot: scale * at[frame] + lift for slot, at in figure.moving.items()}
        joints["spine3"] = (
            scale * quaternion_rotate(turn, posed.heads[frame, back[spine_top]]) + lift
        )
        joints["spine1"] = joints.get("spine", joints["pelvis"])
        ways = {
            "head": way(right.get("head", (spine_top,))[0], frame, np.array([0.0, 0.0, 1.0])),
            "skull": way(right.get("head", (spine_top,))[0], frame, np.array([0.0, 1.0, 0.0])),
            "chest": way(spine_top, frame, np.array([0.0, 0.0, 1.0])),
        }
        for side in ("left", "right"):
            along = figure.rest[f"{side}_wrist"] - figure.rest[f"{side}_elbow"]
            ways[side] = way(right[f"{side}_wrist"][0], frame, normalize(along))
        heads = scale * quaternion_rotate(turn, posed.heads[frame]) + lift
        lines = [
            (heads[column], heads[back[rest.bone_names[rest.parents[bone]]]])
            for column, bone in enumerate(order)
            if rest.parents[bone] >= 0 and bone in body
        ]
        found.append(Pose(_body(joints, ways, planted[frame]), np.array(lines)))
    return found


def contact_sheet(title: str, rows: Sequence[tuple[str, Sequence[Pose]]]) -> Image.Image:
    """Every row is drawn from two views; the cells of one column show the same frame."""
    columns = max(len(poses) for _, poses in rows)
    width = LABEL_WIDTH + columns * CELL_WIDTH + BORDER
    height = TITLE_HEIGHT + len(rows) * len(VIEWS) * CELL_HEIGHT + BORDER
    sheet = Image.new("RGB", (width, height), (255, 255, 255))
    write_text(sheet, (BORDER, 8), title, 17, _INK, width - 2 * BORDER)
    top = TITLE_HEIGHT
    for label, poses in rows:
        for view, degrees in VIEWS.items():
            write_text(sheet, (BORDER, top + 4), label, 14, _INK, LABEL_WIDTH - BORDER)
            write_text(sheet, (BORDER, top + 24), view, 12, _FAINT, LABEL_WIDTH - BORDER)
            for column, pose in enumerate(poses, start=columns - len(poses)):
                left = LABEL_WIDTH + column * CELL_WIDTH
                sheet.paste(_cell(pose, degrees), (left, top))
            top += CELL_HEIGHT
    return sheet


def _cell(pose: Pose, degrees: float) -> Image.Image:
    canvas = Canvas(CELL_WIDTH - 3, CELL_HEIGHT - 3, BACKGROUND)
    spin = rotation_vector_to_quaternion(np.array([0.0, np.radians(degrees), 0.0]))
    hips = pose.body.joints["pelvis"][0] * np.array([1.0, 0.0, 1.0])

    def spun(points: np.ndarray) -> np.ndarray:
        return quaternion_rotate(spin, points - hips)

    body = Body(
        joints={name: spun(at) for name, at in pose.body.joints.items()},
        head_centre=spun(pose.body.head_centre),
        head_forward=quaternion_rotate(spin, pose.body.head_forward),
        chest_forward=quaternion_rotate(spin, pose.body.chest_forward),
        hands={side: spun(at) for side, at in pose.body.hands.items()},
        contacts=pose.body.contacts,
        outline=spun(pose.body.outline),
    )
    camera = Camera(np.zeros(3), (CELL_WIDTH / 2, CELL_HEIGHT - 26.0), _PIXELS_PER_METRE)
    draw_pose(canvas, body, 0, camera)
    for line in spun(pose.bones):
        canvas.line(camera.project(line)[0], _BONE, 0.7)
    for side, colour in (("left", LEFT), ("right", RIGHT)):
        canvas.disc(camera.project(body.hands[side][0])[0], 1.8, colour)
    return canvas.finished()


def _body(
    joints: Mapping[str, np.ndarray], ways: Mapping[str, np.ndarray], planted: np.ndarray
) -> Body:
    """A drawable body of one frame; what the rig has no bone for is put where it would be."""
    known = dict(joints)
    shoulders = 0.5 * (known["left_shoulder"] + known["right_shoulder"])
    known.setdefault("neck", shoulders)
    known.setdefault("head", shoulders + 0.12 * ways["skull"])
    hands = {}
    for side in ("left", "right"):
        known.setdefault(f"{side}_foot", known[f"{side}_ankle"] + _TOES)
        hands[side] = (known[f"{side}_wrist"] + HAND * ways[side])[None]
    centre = known["head"] + HEAD_ABOVE_JOINT * ways["skull"]
    frames = {name: at[None] for name, at in known.items()}
    return Body(
        joints=frames,
        head_centre=centre[None],
        head_forward=ways["head"][None],
        chest_forward=ways["chest"][None],
        hands=hands,
        contacts={slot: planted[None, column] for column, slot in enumerate(FEET)},
        outline=np.stack(list(known.values()))[None],
    )


def _below(rest: RestRig, bone: int) -> frozenset[int]:
    """The bones below one: with the hips, the body without what steers or holds it."""
    return frozenset(b for b in range(rest.bone_count) if bone in rest.ancestors(b))


class _Still:
    """A rig that has not moved, as if it had been posed for one frame."""

    def __init__(self, rest: RestRig) -> None:
        self.bone_names = rest.bone_names
        self.heads = rest.heads[None]
        self.axes = (rest.object_rotation @ rest.rest[:, :3, :3])[None]
        self.seconds = 0.0


_CANONICAL_LEG = 0.83
_ANKLE = 0.08
_TOES = np.array([0.0, -0.05, 0.1])

__all__ = ["Pose", "contact_sheet", "motion_poses", "rest_pose", "rig_poses"]
