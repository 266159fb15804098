"""The mannequin's body: closed parts, symmetric, on the floor, one joint each."""

from collections import Counter

import numpy as np
import pytest

from core.skeleton import canonical
from scalemogen_blender import mannequin_shape

PARTS = mannequin_shape.parts()


def volume(part: mannequin_shape.Part) -> float:
    """Signed volume: positive if all faces look outwards."""
    total = 0.0
    for face in part.faces:
        a = part.vertices[face[0]]
        for second, third in zip(face[1:], face[2:], strict=False):
            total += a @ np.cross(part.vertices[second], part.vertices[third]) / 6.0
    return float(total)


@pytest.mark.parametrize("part", PARTS, ids=lambda p: f"{p.joint} {p.material}")
def test_every_part_is_closed_and_looks_outwards(part):
    edges = Counter(
        (a, b) for face in part.faces for a, b in zip(face, (*face[1:], face[0]), strict=True)
    )
    assert all(count == 1 and edges[b, a] == 1 for (a, b), count in edges.items())
    assert volume(part) > 1e-6


def test_every_joint_moves_a_part():
    assert {part.joint for part in PARTS} == set(canonical().joint_names)


def test_left_and_right_are_mirror_images():
    points = np.concatenate([part.vertices for part in PARTS])
    mirrored = points * [-1.0, 1.0, 1.0]
    rounded = {tuple(p) for p in np.round(points, 6) + 0.0}
    # The trunk's own vertices lie symmetric as well, because a lathe starts at the side.
    assert {tuple(p) for p in np.round(mirrored, 6) + 0.0} == rounded


def test_the_mannequin_stands_on_the_floor_and_is_as_tall_as_a_person():
    points = np.concatenate([part.vertices for part in PARTS])
    assert points[:, 1].min() == pytest.approx(0.0, abs=1e-9)
    assert 1.7 < points[:, 1].max() < 1.9
    feet = np.concatenate([p.vertices for p in PARTS if p.joint in ("left_foot", "right_foot")])
    assert feet[:, 2].max() > 0.1, "toes point forwards"


def test_it_is_low_poly():
    assert sum(len(part.faces) for part in PARTS) < 8000
