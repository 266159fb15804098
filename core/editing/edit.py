"""What an edit asks for, and what came of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..errors import ScaleMoGenError
from ..motion import Motion
from ..skeleton import BODY_PART_JOINTS, BODY_PARTS, canonical

#: What comes after the range when the root is edited: the world path that was there, or the same
#: path carried on from where the edit ends.
Later = Literal["PATH", "OFFSET"]
DEFAULT_BLEND = 4
#: What is wrong when both legs are edited without these parts.
_LACKING = {
    "root": "both legs step anew under hips that stay on their way, so feet slide where the body "
    "travels.",
    "spine": "the trunk stays as it is over hips that move, and cannot balance them.",
}


@dataclass(frozen=True)
class Edit:
    """An edit of some joints in some frames of a motion, whatever frame rate that has.

    joints: names of canonical joints that may change; the pelvis stands for the root's path, too.
    first, last: the frames of the motion that may change, counted from 0, both included.  A last
        frame beyond the motion's end extends it; a first one may be its frame count then.
    prompt: what happens there; empty leaves it to what is around (in-betweening).
    keep: 0 makes it anew, 1 keeps the coarse structure that was there and changes detail only.
    blend: frames at either border, inside the range, over which old goes into new.
    later: see :data:`Later`.
    loop: the range ends the motion, and what follows it is the motion's beginning, carried on.
    words_only: keep all that ``prompt`` says no less than ``source_prompt`` (text to text).
    keep_feet: feet that stand and are not edited stay where they are when the pelvis is edited:
        their legs follow, which the report tells.

    ScaleMoGenError on what cannot be meant.
    """

    joints: tuple[str, ...]
    first: int
    last: int
    prompt: str = ""
    keep: float = 0.0
    blend: int = DEFAULT_BLEND
    later: Later = "PATH"
    loop: bool = False
    words_only: bool = False
    source_prompt: str = ""
    keep_feet: bool = True

    def __post_init__(self) -> None:
        known = canonical().joint_names
        unknown = [name for name in self.joints if name not in known]
        if unknown or not self.joints:
            raise ScaleMoGenError(
                f"There is no joint '{unknown[0]}' to edit; known are {', '.join(known)}."
                if unknown
                else "Nothing is to be edited; name at least one body part or bone."
            )
        if not 0 <= self.first <= self.last:
            raise ScaleMoGenError(
                f"Frames {self.first} to {self.last} are no range; the last frame comes after the "
                "first."
            )
        if not 0.0 <= self.keep <= 1.0:
            raise ScaleMoGenError(f"Keep is {self.keep:g}; use 0 (all new) to 1 (detail only).")
        if self.blend < 0:
            raise ScaleMoGenError(f"Blend is {self.blend} frames; use 0 or more.")

    @property
    def parts(self) -> tuple[str, ...]:
        """The body parts that are regenerated: all that have one of the joints."""
        return parts_of(self.joints)

    @property
    def frame_count(self) -> int:
        """Frames that may change."""
        return self.last - self.first + 1

    @property
    def hints(self) -> tuple[str, ...]:
        """What to add to the parts so that a body can do what is asked, in sentences."""
        part = lacking(self.parts)
        return (f"Add {part}: {_LACKING[part]}",) if part else ()


@dataclass(frozen=True)
class Report:
    """What was asked for, and what was really regenerated and changed.

    frames: first and last frame of the token cells that were sampled anew, in the motion's frames;
    what lies outside the edit's own range was thrown away.
    window: first and last frame that the model looked at.
    adjusted: joints that were not asked for, but follow so that standing feet stay.
    kept_scales: how many of ``scales`` kept what was there.
    """

    edit: Edit
    frames: tuple[int, int]
    window: tuple[int, int]
    adjusted: tuple[str, ...] = ()
    kept_scales: int = 0
    scales: int = 0

    @property
    def parts(self) -> tuple[str, ...]:
        """Body parts whose tokens were sampled anew."""
        return self.edit.parts

    @property
    def changed_joints(self) -> tuple[str, ...]:
        """Joints that may differ inside the range, in the skeleton's order."""
        changed = {*self.edit.joints, *self.adjusted}
        return tuple(name for name in canonical().joint_names if name in changed)


@dataclass(frozen=True)
class Offset:
    """How the path after an edit was carried on: turned about the vertical, then moved.

    turn: radians about +Y, about the origin; shift: [3] in metres.
    """

    turn: float = 0.0
    shift: np.ndarray = field(default_factory=lambda: np.zeros(3))


@dataclass(frozen=True)
class Edited:
    """A motion after an edit, at the frame rate of the source.

    motion: outside the report's joints and the edit's frames it is the source bit for bit (but for
    ``offset`` on what comes after, where that was asked for).  It is longer than the source where
    the edit extends it.
    """

    motion: Motion
    report: Report
    offset: Offset = field(default_factory=Offset)


def lacking(parts: Collection[str]) -> str:
    """The body part without which new steps of both legs look wrong; empty if none is missing."""
    if not {"left_leg", "right_leg"} <= set(parts):
        return ""
    return next((part for part in _LACKING if part not in parts), "")


def parts_of(joints: tuple[str, ...]) -> tuple[str, ...]:
    """Body parts, in their order, that have one of the joints."""
    return tuple(part for part in BODY_PARTS if set(BODY_PART_JOINTS[part]) & set(joints))


def joints_of(parts: tuple[str, ...]) -> tuple[str, ...]:
    """All joints of some body parts, in the skeleton's order; ScaleMoGenError for unknown parts."""
    for part in parts:
        if part not in BODY_PARTS:
            raise ScaleMoGenError(
                f"There is no body part '{part}'; known are {', '.join(BODY_PARTS)}."
            )
    wanted = {joint for part in parts for joint in BODY_PART_JOINTS[part]}
    return tuple(name for name in canonical().joint_names if name in wanted)
