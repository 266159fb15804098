"""A control rig as the transfer sees it: controls only, each hanging on what carries it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from ...errors import ScaleMoGenError
from ...rotations import matrix_to_quaternion, quaternion_conjugate, quaternion_multiply
from ..alignment import Driver
from ..body_frame import BodyFrame
from ..bone_map import REQUIRED, plain_name
from ..rest_rig import RestRig
from ..transfer import Retargeter
from .frames import FIXED, LOOSE, Carriers, Probes, carriers, halfway
from .hanging import Hierarchy, parents_first
from .measuring import PER_BONE
from .plan import LIMBS, ControlPlan, toes_of


@dataclass(frozen=True)
class Twist:
    """A bone that twists about its length (Y) what one control turns and others carry.

    control: the one to follow.  carriers: two that turn the bone's frame, each by half.  rest: [4]
    the bone's rest rotation in armature space.
    """

    bone: str
    control: int
    carriers: tuple[int, int]
    rest: np.ndarray


@dataclass(frozen=True)
class ControlRig:
    """Controls with their effective parents, parents first.

    rig: one bone a control; its parents are what moves the bones that are seen for them.
    place_parents: what moves the controls themselves, which may be elsewhere: on a rig that only
    copies their rotations, or as targets of inverse kinematics.  location_axes: [B, 4] rest
    rotations of the location channels in armature space.  plan: without the controls that cannot
    be keyed.  body, drivers: as of the measured bones.
    """

    rig: RestRig
    place_parents: tuple[int, ...]
    location_axes: np.ndarray
    plan: ControlPlan
    body: BodyFrame
    drivers: tuple[Driver, ...]
    twists: tuple[Twist, ...]


def assemble(rest: RestRig, plan: ControlPlan, probes: Probes, measured: Retargeter) -> ControlRig:
    """Hang a plan's controls on each other as the probes show.

    ``measured`` is built on the plan's measured bones.  ScaleMoGenError that names a control which
    nothing carries rigidly.
    """
    posed = [i for i, name in enumerate(probes.names) if name in plan.posed]
    found = carriers(probes, posed, [probes.names.index(name) for name in plan.watched])
    plan = _drivable(plan, probes, found)
    above = Hierarchy(plan, probes, found)
    order = parents_first(_used(plan), above.all)
    index = {name: i for i, name in enumerate(order)}
    rows = [rest.index(name) for name in order]

    def indices(names: Iterable[str | None]) -> tuple[int, ...]:
        return tuple(FIXED if name is None else index[name] for name in names)

    rig = replace(
        rest,
        bone_names=tuple(order),
        parents=indices(above.keyed(name) for name in order),
        turn_parents=indices(above.turn(name) for name in order),
        **{name: getattr(rest, name)[rows] for name in PER_BONE},
    )
    rig = replace(
        rig, connected=np.zeros(len(rows), bool), inherits_rotation=np.ones(len(rows), bool)
    )
    back = quaternion_conjugate(measured.body.turn)
    body = replace(
        measured.body,
        heads=measured.body.to_body(rig.heads),
        tails=measured.body.to_body(rig.world_tails),
        rotations=quaternion_multiply(back, rig.rotations),
    )
    axes = probes.location_axes[[probes.names.index(name) for name in order]]
    return ControlRig(
        rig=rig,
        place_parents=indices(above.place(name) for name in order),
        location_axes=matrix_to_quaternion(axes),
        plan=plan,
        body=body,
        drivers=tuple(_drivers(plan, measured, index)),
        twists=tuple(_twists(rest, plan, probes, found, index)),
    )


def _drivable(plan: ControlPlan, probes: Probes, found: Carriers) -> ControlPlan:
    """The plan without controls and limbs whose frames nothing carries rigidly.

    ScaleMoGenError that names such a control of the hips or the legs.
    """
    names = probes.names
    loose = {n for i, n in enumerate(names) if found.turn[i] == LOOSE and n in plan.posed}
    adrift = {n for i, n in enumerate(names) if found.place[i] == LOOSE and n in plan.posed}
    limbs = {}
    for name, limb in plan.limbs.items():
        # Nothing asks where the toes' control is.
        bad = loose.intersection(limb.controls) | adrift.intersection((limb.target, limb.pole))
        if not bad:
            limbs[name] = limb
        elif limb.always:
            _refuse(sorted(bad)[0])
    chains, measured = {}, {}
    lost = loose | adrift
    for slot, chain in plan.controls.items():
        pairs = zip(chain, plan.measured[slot], strict=True)
        kept = [(c, m) for c, m in pairs if c not in lost and not _hangs_on(c, lost, names, found)]
        if len(kept) < len(chain) and slot in REQUIRED:
            _refuse(next(c for c in chain if c not in {k for k, _ in kept}))
        if kept:
            chains[slot], measured[slot] = (tuple(column) for column in zip(*kept, strict=True))
    if plan.mover in lost:
        _refuse(plan.mover)
    if plan.root in lost:
        plan = replace(plan, root=None)
    return replace(plan, controls=chains, measured=measured, limbs=limbs)


def _hangs_on(control: str, lost: Collection[str], names: Sequence[str], found: Carriers) -> bool:
    row, steps = names.index(control), 0
    while row >= 0 and steps <= len(names):
        if names[row] in lost:
            return True
        row, steps = found.turn[row], steps + 1
    return False


def _refuse(control: str) -> NoReturn:
    raise ScaleMoGenError(
        f"The control '{control}' follows several bones at once, so it cannot be keyed for a "
        "motion; set its follow and parent switches to one of them, or mute its constraints."
    )


def _twists(
    rest: RestRig,
    plan: ControlPlan,
    probes: Probes,
    found: Carriers,
    index: Mapping[str, int],
) -> Iterator[Twist]:
    """Bones that have to twist for the spine's visible bones to turn as their controls do."""
    names = probes.names
    spine = plan.controls.get("spine", ())
    trunk = [*plan.controls["pelvis"], *spine]
    for control, bone in zip(spine, plan.twists, strict=False):
        if bone not in names:
            continue
        own, row = names.index(control), names.index(bone)
        carrier = found.turn[row]
        pair = (carrier, carrier)
        if carrier == LOOSE:
            halves = [names.index(other) for other in trunk if other != control]
            pair = next(((own, h) for h in halves if halfway(probes, own, h, row)), (own, own))
        if pair == (own, own) or FIXED in pair:
            continue
        turn = matrix_to_quaternion(rest.rest[rest.index(bone), :3, :3])
        yield Twist(bone, index[control], (index[names[pair[0]]], index[names[pair[1]]]), turn)


