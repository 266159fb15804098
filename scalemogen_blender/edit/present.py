"""A rig's controls in the mode in which they are, and not in the one that a bake would choose.

An edit sets no switches: what is there before and after it goes on as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

import bpy
import numpy as np

from .. import compat
from .._core import errors, retarget
from ..rig import rig_graph

ControlPlan = retarget.controls.ControlPlan
#: A custom property: its bone ("" for the object) and its name; and what properties are set to.
Property = tuple[str, str]
Values = Mapping[Property, float]

#: Switches this close to one of their ends are there.
_NEAR = 0.01


def switches(rig: bpy.types.Object) -> tuple[Property, ...]:
    """Custom properties that decide which controls of a rig are in effect."""
    known = retarget.controls.find_plan(rig.data.bones.keys())
    if known is not None:
        return tuple(dict.fromkeys(known.switch_names()))
    graph = rig_graph.read(rig)
    holds = (hold for bone in graph.parents for hold in graph.holds(bone))
    return tuple(dict.fromkeys(hold.switch for hold in holds if hold.switch is not None))


def values_in(rig: bpy.types.Object, names: Iterable[Property], frames: np.ndarray) -> dict:
    """What switches are set to at frames [T] of the rig's action: {property: [T]}.

    Quick, for panels: strips of the NLA have no say, see :func:`.reading.sample` for that.
    """
    names = list(names)
    curves = {c.data_path: c for c in compat.active_curves(rig)} if names else {}
    found = {}
    for bone, name in names:
        value = value_of(rig, (bone, name))
        if value is None:
            continue
        curve = curves.get(path_of(bone, name))
        keyed = curve is not None and not curve.mute and len(curve.keyframe_points)
        found[bone, name] = np.array(
            [curve.evaluate(frame) if keyed else value for frame in frames.tolist()]
        )
    return found


def path_of(bone: str, name: str) -> str:
    """The data path of a custom property."""
    owner = f'pose.bones["{bpy.utils.escape_identifier(bone)}"]' if bone else ""
    return f'{owner}["{bpy.utils.escape_identifier(name)}"]'


def value_of(rig: bpy.types.Object, switch: Property) -> float | None:
    """What a custom property of a rig (or of an evaluated one) is set to; None without it."""
    bone, name = switch
    owner = rig.pose.bones.get(bone) if bone else rig
    value = None if owner is None else owner.get(name)
    return float(value) if isinstance(value, bool | int | float) else None


def plan_of(
    rig: bpy.types.Object,
    bone_map: retarget.BoneMap,
    values: Values,
    slots: Iterable[str] = retarget.REQUIRED,
) -> ControlPlan | None:
    """The plan of a rig whose switches stay where they are; None if it needs no plan.

    ScaleMoGenError with a remedy if hips, legs or some other slots follow what cannot be keyed.
    """
    known = retarget.controls.find_plan(rig.data.bones.keys())
    if known is not None:
        return replace(
            known,
            switches=tuple(
                switch
                if is_mode(switch)
                else replace(switch, fk=values.get(key), ik=values.get(key), keep=())
                for switch in known.switches
                for key in [(switch.bone, switch.property_name)]
            ),
        )
    graph = _pinned(rig_graph.read(rig), values)
    if not retarget.controls.needs_controls(bone_map, graph):
        return None
    _check(rig, bone_map, graph, (*retarget.REQUIRED, *slots))
    return retarget.controls.search_plan(bone_map, graph)


def check(
    rig: bpy.types.Object, bone_map: retarget.BoneMap, values: Values, slots: Iterable[str]
) -> None:
    """ScaleMoGenError with a remedy if bones of some slots follow what cannot be keyed."""
    _check(rig, bone_map, _pinned(rig_graph.read(rig), values), slots)


def _check(
    rig: bpy.types.Object,
    bone_map: retarget.BoneMap,
    graph: retarget.controls.RigGraph,
    slots: Iterable[str],
) -> None:
    found = retarget.controls.obstacle(bone_map, graph, slots)
    if found is None:
        return
    what = f"'{found.bone}' of '{rig.name}' follows "
    what += f"the object '{found.other}'" if found.other else "a constraint"
    raise errors.ScaleMoGenError(
        f"{what} and would not show an edit; mute the constraint '{found.constraint}', or leave "
        "the bone out."
    )


def _pinned(graph: retarget.controls.RigGraph, values: Values) -> retarget.controls.RigGraph:
    """The constraints as the present values of their switches let them be."""

    @cache
    def holds(bone: str) -> tuple[retarget.controls.Hold, ...]:
        found = []
        for hold in graph.holds(bone):
            if hold.switch is not None:
                low, high = hold.at
                share = values.get(hold.switch, 0.0)
                hold = replace(hold, influence=low + (high - low) * share, switch=None)
            found.append(hold)
        return tuple(found)

    return retarget.controls.RigGraph(graph.parents, holds, graph.loose)


def is_mode(switch: retarget.controls.Switch) -> bool:
    """Whether a switch decides between the two kinds of controls of a limb."""
    return bool(switch.limb) and None not in (switch.fk, switch.ik) and switch.fk != switch.ik


def modes(plan: ControlPlan | None, values: Mapping[Property, np.ndarray]) -> dict[str, str]:
    """Which controls each limb with both has: "FK", "IK", or "MIXED" where that changes."""
    found: dict[str, str] = {}
    for name, limb in plan.limbs.items() if plan is not None else ():
        found[name] = "IK" if limb.always else "FK"
    for switch in plan.switches if plan is not None else ():
        if not is_mode(switch) or switch.limb not in found:
            continue
        value = values.get((switch.bone, switch.property_name))
        if value is None:
            continue
        for mode, end in (("FK", switch.fk), ("IK", switch.ik)):
            if np.abs(value - end).max(initial=0.0) < _NEAR:
                found[switch.limb] = mode
                break
        else:
            found[switch.limb] = "MIXED"
    return found


def changing(plan: ControlPlan, values: Mapping[Property, np.ndarray]) -> list[tuple[str, str]]:
    """Switches that are not the same at all frames: the limb ("" for the body), and the path."""
    return [
        (switch.limb, path_of(switch.bone, switch.property_name))
        for switch in plan.switches
        for value in [values.get((switch.bone, switch.property_name))]
        if value is not None and np.ptp(value) > _NEAR
    ]


def seen(rest: retarget.RestRig, plan: ControlPlan | None) -> dict[str, str]:
    """Deform bones of the trunk by the bones inside the rig that they deform after.

    Where the rig bends the trunk between its controls, only the deform bones show how.
    """
    if plan is None or not (plan.internal and plan.deform):
        return {}
    found = {}
    for slot in ("pelvis", "spine", "neck", "head"):
        for name in plan.measured.get(slot, ()):
            deform = plan.deform + name.removeprefix(plan.internal)
            if not name.startswith(plan.internal) or deform not in rest.bone_names:
                continue
            own, other = (rest.rest[rest.index(bone)] for bone in (name, deform))
            if np.abs(own - other).max() < _NEAR * np.abs(own[:3, 3]).max():
                found[name] = deform
    return found


def base_of(limb: retarget.controls.Limb) -> str | None:
    """The control that turns a limb of inverse kinematics about its line where no pole does."""
    return next((name for name in limb.neutral if name in limb.rigid), None)


def has_pole(plan: ControlPlan, name: str, values: Mapping[Property, np.ndarray]) -> bool:
    """Whether the pole of a limb is in effect."""
    if plan.limbs[name].pole is None:
        return False
    value = values.get(_pole_switch(plan, name))
    return value is None or float(value[0]) > 0.5


def _pole_switch(plan: ControlPlan, name: str) -> Property:
    found = (s for s in plan.switches if s.limb == name and s.property_name == "pole_vector")
    return next(((s.bone, s.property_name) for s in found), ("", ""))
