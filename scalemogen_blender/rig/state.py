"""What is known of a rig's bones, found once and kept until bones or corrections change.

Panels draw often, rigs have up to a thousand bones: the key of the cache is read in bulk.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import bpy
import numpy as np

from .. import armature
from .._core import errors, retarget
from . import constraints, folder, stored

_MOST_RIGS = 32
#: Buttons read the map many times while one panel is drawn; this long (seconds) they may trust
#: what was just found.
_FRESH = 0.1


@dataclass(frozen=True)
class RigState:
    """The bones of a rig (parents first), what they were taken for, and what is wrong with that.

    automatic is the map as found, or the artist's own map of the title ``own``; bone_map has the
    corrections in it; problem concerns bone_map.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    own: str
    automatic: retarget.BoneMap
    corrections: stored.Table
    bone_map: retarget.BoneMap
    problem: str | None


_states: dict[int, tuple[object, RigState]] = {}
#: When each was last looked at, and after how many writes of corrections.
_looked_at: dict[int, tuple[float, int]] = {}


def state(rig: bpy.types.Object) -> RigState:
    """The rig's state now."""
    table = stored.corrections(rig)
    bones = _digest(rig)
    key = (bones, tuple(table.items()))
    known = _states.get(rig.session_uid)
    if known is not None and known[0] == key:
        found = known[1]
    else:
        same_bones = known is not None and known[0][0] == bones
        found = _find(rig, table, known[1] if same_bones else None)
        while len(_states) >= _MOST_RIGS:
            oldest = next(iter(_states))
            del _states[oldest]
            _looked_at.pop(oldest, None)
        _states[rig.session_uid] = (key, found)
    _looked_at[rig.session_uid] = time.monotonic(), stored.writes
    return found


def recent_state(rig: bpy.types.Object) -> RigState:
    """Like :func:`state`, but a moment old perhaps: for buttons that are drawn again and again."""
    known = _states.get(rig.session_uid)
    when, writes = _looked_at.get(rig.session_uid, (0.0, -1))
    if known is None or writes != stored.writes or time.monotonic() - when > _FRESH:
        return state(rig)
    return known[1]


def forget() -> None:
    """Drop everything known, also of the artist's own maps."""
    _states.clear()
    _looked_at.clear()
    folder.forget()


def _digest(rig: bpy.types.Object) -> object:
    """Changes when bones are added, removed, renamed, moved at rest or get another parent."""
    bones = rig.data.bones
    # The places of the head, relative to the parent and not, say between them which one that is.
    places = np.empty((2, 3 * len(bones)), dtype=np.float32)
    bones.foreach_get("head", places[0])
    bones.foreach_get("head_local", places[1])
    return tuple(bones.keys()), places.tobytes()


def _find(rig: bpy.types.Object, table: stored.Table, known: RigState | None) -> RigState:
    if known is not None:
        names, parents, own, automatic = known.names, known.parents, known.own, known.automatic
    else:
        listed, above = armature.names_and_parents(rig)
        names, parents = tuple(listed), tuple(above)
        own, automatic = _detected(rig, names, parents)
    bone_map = retarget.corrections.merged(automatic, table)
    problem = retarget.corrections.problem(bone_map, names, parents)
    return RigState(names, parents, own, automatic, table, bone_map, problem)


def _detected(
    rig: bpy.types.Object, names: tuple[str, ...], parents: tuple[int, ...]
) -> tuple[str, retarget.BoneMap]:
    """One of the artist's own maps (with its title) if it fits, else what is found."""
    own = retarget.own_map(names, parents, folder.own_maps())
    if own is not None:
        return own
    return "", retarget.best_effort_map(names, parents, armature.rest_heads(rig))


def rig_problem(rig: bpy.types.Object) -> str | None:
    """Why a rig cannot get a motion, with the remedy; None if it can."""
    if not rig.is_editable:
        return (
            f"'{rig.name}' is linked from another file. Make a library override of it "
            "(Object > Library Override > Make)"
        )
    if rig.mode == "EDIT":
        return f"'{rig.name}' is in Edit Mode. Leave it first (Tab)"
    if not rig.data.bones:
        return f"'{rig.name}' has no bones. Pick another armature"
    if rig.matrix_world.determinant() <= 0.0:
        return f"'{rig.name}' has a zero or mirrored scale. Apply the scale (Ctrl A)"
    found = state(rig)
    return found.problem or constraints.problem(rig, found.bone_map)


def bone_map(rig: bpy.types.Object) -> retarget.BoneMap:
    """The rig's bones for the joints, with the artist's corrections.

    ScaleMoGenError that names the missing joints, or what else is wrong.
    """
    if not rig.data.bones:
        raise errors.ScaleMoGenError(
            f"The armature '{rig.name}' has no bones; pick another armature."
        )
    found = state(rig)
    retarget.corrections.check(found.bone_map, found.names, found.parents, rig.name)
    return found.bone_map
