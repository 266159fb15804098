"""Bones that real rigs have besides a body: hair, skirts, tails, wings, weapons, IK targets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.retarget import RestRig


@dataclass
class Growing:
    """A rig's hierarchy that bones are added to; heads in metres, Y up, Z forward."""

    names: list[str]
    parents: list[int]
    heads: list[np.ndarray]
    bones: Mapping[str, int]  # slot → first bone

    def chain(self, name: str, parent: int, points: list[np.ndarray]) -> int:
        """Add bones at points, one below the other; the last one's index."""
        for number, point in enumerate(points):
            self.names.append(f"{name}{number}")
            self.parents.append(parent)
            self.heads.append(np.asarray(point, dtype=float))
            parent = len(self.names) - 1
        return parent

    def at(self, slot: str) -> np.ndarray:
        return self.heads[self.bones[slot]]


def growing(rig: RestRig, truth: Mapping[str, tuple[str, ...]]) -> Growing:
    """The rig as plain lists."""
    bones = {slot: rig.index(chain[0]) for slot, chain in truth.items()}
    return Growing(list(rig.bone_names), list(rig.parents), list(rig.heads), bones)


def _line(start: np.ndarray, step: tuple[float, float, float], count: int) -> list[np.ndarray]:
    return [start + i * np.array(step) for i in range(count)]


def _hair(rig: Growing) -> None:
    head = rig.at("head") + np.array([0.0, 0.1, -0.05])
    for i, x in enumerate((-0.08, -0.04, 0.0, 0.04, 0.08)):
        rig.chain(
            f"strand{i}_",
            rig.bones["head"],
            _line(head + np.array([x, 0, 0]), (x / 9, -0.12, 0), 6),
        )


def _pigtails(rig: Growing) -> None:
    for i, x in enumerate((-0.1, 0.1)):
        start = rig.at("head") + np.array([x, 0.05, 0.0])
        rig.chain(f"pig{i}_", rig.bones["head"], _line(start, (x / 2, -0.2, -0.02), 6))


def _skirt(rig: Growing) -> None:
    hips = rig.at("pelvis")
    for i in range(8):
        angle = 2 * np.pi * (i + 0.5) / 8
        out = np.array([np.sin(angle), 0.0, np.cos(angle)])
        rig.chain(f"hem{i}_", rig.bones["pelvis"], _line(hips + 0.15 * out,
                  tuple(0.03 * out + [0, -0.14, 0]), 5))  # fmt: skip


def _tail(rig: Growing) -> None:
    start = rig.at("pelvis") + np.array([0.0, 0.0, -0.1])
    rig.chain("appendix", rig.bones["pelvis"], _line(start, (0.0, -0.11, -0.06), 9))


def _wings(rig: Growing) -> None:
    chest = rig.parents[rig.bones["left_collar"]]
    for i, x in enumerate((-1.0, 1.0)):
        start = rig.at("left_collar") * [0, 1, 0] + [0.08 * x, 0.0, -0.12]
        rig.chain(f"pinion{i}_", chest, _line(start, (0.28 * x, 0.12, -0.08), 5))


def _weapon(rig: Growing) -> None:
    start = rig.at("right_wrist") + np.array([0.0, 0.0, 0.05])
    rig.chain("blade", rig.bones["right_wrist"], _line(start, (0.0, 0.1, 0.3), 4))


def _targets(rig: Growing) -> None:
    root = rig.chain("world", -1, [np.zeros(3)])
    for side in ("left", "right"):
        for part in ("ankle", "wrist", "knee", "elbow"):
            forward = 0.5 if part in ("knee", "elbow") else 0.0
            rig.chain(
                f"goal_{side}_{part}", root, [rig.at(f"{side}_{part}") + np.array([0, 0, forward])]
            )


def _cape(rig: Growing) -> None:
    chest = rig.parents[rig.bones["left_collar"]]
    for i, x in enumerate((-0.12, 0.0, 0.12)):
        start = rig.at("left_collar") * [0, 1, 0] + [x, 0.02, -0.14]
        rig.chain(f"drape{i}_", chest, _line(start, (x / 10, -0.17, -0.02), 7))


def _muscles(rig: Growing) -> None:
    for slot in ("left_hip", "right_hip", "left_shoulder", "right_shoulder", "left_elbow"):
        for i, (a, b) in enumerate(((0.02, 0.03), (-0.03, 0.01), (0.01, -0.04))):
            rig.chain(f"bulge_{slot}{i}", rig.bones[slot], [rig.at(slot) + np.array([a, -0.1, b])])


DISTRACTORS: Mapping[str, Callable[[Growing], None]] = {
    "hair": _hair,
    "pigtails": _pigtails,
    "skirt": _skirt,
    "tail": _tail,
    "wings": _wings,
    "weapon": _weapon,
    "targets": _targets,
    "cape": _cape,
    "muscles": _muscles,
}


def parents_first(names: list[str], parents: list[int]) -> list[int]:
    """An order in which every parent comes before its children."""
    children: dict[int, list[int]] = {}
    for bone, parent in enumerate(parents):
        children.setdefault(parent, []).append(bone)
    order: list[int] = []
    waiting = children.get(-1, [])[::-1]
    while waiting:
        bone = waiting.pop()
        order.append(bone)
        waiting += children.get(bone, [])[::-1]
    assert len(order) == len(names)
    return order
