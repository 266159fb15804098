"""A control rig as the transfer sees it: controls only, each hanging on what carries it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...errors import ScaleMoGenError
from ...rotations import matrix_to_quaternion, quaternion_conjugate, quaternion_multiply
from ..alignment import Driver
from ..body_frame import BodyFrame
from ..bone_map import BoneMap, plain_name
from ..rest_rig import RestRig
from ..transfer import Retargeter
from .frames import FIXED, LOOSE, Carriers, Probes, carriers, halfway
from .plan import LIMBS, ControlPlan, Limb, toes_of

#: Arrays of a rig at rest with a row for every bone.
_PER_BONE = ("rest", "tails", "connected", "inherits_rotation", "local_location")


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

    rig: one bone a control; its parents place the controls' frames.  turn_parents: what turns
    them, -1 for nothing.  body, drivers: as of the measured deform bones.  limbs: those whose IK
    controls can be driven.
    """

    rig: RestRig
    turn_parents: tuple[int, ...]
    bone_map: BoneMap
    body: BodyFrame
    drivers: tuple[Driver, ...]
    limbs: Mapping[str, Limb]
    twists: tuple[Twist, ...]


def measured_rig(rest: RestRig, plan: ControlPlan) -> RestRig:
    """The bones that a plan measures the body on, without the controls and helpers around them."""
    wanted = {name for chain in plan.measured.values() for name in chain}
    rows = [
        row
        for row, name in enumerate(rest.bone_names)
        if name in wanted or name.startswith(plan.internal)
    ]
    index = {rest.bone_names[row]: i for i, row in enumerate(rows)}

    def above(row: int) -> int:
        for ancestor in rest.ancestors(row):
            name = rest.bone_names[ancestor]
            if plan.deform and name.startswith(plan.deform):
                name = plan.internal + name.removeprefix(plan.deform)
            if name in index and index[name] < index[rest.bone_names[row]]:
                return index[name]
        return -1

    return replace(
        rest,
        bone_names=tuple(rest.bone_names[row] for row in rows),
        parents=tuple(above(row) for row in rows),
        **{name: getattr(rest, name)[rows] for name in _PER_BONE},
    )


def assemble(rest: RestRig, plan: ControlPlan, probes: Probes, measured: Retargeter) -> ControlRig:
    """Hang a plan's controls on each other as the probes show.

    ``measured`` is built on the plan's measured bones.  ScaleMoGenError that names a control which
    nothing carries rigidly.
    """
    twists = [name for name in plan.twists if name and name in probes.names]
    posed = [i for i, name in enumerate(probes.names) if name not in twists]
    found = carriers(probes, posed)
    limbs = {n: limb for n, limb in plan.limbs.items() if _is_carried(limb, probes.names, found)}
    used = _used(plan, limbs)
    toes = {limb.toes for limb in limbs.values()}  # nothing asks where those are
    for name in used:
        i = probes.names.index(name)
        if found.turn[i] == LOOSE or (found.place[i] == LOOSE and name not in toes):
            raise ScaleMoGenError(
                f"The control '{name}' follows several bones at once, so it cannot be keyed for a "
                "motion; set its follow and parent switches to one of them."
            )
    order = _parents_first(used, probes.names, found)
    index = {name: i for i, name in enumerate(order)}
    rows = [rest.index(name) for name in order]

    def parents(carrier: Sequence[int]) -> tuple[int, ...]:
        above = (carrier[probes.names.index(name)] for name in order)
        return tuple(index[probes.names[c]] if c >= 0 else FIXED for c in above)

    rig = replace(
        rest,
        bone_names=tuple(order),
        parents=parents(found.place),
        **{name: getattr(rest, name)[rows] for name in _PER_BONE},
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
    return ControlRig(
        rig=rig,
        turn_parents=parents(found.turn),
        bone_map=BoneMap(plan.scheme, plan.controls),
        body=body,
        drivers=tuple(_drivers(plan, limbs, measured, index)),
        limbs=limbs,
        twists=tuple(_twists(rest, plan, probes, found, index)),
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


def _used(plan: ControlPlan, limbs: Mapping[str, Limb]) -> list[str]:
    """Controls that will be keyed."""
    chains = [name for chain in plan.controls.values() for name in chain]
    ik = [name for limb in limbs.values() for name in limb.controls]
    root = [plan.root] if plan.root else []
    return list(dict.fromkeys([*root, plan.mover, *chains, *ik]))


def _is_carried(limb: Limb, names: Sequence[str], found: Carriers) -> bool:
    """Whether all of a limb's IK controls hang on something; those that stay in use must."""
    turned = [names.index(name) for name in limb.controls]
    placed = [names.index(name) for name in (limb.target, limb.pole) if name is not None]
    return limb.always or (
        all(found.turn[row] != LOOSE for row in turned)
        and all(found.place[row] != LOOSE for row in placed)
    )


def _parents_first(used: Sequence[str], names: Sequence[str], found: Carriers) -> list[str]:
    """The used controls, each after what carries it; what carries them is used, too."""
    order: list[str] = []
    open_: set[str] = set()

    def visit(name: str) -> None:
        if name in order:
            return
        if name in open_:
            raise ScaleMoGenError(
                f"The control '{name}' carries itself in a circle of constraints."
            )
        open_.add(name)
        i = names.index(name)
        for carrier in (found.turn[i], found.place[i]):
            if carrier >= 0:
                visit(names[carrier])
        order.append(name)

    for name in used:
        visit(name)
    return order


def _drivers(
    plan: ControlPlan, limbs: Mapping[str, Limb], measured: Retargeter, index: Mapping[str, int]
) -> list[Driver]:
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
    for name, limb in limbs.items():
        if limb.turns_end:
            given[limb.target] = driver(LIMBS[name][2])
        toes = toes_of(name)
        if limb.toes is not None and toes in plan.measured:
            given[limb.toes] = driver(toes)
    moved = [
        Driver(index[name], d.joint, d.other, d.blend, d.alignment) for name, d in given.items()
    ]
    return sorted(moved, key=lambda d: d.bone)
