"""Synthetic motions and rigs for the retargeting tests; nothing here needs Blender."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.motion import Motion
from core.retarget.rest_rig import RestRig
from core.rotations import (
    make_continuous,
    matrix_to_quaternion,
    quaternion_between,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_matrix,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical

SIDES = ("left", "right")


def walking(frames: int = 40, fps: float = 30.0) -> Motion:
    """A plain walk, 1.2 m/s along +Z, with swinging arms and a turning trunk."""
    skeleton = canonical()
    phase = 2.0 * np.pi * np.arange(frames) / fps
    angles = np.zeros((frames, skeleton.joint_count, 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * np.sin(phase)
        angles[:, skeleton.index(f"{side}_hip"), 0] = -0.5 * swing
        angles[:, skeleton.index(f"{side}_knee"), 0] = 0.5 + 0.4 * np.cos(phase * sign + sign)
        angles[:, skeleton.index(f"{side}_ankle"), 0] = -0.2 * np.cos(phase)
        angles[:, skeleton.index(f"{side}_shoulder"), 2] = -sign * 1.25
        angles[:, skeleton.index(f"{side}_shoulder"), 0] = 0.4 * swing
        angles[:, skeleton.index(f"{side}_elbow"), 1] = -sign * 0.4
        angles[:, skeleton.index(f"{side}_collar"), 2] = -sign * 0.1
    for joint in ("spine1", "spine2", "spine3"):
        angles[:, skeleton.index(joint), 1] = 0.08 * np.sin(phase)
        angles[:, skeleton.index(joint), 0] = 0.05
    root = np.stack(
        [0.02 * np.sin(phase), 0.96 + 0.02 * np.cos(2 * phase), 1.2 * np.arange(frames) / fps], -1
    )
    return Motion(skeleton, rotation_vector_to_quaternion(angles), root, fps)


def tumbling(seed: int, frames: int = 12, fps: float = 30.0, reach: float = 1.0) -> Motion:
    """Every joint turns smoothly and at random, about ``reach`` radians; the pelvis freely."""
    rng = np.random.default_rng(seed)
    skeleton = canonical()
    joints = skeleton.joint_count
    t = np.linspace(0.0, 1.0, frames)[:, None, None]
    angles = reach * (
        rng.uniform(-1, 1, (1, joints, 3)) + rng.uniform(-0.5, 0.5, (1, joints, 3)) * np.sin(6 * t)
    )
    angles[:, 0] *= 2.0
    root = np.cumsum(rng.normal(0, 0.02, (frames, 3)), axis=0) + np.array([0.3, 0.9, -0.2])
    rotations = make_continuous(rotation_vector_to_quaternion(angles))
    return Motion(skeleton, rotations, root, fps)


@dataclass(frozen=True)
class RigRecipe:
    """What a synthetic rig is like.

    arm_drop: degrees the arms hang below the T-pose (0 T-pose, 45 A-pose, 90 arms down).
    spread: degrees the legs stand apart.  spine_bones, neck_bones: how many.
    leave_out: canonical joints without a bone.  helpers: an unmapped bone inside every limb.
    size: body size.  heading: degrees the rest pose is turned about the vertical.
    roll_seed: seed of random bone axes; None for bones along their limbs.
    unit: metres per armature unit.
    """

    arm_drop: float = 0.0
    spread: float = 0.0
    spine_bones: int = 3
    neck_bones: int = 1
    leave_out: tuple[str, ...] = ()
    helpers: bool = False
    size: float = 1.0
    heading: float = 0.0
    roll_seed: int | None = 0
    unit: float = 1.0
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    root_bone: bool = False
    proportions: dict[str, float] = field(default_factory=dict)


def turn(axis: str, degrees: float) -> np.ndarray:
    """Quaternion [4] about a coordinate axis."""
    vector = np.zeros(3)
    vector["xyz".index(axis)] = np.radians(degrees)
    return rotation_vector_to_quaternion(vector)


def rest_joints(recipe: RigRecipe) -> dict[str, np.ndarray]:
    """World positions of the canonical joints in the recipe's rest pose, feet on the floor."""
    skeleton = canonical()
    rotations = {name: np.array([1.0, 0, 0, 0]) for name in skeleton.joint_names}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for part in ("shoulder", "elbow", "wrist"):
            rotations[f"{side}_{part}"] = turn("z", -sign * recipe.arm_drop)
        for part in ("hip", "knee"):
            rotations[f"{side}_{part}"] = turn("z", sign * recipe.spread)
    positions: dict[str, np.ndarray] = {}
    for joint, name in enumerate(skeleton.joint_names):
        parent = skeleton.parents[joint]
        if parent < 0:
            positions[name] = np.zeros(3)
            continue
        above = skeleton.joint_names[parent]
        offset = skeleton.rest_offsets[joint] * recipe.proportions.get(name, 1.0)
        positions[name] = positions[above] + quaternion_rotate(rotations[above], offset)
    lowest = min(positions[f"{side}_foot"][1] for side in SIDES) - 0.02
    heading = turn("y", recipe.heading)
    return {
        name: recipe.size * quaternion_rotate(heading, p - [0.0, lowest, 0.0])
        + np.array(recipe.location)
        for name, p in positions.items()
    }


