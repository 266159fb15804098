"""Edits onto control rigs: targets, poles and twisting bones, as differences; numpy only."""

import numpy as np

from ..rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_between,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    slerp,
)
from .controls.plan import LIMBS, Limb, toes_of
from .controls.retargeter import ControlRetargeter
from .posed_body import Inverse, PosedBody, location, location_axes, rotation

#: A limb whose knee or elbow is less than the first share of its length off its line is straight
#: and says nothing of where it points; more than the second, all.
_STRAIGHT = (0.003, 0.03)
#: Metres and radians: an edit that carries a target by less leaves it alone.
_NOTHING = 1e-6
_Y = np.array([0.0, 1.0, 0.0])


def inverse_channels(
    body: PosedBody, rotations: dict[str, np.ndarray], locations: dict[str, np.ndarray]
) -> set[str]:
    """Fill in the channels of limbs of inverse kinematics.

    Names of the controls that are not keyed, because those limbs do not follow them.
    """
    controls = body.retargeter
    assert isinstance(controls, ControlRetargeter)
    keyed: set[str] = set()
    unkeyed: set[str] = set()
    for name, limb in controls.plan.limbs.items():
        slots = (*LIMBS[name], *filter(None, [toes_of(name)]))
        forward = {n for slot in slots for n in controls.plan.controls.get(slot, ())}
        how = body.asked.inverse.get(name)
        if how is None:
            continue
        if name in body.asked.follow and not _is_carried(body, limb):
            # The target stays in the world by itself; the toes hang on it.
            unkeyed |= forward | set(limb.controls)
            continue
        before = set(rotations)
        _limb(body, name, limb, how, rotations, locations)
        keyed |= set(rotations) - before
        if not limb.always:
            unkeyed |= forward
        else:
            unkeyed |= {n for slot in LIMBS[name][:2] for n in controls.plan.controls.get(slot, ())}
    return unkeyed - keyed


def _is_carried(body: PosedBody, limb: Limb) -> bool:
    """Whether the edit of other bones moves or turns a limb's target."""
    target = body.rig.index(limb.target)
    moved = body.own_head(target) - body.shown.head(limb.target)
    turned = body.turn(body.rig.turn_parent(target))
    away = max(np.abs(moved).max(initial=0.0), np.abs(turned[..., 1:]).max(initial=0.0))
    return bool(away > _NOTHING)


def _limb(
    body: PosedBody,
    name: str,
    limb: Limb,
    how: Inverse,
    rotations: dict[str, np.ndarray],
    locations: dict[str, np.ndarray],
) -> None:
    controls = body.retargeter
    assert isinstance(controls, ControlRetargeter)
    upper, lower, end = (body.slot(slot) for slot in LIMBS[name])
    assert upper is not None and lower is not None
    target = body.rig.index(limb.target)
    if limb.always or end is None:
        tip_before = body.shown.tail(body.seen_name(lower))
        tip = body.head(lower) + quaternion_rotate(
            body.turn(lower), tip_before - body.shown_head(lower)
        )
        turn = body.turn(target if target in body.turned_by else lower)
    else:
        tip_before, tip = body.shown_head(end), body.head(end)
        turn = body.turn(end)
    before = body.shown.head(limb.target)
    if limb.always:
        wanted = before + tip - tip_before
    else:
        wanted = tip + quaternion_rotate(turn, before - tip_before)
        body.turned_by[target] = turn
    moves = {target: wanted}
    about = _about(body, (upper, lower), (tip_before, tip))
    if how.pole and limb.pole is not None:
        pole = body.rig.index(limb.pole)
        arm = body.shown.head(limb.pole) - body.shown_head(lower)
        moves[pole] = body.head(lower) + quaternion_rotate(about, arm)
    body.forget()
    for bone, place in moves.items():
        here = _carried_head(body, bone, moves)
        locations[body.rig.bone_names[bone]] = location(body, bone, place - here)
    if target in body.turned_by:
        rotations[limb.target] = rotation(body, target)
    if limb.toes is not None and limb.toes in body.rig.bone_names:
        toes = body.rig.index(limb.toes)
        foot = body.slot(toes_of(name) or "")
        if foot is not None and foot in body.turned_by:
            body.turned_by[toes] = body.turn(foot)
            body.forget()
            rotations[limb.toes] = rotation(body, toes)
    if not how.pole and how.base is not None:
        lines = (tip_before - body.shown_head(upper), tip - body.head(upper))
        rotations[how.base] = _base(body, how.base, upper, lines, about)
    elif limb.always and limb.pole is None:
        for bone in (upper, lower):
            rotations[body.rig.bone_names[bone]] = _start(body, bone)


def _carried_head(body: PosedBody, bone: int, moves: dict[int, np.ndarray]) -> np.ndarray:
    """Where a control's head comes to be [T, 3] by what carries it, itself unmoved."""
    controls = body.retargeter
    assert isinstance(controls, ControlRetargeter)
    shown, names = body.shown, body.rig.bone_names
    parent, here = controls.controls.place_parents[bone], shown.head(names[bone])
    axes = location_axes(body, bone)
    own = quaternion_rotate(axes, shown.location(names[bone])) * shown.unit(names[bone])[:, None]
    carried = quaternion_rotate(body.turn(body.rig.turn_parent(bone)), own)
    if parent < 0:
        return here - own + carried
    arm = here - own - shown.head(names[parent])
    place = moves[parent] if parent in moves else body.own_head(parent)
    return place + quaternion_rotate(body.turn(parent), arm) + carried


