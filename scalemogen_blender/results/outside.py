"""What else decides how a rig stands besides its own keys: targets, parents, drivers, constraints.

Blender tells when one of the other datablocks changes; what belongs to the rig is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import bpy
import numpy as np

from .. import compat
from ..edit import present

#: Properties of constraints that name another datablock.
_TARGETS = ("target", "pole_target", "action", "object", "camera", "depth_object")
#: Simple properties of constraints that do not change what they do.
_IDLE = {"name", "show_expanded", "active", "is_override_data"}
_SIMPLE = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}


def movers(rig: bpy.types.Object) -> frozenset[int]:
    """``session_uid`` of all datablocks that move a rig besides itself, its data and its action."""
    found: set[int] = set()
    waiting = list(_named_by(rig))
    waiting += _actions_of(rig)[1:]  # the keys of its own are compared
    while waiting:
        block = waiting.pop()
        if block is None or block in (rig, rig.data) or block.session_uid in found:
            continue
        found.add(block.session_uid)
        waiting += [*_named_by(block), *_actions_of(block)]
        if isinstance(block, bpy.types.Object):
            waiting.append(block.data)
    return frozenset(found)


def moved(depsgraph: bpy.types.Depsgraph, uids: frozenset[int]) -> bool:
    """Whether some of these datablocks are other than before."""
    for update in depsgraph.updates:
        if update.id.original.session_uid in uids:
            is_object = isinstance(update.id, bpy.types.Object)
            if not is_object or update.is_updated_transform or update.is_updated_geometry:
                return True
    return False


def state(rig: bpy.types.Object, keyed: set[str]) -> list[object]:
    """Constraints and custom properties of a rig, as numbers and names.

    keyed: data paths of curves; their values are another matter, and change with the frame.
    """
    found: list[object] = []
    for owner in (rig, *rig.pose.bones):
        for constraint in owner.constraints:
            found += [constraint.type, *(_value(constraint, n) for n in _simple(type(constraint)))]
            found += [target.session_uid for target in _targets(constraint) if target is not None]
        bone = owner.name if owner is not rig else ""
        for name, value in owner.items():
            if isinstance(value, bool | int | float) and present.path_of(bone, name) not in keyed:
                found += [bone, name, value]
    return found


def _named_by(block: bpy.types.ID) -> Iterator[bpy.types.ID | None]:
    """Datablocks that a datablock's parent, constraints and drivers name."""
    if isinstance(block, bpy.types.Object):
        yield block.parent
        for owner in (block, *(block.pose.bones if block.pose is not None else ())):
            for constraint in owner.constraints:
                yield from _targets(constraint)
    for curve in getattr(getattr(block, "animation_data", None), "drivers", ()):
        for variable in curve.driver.variables:
            for target in variable.targets:
                yield target.id


def _actions_of(block: bpy.types.ID) -> list[bpy.types.Action | None]:
    """Its own action first, then those of its strips."""
    animation = getattr(block, "animation_data", None)
    if animation is None:
        return []
    strips = (s for track in animation.nla_tracks for s in compat.strips_within(track.strips))
    return [animation.action, *(strip.action for strip in strips)]


def _targets(constraint: bpy.types.Constraint) -> Iterator[bpy.types.ID | None]:
    for name in _TARGETS:
        yield getattr(constraint, name, None)
    for target in getattr(constraint, "targets", ()):
        yield target.target


def _value(constraint: bpy.types.Constraint, name: str) -> object:
    value = getattr(constraint, name)
    return value if isinstance(value, bool | int | float | str) else np.array(value).tolist()


@cache
def _simple(kind: type) -> tuple[str, ...]:
    """Names of the settings of a kind of constraint."""
    return tuple(
        p.identifier
        for p in kind.bl_rna.properties
        if p.type in _SIMPLE and not p.is_readonly and p.identifier not in _IDLE
    )
