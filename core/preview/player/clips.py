"""Motions as the player's page holds them: drawn points in whole steps, base64."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...motion import Motion
from ...skeleton import canonical
from ..body import HEAD_RADIUS, LIMBS, TORSO, body_of

#: Metres of one step of a stored coordinate; a clip that leaves its int16 range takes longer steps.
STEP = 0.0005
_LARGEST = 32767

#: Feet joints in the order of the bits in a clip's contacts, the lowest first.
FEET = ("left_ankle", "left_foot", "right_ankle", "right_foot")

_DRAWN = {name for limb in LIMBS for name in limb[:2]} | {name for name, _ in TORSO}
_DRAWN |= {"pelvis", "neck", "head"}
#: What is stored of every frame: the joints that are drawn, the skull, its front, the hands.
POINTS = (
    *(name for name in canonical().joint_names if name in _DRAWN),
    "skull",
    "face",
    "left_hand",
    "right_hand",
)


@dataclass(frozen=True)
class DrawnClip:
    """points: [T, len(POINTS), 3] metres, Y up; contacts: bool [T, 4], which of FEET stand."""

    points: np.ndarray
    contacts: np.ndarray
    fps: float


def drawn_clip(motion: Motion) -> DrawnClip:
    """The points and contacts of a motion on any of the three skeletons, in human size."""
    body = body_of(motion)
    extra = {
        "skull": body.head_centre,
        "face": body.head_centre + HEAD_RADIUS * body.head_forward,
        "left_hand": body.hands["left"],
        "right_hand": body.hands["right"],
    }
    named = body.joints | extra
    return DrawnClip(
        points=np.stack([named[name] for name in POINTS], axis=1),
        contacts=np.stack([body.contacts[name] for name in FEET], axis=1),
        fps=motion.fps,
    )


def encode(clip: DrawnClip) -> dict[str, Any]:
    """A clip as JSON; :func:`decode` gives every coordinate back within half of its ``step``.

    ``points``: base64 of little-endian int16 [T, points, 3] in steps of ``step`` metres, which is
    STEP within 16 m of the origin.  ``contacts``: base64 of one byte a frame, bit n for FEET[n].
    """
    reach = float(np.abs(clip.points).max())
    step = max(STEP, reach / _LARGEST)
    steps = np.round(clip.points / step).astype("<i2")
    bits = clip.contacts.astype(np.uint8) << np.arange(len(FEET), dtype=np.uint8)
    return {
        "fps": float(clip.fps),
        "frames": len(clip.points),
        "step": step,
        "points": base64.b64encode(steps.tobytes()).decode("ascii"),
        "contacts": base64.b64encode(bits.sum(axis=1).astype(np.uint8).tobytes()).decode("ascii"),
    }


def decode(record: dict[str, Any]) -> DrawnClip:
    """The clip of a record of :func:`encode`."""
    steps = np.frombuffer(base64.b64decode(record["points"]), dtype="<i2")
    bits = np.frombuffer(base64.b64decode(record["contacts"]), dtype=np.uint8)
    return DrawnClip(
        points=steps.reshape(record["frames"], len(POINTS), 3) * record["step"],
        contacts=(bits[:, None] >> np.arange(len(FEET)) & 1).astype(bool),
        fps=record["fps"],
    )


def body_table() -> dict[str, Any]:
    """The shapes that the page draws between the points (metres), for its own figure."""
    return {
        "points": list(POINTS),
        "feet": list(FEET),
        "limbs": [list(limb) for limb in LIMBS],
        "torso": [list(ball) for ball in TORSO],
        "head_radius": HEAD_RADIUS,
    }
