"""The bones and joints that names of bones and body parts mean on a rig."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bpy
import numpy as np

from .._core import editing, errors, retarget, skeleton
from . import present

ControlPlan = retarget.controls.ControlPlan
#: A place in a chain of the bone map: the slot, and which of its bones.
Place = tuple[str, int]

_LIMBS = retarget.controls.LIMBS
#: Words in the names of bones that only spread the twist of the bone above them.
_TWIST = frozenset({"twist", "roll", "bend", "bendy", "segment"})
_SPINE = ("spine1", "spine2", "spine3")
#: Controls of more than one bone of the trunk, by a word in their names.
_WHOLE = {"hips": "pelvis", "chest": "spine"}


def order(place: Place) -> tuple[int, int]:
    """For sorting places as the bone map has them."""
    return retarget.SLOTS.index(place[0]), place[1]


class Asking:
    """The asked places of a rig's bone map, name by name."""

    def __init__(
        self,
        rig: bpy.types.Object,
        bone_map: retarget.BoneMap,
        plan: ControlPlan | None,
        modes: Mapping[str, str],
        values: Mapping[present.Property, np.ndarray],
    ) -> None:
        self.rig, self.plan, self.modes, self.values = rig, plan, modes, values
        self.chains = dict(bone_map.bones if plan is None else plan.controls)
        self.mapped = bone_map.bones
        #: Asked slots whose bones nothing drives.
        self.held: set[str] = set()
        self.places: set[Place] = set()
        self.beside: list[str] = []
        self.parts: set[str] = set()
        self.mover = plan.mover if plan is not None else _mover(rig, bone_map)
        self.meanings = self._meanings(bone_map)

    def _meanings(self, bone_map: retarget.BoneMap) -> dict[str, set[Place]]:
        """Places by the names of all bones that stand for them."""
        found: dict[str, set[Place]] = {}
        if self.plan is None:
            self._add(found, bone_map.bones)
            found.setdefault(self.mover, {("pelvis", 0)})
            return found
        plan = self.plan
        for chains in (bone_map.bones, plan.measured, plan.controls):
            self._add(found, chains)
        for name, limb in plan.limbs.items():
            toes = retarget.controls.plan.toes_of(name)
            slots = [slot for slot in _LIMBS[name] if slot in self.chains]
            for control in (*limb.controls, *limb.neutral, *limb.rigid):
                own = [toes] if control == limb.toes and toes in self.chains else slots
                found.setdefault(control, set()).update((slot, 0) for slot in own)
        for row, twist in enumerate(plan.twists):
            if twist and row < len(self.chains.get("spine", ())):
                found.setdefault(twist, set()).add(("spine", row))
        found.setdefault(plan.mover, set()).add(("pelvis", 0))
        for name in plan.neutral:
            for slot in filter(None, map(_WHOLE.get, retarget.bone_names.tokens(name))):
                own = {(slot, row) for row in range(len(self.chains.get(slot, ())))}
                found.setdefault(name, own)
        return found

    def _add(self, found: dict[str, set[Place]], chains: Mapping[str, Sequence[str]]) -> None:
        for slot, chain in chains.items():
            for row, name in enumerate(chain):
                if row < len(self.chains.get(slot, ())):
                    found.setdefault(name, set()).add((slot, row))

    def ask(self, name: str, parts: bool | None) -> bool:
        """Take in a name; False if it means nothing."""
        if parts is not True and name in self.rig.data.bones:
            self._note_held({slot for slot, chain in self.mapped.items() if name in chain})
            meant = self._meant(name)
            if meant:
                self.places.update(self._whole_limbs(meant))
                return True
        if parts is not False and name in skeleton.BODY_PARTS:
            return self._ask_part(name)
        if parts is not False and name not in self.rig.data.bones:
            known = ", ".join(skeleton.BODY_PARTS)
            raise errors.ScaleMoGenError(
                f"'{self.rig.name}' has no bone '{name}', and no body part is called so; body "
                f"parts are {known}."
            )
        return False

    def _ask_part(self, part: str) -> bool:
        joints = editing.joints_of((part,))
        self._note_held({s for s in self.mapped if set(_joints_of_slot(s)) & set(joints)})
        slots = [s for s in self.chains if set(_joints_of_slot(s)) & set(joints)]
        self.places.update((s, row) for s in slots for row in range(len(self.chains[s])))
        if slots:
            self.parts.add(part)
        return bool(slots)

    def _note_held(self, slots: set[str]) -> None:
        self.held.update(slots - self.chains.keys())

    def _meant(self, name: str) -> set[Place]:
        if name in self.meanings:
            return self.meanings[name]
        if self.plan is not None and (found := self._seen_for(name)):
            return found
        if _TWIST & set(retarget.bone_names.tokens(name)):
            # The bone above is what turns; the twist follows by itself and is never keyed.
            bone = self.rig.data.bones[name].parent
            while bone is not None and bone.name not in self.meanings:
                bone = bone.parent
            found = self.meanings[bone.name] if bone is not None else set()
            if any("_" in slot for slot, _ in found):
                self.beside.append(name)
                return found
        return set()

    def _seen_for(self, name: str) -> set[Place]:
        """What a deform bone, or one of its halves, stands for on a rig with such prefixes."""
        plan = self.plan
        for prefix in filter(None, (plan.deform, plan.internal)):
            if name.startswith(prefix):
                stem = name.removeprefix(prefix)
                while True:
                    for known in (plan.internal + stem, plan.deform + stem):
                        if known in self.meanings:
                            return self.meanings[known]
                    shorter, dot, number = stem.rpartition(".")
                    if not dot or not number.isdigit():
                        break
                    stem = shorter
        return set()

    def _whole_limbs(self, places: set[Place]) -> set[Place]:
        """Of a limb of inverse kinematics all is meant: one target moves all of its bones.

        So is a spine whose controls do not hang on each other.
        """
        found = set(places)
        if self._loose_spine and any(slot == "spine" for slot, _ in places):
            found.update(("spine", row) for row in range(len(self.chains["spine"])))
        for name, mode in self.modes.items():
            if mode != "FK" and any(slot in _LIMBS[name] for slot, _ in places):
                found.update((slot, 0) for slot in _LIMBS[name] if slot in self.chains)
        return found

    @property
    def _loose_spine(self) -> bool:
        """Whether the rig bends its spine between controls, the pelvis hanging on the lowest."""
        return self.plan is not None and any(self.plan.twists)

    def joints(self) -> tuple[str, ...]:
        """The canonical joints of the asked places."""
        found: set[str] = set(editing.joints_of(tuple(self.parts))) if self.parts else set()
        for slot, row in self.places:
            if slot == "spine":
                found.update(self._spine_joints(row))
            else:
                found.update(_joints_of_slot(slot))
        return tuple(joint for joint in skeleton.canonical().joint_names if joint in found)

    def _spine_joints(self, row: int) -> tuple[str, ...]:
        """The joints that one bone of the spine follows."""
        chain = [self.rig.data.bones[name] for name in self.chains["spine"]]
        hips = [self.rig.data.bones[n] for s in ("left_hip", "right_hip") for n in self.chains[s]]
        if self.plan is None and any(chain[row] in hip.parent_recursive for hip in hips):
            return ("pelvis",)  # legs hang on it
        if len(chain) == 1:
            return _SPINE
        end = next((self.chains[s][0] for s in ("neck", "head") if s in self.chains), None)
        top = self.rig.data.bones[end].head_local if end is not None else chain[-1].tail_local
        points = [np.array(point) for point in (*(bone.head_local for bone in chain), top)]
        rest, index = skeleton.canonical().rest_positions, skeleton.canonical().index
        knots = [rest[index(joint)] for joint in (*_SPINE, "neck")]
        middles = retarget.chains.middles
        low, blend = retarget.chains.spread(middles(points), middles(knots))[row]
        return _SPINE[low : low + 2] if blend > 0.0 else _SPINE[low : low + 1]

    def bones(self) -> tuple[str, ...]:
        """Names of the bones that may be keyed."""
        found: dict[str, None] = {}
        if ("pelvis", 0) in self.places:
            found[self.mover] = None
        if self._loose_spine and ("spine", 0) in self.places:
            found[self.chains["pelvis"][0]] = None  # to stay where it is
        for slot, row in sorted(self.places, key=order):
            limb = next((n for n in self.modes if slot in _slots_of(n)), None)
            if self.plan is None or limb is None or self.modes[limb] == "FK":
                found[self.chains[slot][row]] = None
            else:
                found.update(dict.fromkeys(self._inverse(limb, slot)))
            twists = self.plan.twists if self.plan is not None and slot == "spine" else ()
            if row < len(twists) and twists[row]:
                found[twists[row]] = None
        return tuple(found)

    def _inverse(self, name: str, slot: str) -> list[str]:
        """The controls of inverse kinematics that move the bone of a slot."""
        assert self.plan is not None
        limb = self.plan.limbs[name]
        if slot not in _LIMBS[name]:
            return [limb.toes] if limb.toes else list(self.chains[slot])
        pole = present.has_pole(self.plan, name, self.values)
        about = limb.pole if pole else present.base_of(limb)
        own = list(self.chains[slot]) if limb.always and not pole else []
        if limb.always and slot == _LIMBS[name][2]:
            own = list(self.chains[slot])
        return [limb.target, *([about] if about else []), *own]


def _mover(rig: bpy.types.Object, bone_map: retarget.BoneMap) -> str:
    """The bone that carries the hips of a rig without controls."""
    bone = rig.data.bones[bone_map.bones["pelvis"][0]]
    while bone.use_connect and bone.parent is not None:
        bone = bone.parent
    return str(bone.name)


def _slots_of(limb: str) -> tuple[str, ...]:
    toes = retarget.controls.plan.toes_of(limb)
    return (*_LIMBS[limb], *([toes] if toes else []))


def _joints_of_slot(slot: str) -> tuple[str, ...]:
    return _SPINE if slot == "spine" else (slot,)
