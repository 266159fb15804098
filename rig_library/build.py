"""A rig of a scheme in a rest pose, as the arrays that retargeting reads."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.retarget import RestRig
from core.rotations import normalize

from . import axes as bone_axes
from .body import PROPORTIONS, SPINE_KNOTS, RestPose, jittered, joint_turns, landmarks
from .tree import Bone, Scheme, scheme
from .variation import USUAL, Variation, varied

_SHORTEST = 1e-3  # metres; no direction can be read from less
_STUB = 0.05  # metres, length of bones that have no child to reach for


def build(
    scheme_name: str,
    rest_pose: RestPose = "A",
    seed: int = 0,
    variation: Variation = USUAL,
) -> RestRig:
    """A rig with a scheme's names and hierarchy.

    The seed makes random rolls, and from 1 on another body of the same build (within 8 per cent).
    KeyError if there is no such scheme.
    """
    usual = scheme(scheme_name)
    rng = np.random.default_rng(seed)
    bones = varied(usual, variation)
    build_of = PROPORTIONS[variation.proportions or usual.proportions]
    marks = landmarks(jittered(build_of, seed), rest_pose, usual.arms)
    heads = _heads(bones, marks)
    directions, lengths = _directions(bones, heads)
    style = variation.axes or usual.axes
    roll = np.radians(usual.roll if variation.roll is None else variation.roll)
    turned = np.array(
        [
            _axes(style, bone, direction, roll + _random_roll(variation, rng), rng)
            for bone, direction in zip(bones, directions, strict=True)
        ]
    )
    tails = heads + turned[:, :, 1] * lengths[:, None]
    above = bone_axes.empty() if variation.under_empty else np.eye(4)
    placed = bone_axes.PLACEMENTS[variation.placement or usual.placement].copy()
    if usual.origin == "hips":
        placed[:3, 3] = marks["pelvis"]
    heading = bone_axes.heading(variation.heading)
    return _rig(usual, bones, heads, tails, turned, above @ heading, above @ placed)


def truth(scheme_name: str, variation: Variation = USUAL) -> dict[str, tuple[str, ...]]:
    """The right bones of every slot that the rig has a bone for, parents first."""
    found: dict[str, tuple[str, ...]] = {}
    for bone in varied(scheme(scheme_name), variation):
        if bone.exact:
            found[bone.slot] = (*found.get(bone.slot, ()), bone.name)
    return found


def accepted(scheme_name: str, variation: Variation = USUAL) -> dict[str, frozenset[str]]:
    """All bones that would be right for a slot: the true ones and those just as good."""
    found: dict[str, set[str]] = {}
    for bone in varied(scheme(scheme_name), variation):
        if bone.slot:
            found.setdefault(bone.slot, set()).add(bone.name)
    return {slot: frozenset(names) for slot, names in found.items()}


def rest_turns(scheme_name: str, rest_pose: RestPose) -> dict[str, np.ndarray]:
    """World rotations [4] of the slots' body parts in a rest pose, away from the T-pose."""
    turns = joint_turns(rest_pose, scheme(scheme_name).arms)
    return turns | {"head": turns["trunk"], "neck": turns["trunk"]}


def _heads(bones: Sequence[Bone], marks: Mapping[str, np.ndarray]) -> np.ndarray:
    """World positions [B, 3], before the rig is turned or hung anywhere."""
    size = marks["head_top"][1] / 1.75
    count = {slot: sum(bone.slot == slot for bone in bones) for slot in ("spine", "neck")}
    seen = dict.fromkeys(count, 0)
    heads = np.zeros((len(bones), 3))
    for index, bone in enumerate(bones):
        if bone.slot in seen:
            share = seen[bone.slot] / count[bone.slot]
            knots = SPINE_KNOTS if bone.slot == "spine" else ("neck", "head")
            heads[index] = _along_line([marks[knot] for knot in knots], share)
            seen[bone.slot] += 1
            continue
        head = marks[_landmark(bone.start, bone.side, marks)]
        if bone.end:
            head = head + bone.share * (marks[_landmark(bone.end, bone.side, marks)] - head)
        out = -1.0 if bone.side == "right" else 1.0
        heads[index] = head + size * np.array(bone.offset) * np.array([out, 1.0, 1.0])
    return heads


