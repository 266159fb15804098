"""The heading frame: which way the body faces in every frame, as yaw angles."""

from dataclasses import replace

import numpy as np

from ..motion import Motion
from ..rotations import normalize, quaternion_multiply, quaternion_rotate
from ..skeleton import Skeleton

#: Facing is smoothed over this many frames (Gaussian sigma) before the yaw is taken: at 30 fps.
HEADING_SIGMA = 5.0

_LATERAL_PAIRS = {
    "canonical": (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")),
    "humanml3d": (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")),
    "snapmogen": (
        ("L_armUpper0001_bind_JNT", "R_armUpper0001_bind_JNT"),
        ("L_legUpper0001_bind_JNT", "R_legUpper0001_bind_JNT"),
    ),
}


def gaussian_smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian filter along axis 0, edges held, window of 4 sigma (SciPy's default truncation)."""
    radius = int(4.0 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, [(radius, radius)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0)
    return windows @ kernel


def facing_directions(positions: np.ndarray, skeleton: Skeleton, sigma: float) -> np.ndarray:
    """Horizontal unit vectors [T, 3] of the body's facing from joint positions [T, J, 3].

    The across vector runs from right to left through shoulders and hips; crossed with up it points
    forward.  Smoothing over ``sigma`` frames keeps shoulder swing out of the heading.
    """
    across = np.zeros_like(positions[:, 0])
    for left, right in _LATERAL_PAIRS[skeleton.name]:
        across += positions[:, skeleton.index(left)] - positions[:, skeleton.index(right)]
    across = normalize(across)
    forward = np.stack([-across[:, 2], np.zeros(len(across)), across[:, 0]], axis=-1)
    return normalize(gaussian_smooth(forward, sigma))


def heading_angles(positions: np.ndarray, skeleton: Skeleton, sigma: float) -> np.ndarray:
    """Yaw [T] in radians about +Y that turns the facing direction of each frame to +Z."""
    facing = facing_directions(positions, skeleton, sigma)
    return -np.unwrap(np.arctan2(facing[:, 0], facing[:, 2]))


def facing_forward(motion: Motion, sigma: float = HEADING_SIGMA) -> Motion:
    """The clip turned and moved so that its first frame faces +Z above the origin."""
    turn = yaw_quaternion(heading_angles(motion.positions(), motion.skeleton, sigma)[0])
    rotations = motion.rotations.copy()
    rotations[:, 0] = quaternion_multiply(turn, rotations[:, 0])
    start = motion.root_positions[0] * np.array([1.0, 0.0, 1.0])
    root = quaternion_rotate(turn, motion.root_positions - start)
    return replace(motion, rotations=rotations, root_positions=root)


def lowered(motion: Motion, height: float) -> Motion:
    """The clip moved down by ``height``."""
    return replace(motion, root_positions=motion.root_positions - np.array([0.0, height, 0.0]))


def yaw_quaternion(angles: np.ndarray) -> np.ndarray:
    """Quaternions [..., 4] that turn by ``angles`` [...] radians about +Y."""
    zero = np.zeros_like(angles)
    return np.stack([np.cos(angles / 2), zero, np.sin(angles / 2), zero], axis=-1)
