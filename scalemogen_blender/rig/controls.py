"""Control rigs: their plan, found by name or by their constraints, and the rig measured for it."""

from __future__ import annotations

import time
from collections.abc import Iterable

import bpy

from .._core import retarget, skeleton
from . import probing, rig_graph

#: Following the constraints of rigs with this many bones takes milliseconds: for so long (seconds)
#: the buttons of a panel may trust what was just found.
_LARGE = 250
_FRESH = 0.2
_MOST_KEPT = 32
_obstacles: dict[object, tuple[float, retarget.controls.Obstacle | None]] = {}


def plan_of(
    rig: bpy.types.Object, bone_map: retarget.BoneMap
) -> retarget.controls.ControlPlan | None:
    """Which controls of a rig are keyed; None for a rig whose mapped bones show their own keys."""
    if (known := retarget.controls.find_plan(rig.data.bones.keys())) is not None:
        return known
    graph = rig_graph.read(rig)
    if not retarget.controls.needs_controls(bone_map, graph):
        return None
    return retarget.controls.search_plan(bone_map, graph)


def obstacle(
    rig: bpy.types.Object, bone_map: retarget.BoneMap, slots: Iterable[str]
) -> retarget.controls.Obstacle | None:
    """The first mapped bone of some slots that nothing can drive; None if all can be driven.

    Quick enough for panels: nothing is evaluated, and of large rigs the answer may be a moment old.
    """
    if rig.pose is None or retarget.controls.find_plan(rig.data.bones.keys()) is not None:
        return None
    if len(rig.data.bones) < _LARGE:
        return retarget.controls.obstacle(bone_map, rig_graph.read(rig), slots)
    key = rig.session_uid, tuple(bone_map.bones.items()), tuple(slots)
    when, found = _obstacles.get(key, (-1.0, None))
    if not 0.0 <= time.monotonic() - when < _FRESH:
        found = retarget.controls.obstacle(bone_map, rig_graph.read(rig), key[2])
        if len(_obstacles) >= _MOST_KEPT:
            _obstacles.clear()
        _obstacles[key] = time.monotonic(), found
    return found


def retargeter_for(
    rig: bpy.types.Object,
    bone_map: retarget.BoneMap,
    rest: retarget.RestRig,
    reference: retarget.RestRig | None = None,
) -> retarget.Retargeter:
    """A rig measured with its map, or through its controls if it is a control rig.

    ``reference``: the same rig in the pose that counts as standing at ease.  ScaleMoGenError
    where map, scale or constraints do not allow it.
    """
    plan = plan_of(rig, bone_map)
    if plan is None:
        more = {} if reference is None else {"reference": reference}
        return retarget.Retargeter.build(rest, bone_map, skeleton.canonical(), **more)
    now = switch_values(rig, plan)
    # Frames of IK controls as they are with IK, but the body itself as FK shows it.
    settings = {**_by_owner(plan.settings(plan.limbs, now)), **_by_owner(plan.settings((), now))}
    probes = probing.probes_of(rig, plan, tuple(settings.values()))
    return retarget.controls.build(rest, plan, probes, skeleton.canonical(), now, reference)


def _by_owner(
    settings: Iterable[retarget.Setting],
) -> dict[tuple[str, str], retarget.Setting]:
    return {(setting.bone, setting.property_name): setting for setting in settings}


def reader_for(
    rig: bpy.types.Object, bone_map: retarget.BoneMap, rest: retarget.RestRig
) -> retarget.Retargeter:
    """A rig measured for reading the motion that it shows: on a control rig, its deform bones."""
    plan = plan_of(rig, bone_map)
    if plan is not None:
        return retarget.controls.reader(rest, plan, skeleton.canonical())
    return retarget.Retargeter.build(rest, bone_map, skeleton.canonical())


def switch_values(
    rig: bpy.types.Object, plan: retarget.controls.ControlPlan
) -> dict[tuple[str, str], float]:
    """What the switches of a plan are set to, as far as the rig has them."""
    found = {}
    for bone_name, name in plan.switch_names():
        bone = rig.pose.bones.get(bone_name)
        if bone is not None and isinstance(value := bone.get(name), bool | int | float):
            found[bone_name, name] = float(value)
    return found
