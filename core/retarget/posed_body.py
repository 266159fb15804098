"""What comes of a rig's bones when some of them turn in the world; numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..motion import Motion
from ..rotations import (
    normalize,
    quaternion_conjugate,
    quaternion_multiply,
    quaternion_rotate,
)
from .alignment import IDENTITY
from .bone_map import SIDES
from .controls.retargeter import ControlRetargeter
from .shown import ShownRig
from .transfer import Retargeter

#: Metres; what moves by less keeps its location.
_NOTHING = 1e-7
#: Shares of a rig's size; heads this close to each other are in one place.
_SAME = 1e-4


@dataclass(frozen=True)
class Inverse:
    """How a limb of inverse kinematics is turned about its line: by its pole, or by a bone.

    base: the control at its start that does that where no pole is in effect, None for none.
    """

    pole: bool = True
    base: str | None = None


@dataclass(frozen=True)
class Asked:
    """What of a rig may change.

    bones: names of the bones (on control rigs: controls of forward kinematics) whose rotations
    follow their joints.  pelvis: the hips' place changes, too.  legs: sides ("left") of legs that
    reach for their feet.  inverse: limbs that are keyed through inverse kinematics; their own bones
    are among ``bones``, and say what the limb does.  follow: limbs of inverse kinematics that are
    keyed only if the edit would carry their target along.
    """

    bones: frozenset[str]
    pelvis: bool = False
    legs: frozenset[str] = frozenset()
    inverse: Mapping[str, Inverse] = field(default_factory=dict)
    follow: frozenset[str] = frozenset()


class PosedBody:
    """Where a rig's bones come to be when some of them turn.

    Bones are indices of the retargeter's rig.  Those of a control rig are its controls, which stand
    for the bones that are seen; ``own`` means the controls themselves.
    """

    def __init__(
        self,
        retargeter: Retargeter,
        shown: ShownRig,
        source: Motion,
        edited: Motion,
        asked: Asked,
    ) -> None:
        self.retargeter, self.rig, self.shown, self.asked = (
            retargeter,
            retargeter.rig,
            shown,
            asked,
        )
        self.still = np.all(edited.rotations == source.rotations, axis=(1, 2))
        self.still &= np.all(edited.root_positions == source.root_positions, axis=-1)
        turns = [retargeter.bone_turns(motion.global_rotations()) for motion in (source, edited)]
        driven = {driver.bone for driver in retargeter.drivers}
        names = set(asked.bones)
        if asked.pelvis:
            names.add(self.rig.bone_names[retargeter.mover])
        #: By bone, how far [T, 4] it turns in the world.
        self.turned_by: dict[int, np.ndarray] = {}
        for bone, name in enumerate(self.rig.bone_names):
            if bone in driven and name in names:
                old, new = (turn[:, bone] for turn in turns)
                turn = quaternion_multiply(new, quaternion_conjugate(old))
                self.turned_by[bone] = np.where(self.still[:, None], IDENTITY, normalize(turn))
        #: By bone, how far [T, 3] it moves, in metres, besides being carried.
        self.moves: dict[int, np.ndarray] = {}
        self.forget()
        if isinstance(retargeter, ControlRetargeter):
            self._hold_pelvis(retargeter)
        if asked.pelvis:
            self.moves[retargeter.mover] = self._hips_shift(source, edited)
            self.forget()

    def forget(self) -> None:
        """Find everything anew: something else turns, or as far as it did not before."""
        self._turns: dict[int, np.ndarray] = {}
        self._seen: dict[int, np.ndarray] = {}
        self._own: dict[int, np.ndarray] = {}

    def turn_further(self, turns: Mapping[int, np.ndarray]) -> None:
        """Turn some bones by more [T, 4], after what they turn already."""
        for bone, turn in turns.items():
            self.turned_by[bone] = normalize(quaternion_multiply(turn, self.turned_by[bone]))
        self.forget()

    def _hips_shift(self, source: Motion, edited: Motion) -> np.ndarray:
        """What moves the mover [T, 3] so that the hips go as far as the motion's, to scale."""
        old, new = (self.retargeter.hip_targets(m, False) for m in (source, edited))
        slots = [self.slot(f"{side}_hip") for side in SIDES]
        hips = [bone for bone in slots if bone is not None]
        carried = np.mean([self.head(b) - self.shown_head(b) for b in hips], axis=0)
        shift: np.ndarray = np.where(self.still[:, None], 0.0, new - old - carried)
        return shift

    def _hold_pelvis(self, controls: ControlRetargeter) -> None:
        """Let the pelvis be where it was, or where it shall be, while the spine below it turns.

        On some rigs the pelvis hangs on the lowest bones of the spine, which turn about their upper
        ends: there they have to move as well, for the joints to stay together.
        """
        pelvis = self.rig.index(controls.plan.controls["pelvis"][0])
        spine = [self.rig.index(name) for name in controls.plan.controls.get("spine", ())]
        above, bone = [], self.rig.turn_parent(pelvis)
        while bone >= 0:
            above.append(bone)
            bone = self.rig.turn_parent(bone)
        if not set(above) & set(spine) & self.turned_by.keys():
            return
        still = np.tile(IDENTITY, (self.shown.frame_count, 1))
        turn = self.turned_by.setdefault(pelvis, still)
        centre = self.shown.head(self.rig.bone_names[self.mover])
        before = self.shown_head(spine[0])
        joint = centre + quaternion_rotate(turn, before - centre)
        for bone, following in zip(spine, (*spine[1:], None), strict=True):
            self.forget()
            own = self.shown.head(self.rig.bone_names[bone])
            turn = self.turn(bone)
            move = joint + quaternion_rotate(turn, own - before) - self.own_head(bone)
            if bone in self.turned_by and np.abs(move).max(initial=0.0) > _NOTHING:
                self.moves[bone] = move
            if following is not None:
                upper = self.shown_head(following)
                joint = joint + quaternion_rotate(turn, upper - before)
                before = upper
        self.forget()

    @property
    def mover(self) -> int:
        """The bone that carries the body."""
        return self.retargeter.mover

    def slot(self, slot: str) -> int | None:
        """The first bone of a slot."""
        name = self.retargeter.bone_map.bone(slot)
        return None if name is None else self.rig.index(name)

    def turn(self, bone: int) -> np.ndarray:
        """How far a bone turns in the world [T, 4]: by itself, or carried."""
        if bone < 0:
            return np.tile(IDENTITY, (self.shown.frame_count, 1))
        if bone not in self._turns:
            own = self.turned_by.get(bone)
            self._turns[bone] = self.turn(self.rig.turn_parent(bone)) if own is None else own
        return self._turns[bone]

    @cached_property
    def _seen_names(self) -> list[str]:
        """The bones that are seen, by control."""
        names = list(self.rig.bone_names)
        if isinstance(self.retargeter, ControlRetargeter):
            plan = self.retargeter.plan
            for slot, chain in plan.controls.items():
                for control, bone in zip(chain, plan.measured.get(slot, ()), strict=False):
                    if control in names:
                        names[names.index(control)] = self.shown.seen.get(bone, bone)
        return names

    @cached_property
    def _anchors(self) -> list[str]:
        """The bones that are seen where those have their heads where the controls have them."""
        heads, index = self.shown.rest.rest[:, :3, 3], self.shown.rest.index
        size = np.ptp(heads, axis=0).max()
        return [
            seen if np.abs(heads[index(seen)] - heads[index(own)]).max() < _SAME * size else own
            for seen, own in zip(self._seen_names, self.rig.bone_names, strict=True)
        ]

    def seen_name(self, bone: int) -> str:
        """The name of the bone that is seen for a control, or of the bone itself."""
        return self._seen_names[bone]

    def shown_head(self, bone: int) -> np.ndarray:
        """Where a bone's head was [T, 3]."""
        return self.shown.head(self._seen_names[bone])

    def head(self, bone: int) -> np.ndarray:
        """Where a bone's head comes to be [T, 3]."""
        return self._head(bone, self.rig.parents, self._anchors, self._seen)

    def own_head(self, bone: int) -> np.ndarray:
        """Where the head of a control comes to be [T, 3] if its location stays as it is."""
        if not isinstance(self.retargeter, ControlRetargeter):
            return self.head(bone)
        places = self.retargeter.controls.place_parents
        return self._head(bone, places, self.rig.bone_names, self._own)

    def _head(
        self,
        bone: int,
        parents: Sequence[int],
        names: Sequence[str],
        known: dict[int, np.ndarray],
    ) -> np.ndarray:
        if bone not in known:
            here, parent = self.shown.head(names[bone]), parents[bone]
            place = here
            if parent >= 0:
                arm = here - self.shown.head(names[parent])
                above = self._head(parent, parents, names, known)
                place = above + quaternion_rotate(self.turn(parent), arm)
            known[bone] = place + self.moves[bone] if bone in self.moves else place
        found: np.ndarray = known[bone]
        return found


