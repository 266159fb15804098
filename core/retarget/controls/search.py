"""Controls of a rig that no preset knows, found along its constraints.

A mapped bone that copies another one is driven through that one; a limb of inverse kinematics
through its target and pole, while its own bones get the keys from which the solver starts.  Where
a property switches between the two, it is set so that plain controls (FK) win.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..bone_map import REQUIRED, SLOTS, BoneMap
from ..bone_names import tokens
from .graph import Hold, Property, RigGraph
from .plan import LIMBS, ControlPlan, Limb, Switch

#: Bones copy bones that copy bones; more than this many in a row is a circle.
_DEEPEST = 12


@dataclass(frozen=True)
class Obstacle:
    """Why a mapped bone cannot be driven: a constraint (its bone and name), and what it follows.

    other: an object that is not the rig, "" for none.
    """

    slot: str
    bone: str
    constraint: str
    other: str = ""


@dataclass
class _Route:
    """How a bone is driven: through which control, switched how; ik: only by this constraint."""

    control: str
    switched: dict[Property, float] = field(default_factory=dict)
    ik: Hold | None = None


def needs_controls(bone_map: BoneMap, graph: RigGraph) -> bool:
    """Whether anything but the bones' own keys and parents decides where mapped bones are."""
    mapped = {name for chain in bone_map.bones.values() for name in chain if name in graph.parents}
    above = {a for name in mapped for a in graph.ancestors(name)}
    chains = _chains(graph)
    return any(graph.holds(n) or graph.loose(n) or n in chains for n in mapped | above)


def obstacle(bone_map: BoneMap, graph: RigGraph, slots: Iterable[str]) -> Obstacle | None:
    """The first mapped bone of some slots that no control drives; None if all can be driven."""
    search = _Search(bone_map, graph)
    for slot in slots:
        for bone in bone_map.bones.get(slot, ()):
            if bone not in graph.parents:  # a map of another rig, or a damaged one
                continue
            found = search.obstacle(slot, bone)
            if found is not None:
                return found
    return None


def search_plan(bone_map: BoneMap, graph: RigGraph) -> ControlPlan:
    """Controls for a mapped rig; bones that nothing drives are left out.

    Hips and legs must have no :func:`obstacle`.
    """
    return _Search(bone_map, graph).plan()


