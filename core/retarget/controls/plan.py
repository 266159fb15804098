"""Which controls of a rig are keyed for which bones, and how the rig has to be switched."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ..pose import Setting

#: Limbs that can have inverse kinematics, and the slots of their upper, lower and end bones.
LIMBS: Mapping[str, tuple[str, str, str]] = {
    f"{side}_{limb}": (f"{side}_{upper}", f"{side}_{lower}", f"{side}_{end}")
    for side in ("left", "right")
    for limb, (upper, lower, end) in {
        "leg": ("hip", "knee", "ankle"),
        "arm": ("shoulder", "elbow", "wrist"),
    }.items()
}


def toes_of(limb: str) -> str | None:
    """The slot of a leg's toes; None for an arm."""
    side, _, part = limb.partition("_")
    return f"{side}_foot" if part == "leg" else None


@dataclass(frozen=True)
class Limb:
    """The controls of a limb's inverse kinematics.

    target: what the limb's end goes to and turns with.  pole: what the knee or elbow points to.
    toes: turns the toes.  neutral: controls in between that have to stay at rest.  rigid: bones of
    the chain that would stretch before the knee or elbow bends, unless their ``ik_stretch`` is
    zero.  always: the limb has no other controls; its own bones get keys as well, from which the
    solver starts.  pole_angle (radians) and solver (bone and name of the constraint) are for those.
    """

    target: str
    pole: str | None = None
    toes: str | None = None
    neutral: tuple[str, ...] = ()
    rigid: tuple[str, ...] = ()
    always: bool = False
    pole_angle: float = 0.0
    solver: tuple[str, str] | None = None

    @property
    def controls(self) -> tuple[str, ...]:
        return tuple(c for c in (self.target, self.pole, self.toes) if c is not None)


@dataclass(frozen=True)
class Switch:
    """A custom property and its value for either kind of control; None leaves it alone.

    limb: the limb that it switches, "" for the whole body.  keep: values of the artist's that
    suit, too.
    """

    bone: str
    property_name: str
    limb: str = ""
    fk: float | None = None
    ik: float | None = None
    keep: tuple[float, ...] = ()

    def value(self, inverse: bool, now: float) -> float | None:
        """What to set it to for FK or IK, when it is ``now``."""
        wanted = self.ik if inverse else self.fk
        return now if wanted is not None and now in self.keep else wanted


@dataclass(frozen=True)
class ControlPlan:
    """Controls by slot; ``measured`` are the bones, slot by slot, whose rest pose is the body's.

    mover: the control that carries the body, turning with the pelvis.  root: the control of the
    whole rig, on the floor.  internal: how the names of the bones begin that make up the measured
    body, "" for any; deform: how those begin that stand for them among the parents.  neutral:
    controls that have to stay at rest.  overruled: constraints (bone and name) that turn the mover
    as its own key does, and rest while the rig is probed.  twists: for control spine[k] the bone
    that twists the visible one in its place, "" for none.
    """

    scheme: str
    controls: Mapping[str, tuple[str, ...]]
    measured: Mapping[str, tuple[str, ...]]
    mover: str
    root: str | None = None
    internal: str = ""
    deform: str = ""
    neutral: tuple[str, ...] = ()
    overruled: tuple[tuple[str, str], ...] = ()
    twists: tuple[str, ...] = ()
    limbs: Mapping[str, Limb] = field(default_factory=dict)
    switches: tuple[Switch, ...] = ()

    @property
    def moved(self) -> tuple[str, ...]:
        """Controls that get a location."""
        movers = [self.mover] + ([self.root] if self.root else [])
        return (
            *movers,
            *(c for limb in self.limbs.values() for c in (limb.target, limb.pole) if c),
        )

    @property
    def keyed(self) -> tuple[str, ...]:
        """Every control that may be keyed other than at rest, each once."""
        chains = (name for chain in self.controls.values() for name in chain)
        limbs = (name for limb in self.limbs.values() for name in limb.controls)
        return tuple(dict.fromkeys((*self.moved, *chains, *limbs, *filter(None, self.twists))))

    @property
    def posed(self) -> tuple[str, ...]:
        """Controls that carry others: all but the twisting bones."""
        return tuple(name for name in self.keyed if name not in self.twists)

    @property
    def watched(self) -> tuple[str, ...]:
        """Measured bones that are no controls themselves: they may be elsewhere than those."""
        keyed = frozenset(self.keyed)
        bones = (name for chain in self.measured.values() for name in chain)
        return tuple(dict.fromkeys(name for name in bones if name not in keyed))

    @property
    def solvers(self) -> tuple[tuple[str, str], ...]:
        """Constraints that have to rest while the rig is probed."""
        solvers = (limb.solver for limb in self.limbs.values() if limb.solver is not None)
        return (*solvers, *self.overruled)

    def settings(
        self, inverse: Collection[str], now: Mapping[tuple[str, str], float]
    ) -> tuple[Setting, ...]:
        """The switches while some limbs have IK and the others FK.

        ``now``: values of those that the rig has.
        """
        found = []
        for switch in self.switches:
            key = switch.bone, switch.property_name
            if key in now:
                value = switch.value(switch.limb in inverse, now[key])
                if value is not None:
                    found.append(Setting(*key, value))
        rigid = (name for limb in inverse for name in self.limbs[limb].rigid)
        found += [Setting(name, "ik_stretch", 0.0, custom=False) for name in rigid]
        return tuple(found)

    def switch_names(self) -> Iterator[tuple[str, str]]:
        """Bones and properties of all switches."""
        return ((switch.bone, switch.property_name) for switch in self.switches)
