"""Where the controls of inverse kinematics belong, so that a limb takes the pose it would by FK."""

from typing import TYPE_CHECKING

import numpy as np

from ...rotations import normalize, quaternion_conjugate, quaternion_rotate
from .plan import LIMBS, Limb
from .posing import PosedControls, location_axes

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
    chain = [rig.index(controls.plan.controls[slot][0]) for slot in LIMBS[name]]
    target = rig.index(limb.target)
    end = chain[2]
    rest = rig.rest[:, :3, 3]
    turned = posed.turns[:, target] if limb.turns_end else posed.frames[:, target]
    offset = quaternion_rotate(turned, rest[target] - rest[end])
    wanted = {target: posed.heads[:, end] + offset}
    if limb.pole is not None:
        pole = rig.index(limb.pole)
        wanted[pole] = pole_places(posed, chain, rest[chain], rest[pole])
    found = {}
    shifts: dict[int, np.ndarray] = {}
    for bone in sorted(wanted):
        here = posed.heads[:, bone]
        # What hangs on a target that has moved moves with it.
        place = rig.parents[bone]
        while place >= 0:
            here = here + shifts.get(place, 0.0)
            place = rig.parents[place]
        shifts[bone] = wanted[bone] - here
        axes = quaternion_conjugate(location_axes(rig, posed.frames, bone))
        found[rig.bone_names[bone]] = quaternion_rotate(axes, shifts[bone])
    return found


def pole_places(
    posed: PosedControls, chain: list[int], rest_chain: np.ndarray, rest_pole: np.ndarray
) -> np.ndarray:
    """Where a pole belongs [T, 3]: in the limb's plane, as far from the knee as at rest.

    chain: start, middle and end; rest_chain [3, 3], rest_pole [3] are their places at rest.  A
    straight limb points where its upper bone's turn takes the direction at rest.
    """
    start, middle, end = (posed.heads[:, bone] for bone in chain)
    line = normalize(end - start)
    length = float(np.linalg.norm(np.diff(rest_chain, axis=0), axis=-1).sum())
    off = _across(middle - start, line)
    share = np.linalg.norm(off, axis=-1) / max(length, 1e-9)

    rest_line = normalize(rest_chain[2] - rest_chain[0])
    rest_side = normalize(_across(rest_pole - rest_chain[0], rest_line))
    carried = quaternion_rotate(posed.turns[:, chain[0]], rest_side)
    carried = normalize(_across(carried, line))

    forward = (off * carried).sum(axis=-1) >= 0.0
    trust = np.where(forward, _ramp(share, *_STRAIGHT), _ramp(share, *_BACKWARDS))[:, None]
    side = normalize(trust * normalize(off) + (1.0 - trust) * carried)
    distance = float(np.linalg.norm(rest_pole - rest_chain[1]))
    return middle + distance * side


def _across(vectors: np.ndarray, line: np.ndarray) -> np.ndarray:
    """What of some vectors is at right angles to unit lines."""
    across: np.ndarray = vectors - (vectors * line).sum(axis=-1, keepdims=True) * line
    return across


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    smooth: np.ndarray = t * t * (3.0 - 2.0 * t)
    return smooth
