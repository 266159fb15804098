"""Where the controls of inverse kinematics belong, so that a limb takes the pose it would by FK."""

from typing import TYPE_CHECKING

import numpy as np

from ...rotations import (
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)
from .plan import LIMBS, Limb
from .posing import PosedControls

if TYPE_CHECKING:
    from .retargeter import ControlRetargeter

#: A limb whose knee or elbow is less than the first share of its length off the line from its
#: start to its end is straight and says nothing of where it points; more than the second, all.
_STRAIGHT = (0.003, 0.01)
#: The same for a joint that bends backwards: a little of that is no reason to turn the limb round.
_BACKWARDS = (0.025, 0.05)


def limb_locations(
    controls: "ControlRetargeter", posed: PosedControls, name: str, limb: Limb
) -> dict[str, np.ndarray]:
    """Location channels [T, 3] of a limb's target and pole.

    ``posed`` are all controls with their turns, the limb's FK controls included, the targets
    without their locations yet.
    """
    rig = controls.rig
    chain = [
        rig.index(controls.plan.controls[slot][0])
        for slot in LIMBS[name]
        if slot in controls.plan.controls
    ]
    target, rest = rig.index(limb.target), rig.rest[:, :3, 3]
    if limb.always:
        # The solver takes the tail of the lower bone to the target's head.
        upper, lower = chain[:2]
        tip = posed.heads[:, lower] + quaternion_rotate(
            posed.turns[:, lower], rig.tails[lower] - rest[lower]
        )
        wanted = {target: tip}
    else:
        upper, lower, end = chain
        offset = quaternion_rotate(posed.turns[:, target], rest[target] - rest[end])
        tip = posed.heads[:, end]
        wanted = {target: tip + offset}
    if limb.pole is not None:
        pole = rig.index(limb.pole)
        distance = float(np.linalg.norm(rest[pole] - rest[lower]))
        start, middle = posed.heads[:, upper], posed.heads[:, lower]
        line = normalize(tip - start)
        if limb.always:
            axes = rig.rest[upper, :3, :3]
            up = axes[:, 0] * np.cos(limb.pole_angle) + axes[:, 2] * np.sin(limb.pole_angle)
            side = normalize(_across(quaternion_rotate(posed.turns[:, upper], up), line))
        else:
            side = _bend_direction(posed, (upper, lower, end), rest, rest[pole])
        # Across the limb's line only the pole's side may count.
        foot = start + (middle - start - _across(middle - start, line))
        wanted[pole] = foot + distance * side
    found = {}
    shifts: dict[int, np.ndarray] = {}
    for bone in sorted(wanted):
        here = posed.heads[:, bone]
        # What hangs on a target that has moved moves with it.
        place = controls.controls.place_parents[bone]
        while place >= 0:
            here = here + shifts.get(place, 0.0)
            place = controls.controls.place_parents[place]
        shifts[bone] = wanted[bone] - here
        axes = quaternion_multiply(posed.frames[:, bone], controls.controls.location_axes[bone])
        found[rig.bone_names[bone]] = quaternion_rotate(quaternion_conjugate(axes), shifts[bone])
    return found


def _bend_direction(
    posed: PosedControls, chain: tuple[int, int, int], rest: np.ndarray, rest_pole: np.ndarray
) -> np.ndarray:
    """Unit vectors [T, 3] across a limb, to where its knee or elbow points.

    rest: [B, 3] heads at rest; rest_pole: [3].  A straight limb points where its upper bone's turn
    takes the direction in which the pole lies at rest.
    """
    start, middle, end = (posed.heads[:, bone] for bone in chain)
    line = normalize(end - start)
    first, knee, last = (rest[bone] for bone in chain)
    length = float(np.linalg.norm(knee - first) + np.linalg.norm(last - knee))
    off = _across(middle - start, line)
    share = np.linalg.norm(off, axis=-1) / max(length, 1e-9)

    rest_side = normalize(_across(rest_pole - first, normalize(last - first)))
    carried = quaternion_rotate(posed.turns[:, chain[0]], rest_side)
    carried = normalize(_across(carried, line))

    forward = (off * carried).sum(axis=-1) >= 0.0
    trust = np.where(forward, _ramp(share, *_STRAIGHT), _ramp(share, *_BACKWARDS))[:, None]
    return normalize(trust * normalize(off) + (1.0 - trust) * carried)


def _across(vectors: np.ndarray, line: np.ndarray) -> np.ndarray:
    """What of some vectors is at right angles to unit lines."""
    across: np.ndarray = vectors - (vectors * line).sum(axis=-1, keepdims=True) * line
    return across


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    smooth: np.ndarray = t * t * (3.0 - 2.0 * t)
    return smooth
