"""The bones of a control rig whose rest pose is the body's."""

import itertools
from dataclasses import replace

import numpy as np

from ..rest_rig import RestRig
from .hanging import parents_first
from .plan import ControlPlan

#: Slots of the trunk above the pelvis.
TRUNK = ("spine", "neck", "head")
#: Arrays of a rig at rest with a row for every bone.
PER_BONE = ("rest", "tails", "connected", "inherits_rotation", "local_location")


def in_order(plan: ControlPlan, rest: RestRig) -> ControlPlan:
    """The plan with its spine from the pelvis up; a spine made of more bones is named anyhow."""
    spine = plan.measured.get("spine", ())
    if len(spine) < 2:
        return plan
    heads = rest.rest[:, :3, 3]
    pelvis = heads[rest.index(plan.measured["pelvis"][0])]
    # The farthest along its own chain is the chest: towards it the others are sorted.
    tails = rest.tails[[rest.index(name) for name in spine]]
    top = tails[np.argmax(np.linalg.norm(tails - pelvis, axis=-1))]
    along = [(heads[rest.index(name)] - pelvis) @ (top - pelvis) for name in spine]
    rows = np.argsort(along, kind="stable")

    def sorted_(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names[row] for row in rows)

    return replace(
        plan,
        controls={**plan.controls, "spine": sorted_(plan.controls["spine"])},
        measured={**plan.measured, "spine": sorted_(spine)},
        twists=sorted_(plan.twists) if plan.twists else (),
    )


def measured_rig(rest: RestRig, plan: ControlPlan) -> RestRig:
    """The bones that a plan measures the body on, without the controls and helpers around them.

    Pelvis, spine, neck and head are a chain, wherever the rig keeps them.
    """
    trunk = [name for slot in ("pelvis", *TRUNK) for name in plan.measured.get(slot, ())]
    above = dict(itertools.pairwise(reversed(trunk)))
    wanted = {name for chain in plan.measured.values() for name in chain}
    kept = {
        name: row
        for row, name in enumerate(rest.bone_names)
        if name in wanted or name.startswith(plan.internal)
    }

    def parent(name: str) -> str | None:
        if name in above:
            return above[name]
        for ancestor in rest.ancestors(kept[name]):
            found = rest.bone_names[ancestor]
            if plan.deform and found.startswith(plan.deform):
                found = plan.internal + found.removeprefix(plan.deform)
            if found in kept and found != name:
                return found
        return None

    parents = {name: parent(name) for name in kept}
    order = parents_first(list(kept), lambda name: [p for p in [parents[name]] if p is not None])
    index = {name: i for i, name in enumerate(order)}
    rows = [kept[name] for name in order]
    return replace(
        rest,
        bone_names=tuple(order),
        parents=tuple(-1 if (p := parents[name]) is None else index[p] for name in order),
        **{name: getattr(rest, name)[rows] for name in PER_BONE},
    )