class _Search:
    def __init__(self, bone_map: BoneMap, graph: RigGraph) -> None:
        self.map, self.graph = bone_map, graph
        self.chains = _chains(graph)
        self.switched: dict[Property, float] = {}

    def route(self, bone: str, depth: int = 0) -> _Route | None:
        """The best way to drive a bone: by plain controls, else by inverse kinematics."""
        if depth > _DEEPEST or bone not in self.graph.parents:
            return None
        ways = [way for way in self._ways(bone, depth) if self._fits(way.switched)]
        return min(ways, key=lambda w: (w.ik is not None, "ik" in tokens(w.control)), default=None)

    def _ways(self, bone: str, depth: int) -> Iterable[_Route]:
        """All ways to drive a bone: each of its constraints, then none of them."""
        off: dict[Property, float] = {}  # what turns off the constraints looked at so far
        stack = [*self.graph.turning(bone)]
        ik = self.chains.get(bone)
        if ik is not None and ik not in stack:
            stack.append(ik)
        for hold in reversed(stack):
            if hold.is_fixed(on=False):
                continue
            on = self._switch(off, hold, True)
            if on is not None and not hold.other:
                if hold.kind == "IK":
                    yield _Route(bone, on, hold)
                elif hold.target:
                    way = self.route(hold.target, depth + 1)
                    if way is not None and _agree(on, way.switched):
                        yield _Route(way.control, {**on, **way.switched}, way.ik)
            off_now = self._switch(off, hold, False)
            if off_now is None:
                return
            off = off_now
        yield _Route(bone, off)

    def _switch(
        self, so_far: Mapping[Property, float], hold: Hold, on: bool
    ) -> dict[Property, float] | None:
        """Switches so far and this constraint's; None if it cannot be turned on or off."""
        if hold.is_fixed(on):
            return dict(so_far)
        if hold.switch is None:
            return None
        for value in hold.values(on):
            if so_far.get(hold.switch, value) == value:
                return {**so_far, hold.switch: value}
        return None

    def _fits(self, switched: Mapping[Property, float]) -> bool:
        return _agree(self.switched, switched)

    def obstacle(self, slot: str, bone: str) -> Obstacle | None:
        way = self.route(bone)
        if way is not None and (way.ik is None or self._limb_of(slot, way.ik) is not None):
            return None
        stack = [h for h in self.graph.turning(bone) if not h.is_fixed(on=False)]
        hold = stack[-1] if stack else (way.ik if way is not None else self.chains.get(bone))
        if hold is None:
            return Obstacle(slot, bone, "")
        return Obstacle(slot, hold.bone, hold.name, hold.other)

    def _limb_of(self, slot: str, hold: Hold) -> str | None:
        """The limb whose chain of two bones a constraint drives; None if it is another chain."""
        for limb, (upper, lower, _) in LIMBS.items():
            if slot not in LIMBS[limb]:
                continue
            ends = [self.map.bone(upper), self.map.bone(lower)]
            routes = [self.route(name) if name else None for name in ends]
            own = [way.control if way is not None else None for way in routes]
            if self.graph.chain_of(hold) == [own[1], own[0]] and hold.target and not hold.other:
                return limb
        return None

    def plan(self) -> ControlPlan:
        controls: dict[str, tuple[str, ...]] = {}
        measured: dict[str, tuple[str, ...]] = {}
        limbs: dict[str, Limb] = {}
        for slot in sorted(self.map.bones, key=lambda s: (s not in REQUIRED, SLOTS.index(s))):
            found = []
            for bone in self.map.bones[slot]:
                way = self.route(bone)
                if way is None or (slot not in REQUIRED and self.obstacle(slot, bone) is not None):
                    continue
                if way.ik is not None:
                    limb = self._limb_of(slot, way.ik)
                    if limb is None:
                        continue
                    limbs[limb] = Limb(
                        target=way.ik.target,
                        pole=way.ik.pole or None,
                        always=True,
                        pole_angle=way.ik.pole_angle,
                        solver=(way.ik.bone, way.ik.name),
                    )
                self.switched.update(way.switched)
                found.append((way.control, bone))
            # Two bones of a chain may copy the same control: it can only follow one of them.
            unique = dict(reversed(found))
            if unique:
                controls[slot] = tuple(reversed(unique))
                measured[slot] = tuple(unique[control] for control in controls[slot])
        used = {name for chain in controls.values() for name in chain}
        used |= {name for limb in limbs.values() for name in limb.controls}
        self._win(used)
        mover = self._mover(self.map.bones["pelvis"][0])
        root = self._root(mover)
        above = {a for name in used for a in self.graph.ancestors(name)} - used - {mover, root}
        return ControlPlan(
            scheme=self.map.scheme,
            controls={slot: controls[slot] for slot in SLOTS if slot in controls},
            measured={slot: measured[slot] for slot in SLOTS if slot in measured},
            mover=mover,
            root=root,
            neutral=tuple(sorted(n for n in above if self._is_free(n))),
            limbs=limbs,
            overruled=tuple((h.bone, h.name) for h in self.graph.turning(mover)),
            switches=tuple(Switch(*key, fk=v, ik=v) for key, v in self.switched.items()),
        )

    def _win(self, used: Iterable[str]) -> None:
        """Switch so that the bones which copy a used control follow it and nothing else."""
        for bone in self.graph.parents:
            stack = self.graph.turning(bone)
            for place, hold in enumerate(stack):
                if hold.target not in used or hold.kind != "COPY":
                    continue
                on: dict[Property, float] | None = self._switch(self.switched, hold, True)
                for later in stack[place + 1 :]:
                    on = None if on is None else self._switch(on, later, False)
                if on is not None:
                    self.switched.update(on)

    def _is_free(self, bone: str) -> bool:
        return not self.graph.holds(bone) and not self.graph.loose(bone)

    def _mover(self, pelvis: str) -> str:
        """The control that moves the pelvis; it need not be the one that turns it."""
        for _ in range(_DEEPEST):
            placing = [h for h in self.graph.moving(pelvis) if not h.is_fixed(on=False)]
            usable = [h for h in placing if h.target and not h.other]
            if not usable or self._switch(self.switched, usable[-1], True) is None:
                return pelvis
            pelvis = usable[-1].target
        return pelvis

    def _root(self, mover: str) -> str | None:
        free = [bone for bone in self.graph.ancestors(mover) if self._is_free(bone)]
        return free[-1] if free else None


def _agree(a: Mapping[Property, float], b: Mapping[Property, float]) -> bool:
    return all(a.get(key, value) == value for key, value in b.items())


def _chains(graph: RigGraph) -> dict[str, Hold]:
    """The constraint of inverse kinematics by which a bone is turned, for bones that have one."""
    found: dict[str, Hold] = {}
    for bone in graph.parents:
        for hold in graph.holds(bone):
            if hold.kind == "IK" and not hold.is_fixed(on=False):
                found.update(dict.fromkeys(graph.chain_of(hold), hold))
    return found