def _landmark(name: str, side: str, marks: Mapping[str, np.ndarray]) -> str:
    return name if name in marks else f"{side}_{name}"


def _along_line(points: Sequence[np.ndarray], share: float) -> np.ndarray:
    """The point at a share of a polyline's length."""
    line = np.array(points)
    ends = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=-1))])
    at = share * ends[-1]
    return np.array([np.interp(at, ends, line[:, axis]) for axis in range(3)])


def _directions(bones: Sequence[Bone], heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where every bone points [B, 3] and how far [B]: to the child that matters most."""
    directions = np.zeros_like(heads)
    lengths = np.full(len(bones), _STUB)
    for index, bone in enumerate(bones):
        children = [i for i, other in enumerate(bones) if other.parent == index]
        far = [i for i in children if np.linalg.norm(heads[i] - heads[index]) > _SHORTEST]
        best = max(far, key=lambda i: _weight(bones[i]), default=None)
        if best is not None and bone.start != "origin":
            line = heads[best] - heads[index]
            directions[index], lengths[index] = normalize(line), np.linalg.norm(line)
        elif bone.parent >= 0 and bone.start != "origin":
            directions[index] = directions[bone.parent]
            if bone.slot.endswith("_foot"):
                directions[index] = normalize(directions[index] * np.array([1.0, 0.0, 1.0]))
        else:
            directions[index] = bone_axes.UP
    return directions, lengths


def _weight(child: Bone) -> float:
    """How much a child says about where its parent points."""
    if child.slot in ("spine", "neck", "head"):
        return 4.0
    if child.slot:
        return 3.0 if child.exact else 2.5
    return 2.0 if "middle" in child.start else 1.0 if not child.end else 0.5


def _random_roll(variation: Variation, rng: np.random.Generator) -> float:
    return float(rng.uniform(-np.pi, np.pi)) if variation.random_roll else 0.0


def _axes(
    style: str, bone: Bone, direction: np.ndarray, roll: float, rng: np.random.Generator
) -> np.ndarray:
    if style == "along":
        return bone_axes.along(direction, roll)
    if style == "unreal":
        # The mannequin's left leg and right arm point up their limbs.
        leg = any(part in bone.start for part in ("hip", "knee", "ankle", "foot"))
        return bone_axes.unreal(direction, bone.side == ("left" if leg else "right"), roll)
    if style == "world":
        return np.eye(3)
    return bone_axes.scattered(rng)


def _rig(
    usual: Scheme,
    bones: Sequence[Bone],
    heads: np.ndarray,
    tails: np.ndarray,
    turned: np.ndarray,
    body_to_world: np.ndarray,
    to_world: np.ndarray,
) -> RestRig:
    """The rig's arrays in the armature's own space and unit."""
    to_armature = np.linalg.inv(to_world) @ body_to_world
    unit = np.cbrt(np.linalg.det(to_armature[:3, :3]))
    rest = np.tile(np.eye(4), (len(bones), 1, 1))
    rest[:, :3, :3] = to_armature[:3, :3] / unit @ turned
    rest[:, :3, 3] = heads @ to_armature[:3, :3].T + to_armature[:3, 3]
    touching = [
        bone.parent >= 0 and np.linalg.norm(tails[bone.parent] - heads[index]) < 1e-9
        for index, bone in enumerate(bones)
    ]
    return RestRig(
        name=usual.title,
        bone_names=tuple(bone.name for bone in bones),
        parents=tuple(bone.parent for bone in bones),
        rest=rest,
        to_world=to_world,
        tails=tails @ to_armature[:3, :3].T + to_armature[:3, 3],
        connected=np.array(touching) & usual.connected,
        inherits_rotation=np.ones(len(bones), dtype=bool),
        local_location=np.ones(len(bones), dtype=bool),
    )
