"""Alignments of pelvis, spine, neck and head, however many bones they have."""

from collections.abc import Sequence

import numpy as np

from ..rotations import matrix_to_quaternion, normalize, quaternion_between
from .bone_map import SIDES
from .carriers import spine_of
from .chains import middles, shared, spread
from .driver import Driver
from .measured import IDENTITY, UP, Measured, ramp

SPINE_JOINTS = ("spine1", "spine2", "spine3")

#: A lean of the line from hips to spine is the pelvis' pose up to the first angle (radians); beyond
#: the second it is how the rig was built and says nothing.
_PELVIS_LEAN = (np.radians(12.0), np.radians(30.0))


def trunk(measured: Measured) -> list[Driver]:
    """Pelvis and spine; the topmost bone of the spine is the chest and turns as ``spine3`` does."""
    below, spine = spine_of(measured.rig, measured.map)
    pelvis = measured.bones("pelvis")[0]
    points = [measured.body.heads[bone] for bone in spine] + [spine_end(measured)]
    upright = _pelvis_upright(measured.limb(pelvis, points[0]))
    found = [measured.driver(pelvis, "pelvis", _frame(measured, "hip", upright, hinge_first=True))]
    alignment = found[0].alignment
    found += [measured.driver(bone, "pelvis", alignment) for bone in below]
    places = _spine_places(measured, points) if spine else []
    for bone, end, (low, blend) in zip(spine, points[1:], places, strict=True):
        direction = measured.limb(bone, end)
        if direction is not None:
            line = "shoulder" if bone == spine[-1] else "hip"
            alignment = _frame(measured, line, direction, hinge_first=False)
        names = SPINE_JOINTS[low], SPINE_JOINTS[min(low + 1, 2)]
        joint, other = (measured.skeleton.index(name) for name in names)
        found.append(Driver(bone, joint, other, blend, alignment))
    return found


def _pelvis_upright(direction: np.ndarray | None) -> np.ndarray:
    """Which direction of the rest pose is upright in the canonical pelvis."""
    if direction is None or direction[1] <= 0.0:
        return UP
    lean = float(np.arccos(np.clip(direction[1], -1.0, 1.0)))
    return normalize(UP + (1.0 - ramp(lean, *_PELVIS_LEAN)) * (direction - UP))


def spine_end(measured: Measured) -> np.ndarray | None:
    """Where the spine ends: at the neck, else at the head, else between the shoulders."""
    for slot in ("neck", "head"):
        if (head := measured.head_of(slot)) is not None:
            return head
    for part in ("collar", "shoulder"):
        pair = [p for side in SIDES if (p := measured.head_of(f"{side}_{part}")) is not None]
        if len(pair) == 2:
            middle: np.ndarray = np.mean(pair, axis=0)
            return middle
    return None


def _spine_places(
    measured: Measured, points: Sequence[np.ndarray | None]
) -> list[tuple[int, float]]:
    """Where the spine's bones lie on the canonical spine; points are heads and the end."""
    known = [point for point in points if point is not None]
    if len(known) < len(points):
        known.append(known[-1])
    if len(known) == 2:
        return [(2, 0.0)]  # the shoulders hang on a lone bone: it is the chest
    rest = measured.skeleton.rest_positions
    joints = [rest[measured.skeleton.index(j)] for j in (*SPINE_JOINTS, "neck")]
    return spread(middles(known), middles(joints))


def _frame(measured: Measured, part: str, direction: np.ndarray, hinge_first: bool) -> np.ndarray:
    """Rotation that stands ``direction`` upright and lays the rig's left along +X.

    Of the two, which need not be perpendicular, one is exact: the left line of the hips or
    shoulders if ``hinge_first``, else the direction.
    """
    pair = [measured.head_of(f"{side}_{part}") for side in SIDES]
    left = np.array([1.0, 0.0, 0.0])
    if pair[0] is not None and pair[1] is not None:
        line = pair[0] - pair[1]
        if line[0] > 0.5 * np.linalg.norm(line):
            left = normalize(line)
    if hinge_first:
        up = normalize(direction - direction @ left * left)
    else:
        up = direction
        left = normalize(left - left @ up * up)
    rig_axes = np.stack([left, up, np.cross(left, up)], axis=-1)
    return matrix_to_quaternion(rig_axes.T)


def head(measured: Measured) -> list[Driver]:
    """Neck and head.  An upright head stays upright; the neck's bones share the bend below it."""
    necks, heads = measured.bones("neck"), measured.bones("head")
    found = []
    if necks:
        end = measured.body.heads[heads[0]] if heads else measured.body.tails[necks[-1]]
        direction = measured.limb(necks[0], end)
        bend = IDENTITY if direction is None else quaternion_between(direction, UP)
        chest = "spine3" if spine_of(measured.rig, measured.map)[1] else "pelvis"
        joints = [measured.skeleton.index(name) for name in (chest, "neck", "head")]
        points = [measured.body.heads[bone] for bone in necks] + [end]
        for bone, (low, blend) in zip(necks, shared(middles(points)), strict=True):
            found.append(Driver(bone, joints[low], joints[min(low + 1, 2)], blend, bend))
    return found + [measured.driver(bone, "head", IDENTITY) for bone in heads]
