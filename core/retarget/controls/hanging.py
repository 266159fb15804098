"""The hierarchy of a control rig: which control hangs on which."""

from collections.abc import Callable, Sequence

from ...errors import ScaleMoGenError
from .frames import LOOSE, Carriers, Probes, parted
from .plan import LIMBS, ControlPlan


class Hierarchy:
    """Names of what carries the controls."""

    def __init__(self, plan: ControlPlan, probes: Probes, found: Carriers) -> None:
        self.names, self.found = probes.names, found
        self.stand_ins: dict[str, str] = {}
        self.elsewhere: dict[str, str | None] = {}
        watched = frozenset(plan.watched)
        pairs = [
            (bone, control)
            for slot, chain in plan.measured.items()
            for bone, control in zip(chain, plan.controls[slot], strict=True)
            if bone in watched
        ]
        self.stand_ins.update(pairs)
        for bone, control in pairs:
            row = self.names.index(bone)
            if parted(probes, row, self.names.index(control)) and found.place[row] != LOOSE:
                self.elsewhere[control] = self._name(found.place[row])
        for name, limb in plan.limbs.items():
            if limb.always:
                self.elsewhere[limb.target] = plan.controls[LIMBS[name][1]][0]

    def turn(self, name: str) -> str | None:
        return self._name(self.found.turn[self.names.index(name)])

    def place(self, name: str) -> str | None:
        return self._name(self.found.place[self.names.index(name)])

    def keyed(self, name: str) -> str | None:
        """What moves the head of the bone that a control is keyed for."""
        return self.elsewhere.get(name, self.place(name))

    def all(self, name: str) -> list[str]:
        above = (self.turn(name), self.place(name), self.keyed(name))
        return [name for name in above if name is not None]

    def _name(self, carrier: int) -> str | None:
        if carrier < 0:
            return None
        name = self.names[carrier]
        return self.stand_ins.get(name, name)


def parents_first(names: Sequence[str], above: Callable[[str], Sequence[str]]) -> list[str]:
    """The names, each after those ``above`` it, which are taken in, too.

    ScaleMoGenError if they run in a circle.
    """
    order: dict[str, None] = {}
    open_: set[str] = set()

    def visit(name: str) -> None:
        if name in order:
            return
        if name in open_:
            raise ScaleMoGenError(
                f"The control '{name}' carries itself; its constraints run in a circle."
            )
        open_.add(name)
        for carrier in above(name):
            visit(carrier)
        order[name] = None

    for name in names:
        visit(name)
    return list(order)
