"""A camera in three-quarter view and the framing of a whole clip."""

from dataclasses import dataclass, replace

import numpy as np

from ..rotations import normalize

#: Seen from the front, a little from the character's left and from above (radians).
AZIMUTH = np.radians(38.0)
ELEVATION = np.radians(14.0)
DISTANCE = 7.0  # metres; mild perspective

#: Metres that the figure may wander inside the picture before the camera goes with it.
WANDER = 0.9
MARGIN = 0.16  # metres around the outermost points: half a head, a foot
LEAST_HEIGHT = 1.95  # metres in the picture, so that a crouch is not drawn as large as a jump

_AWAY = -np.array(
    [
        np.cos(ELEVATION) * np.sin(AZIMUTH),
        np.sin(ELEVATION),
        np.cos(ELEVATION) * np.cos(AZIMUTH),
    ]
)
_RIGHT = normalize(np.cross(_AWAY, np.array([0.0, 1.0, 0.0])))
_UP = np.cross(_RIGHT, _AWAY)


@dataclass(frozen=True)
class Camera:
    """Looks at ``target`` [3] (metres), which lands on pixel ``centre`` (x, y)."""

    target: np.ndarray
    centre: tuple[float, float]
    pixels_per_metre: float

    def moved(self, x: float, y: float) -> "Camera":
        """The same view so many pixels further right and down."""
        return replace(self, centre=(self.centre[0] + x, self.centre[1] + y))

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [..., 2] and depth [...] in metres (larger is further) of points [..., 3]."""
        offset = points - self.target
        depth = offset @ _AWAY
        scale = self.pixels_per_metre * DISTANCE / (DISTANCE + np.maximum(depth, -0.8 * DISTANCE))
        x = self.centre[0] + scale * (offset @ _RIGHT)
        y = self.centre[1] - scale * (offset @ _UP)
        return np.stack([x, y], axis=-1), depth

    def length(self, metres: float, depth: float) -> float:
        """Pixels of a length held square to the view at a depth."""
        return float(metres * self.pixels_per_metre * DISTANCE / (DISTANCE + depth))


def faces_camera(directions: np.ndarray) -> np.ndarray:
    """Cosine [...] of the angle between directions [..., 3] and the way to the camera."""
    return -(directions @ _AWAY)


def frame_clip(points: np.ndarray, width: float, height: float) -> list[Camera]:
    """One camera per frame that keeps the points [T, n, 3] of a clip inside width x height pixels.

    The first point is the one that is followed: the hips.  All frames share one scale.  A figure
    that stays about in its place is seen by a camera at rest;
    one that travels crosses the picture once while the camera follows, so that it stays large.
    """
    ground = points[:, 0].copy()
    ground[:, 1] = 0.0
    axes = np.stack([_RIGHT, normalize(_AWAY * np.array([1.0, 0.0, 1.0]))])
    along = ground @ axes.T  # [T, 2] across the picture and into it
    middle = (along.max(axis=0) + along.min(axis=0)) / 2
    travel = np.ptp(along, axis=0)
    followed = 1.0 - np.minimum(1.0, WANDER / np.maximum(travel, 1e-9))
    targets = (middle + (along - middle) * followed) @ axes

    unit = Camera(np.zeros(3), (0.0, 0.0), 1.0)
    floor = points * np.array([1.0, 0.0, 1.0])  # the shadow belongs to the picture, too
    both = np.concatenate([points, floor], axis=1) - targets[:, None]
    flat = unit.project(both)[0].reshape(-1, 2)
    low, high = flat.min(axis=0) - MARGIN, flat.max(axis=0) + MARGIN
    size = high - low
    scale = min(width / size[0], height / max(size[1], LEAST_HEIGHT))
    # Feet near the lower edge, whatever the height; horizontally in the middle.
    centre_x = width / 2 - scale * (low[0] + high[0]) / 2
    centre_y = height - scale * high[1]
    return [Camera(target, (centre_x, centre_y), scale) for target in targets]
