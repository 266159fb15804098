"""Differentiable decoding of the canonical feature layout, and its mirror image, in torch."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..features import feature_layout
from ..features.snapmogen import SnapMoGenLayout
from .corpus import mirror_joints


def canonical_layout(name: str) -> SnapMoGenLayout:
    """The layout of that name, which must be one that stores rotations (all that we train on)."""
    layout = feature_layout(name)
    if not isinstance(layout, SnapMoGenLayout):
        raise TypeError(f"the layout {name} stores no rotations")
    return layout


def feature_mirror(layout: SnapMoGenLayout) -> tuple[Tensor, Tensor]:
    """(columns, signs) [F] such that ``features[..., columns] * signs`` is the mirror image."""
    swap = mirror_joints()
    columns, signs = [0, 1, 2, 3], [-1.0, -1.0, 1.0, 1.0]
    for joint in swap:  # M R M with M = diag(-1, 1, 1), first two columns
        start = layout.rotation_start + 6 * joint
        columns += range(start, start + 6)
        signs += [1.0, -1.0, -1.0, -1.0, 1.0, 1.0]
    for start in (layout.position_start, layout.velocity_start):
        for joint in swap:
            columns += range(start + 3 * joint, start + 3 * joint + 3)
            signs += [-1.0, 1.0, 1.0]
    columns += [layout.contact_start + i for i in (2, 3, 0, 1)]
    signs += [1.0] * 4
    return torch.tensor(columns), torch.tensor(signs)


def feature_statistics(features: np.ndarray, layout: SnapMoGenLayout) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation [F] for normalising.

    Deviations are shared within each kind of number of a joint, so that a nearly constant
    coordinate (the x of a knee) is not blown up to the size of one that matters.
    """
    mean, std = features.mean(0), features.std(0)
    groups = [[0], [1, 2], [3]]
    for joint in range(layout.skeleton.joint_count):
        for start, size in (
            (layout.rotation_start, 6),
            (layout.position_start, 3),
            (layout.velocity_start, 3),
        ):
            groups.append(list(range(start + size * joint, start + size * (joint + 1))))
    groups.append(list(range(layout.contact_start, layout.width)))
    for group in groups:
        std[group] = max(float(np.sqrt(np.mean(std[group] ** 2))), 1e-3)
    return torch.from_numpy(mean).float(), torch.from_numpy(std).float()


def heading_positions(features: Tensor, layout: SnapMoGenLayout) -> Tensor:
    """Joint positions [B, T, J, 3] by forward kinematics, root at the origin, heading frame.

    ``features`` [B, T, F] are in metres (not normalised).
    """
    joints = layout.skeleton.joint_count
    d6 = features[..., layout.rotation_start : layout.position_start].unflatten(-1, (joints, 6))
    x = F.normalize(d6[..., :3], dim=-1)
    y = F.normalize(d6[..., 3:] - (x * d6[..., 3:]).sum(-1, keepdim=True) * x, dim=-1)
    matrices = torch.stack([x, y, torch.linalg.cross(x, y)], -1)
    parents = layout.skeleton.parents
    offsets = torch.tensor(
        layout.skeleton.rest_offsets, dtype=features.dtype, device=features.device
    )
    index = torch.tensor([max(p, 0) for p in parents], device=features.device)
    bones = torch.einsum("btjik,jk->btji", matrices[:, :, index], offsets)
    positions = [torch.zeros_like(bones[:, :, 0])]
    for joint, parent in enumerate(parents[1:], start=1):
        positions.append(positions[parent] + bones[:, :, joint])
    return torch.stack(positions, 2)


def foot_steps(features: Tensor, positions: Tensor, layout: SnapMoGenLayout) -> Tensor:
    """Way of the contact joints over the ground from frame to frame [B, T - 1, 4, 2] in metres.

    ``positions``: what :func:`heading_positions` gives for ``features``; x and z in the heading
    frame of the earlier frame of each pair.
    """
    feet = positions[:, :, list(layout.skeleton.contact_joints)]
    turn = features[:, :-1, None, 0]
    cos, sin = torch.cos(turn), torch.sin(turn)
    later = feet[:, 1:]
    # The heading turns by the yaw rate from one frame to the next; see root_path for the sign.
    x = later[..., 0] * cos - later[..., 2] * sin - feet[:, :-1, :, 0] + features[:, :-1, None, 1]
    z = later[..., 0] * sin + later[..., 2] * cos - feet[:, :-1, :, 2] + features[:, :-1, None, 2]
    return torch.stack([x, z], -1)


def root_path(features: Tensor) -> tuple[Tensor, Tensor]:
    """Root positions [B, T, 3] in metres, headings [B, T] in radians; both start at nought."""
    zero = torch.zeros_like(features[:, :1, 0])
    yaw = torch.cat([zero, features[:, :-1, 0].cumsum(1)], 1)
    # The heading quaternion turns the body TO +Z; its inverse turns the step back.
    vx, vz = features[..., 1], features[..., 2]
    dx = vx * torch.cos(yaw) - vz * torch.sin(yaw)
    dz = vx * torch.sin(yaw) + vz * torch.cos(yaw)
    x = torch.cat([zero, dx[:, :-1].cumsum(1)], 1)
    z = torch.cat([zero, dz[:, :-1].cumsum(1)], 1)
    return torch.stack([x, features[..., 3], z], -1), yaw


def global_positions(features: Tensor, layout: SnapMoGenLayout) -> Tensor:
    """Joint positions [B, T, J, 3] in metres in the frame of the first frame."""
    return to_world(heading_positions(features, layout), *root_path(features))


def to_world(local: Tensor, root: Tensor, yaw: Tensor) -> Tensor:
    """Heading-frame positions [B, T, J, 3] along a path: see :func:`root_path`."""
    cos, sin = torch.cos(yaw)[..., None], torch.sin(yaw)[..., None]
    x = local[..., 0] * cos - local[..., 2] * sin
    z = local[..., 0] * sin + local[..., 2] * cos
    return torch.stack([x, local[..., 1], z], -1) + root[:, :, None]
