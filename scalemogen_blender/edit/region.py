"""What an artist's selection means to the model, and which bones an edit of it may key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import bpy
import numpy as np

from .._core import editing, errors, retarget, skeleton
from ..rig import state
from . import present
from .asking import Asking, Place, order


@dataclass(frozen=True)
class Region:
    """Bones and scene frames that an edit may change.

    rig, uid: name and ``session_uid`` of the armature object.  joints: canonical ones, in their
    order; parts: the body parts that have some of them.  bones: all that may be keyed, and nothing
    else is (legs that have to follow the pelvis are another matter: the report tells of them).
    untouched: what was asked for, but has no counterpart in the model.  places: the asked places of
    the bone map.  modes: "FK", "IK" or "MIXED" by limb, on rigs that have both.
    """

    rig: str
    uid: int
    joints: tuple[str, ...]
    parts: tuple[str, ...]
    bones: tuple[str, ...]
    untouched: tuple[str, ...]
    first: int
    last: int
    places: tuple[Place, ...] = ()
    modes: Mapping[str, str] = field(default_factory=dict)

    @property
    def pelvis(self) -> bool:
        """Whether the hips, and with them the way through the world, are asked for."""
        return "pelvis" in self.joints


def region(
    rig: bpy.types.Object,
    names: Iterable[str],
    first: int,
    last: int,
    *,
    parts: bool | None = None,
    bone_map: retarget.BoneMap | None = None,
) -> Region:
    """What may change when some bones or body parts are edited from frame ``first`` to ``last``.

    names: bones (deform bones, controls of either kind, twist bones), or body parts ("left_arm" …
    "root") where ``parts``; None takes "part:spine" for a body part, and so a name that means
    nothing as a bone, and all of them together, whatever bones are called so.
    ScaleMoGenError with a remedy if none of them can be edited.
    """
    words = _words(rig, names, parts)
    if last < first:
        raise errors.ScaleMoGenError(
            f"Frames {first} to {last} are no range; the last frame comes after the first."
        )
    bones = state.bone_map(rig) if bone_map is None else bone_map
    frames = np.arange(first, last + 1)
    values = present.values_in(rig, present.switches(rig), frames)
    now = {key: float(value[0]) for key, value in values.items()}
    plan = present.plan_of(rig, bones, now)
    asking = Asking(rig, bones, plan, present.modes(plan, values), values)
    untouched = [name for name, part in words if not asking.ask(name, part)]
    if asking.held:
        present.check(rig, bones, now, asking.held)
    if not asking.places:
        raise errors.ScaleMoGenError(_nothing(rig, [name for name, _ in words]))
    joints = asking.joints()
    return Region(
        rig=rig.name,
        uid=rig.session_uid,
        joints=joints,
        parts=editing.parts_of(joints),
        bones=asking.bones(),
        untouched=(*untouched, *asking.beside),
        first=first,
        last=last,
        places=tuple(sorted(asking.places, key=order)),
        modes=asking.modes,
    )


def _words(
    rig: bpy.types.Object, names: Iterable[str], parts: bool | None
) -> list[tuple[str, bool | None]]:
    """Names, and whether each is a body part: None for what the rig decides."""
    names, mark = list(dict.fromkeys(names)), editing.asked.PART
    if parts is None and set(names) == set(skeleton.BODY_PARTS):
        parts = True
    if parts is not None:
        return [(name, parts) for name in names]
    return [
        (name.removeprefix(mark), True)
        if name.startswith(mark) and name not in rig.data.bones
        else (name, None)
        for name in names
    ]


def _nothing(rig: bpy.types.Object, names: Sequence[str]) -> str:
    if not names:
        return "No bone is selected; select the bones to edit in Pose Mode."
    listed = ", ".join(f"'{name}'" for name in names[:3]) + (" …" if len(names) > 3 else "")
    return (
        f"The model has no counterpart for {listed} of '{rig.name}'; select bones of the body "
        "(hips, spine, head, arms, legs), or say what these bones are under Bone Map."
    )
