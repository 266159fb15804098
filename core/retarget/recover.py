"""The way back: the canonical motion of a rig's pose, the inverse of the transfer."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..kinematics import local_rotations
from ..motion import Motion
from ..rotations import (
    make_continuous,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    slerp,
)
from ..skeleton import Skeleton
from .alignment import SPINE_JOINTS, Driver
from .body_frame import ankle_rest_height
from .bone_map import SIDES
from .transfer import Retargeter


def recover_motion(
    retargeter: Retargeter, rotations: np.ndarray, hips: np.ndarray, fps: float
) -> Motion:
    """Canonical motion of posed bones.

    rotations: [T, B, 4] world rotations of all bones in the canonical world;
    hips: [T, 3] middle between the rig's hip joints there, in metres.
    Joints without a bone move with their parent.  Exact where every joint has a bone of its own;
    with more or fewer spine bones than joints the spine is interpolated along its length.
    """
    body, skeleton = retargeter.body, retargeter.skeleton
    turns = quaternion_multiply(
        quaternion_multiply(quaternion_conjugate(body.turn), rotations),
        quaternion_conjugate(body.rotations),
    )
    unaligned = {
        d.bone: quaternion_multiply(turns[:, d.bone], quaternion_conjugate(d.alignment))
        for d in retargeter.drivers
    }
    joints = np.empty((len(rotations), skeleton.joint_count, 4))
    for joint, parent in enumerate(skeleton.parents):
        found = _joint_rotation(skeleton, retargeter.drivers, unaligned, joint)
        joints[:, joint] = joints[:, parent] if found is None else found

    offsets = skeleton.rest_offsets
    middle = np.mean([offsets[skeleton.index(f"{s}_hip")] for s in SIDES], axis=0)
    lift = body.ankle_height - body.scale * ankle_rest_height(skeleton)
    placed = (body.to_body(hips) - np.array([0.0, lift, 0.0])) / body.scale
    root = placed - quaternion_rotate(joints[:, 0], middle)
    local = make_continuous(local_rotations(joints, skeleton.parents))
    return Motion(skeleton, local, root, fps)


def _joint_rotation(
    skeleton: Skeleton, drivers: Sequence[Driver], unaligned: Mapping[int, np.ndarray], joint: int
) -> np.ndarray | None:
    """Global rotation [T, 4] of a joint from the bones that follow it; None if none does."""
    own = [d for d in drivers if d.joint == joint and d.blend == 0.0]
    if own:
        return unaligned[own[0].bone]
    names = [skeleton.index(name) for name in SPINE_JOINTS]
    if joint not in names:
        return None
    # Where the spine's bones sit between its joints, counted in joints.
    places = sorted((names.index(d.joint) + d.blend, d.bone) for d in drivers if d.joint in names)
    if not places:
        return None
    at = float(names.index(joint))
    low = max((p for p in places if p[0] <= at), default=places[0])
    high = min((p for p in places if p[0] >= at), default=places[-1])
    blend = (at - low[0]) / (high[0] - low[0]) if high[0] > low[0] else 0.0
    return slerp(unaligned[low[1]], unaligned[high[1]], np.array(blend))
