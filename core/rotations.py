"""Rotation maths, vectorised over any leading axes, numpy only.

Quaternions are (w, x, y, z) and matrices act on column vectors.
"""

import numpy as np

_TINY = 1e-12


def normalize(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors along the last axis; a zero vector stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _TINY)


# --- quaternions ---------------------------------------------------------------------------------


def quaternion_multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hamilton product [..., 4]: the rotation b followed by a."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def quaternion_conjugate(q: np.ndarray) -> np.ndarray:
    """Inverse of unit quaternions [..., 4]."""
    return q * np.array([1.0, -1.0, -1.0, -1.0], dtype=q.dtype)


def quaternion_rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rotate vectors [..., 3] by unit quaternions [..., 4]."""
    u = q[..., 1:]
    t = 2.0 * np.cross(u, v)
    return v + q[..., :1] * t + np.cross(u, t)


def quaternion_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Smallest rotation [..., 4] that turns the directions a [..., 3] into b [..., 3].

    Opposite directions turn by pi about an arbitrary axis perpendicular to a.
    """
    a, b = np.broadcast_arrays(normalize(a), normalize(b))
    w = 1.0 + np.sum(a * b, axis=-1, keepdims=True)
    axis = np.cross(a, b)
    opposite = w[..., 0] < 1e-8
    if np.any(opposite):
        # Any axis perpendicular to a: cross with the coordinate axis a is least aligned to.
        least = np.eye(3)[np.argmin(np.abs(a), axis=-1)]
        axis = np.where(opposite[..., None], np.cross(a, least), axis)
        w = np.where(opposite[..., None], 0.0, w)
    return normalize(np.concatenate([w, axis], axis=-1))


def make_continuous(q: np.ndarray) -> np.ndarray:
    """Flip signs along axis 0 (time) so that neighbouring quaternions [T, ..., 4] are close."""
    dots = np.sum(q[1:] * q[:-1], axis=-1)
    signs = np.concatenate([np.ones((1, *q.shape[1:-1])), np.where(dots < 0, -1.0, 1.0)])
    return q * np.cumprod(signs, axis=0)[..., None]


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Spherical interpolation from a to b [..., 4] at t [...] in 0..1, along the shorter arc."""
    dot = np.sum(a * b, axis=-1)
    b = np.where(dot[..., None] < 0, -b, b)
    # atan2 keeps full precision for nearly equal rotations, where acos(dot) loses half the digits.
    angle = 2.0 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    sine = np.sin(angle)
    close = sine < 1e-9
    safe = np.where(close, 1.0, sine)
    wa = np.where(close, 1.0 - t, np.sin((1.0 - t) * angle) / safe)
    wb = np.where(close, t, np.sin(t * angle) / safe)
    return normalize(wa[..., None] * a + wb[..., None] * b)


def quaternion_to_matrix(q: np.ndarray) -> np.ndarray:
    """Rotation matrices [..., 3, 3] of unit quaternions [..., 4]."""
    w, x, y, z = np.moveaxis(q, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_quaternion(m: np.ndarray) -> np.ndarray:
    """Unit quaternions [..., 4] with w >= 0 of rotation matrices [..., 3, 3].

    Bar-Itzhack's choice of the largest of the four squared components keeps the division stable.
    """
    m00, m11, m22 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    squared = np.stack(
        [1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22],
        axis=-1,
    )
    wx, wy, wz = (
        m[..., 2, 1] - m[..., 1, 2],
        m[..., 0, 2] - m[..., 2, 0],
        m[..., 1, 0] - m[..., 0, 1],
    )
    xy, xz, yz = (
        m[..., 0, 1] + m[..., 1, 0],
        m[..., 0, 2] + m[..., 2, 0],
        m[..., 1, 2] + m[..., 2, 1],
    )
    candidates = np.stack(
        [
            np.stack([squared[..., 0], wx, wy, wz], axis=-1),
            np.stack([wx, squared[..., 1], xy, xz], axis=-1),
            np.stack([wy, xy, squared[..., 2], yz], axis=-1),
            np.stack([wz, xz, yz, squared[..., 3]], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(squared, axis=-1)[..., None, None]
    q = normalize(np.take_along_axis(candidates, best, axis=-2)[..., 0, :])
    return np.where(q[..., :1] < 0, -q, q)


# --- rotation vectors ----------------------------------------------------------------------------


def rotation_vector_to_quaternion(v: np.ndarray) -> np.ndarray:
    """Unit quaternions [..., 4] of rotation vectors (axis times angle, radians) [..., 3]."""
    angle = np.linalg.norm(v, axis=-1, keepdims=True)
    # sin(a/2)/a tends to 1/2; np.sinc is sin(pi x)/(pi x).
    return np.concatenate([np.cos(angle / 2), 0.5 * np.sinc(angle / (2 * np.pi)) * v], axis=-1)


def quaternion_to_rotation_vector(q: np.ndarray) -> np.ndarray:
    """Rotation vectors [..., 3] in radians, angle at most pi, of unit quaternions [..., 4]."""
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., :1])
    factor = np.where(sine < 1e-9, 2.0, angle / np.maximum(sine, 1e-9))
    return factor * q[..., 1:]


def rotation_angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle in radians [...] between unit quaternions a and b [..., 4]."""
    return np.linalg.norm(
        quaternion_to_rotation_vector(quaternion_multiply(quaternion_conjugate(a), b)), axis=-1
    )


