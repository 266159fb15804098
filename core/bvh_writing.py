"""A new pose as the numbers of a BVH file: its own channels, orders and turns; numpy only."""

import numpy as np

from .bvh_numbers import BvhText
from .bvh_region import place_columns, turn_columns
from .bvh_shown import NewPose, ShownPose
from .rotations import continuous_euler, euler_to_quaternion, quaternion_to_matrix, rotation_angle

#: Turned by less (radians), or moved by less (in the file's unit) than this, a number stays.
_SAME_TURN, _SAME_PLACE = 1e-9, 1e-9


def with_pose(text: BvhText, first: int, shown: ShownPose, new: NewPose) -> BvhText:
    """The text with a new pose from frame ``first`` on, where it differs from what is shown.

    Angles are those nearest to the frame before, as the file has it there; numbers that stay the
    same are not written.
    """
    count, width = len(new.local), len(text.table.columns)
    values, changed = np.zeros((count, width)), np.zeros((count, width), dtype=bool)
    beyond = first + np.arange(count) >= text.frame_count
    for column, joint in enumerate(new.joints):
        found = turn_columns(text, joint)
        assert found is not None  # the region leaves out all others
        columns, order = found
        differs = rotation_angle(new.local[:, column], shown.local[:, joint]) > _SAME_TURN
        angles = np.degrees(
            _near(new.local[:, column], order, _angles_before(text, first, columns))
        )
        values[:, columns] = angles
        changed[:, columns] = (differs | beyond)[:, None]
    if new.moved is not None:
        joint, places = new.moved
        axes = place_columns(text, joint)
        assert axes is not None
        gap = np.abs(places - shown.translations[:, joint]).max(axis=-1, initial=0.0)
        values[:, axes] = places
        changed[:, axes] = ((gap > _SAME_PLACE) | beyond)[:, None]
    return text.with_values(first, values, changed)


def _angles_before(text: BvhText, first: int, columns: tuple[int, ...]) -> np.ndarray:
    """Angles [3] in radians that the new ones should be near to."""
    frame = min(max(first - 1, 0), text.frame_count - 1)
    angles: np.ndarray = np.radians(text.table.values[frame, list(columns)])
    return angles


def _near(local: np.ndarray, order: str, before: np.ndarray) -> np.ndarray:
    """Euler angles [T, 3] in radians that go on from ``before`` [3] without a jump."""
    start = euler_to_quaternion(before, order)
    turns = quaternion_to_matrix(np.concatenate([start[None], local]))
    angles = continuous_euler(turns, order)
    # The same rotation has two triples, each plus whole turns: go over to the one of ``before``.
    whole = 2.0 * np.pi
    other = angles * np.array([1.0, -1.0, 1.0]) + np.pi
    candidates = [a + whole * np.round((before - a[0]) / whole) for a in (angles, other)]
    best = min(candidates, key=lambda a: float(np.abs(a[0] - before).sum()))
    found: np.ndarray = best[1:]
    return found
