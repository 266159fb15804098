"""What an edit would change, for panels and overlays: found once, kept until it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy

from .. import bake, compat, session
from .._core import editing, errors
from .._core import skeleton as skeletons
from ..results import edits
from ..rig import state
from . import plan, span
from . import region as regions

if TYPE_CHECKING:
    from .region import Region

_LEGS = {"left_leg", "right_leg"}
_PART_OF = {
    joint: part for part, joints in skeletons.BODY_PART_JOINTS.items() for joint in joints
} | {"spine": "spine"}


#: Names of body parts, and how many of their bones may change.
Parts = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Affected:
    """Bones and frames of an edit.

    parts: body parts with the number of their bones that may change (None: moved by controls).
    untouched: selected bones that the model has nothing for.  follows: legs follow the hips so
    that standing feet stay.  lacking: the body part that should be selected, too.  moves: the path
    of the character may change.  span: scene frames, or why there are none.  regenerated: frames
    that are really sampled anew, None if unknown.  problem: why no bone can be edited.
    """

    span: span.Span
    region: Region | None = None
    parts: Parts = ()
    untouched: tuple[str, ...] = ()
    follows: bool = False
    lacking: str = ""
    moves: bool = False
    regenerated: tuple[int, int] | None = None
    problem: str = ""


#: By rig: what was asked, the rig's state then, and what was found.
_regions: dict[int, tuple[object, state.RigState, Region | str]] = {}
_MOST = 16


def region(rig: bpy.types.Object, names: tuple[str, ...], first: int, last: int) -> Region | str:
    """The region of some bones or body parts in some scene frames, or why there is none."""
    now, key = state.state(rig), (names, first, last)
    known = _regions.get(rig.session_uid)
    if known is not None and known[0] == key and known[1] is now:
        return known[2]
    try:
        found: Region | str = regions.region(rig, names, first, last)
    except errors.ScaleMoGenError as error:
        found = str(error)
    while len(_regions) >= _MOST:
        del _regions[next(iter(_regions))]
    _regions[rig.session_uid] = (key, now, found)
    return found


def forget() -> None:
    """Drop everything known."""
    _regions.clear()


def names(rig: bpy.types.Object, whole: bool = False) -> tuple[str, ...]:
    """What is asked for: the selected bones, or all body parts."""
    return tuple(skeletons.BODY_PARTS if whole else compat.selected_bones(rig))


def affected(scene: bpy.types.Scene, rig: bpy.types.Object, settings: Any) -> Affected:
    """What the Edit button would change now."""
    frames = span.chosen(scene, rig, settings)
    asked = names(rig)
    if not asked:
        return Affected(frames, problem="Select the bones that may change")
    now = scene.frame_current
    ends = (now, now) if frames.problem else (frames.first, frames.last)
    found = region(rig, asked, *ends)
    if isinstance(found, str):
        return Affected(frames, problem=found)
    counts = _counts(rig, found)
    moves = "pelvis" in found.joints
    regenerated = None
    if not frames.problem:
        regenerated = _regenerated(scene, rig, found, settings)
    return Affected(
        span=frames,
        region=found,
        parts=counts,
        untouched=tuple(found.untouched),
        follows=moves and settings.keep_feet and not set(found.parts) >= _LEGS,
        lacking=editing.lacking(found.parts),
        moves=moves,
        regenerated=regenerated,
    )


def _counts(rig: bpy.types.Object, found: Region) -> Parts:
    """How many of the region's bones belong to each of its parts, by the rig's bone map."""
    counted = dict.fromkeys(found.parts, 0)
    part_of = {
        bone: _PART_OF[slot]
        for slot, chain in state.recent_state(rig).bone_map.bones.items()
        if slot in _PART_OF
        for bone in chain
    }
    for bone in found.bones:
        part = part_of.get(bone)
        if part in counted:
            counted[part] += 1
    return tuple((edits.part_name(part), count or None) for part, count in counted.items())


def _regenerated(
    scene: bpy.types.Scene, rig: bpy.types.Object, found: Region, settings: Any
) -> tuple[int, int] | None:
    edit = editing.Edit(tuple(found.joints), 0, found.last - found.first, blend=settings.blend)
    whole = set(found.parts) == set(skeletons.BODY_PARTS)
    planned = plan.plan(
        edit,
        found.first,
        span.extent(rig),
        bake.scene_fps(scene),
        session.longest_seconds(),
        extends=whole,
    )
    return planned.regenerated
