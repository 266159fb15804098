"""Pose bones the way Blender evaluates them, with all their inheritance flags; plain matrices."""

import numpy as np

from core.retarget import PoseChannels, RestRig
from core.rotations import quaternion_to_matrix


def posed(rig: RestRig, channels: PoseChannels) -> np.ndarray:
    """World matrices [T, B, 4, 4] of all bones in the canonical world, scales included."""
    frames = channels.frame_count
    column = {name: i for i, name in enumerate(channels.bones)}
    poses = np.empty((frames, rig.bone_count, 4, 4))
    for bone, name in enumerate(rig.bone_names):
        turn = np.tile(np.eye(4), (frames, 1, 1))
        if name in column:
            turn[:, :3, :3] = quaternion_to_matrix(channels.rotations[:, column[name]])
        shift = np.tile(np.eye(4), (frames, 1, 1))
        if name in channels.locations and not rig.connected[bone]:
            shift[:, :3, 3] = channels.locations[name]
        parent, rest = rig.parents[bone], rig.rest[bone]
        if parent < 0:
            turned = placed = np.tile(rest, (frames, 1, 1))
            axes = np.tile(np.eye(4), (frames, 1, 1))
        else:
            placed = poses[:, parent] @ np.linalg.inv(rig.rest[parent]) @ rest
            turned = placed if rig.inherits_rotation[bone] else np.tile(rest, (frames, 1, 1))
            axes = poses[:, parent].copy()
        if not rig.local_location[bone]:
            placed, axes = placed.copy(), axes.copy()
            placed[:, :3, :3] = axes[:, :3, :3]
        poses[:, bone] = turned @ turn
        poses[:, bone, :3, 3] = (placed @ shift)[:, :3, 3]
    world = rig.to_world if channels.object_to_world is None else channels.object_to_world
    moved: np.ndarray = np.broadcast_to(world, (frames, 4, 4))[:, None] @ poses
    return moved


def mapped_columns(rig: RestRig, bones: dict[str, tuple[str, ...]]) -> list[int]:
    """Indices of all mapped bones."""
    return [rig.index(name) for chain in bones.values() for name in chain]