# --- 6-D rotations (Zhou et al. 2019, arXiv 1812.07035) ------------------------------------------


def matrix_to_6d(m: np.ndarray) -> np.ndarray:
    """First two columns [..., 6] (column 0, then column 1) of rotation matrices [..., 3, 3]."""
    return np.concatenate([m[..., :, 0], m[..., :, 1]], axis=-1)


def matrix_from_6d(d6: np.ndarray) -> np.ndarray:
    """Gram-Schmidt of two column vectors [..., 6] to rotation matrices [..., 3, 3]."""
    x = normalize(d6[..., :3])
    y = normalize(d6[..., 3:] - np.sum(x * d6[..., 3:], axis=-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


# --- Euler angles --------------------------------------------------------------------------------


def euler_to_quaternion(angles: np.ndarray, order: str) -> np.ndarray:
    """Unit quaternions of Euler angles [..., 3] in radians.

    ``order`` names the axes in the order of a BVH channel list ("ZXY"): angles[..., 0] turns about
    the first letter, and the matrix is R(first) R(second) R(third).
    """
    q = np.zeros((*angles.shape[:-1], 4))
    q[..., 0] = 1.0
    for i, axis in enumerate(order.upper()):
        turn = np.zeros_like(q)
        turn[..., 0] = np.cos(angles[..., i] / 2)
        turn[..., 1 + "XYZ".index(axis)] = np.sin(angles[..., i] / 2)
        q = quaternion_multiply(q, turn)
    return q


def matrix_to_euler(m: np.ndarray, order: str) -> np.ndarray:
    """Euler angles [..., 3] in radians, in the order of :func:`euler_to_quaternion`.

    Tait-Bryan orders only (three different letters); at gimbal lock the last angle is zero.
    """
    i, j, k = ("XYZ".index(axis) for axis in order.upper())
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    second = np.arcsin(np.clip(sign * m[..., i, k], -1.0, 1.0))
    locked = np.abs(m[..., i, k]) > 1.0 - 1e-9
    first = np.arctan2(-sign * m[..., j, k], m[..., k, k])
    third = np.arctan2(-sign * m[..., i, j], m[..., i, i])
    first = np.where(locked, np.arctan2(sign * m[..., k, j], m[..., j, j]), first)
    third = np.where(locked, 0.0, third)
    return np.stack([first, second, third], axis=-1)


def continuous_euler(matrices: np.ndarray, order: str) -> np.ndarray:
    """Euler angles [T, ..., 3] in radians of rotations [T, ..., 3, 3] that do not jump along time.

    Every rotation has two triples, (a, b, c) and (a + pi, pi - b, c + pi), each plus whole turns;
    the one nearest to the frame before is taken, on the first frame the one nearest to zero.  At
    gimbal lock the last angle is free and stays.
    """
    angles = matrix_to_euler(matrices, order)
    if not len(angles):
        return angles
    locked = np.abs(np.sin(angles[..., 1])) > 1.0 - 1e-9
    if locked.any():
        return _continuous_through_lock(angles, locked, order)
    # From either triple it is as far to the same of the next frame as to the other one: which of
    # them is near does not depend on what was taken before.
    other = _other_triple(angles)
    stay = np.abs(_half_turns(np.diff(angles, axis=0))).sum(axis=-1)
    change = np.abs(_half_turns(other[1:] - angles[:-1])).sum(axis=-1)
    first = np.abs(_half_turns(other[0])).sum(axis=-1) < np.abs(angles[0]).sum(axis=-1)
    changes = np.logical_xor.accumulate(np.concatenate([first[None], change < stay]), axis=0)
    nearest = np.where(changes[..., None], other, angles)
    from_zero = np.concatenate([np.zeros_like(nearest[:1]), nearest])
    return np.unwrap(from_zero, axis=0)[1:]


def _other_triple(angles: np.ndarray) -> np.ndarray:
    """The other Euler angles [..., 3] of the same rotations."""
    return angles * np.array([1.0, -1.0, 1.0]) + np.pi


def _half_turns(angles: np.ndarray) -> np.ndarray:
    """Angles less whole turns, between -pi and pi."""
    return angles - 2.0 * np.pi * np.round(angles / (2.0 * np.pi))


def _continuous_through_lock(angles: np.ndarray, locked: np.ndarray, order: str) -> np.ndarray:
    """:func:`continuous_euler` frame by frame, for rotations that come to gimbal lock [T, ...]."""
    even = order.upper()[:2] in ("XY", "YZ", "ZX")
    # At b = +-90 degrees only a + c (or a - c) is determined.
    sign = np.where(np.sin(angles[..., 1]) > 0, 1.0, -1.0) * (1.0 if even else -1.0)
    before = np.zeros(angles.shape[1:])
    for t, now in enumerate(angles):
        free = before[..., 2]
        kept = np.stack([now[..., 0] - sign[t] * free, now[..., 1], free], axis=-1)
        now = np.where(locked[t][..., None], kept, now)
        near, far = (before + _half_turns(x - before) for x in (now, _other_triple(now)))
        worse = np.abs(near - before).sum(axis=-1) > np.abs(far - before).sum(axis=-1)
        angles[t] = before = np.where(worse[..., None], far, near)
    return angles