def _used(plan: ControlPlan) -> list[str]:
    """Controls that will be keyed."""
    chains = [name for chain in plan.controls.values() for name in chain]
    ik = [name for limb in plan.limbs.values() for name in limb.controls]
    root = [plan.root] if plan.root else []
    return list(dict.fromkeys([*root, plan.mover, *chains, *ik]))


def _drivers(plan: ControlPlan, measured: Retargeter, index: Mapping[str, int]) -> list[Driver]:
    """Drivers of the measured bones, given to the controls that turn with them."""
    by_bone = {measured.rig.bone_names[d.bone]: d for d in measured.drivers}

    def driver(slot: str, row: int = 0) -> Driver:
        name = plan.measured[slot][row]
        if name not in by_bone:
            raise ScaleMoGenError(f"No motion was found for the {plain_name(slot)} '{name}'.")
        return by_bone[name]

    given: dict[str, Driver] = {}
    for slot, chain in plan.controls.items():
        for row, control in enumerate(chain):
            if slot in plan.measured and plan.measured[slot][row] in by_bone:
                given[control] = driver(slot, row)
    given.setdefault(plan.mover, driver("pelvis"))
    for name, limb in plan.limbs.items():
        if (end := LIMBS[name][2]) in plan.measured:
            given.setdefault(limb.target, driver(end))
        toes = toes_of(name)
        if limb.toes is not None and toes is not None and toes in plan.measured:
            given[limb.toes] = driver(toes)
    moved = [replace(d, bone=index[name]) for name, d in given.items()]
    return sorted(moved, key=lambda d: d.bone)
