"""The way back: the canonical motion of a rig's pose, the inverse of the transfer."""

from collections.abc import Callable, Sequence

import numpy as np

from ..kinematics import local_rotations
from ..motion import Motion
from ..rotations import (
    make_continuous,
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_rotation_vector,
    rotation_angle,
    rotation_vector_to_quaternion,
    slerp,
)
from .alignment import SPINE_JOINTS, Driver
from .body_frame import ankle_rest_height
from .bone_map import SIDES
from .driver import Pull
from .transfer import Retargeter

#: Rounds in which a pulled chain is undone, and the change (radians) after which it is.
_ROUNDS, _SETTLED = 60, 1e-10
#: A bone that takes less of a joint's turn than this says too little about it.
_LEAST_SHARE = 0.05


def recover_motion(
    retargeter: Retargeter, rotations: np.ndarray, hips: np.ndarray, fps: float
) -> Motion:
    """Canonical motion of posed bones.

    rotations: [T, B, 4] world rotations of all bones in the canonical world;
    hips: [T, 3] middle between the rig's hip joints there, in metres.
    Joints without a bone move with their parent.  Exact where every joint has a bone of its own or
    the bones of spine and neck tell; what fewer bones do not tell of the spine is interpolated.
    """
    body, skeleton = retargeter.body, retargeter.skeleton
    turns = quaternion_multiply(
        quaternion_multiply(quaternion_conjugate(body.turn), rotations),
        quaternion_conjugate(body.rotations),
    )
    joints = _Joints(retargeter, turns).solved()
    offsets = skeleton.rest_offsets
    middle = np.mean([offsets[skeleton.index(f"{s}_hip")] for s in SIDES], axis=0)
    lift = body.ankle_height - body.scale * ankle_rest_height(skeleton)
    placed = body.to_body(retargeter.rig.without_uneven_scale(hips))
    placed = (placed - np.array([0.0, lift, 0.0])) / body.scale
    root = placed - quaternion_rotate(joints[:, 0], middle)
    local = make_continuous(local_rotations(joints, skeleton.parents))
    return Motion(skeleton, local, root, fps)