def _about(
    body: PosedBody, bones: tuple[int, int], tips: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """How a limb turns as a whole [T, 4]: its line, and where its knee or elbow points."""
    upper, lower = bones
    start, start_new = body.shown_head(upper), body.head(upper)
    line, line_new = (normalize(a - b) for a, b in zip(tips, (start, start_new), strict=True))
    knee, knee_new = body.shown_head(lower) - start, body.head(lower) - start_new
    length = np.linalg.norm(knee, axis=-1) + np.linalg.norm(tips[0] - start - knee, axis=-1)
    axes = body.shown.turn(body.seen_name(upper))
    off, off_new = _across(knee, line), _across(knee_new, line_new)
    local = quaternion_rotate(quaternion_conjugate(axes), off).sum(axis=0)
    if np.linalg.norm(local) < 1e-6:
        local = np.array([1.0, 0.0, 0.0])
    carried = quaternion_rotate(axes, np.broadcast_to(local, off.shape))
    carried_new = quaternion_rotate(body.turn(upper), carried)
    old, new = (
        _side(*pair, length)
        for pair in ((off, _across(carried, line)), (off_new, _across(carried_new, line_new)))
    )
    return quaternion_multiply(_frame(line_new, new), quaternion_conjugate(_frame(line, old)))


def _side(off: np.ndarray, carried: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Unit vectors [T, 3] to where a knee or elbow points; straight limbs as they are carried."""
    share = np.linalg.norm(off, axis=-1) / np.maximum(length, 1e-9)
    t = np.clip((share - _STRAIGHT[0]) / (_STRAIGHT[1] - _STRAIGHT[0]), 0.0, 1.0)
    trust = (t * t * (3.0 - 2.0 * t))[:, None]
    return normalize(trust * normalize(off) + (1.0 - trust) * normalize(carried))


def _frame(line: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Rotation [T, 4] that takes Y to a line and X to a side across it."""
    return matrix_to_quaternion(np.stack([side, line, np.cross(side, line)], axis=-1))


def _across(vectors: np.ndarray, line: np.ndarray) -> np.ndarray:
    across: np.ndarray = vectors - (vectors * line).sum(axis=-1, keepdims=True) * line
    return across


def _base(
    body: PosedBody,
    name: str,
    upper: int,
    lines: tuple[np.ndarray, np.ndarray],
    about: np.ndarray,
) -> np.ndarray:
    """Own rotation [T, 4] of the control at the start of a limb that has no pole.

    It hangs on a bone that always tracks the target by the smallest turn; what is left is its own.
    """
    shown, rest = body.shown, body.shown.rest
    swing = rest.bone_names[rest.parents[rest.index(name)]]
    carried = body.turn(body.rig.turn_parent(upper))
    hanging = shown.frame(swing)
    along = quaternion_rotate(hanging, _Y)
    tracked = quaternion_between(along, lines[0])
    tracked_new = quaternion_between(quaternion_rotate(carried, along), lines[1])
    swung = quaternion_multiply(
        quaternion_multiply(tracked_new, carried), quaternion_conjugate(tracked)
    )
    frame = shown.frame(name)
    relative = quaternion_multiply(quaternion_conjugate(swung), about)
    local = quaternion_multiply(quaternion_conjugate(frame), quaternion_multiply(relative, frame))
    turned = normalize(quaternion_multiply(local, shown.own_rotation(name)))
    return np.where(body.still[:, None], shown.own_rotation(name), turned)


def _start(body: PosedBody, bone: int) -> np.ndarray:
    """Own rotation [T, 4] of a bone from which a solver without pole starts: where it shall end."""
    shown, name = body.shown, body.rig.bone_names[bone]
    frame = quaternion_multiply(body.turn(body.rig.turn_parent(bone)), shown.frame(name))
    axes = quaternion_multiply(body.turn(bone), shown.turn(name))
    started = quaternion_multiply(quaternion_conjugate(frame), axes)
    return np.where(body.still[:, None], shown.own_rotation(name), started)


def twists(body: PosedBody) -> dict[str, np.ndarray]:
    """Own rotations [T, 4] of the bones that twist what asked controls of the spine turn.

    The bone that is seen swings from the twisting one to where its own tip is; what it twists on
    the way has to come out as it shall.
    """
    controls, shown = body.retargeter, body.shown
    assert isinstance(controls, ControlRetargeter)
    found = {}
    for twist in controls.controls.twists:
        if twist.control not in body.turned_by:
            continue
        turn = body.turn(twist.control)
        first, second = (body.turn(carrier) for carrier in twist.carriers)
        carried = slerp(first, second, np.array(0.5))
        seen = shown.turn(body.seen_name(twist.control))
        along = quaternion_rotate(seen, _Y)
        own_along = quaternion_rotate(shown.turn(twist.bone), _Y)
        swing = quaternion_between(own_along, along)
        swing_new = quaternion_between(
            quaternion_rotate(carried, own_along), quaternion_rotate(turn, along)
        )
        swung = quaternion_multiply(
            quaternion_multiply(swing_new, carried), quaternion_conjugate(swing)
        )
        relative = quaternion_multiply(quaternion_conjugate(swung), turn)
        local = quaternion_multiply(quaternion_conjugate(seen), quaternion_multiply(relative, seen))
        twisted = normalize(local * np.array([1.0, 0.0, 1.0, 0.0]))
        own = shown.own_rotation(twist.bone)
        turned = normalize(quaternion_multiply(own, twisted))
        found[twist.bone] = np.where(body.still[:, None], own, turned)
    return found
