"""An edited motion as channels of the bones that were asked for, in the frames of the range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from .. import character
from .._core import editing, errors, retarget, skeleton
from ..rig import probing
from . import carrying, present, reading
from .reading import Reading
from .region import Region

ControlPlan = retarget.controls.ControlPlan
_LEG = ("hip", "knee")
#: Metres (canonical size): where the hips go further than this from their way, limbs of inverse
#: kinematics cannot stay behind.
_AWAY = 0.25


def channels(
    rig: bpy.types.Object, read: Reading, edited: editing.Edited, region: Region
) -> retarget.PoseChannels:
    """What to key from the region's first to its last frame; nothing is written.

    ``edited.motion`` begins where the reading does, and may be longer. Only bones of the region
    are in the result, legs that the report says follow so that feet stand, and limbs of inverse
    kinematics that have to go along with hips that go elsewhere. Where edited and source are the
    same, the channels are what the rig shows. The hips carry what changes of the
    way, even where a root bone or the object carries the way itself: what else hangs on those
    stays, and the world sees the same. ScaleMoGenError with a remedy where a constraint or a
    switch stands in the way.
    """
    offset = region.first - read.first
    count = region.last - read.first + 1
    if offset < 0 or count > max(edited.motion.frame_count, 0):
        raise errors.ScaleMoGenError(
            f"The edit has no frames {region.first} to {region.last}; it begins at {read.first} "
            f"and has {edited.motion.frame_count} frames."
        )
    read = reading.extended(rig, read, count - len(read.frames))
    part = slice(offset, count)
    away = region.pelvis and _goes_away(read, edited, part)
    asking = _asking(rig, read, region, edited.report, part, away)
    total = min(len(read.frames), edited.motion.frame_count)
    whole = slice(0, total)
    pose = read.pose.at(whole)
    shown = retarget.ShownRig(
        pose.names,
        pose.matrices,
        pose.basis,
        pose.world,
        read.rest,
        read.retargeter.body,
        read.seen,
    )
    source, new = read.motion.at_frames(whole), edited.motion.at_frames(whole)
    made = retarget.edited_channels(asking.retargeter, shown, source, new, asking.asked)
    return made.at_frames(part)


@dataclass(frozen=True)
class _Asking:
    retargeter: retarget.Retargeter
    asked: retarget.Asked


def _goes_away(read: Reading, edited: editing.Edited, part: slice) -> bool:
    """Whether the hips leave their way, inside the range or for good."""
    moved = edited.motion.root_positions[part] - read.motion.root_positions[part]
    return carrying.is_needed(edited.offset) or bool(np.linalg.norm(moved, axis=-1).max() > _AWAY)


def _asking(
    rig: bpy.types.Object,
    read: Reading,
    region: Region,
    report: editing.Report,
    part: slice,
    away: bool,
) -> _Asking:
    """How the region is keyed on this rig; ScaleMoGenError if it cannot be.

    away: limbs of inverse kinematics go along with the hips.
    """
    values = {key: value[part] for key, value in read.pose.switches.items()}
    now = {key: float(value[0]) for key, value in values.items()}
    slots = dict.fromkeys(slot for slot, _ in region.places)
    adjusted = [joint for joint in report.adjusted if joint not in slots]
    plan = present.plan_of(rig, read.bone_map, now, slots)
    if plan is None:
        retargeter, inverse, follow = read.retargeter, {}, frozenset()
        chains = read.bone_map.bones
    else:
        if away:
            modes = present.modes(plan, values)
            limbs = [name for name, mode in modes.items() if mode != "FK"]
            along = [slot for name in limbs for slot in retarget.controls.LIMBS[name]]
            adjusted = [*dict.fromkeys([*adjusted, *(s for s in along if s not in slots)])]
        inverse, follow = _inverse(rig, plan, values, slots, adjusted)
        if away:
            follow = frozenset()
        _check_trunk(rig, plan, values, slots)
        retargeter = _controls(rig, read, plan, now)
        chains = plan.controls
    names = {chains[slot][row] for slot, row in region.places if row < len(chains.get(slot, ()))}
    names |= {chains[joint][0] for joint in adjusted if joint in chains}
    _check(rig, retargeter, names, inverse, follow)
    legs = {
        side
        for side in ("left", "right")
        if all(f"{side}_{joint}" in (*slots, *adjusted) for joint in _LEG)
    }
    asked = retarget.Asked(
        bones=frozenset(names),
        pelvis=region.pelvis,
        legs=frozenset(legs),
        inverse=inverse,
        follow=follow,
    )
    return _Asking(retargeter, asked)


def _inverse(
    rig: bpy.types.Object,
    plan: ControlPlan,
    values: Mapping[present.Property, np.ndarray],
    slots: Iterable[str],
    adjusted: Iterable[str],
) -> tuple[dict[str, retarget.Inverse], frozenset[str]]:
    """Limbs that are keyed through inverse kinematics, and those of them that only follow."""
    slots, adjusted = set(slots), set(adjusted)
    modes = present.modes(plan, values)
    changing = present.changing(plan, values)
    found: dict[str, retarget.Inverse] = {}
    follow: set[str] = set()
    for name, mode in modes.items():
        toes = retarget.controls.plan.toes_of(name)
        own = {*retarget.controls.LIMBS[name], *([toes] if toes else [])}
        if not own & (slots | adjusted):
            continue
        moved = [path for limb, path in changing if limb == name]
        if mode == "MIXED" or moved:
            what = f" ({moved[0]})" if moved else ""
            raise errors.ScaleMoGenError(
                f"The {name.replace('_', ' ')} of '{rig.name}' changes between its controls in "
                f"these frames{what}; choose frames before or after the change, or switch it fully."
            )
        if mode == "IK":
            limb = plan.limbs[name]
            pole = present.has_pole(plan, name, values)
            found[name] = retarget.Inverse(pole, None if pole else present.base_of(limb))
            if not own & slots:
                follow.add(name)
    return found, frozenset(follow)


def _check_trunk(
    rig: bpy.types.Object,
    plan: ControlPlan,
    values: Mapping[present.Property, np.ndarray],
    slots: Iterable[str],
) -> None:
    """ScaleMoGenError if what the neck or the head follows changes in the range."""
    moved = [path for limb, path in present.changing(plan, values) if not limb]
    if moved and {"neck", "head"} & set(slots):
        raise errors.ScaleMoGenError(
            f"What the head of '{rig.name}' follows changes in these frames ({moved[0]}); choose "
            "frames before or after the change, or leave neck and head out."
        )


def _controls(
    rig: bpy.types.Object, read: Reading, plan: ControlPlan, now: present.Values
) -> retarget.controls.ControlRetargeter:
    """The controls, measured with the switches as they are in the range."""
    settings = {
        (setting.bone, setting.property_name): setting
        for limbs in (plan.limbs, ())
        for setting in plan.settings(limbs, now)
    }
    with character.evaluated(rig):
        probes = probing.probes_of(rig, plan, tuple(settings.values()))
    reference = None
    if read.reference is not None:
        reference = reading.posed_rest(read.rest, read.reference)
    return retarget.controls.build(read.rest, plan, probes, skeleton.canonical(), now, reference)


def _check(
    rig: bpy.types.Object,
    retargeter: retarget.Retargeter,
    names: Iterable[str],
    inverse: Iterable[str],
    follow: Iterable[str],
) -> None:
    lost = sorted(set(names) - set(retargeter.rig.bone_names))
    if isinstance(retargeter, retarget.controls.ControlRetargeter):
        limbs = retargeter.plan.limbs
        lost += [name for name in inverse if name not in limbs and name not in follow]
    if lost:
        raise errors.ScaleMoGenError(
            f"'{lost[0]}' of '{rig.name}' does not go by its keys and one parent alone and cannot "
            "be keyed for an edit; set its follow and parent switches to one bone, mute its "
            "constraints, or leave it out."
        )