class _Joints:
    """The joints' global rotations [T, J, 4], found from the turns of the bones."""

    def __init__(self, retargeter: Retargeter, turns: np.ndarray) -> None:
        self.skeleton = retargeter.skeleton
        self.chains = {
            slot: [
                driver
                for driver in self._drivers(retargeter, retargeter.bone_map.bones.get(slot, ()))
                if slot == "neck" or driver.joint != 0  # the legs' carrier turns with the pelvis
            ]
            for slot in ("spine", "neck")
        }
        self.single = self._single(retargeter)
        self.unaligned = {
            d.bone: quaternion_multiply(turns[:, d.bone], quaternion_conjugate(d.alignment))
            for d in (*self.single.values(), *self.chains["spine"], *self.chains["neck"])
        }
        self.joints = np.zeros((len(turns), self.skeleton.joint_count, 4))

    @staticmethod
    def _drivers(retargeter: Retargeter, names: Sequence[str]) -> list[Driver]:
        by_bone = {driver.bone: driver for driver in retargeter.drivers}
        bones = [retargeter.rig.index(name) for name in names]
        return [by_bone[bone] for bone in bones if bone in by_bone]

    def _single(self, retargeter: Retargeter) -> dict[int, Driver]:
        """The drivers of the joints that have a bone of their own, outside spine and neck."""
        found: dict[int, Driver] = {}
        for slot, names in retargeter.bone_map.bones.items():
            if slot not in self.chains:
                for driver in self._drivers(retargeter, names[:1]):
                    found[driver.joint] = driver
        return found

    def index(self, name: str) -> int:
        return self.skeleton.index(name)

    def solved(self) -> np.ndarray:
        for joint, driver in self.single.items():
            self.joints[:, joint] = self.unaligned[driver.bone]
        self._settle("spine", self._spine, 1.0)
        # The direction of a neck and the sum of its bones' turns are found in turn, hence half.
        self._settle("neck", self._neck, 0.5 if len(self.chains["neck"]) > 1 else 1.0)
        return self.joints

    def _settle(
        self, slot: str, solve: Callable[[dict[int, np.ndarray]], None], step: float
    ) -> None:
        """Undo a chain's pull, which depends on the very joints that are looked for."""
        chain = self.chains[slot]
        solve({d.bone: self.unaligned[d.bone] for d in chain})
        self._fill()
        pulls: set[Pull] = {d.pull for d in chain if d.pull is not None}
        for _ in range(_ROUNDS if pulls else 0):
            before = self.joints.copy()
            pulled = {pull: quaternion_conjugate(pull.turn(self.joints)) for pull in pulls}
            solve(
                {
                    d.bone: self.unaligned[d.bone]
                    if d.pull is None
                    else quaternion_multiply(pulled[d.pull], self.unaligned[d.bone])
                    for d in chain
                }
            )
            if step < 1.0:
                self.joints = slerp(before, self.joints, np.array(step))
            self._fill()
            if rotation_angle(before, self.joints).max(initial=0.0) < _SETTLED:
                break

    def _fill(self) -> None:
        """Joints that no bone follows move with their parents."""
        followed = set(self.single)
        followed |= {self.index(name) for name in SPINE_JOINTS if self.chains["spine"]}
        followed |= {self.index("neck") for _ in self.chains["neck"][:1]}
        for joint, parent in enumerate(self.skeleton.parents):
            if joint not in followed and parent >= 0:
                self.joints[:, joint] = self.joints[:, parent]

    def _spine(self, turns: dict[int, np.ndarray]) -> None:
        """The three joints of the spine from its bones' turns."""
        chain = self.chains["spine"]
        if not chain:
            return
        order = [self.index(name) for name in SPINE_JOINTS]
        # Where the spine's bones sit between its joints, counted in joints.
        places = [order.index(d.joint) + d.blend for d in chain]
        low, middle, high = order
        self.joints[:, high] = turns[chain[-1].bone]
        if len(chain) == 1:
            for joint, share in ((low, 1.0 / 3.0), (middle, 2.0 / 3.0)):
                self.joints[:, joint] = slerp(
                    self.joints[:, 0], self.joints[:, high], np.array(share)
                )
            return
        self.joints[:, low] = turns[chain[0].bone]
        told = [
            (1.0 - abs(1.0 - place), self.joints[:, low if place <= 1.0 else high], turns[d.bone])
            for place, d in zip(places, chain, strict=True)
        ]
        self.joints[:, middle] = _far_end(
            told, slerp(self.joints[:, low], self.joints[:, high], np.array(0.5))
        )

    def _neck(self, turns: dict[int, np.ndarray]) -> None:
        """The neck's joint from the turns of one or several bones."""
        chain = self.chains["neck"]
        if not chain:
            return
        neck, told = self.index("neck"), []
        for driver in chain:
            if driver.joint == neck:
                other, share = driver.other, 1.0 - driver.blend
            else:
                other, share = driver.joint, driver.blend
            told.append((share, self.joints[:, other], turns[driver.bone]))
        self.joints[:, neck] = _far_end(told, turns[chain[len(chain) // 2].bone])


def _far_end(
    told: Sequence[tuple[float, np.ndarray, np.ndarray]], unknown: np.ndarray
) -> np.ndarray:
    """A joint's rotation [T, 4] from bones that go some share of the way to it from others'.

    told: share, where the way begins [T, 4], and where the bone is [T, 4].  ``unknown`` is the
    answer if none goes far enough.
    """
    total = np.zeros_like(unknown)
    for share, start, at in told:
        if share < _LEAST_SHARE:
            continue
        way = quaternion_to_rotation_vector(quaternion_multiply(quaternion_conjugate(start), at))
        end = quaternion_multiply(start, rotation_vector_to_quaternion(way / share))
        sign = np.where(np.sum(end * unknown, axis=-1, keepdims=True) < 0.0, -1.0, 1.0)
        total = total + share**2 * sign * end
    return unknown if not total.any() else normalize(total)