def build_rig(recipe: RigRecipe, object_turn: np.ndarray | None = None) -> RestRig:
    """A rig after a recipe with canonical-like bone names (spine1 … spineN, neck1 …)."""
    rng = np.random.default_rng(recipe.roll_seed)
    names, parents, heads = _hierarchy(recipe)
    count = len(names)
    tails = np.array([_tail(b, parents, heads) for b in range(count)])
    axes = quaternion_between(np.array([0.0, 1.0, 0.0]), tails - heads)
    if recipe.roll_seed is not None:
        axes = rng.normal(size=(count, 4))
        axes /= np.linalg.norm(axes, axis=-1, keepdims=True)
    # World = to_world @ armature: any object transform must come out the same in the world.
    rotation = quaternion_to_matrix(
        np.array([1.0, 0, 0, 0]) if object_turn is None else object_turn
    )
    to_world = np.eye(4)
    to_world[:3, :3] = rotation * recipe.unit
    to_world[:3, 3] = recipe.location
    rest = np.tile(np.eye(4), (count, 1, 1))
    rest[:, :3, :3] = rotation.T @ quaternion_to_matrix(axes)
    rest[:, :3, 3] = (heads - to_world[:3, 3]) @ rotation / recipe.unit
    return RestRig(
        name="synthetic",
        bone_names=tuple(names),
        parents=tuple(parents),
        rest=rest,
        to_world=to_world,
        tails=(tails - to_world[:3, 3]) @ rotation / recipe.unit,
        connected=np.zeros(count, bool),
        inherits_rotation=np.ones(count, bool),
        local_location=np.ones(count, bool),
    )


def _hierarchy(recipe: RigRecipe) -> tuple[list[str], list[int], np.ndarray]:
    joints = rest_joints(recipe)
    names: list[str] = []
    parents: list[int] = []
    heads: list[np.ndarray] = []

    def add(name: str, parent: int, head: np.ndarray) -> int:
        if name in recipe.leave_out:
            return parent
        if recipe.helpers and parent >= 0:
            names.append(f"{name}_offset")
            parents.append(parent)
            heads.append(0.5 * (head + heads[parent]))
            parent = len(names) - 1
        names.append(name)
        parents.append(parent)
        heads.append(head)
        return len(names) - 1

    above = -1
    if recipe.root_bone:
        above = add("root", -1, np.array(recipe.location))
    pelvis = above = add("pelvis", above, joints["pelvis"])
    for i in range(recipe.spine_bones):
        at = i / recipe.spine_bones * 3 if recipe.spine_bones != 3 else i
        knots = [joints[n] for n in ("spine1", "spine2", "spine3", "neck")]
        low = int(at)
        head = knots[low] + (at - low) * (knots[low + 1] - knots[low])
        above = add(f"spine{i + 1}", above, head)
    chest = above
    for i in range(recipe.neck_bones):
        share = i / recipe.neck_bones
        above = add(
            f"neck{i + 1}" if recipe.neck_bones > 1 else "neck",
            above,
            (1 - share) * joints["neck"] + share * joints["head"],
        )
    add("head", above, joints["head"])
    for side in SIDES:
        for start, limb in (
            (pelvis, ("hip", "knee", "ankle", "foot")),
            (chest, ("collar", "shoulder", "elbow", "wrist")),
        ):
            above = start
            for part in limb:
                above = add(f"{side}_{part}", above, joints[f"{side}_{part}"])
    return names, parents, np.array(heads)


def _tail(bone: int, parents: list[int], heads: np.ndarray) -> np.ndarray:
    children = [b for b, parent in enumerate(parents) if parent == bone]
    if children:
        return heads[children].mean(axis=0) + np.array([0.0, 1e-4, 0.0])
    parent = parents[bone]
    return heads[bone] + 0.5 * (heads[bone] - heads[parent])


def pose_rig(
    rig: RestRig, basis: Mapping[str, np.ndarray], locations: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """World rotations [T, B, 4] and heads [T, B, 3] of a posed rig, the way Blender evaluates it.

    Independent of the transfer's own mathematics: plain 4x4 matrices, parent to child.
    """
    frames = len(next(iter(basis.values())))
    poses = np.empty((frames, rig.bone_count, 4, 4))
    for bone, name in enumerate(rig.bone_names):
        own = np.tile(np.eye(4), (frames, 1, 1))
        if name in basis:
            own[:, :3, :3] = quaternion_to_matrix(basis[name])
        if name in locations:
            own[:, :3, 3] = locations[name]
        parent = rig.parents[bone]
        if parent < 0:
            poses[:, bone] = rig.rest[bone] @ own
        else:
            local = np.linalg.inv(rig.rest[parent]) @ rig.rest[bone]
            poses[:, bone] = poses[:, parent] @ local @ own
    world = rig.to_world @ poses
    rotations = matrix_to_quaternion(world[..., :3, :3] / rig.scale)
    return rotations, world[..., :3, 3]


def heading_free(vectors: np.ndarray, degrees: float) -> np.ndarray:
    """Vectors turned back from a rig's heading to the canonical one."""
    return quaternion_rotate(turn("y", -degrees), vectors)


def combine(*turns: np.ndarray) -> np.ndarray:
    """Product of quaternions, the last one first."""
    result = turns[0]
    for quaternion in turns[1:]:
        result = quaternion_multiply(result, quaternion)
    return result
