"""How a rig's hand is turned at rest, told by where its fingers begin, numpy only."""

import re
from collections import defaultdict

import numpy as np

from ..rotations import (
    matrix_to_quaternion,
    normalize,
    quaternion_between,
    quaternion_rotate,
)
from .measured import Measured

#: Where the thumb and the fingers begin as seen from the left wrist of a grown-up in the T-pose
#: (metres): the palm faces down, the thumb forwards.
_KNUCKLES = np.array(
    [
        [0.024, -0.012, 0.034],
        [0.091, 0.0, 0.028],
        [0.092, 0.0, 0.007],
        [0.086, 0.0, -0.013],
        [0.078, 0.0, -0.031],
    ]
)
#: Thumbs are modelled in many places.
_WEIGHTS = np.array([0.3, 1.0, 1.0, 1.0, 1.0])

#: Bones nearer to the wrist than the first (metres, canonical size) show nothing; from the second
#: on they are knuckles and no longer bones inside the palm.
_NEAREST, _PALM = 0.02, 0.055
#: A thumb begins this much nearer to the wrist than the fingers do.
_THUMB_SHARE = 0.7
#: Fingers whose directions from the wrist spread less than this (sine) do not show the palm.
_LEAST_SPREAD = 0.1

_NAMES = (
    ("thumb", "親指"),
    ("index", "point", "人指", "人差"),
    ("mid", "中指"),
    ("ring", "薬指"),
    ("pink", "little", "小指"),
)
_NUMBERED = re.compile(r"finger[\W_]*(\d)")


def hand_turn(measured: Measured, wrist: int, out: float, carried: np.ndarray) -> np.ndarray | None:
    """Turn [4] that gives a hand, already turned by ``carried``, the pose of the T-pose's.

    ``wrist`` is the hand's bone; out: 1 for the left hand, -1 for the right one.  None if the rig
    has no fingers that tell.
    """
    here, scale = measured.body.heads[wrist], measured.body.scale
    mirror = np.array([out, 1.0, 1.0])
    found = {
        finger: quaternion_rotate(carried, measured.body.heads[bone] - here)
        for finger, bone in _knuckles(measured, wrist).items()
    }
    if not any(finger > 0 for finger in found):
        return _towards(_children(measured, wrist, scale), carried, mirror)
    fingers = list(found)
    here_at = normalize(np.array([found[finger] for finger in fingers]))
    there_at = normalize(_KNUCKLES[fingers] * mirror)
    weights = _WEIGHTS[fingers]
    middle = normalize((weights[:, None] * here_at).sum(axis=0))
    spread = np.linalg.norm(np.cross(here_at, middle), axis=-1).max()
    if len(fingers) < 2 or spread < _LEAST_SPREAD:
        there = normalize((weights[:, None] * there_at).sum(axis=0))
        return quaternion_between(middle, there)
    # The best rotation between two bundles of directions (Kabsch).
    u, _, vt = np.linalg.svd((weights[:, None] * there_at).T @ here_at)
    keep = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return matrix_to_quaternion(u @ keep @ vt)


def _towards(points: np.ndarray, carried: np.ndarray, mirror: np.ndarray) -> np.ndarray | None:
    """Turn [4] that lays the middle of some points [N, 3] from the wrist along the arm."""
    if not len(points):
        return None
    middle = quaternion_rotate(carried, points.mean(axis=0))
    return quaternion_between(middle, mirror * np.array([1.0, 0.0, 0.0]))


def _children(measured: Measured, wrist: int, scale: float) -> np.ndarray:
    """Where a hand's children are [N, 3] as seen from the wrist, thumbs apart."""
    bones = [
        bone
        for bone in measured.rig.children(wrist)
        if not any(word in measured.rig.bone_names[bone].lower() for word in _NAMES[0])
    ]
    points = measured.body.heads[bones] - measured.body.heads[wrist]
    far: np.ndarray = points[np.linalg.norm(points, axis=-1) > _NEAREST * scale]
    return far


def _knuckles(measured: Measured, wrist: int) -> dict[int, int]:
    """The bone where each finger begins (0 the thumb … 4 the little finger) below a hand."""
    named: dict[int, list[int]] = defaultdict(list)
    numbered: dict[int, list[int]] = defaultdict(list)
    below = {wrist}
    for bone in range(wrist + 1, measured.rig.bone_count):
        if measured.rig.parents[bone] not in below:
            continue
        below.add(bone)
        name = measured.rig.bone_names[bone].lower()
        finger = next((i for i, words in enumerate(_NAMES) if any(w in name for w in words)), None)
        if finger is not None:
            named[finger].append(bone)
        elif (match := _NUMBERED.search(name)) is not None:
            numbered[int(match.group(1))].append(bone)
    heads = measured.body.heads
    away = np.linalg.norm(heads - heads[wrist], axis=-1) / measured.body.scale

    def begins(finger: int, bones: list[int]) -> int | None:
        """The first bone out of the palm; of a thumb the first that is no part of the wrist."""
        least = _NEAREST if finger == 0 else _PALM
        far = [bone for bone in bones if away[bone] > least]
        if not far:
            far = [max(bones, key=lambda bone: float(away[bone]))]
        return far[0] if away[far[0]] > _NEAREST else None

    if len(numbered) > len(named):
        first = min(numbered)
        starts = {number: away[bones[0]] for number, bones in numbered.items()}
        others = [start for number, start in starts.items() if number != first]
        # Some count from the thumb, 0 or 1, others from the index finger.
        thumb = first == 0 or len(numbered) == len(_NAMES)
        thumb = thumb or (bool(others) and starts[first] < _THUMB_SHARE * np.mean(others))
        shift = -first if thumb else 1 - first
        named = {n + shift: bones for n, bones in numbered.items() if n + shift < len(_NAMES)}
    found = {finger: begins(finger, bones) for finger, bones in named.items()}
    return {finger: bone for finger, bone in found.items() if bone is not None}
