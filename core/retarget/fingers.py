"""Which way a rig's hand points and its palm faces at rest, told by where its fingers begin."""

import re
from dataclasses import dataclass

import numpy as np

from ..rotations import normalize
from .measured import Measured

#: Bones nearer to the wrist than this (metres, canonical size) are no finger roots.
_HAND_SIZE = 0.02
#: Fingers nearer to each other than this do not show the palm.
_PALM_SIZE = 0.015

#: Letters that name a finger in a bone's name, in the order of the fingers.
_NAMES = (
    ("thumb", "親指"),
    ("index", "point", "fore", "人指", "人差"),
    ("mid", "中指"),
    ("ring", "薬指"),
    ("pink", "little", "小指"),
)
#: Bones in the palm whose names may hold a finger's name, too.
_NUMBERED = re.compile(r"finger[\W_]*(\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Hand:
    """A hand at rest: unit vectors [3], None where the rig does not show them.

    along: from the wrist to the knuckles.  across: from the little finger to the index finger.
    """

    along: np.ndarray | None
    across: np.ndarray | None


def hand(measured: Measured, wrist: int) -> Hand:
    """What the fingers show of the hand that begins with the bone ``wrist``."""
    roots = _finger_roots(measured, wrist)
    here, scale = measured.body.heads[wrist], measured.body.scale
    far = {
        finger: at
        for finger, bone in roots.items()
        if np.linalg.norm((at := measured.body.heads[bone]) - here) > _HAND_SIZE * scale
    }
    if not far:
        return Hand(measured.limb(wrist, _children_middle(measured, wrist)), None)
    fingers = sorted(finger for finger in far if finger > 0)
    if not fingers:
        return Hand(None, None)
    middle = far[2] if 2 in far else np.mean([far[finger] for finger in fingers], axis=0)
    across = far[fingers[0]] - far[fingers[-1]]
    shows = np.linalg.norm(across) > _PALM_SIZE * scale
    return Hand(measured.limb(wrist, middle), normalize(across) if shows else None)


def _children_middle(measured: Measured, wrist: int) -> np.ndarray | None:
    """Middle of the hand's children that are some way off; None without any."""
    heads = measured.body.heads
    near = _HAND_SIZE * measured.body.scale
    children = [
        heads[bone]
        for bone in measured.rig.children(wrist)
        if np.linalg.norm(heads[bone] - heads[wrist]) > near
    ]
    middle: np.ndarray | None = np.mean(children, axis=0) if children else None
    return middle


def _finger_roots(measured: Measured, wrist: int) -> dict[int, int]:
    """First bone of each finger (0 the thumb … 4 the little finger) below a hand."""
    below = {wrist}
    named: dict[int, int] = {}
    numbered: dict[int, int] = {}
    for bone in range(wrist + 1, measured.rig.bone_count):
        if measured.rig.parents[bone] not in below:
            continue
        below.add(bone)
        name = measured.rig.bone_names[bone].lower()
        if any(word in name for word in ("metacarpal", "palm", "carpal")):
            continue
        finger = next((i for i, words in enumerate(_NAMES) if any(w in name for w in words)), None)
        if finger is not None:
            named.setdefault(finger, bone)
        elif (match := _NUMBERED.search(name)) is not None:
            numbered.setdefault(int(match.group(1)), bone)
    if len(named) < 2 and len(numbered) >= 4:
        # Biped counts from the thumb, 0 or 1; four fingers have one less at the end.
        first = min(numbered)
        return {number - first: bone for number, bone in numbered.items()}
    return named
