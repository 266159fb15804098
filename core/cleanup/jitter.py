"""Taking out jitter while fast actions keep their speed, numpy only.

Body motion is a cascade: what shakes fast rides on something that swings slowly and strongly.  A
motion is split into bands of time scales (about 5 to 15 Hz, 2.5 to 5 Hz, and what is slower), per
joint, and a band may hold only as much as real motion holds beside the energy of the slower one.
A kick is strong in all of them and stays; the noise between independently drawn tokens stands alone
in the fast ones and goes.
"""

from dataclasses import replace

import numpy as np

from ..motion import Motion
from ..rotations import (
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_to_rotation_vector,
    rotation_vector_to_quaternion,
)
from .filters import local_rms, smooth

#: Widths (seconds) of the Gaussians that part the bands.
_WIDTHS = (1 / 30, 2 / 30, 4 / 30)
#: How much a band may hold (fastest first), as a multiple of the next slower band's energy: about
#: the 95th to 99th percentile of captured motion.
_ROTATION_SHARES = (1.4, 1.0)
_GROUND_SHARES = (0.9, 0.6)
_HEIGHT_SHARES = (1.0, 0.7)
#: A band that holds n times what it may is cut to n to the power of 1 - this.
_STRICTNESS = 2.0
#: Over this many seconds (Gaussian sigma) energies are taken.
_WINDOW = 4 / 30
#: Left alone in any case: rounding and the breath of a captured body (radians; body lengths).
_ROTATION_FLOOR, _PATH_FLOOR = 0.0008, 0.0001


def without_jitter(motion: Motion) -> Motion:
    """The motion with the jitter of its rotations and of its root path taken out."""
    if motion.frame_count < 4:
        return motion
    sigmas = [width * motion.fps for width in _WIDTHS]
    window = _WINDOW * motion.fps
    # Along the floor and up apart: a walk's steady way must not excuse a shaking height.
    ground = _calm_path(motion.root_positions[:, [0, 2]], sigmas, window, _GROUND_SHARES)
    height = _calm_path(motion.root_positions[:, [1]], sigmas, window, _HEIGHT_SHARES)
    return replace(
        motion,
        rotations=_calm_rotations(motion.rotations, sigmas, window),
        root_positions=np.concatenate([ground[:, :1], height, ground[:, 1:]], axis=-1),
    )


def _calm_path(
    path: np.ndarray, sigmas: list[float], window: float, shares: tuple[float, ...]
) -> np.ndarray:
    slower, bands = path, []
    for sigma in sigmas:
        faster, slower = slower, smooth(slower, sigma)
        bands.append(faster - slower)
    gains = _gains(bands, window, shares, _PATH_FLOOR)
    calm = slower + bands[-1]
    for band, gain in zip(bands, gains, strict=False):
        calm = calm + gain[..., None] * band
    calm[[0, -1]] = path[[0, -1]]  # not even rounding moves the start from above the origin
    return calm


def _calm_rotations(rotations: np.ndarray, sigmas: list[float], window: float) -> np.ndarray:
    """Bands are rotation vectors between one low-pass and the next, in the joint's own frame."""
    slower, bands, levels = rotations, [], []
    for sigma in sigmas:
        faster, slower = slower, normalize(smooth(slower, sigma))
        turn = quaternion_multiply(quaternion_conjugate(slower), faster)
        bands.append(quaternion_to_rotation_vector(turn))
        levels.append(slower)
    gains = _gains(bands, window, _ROTATION_SHARES, _ROTATION_FLOOR)
    calm = levels[-2]  # the slowest band is kept whole
    for band, gain in zip(bands[-2::-1], gains[::-1], strict=True):
        calm = quaternion_multiply(calm, rotation_vector_to_quaternion(gain[..., None] * band))
    return normalize(calm)


def _gains(
    bands: list[np.ndarray], window: float, shares: tuple[float, ...], floor: float
) -> list[np.ndarray]:
    """How much [T, ...] of each band but the slowest may stay, fastest first."""
    slower = local_rms(bands[-1], window)
    gains = []
    for band, share in zip(bands[-2::-1], shares[::-1], strict=True):
        energy = local_rms(band, window)
        # What is beyond the allowed share is mostly noise, and noise is in the allowed share too.
        gain = np.minimum(1.0, (share * slower + floor) / np.maximum(energy, 1e-12)) ** _STRICTNESS
        gains.append(gain)
        slower = gain * energy
    return gains[::-1]