def rotation(body: PosedBody, bone: int) -> np.ndarray:
    """A bone's own rotation [T, 4] with which it turns as far as it shall.

    M = F B, the bone is its frame times its channels: with F turned by f, and M by m, the channels
    are B M^-1 f^-1 m M.
    """
    name = body.rig.bone_names[bone]
    carried = body.turn(body.rig.turn_parent(bone))
    relative = quaternion_multiply(quaternion_conjugate(carried), body.turn(bone))
    return turned_basis(body.shown, name, relative)


def turned_basis(shown: ShownRig, name: str, turn: np.ndarray) -> np.ndarray:
    """A bone's own rotation [T, 4] with which it stands turned by ``turn`` [T, 4] in the world."""
    axes, own = shown.turn(name), shown.own_rotation(name)
    local = quaternion_multiply(quaternion_conjugate(axes), quaternion_multiply(turn, axes))
    same = np.all(turn == IDENTITY, axis=-1)[:, None]
    return np.where(same, own, normalize(quaternion_multiply(own, local)))


def location(body: PosedBody, bone: int, shift: np.ndarray) -> np.ndarray:
    """A bone's location channel [T, 3] that moves it by ``shift`` [T, 3] more, in metres."""
    shown, name = body.shown, body.rig.bone_names[bone]
    carried = body.turn(body.rig.location_parent(bone))
    axes = quaternion_multiply(carried, location_axes(body, bone))
    moved = quaternion_rotate(quaternion_conjugate(axes), shift)
    return shown.location(name) + moved / shown.unit(name)[:, None]


def location_axes(body: PosedBody, bone: int) -> np.ndarray:
    """Rotation [T, 4] from a bone's location channel, as it was, to the body's frame."""
    shown, name = body.shown, body.rig.bone_names[bone]
    if not isinstance(body.retargeter, ControlRetargeter):
        return shown.location_axes(name)
    # What carries a control is known by what it shows: its pose without its own rotation.
    frame = quaternion_multiply(shown.turn(name), quaternion_conjugate(shown.own_rotation(name)))
    to_body = body.retargeter.rig_to_body
    rest = to_body(body.retargeter.controls.location_axes[bone])
    own_rest = body.retargeter.body.rotations[bone]
    return quaternion_multiply(frame, quaternion_multiply(quaternion_conjugate(own_rest), rest))
