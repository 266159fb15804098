"""Constraints of a rig that decide where bones are, as far as finding controls needs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

#: A bone copies another one, or is part of a chain of inverse kinematics.
Kind = Literal["COPY", "IK"]

#: From this influence on nothing is left of a bone's own rotation.
ON = 0.99

#: A custom property: its bone ("" for the object) and its name.
Property = tuple[str, str]


@dataclass(frozen=True)
class Hold:
    """A constraint that leaves nothing of a bone's own rotation (turns) or place (moves).

    bone, name: where it is.  target: the bone that it follows, "" for none.  other: the object
    that it follows instead, "" for none.  influence: now, or while ``switch`` is 0 and 1.
    chain: how many bones of inverse kinematics, this one included.  pole, pole_angle: of those.
    """

    bone: str
    name: str
    kind: Kind
    target: str = ""
    other: str = ""
    influence: float = 1.0
    switch: Property | None = None
    at: tuple[float, float] = (1.0, 1.0)
    chain: int = 0
    pole: str = ""
    pole_angle: float = 0.0
    turns: bool = True
    moves: bool = False

    def values(self, on: bool) -> tuple[float, ...]:
        """Values of the switch for which the constraint is on or off; empty if there are none."""
        wanted = (0.0, 1.0) if self.switch is not None else ()
        return tuple(v for v in wanted if self._is(on, self.at[int(v)]))

    def is_fixed(self, on: bool) -> bool:
        """Whether it is on or off whatever is switched."""
        return self.switch is None and self._is(on, self.influence)

    @staticmethod
    def _is(on: bool, influence: float) -> bool:
        return (influence >= ON) == on


@dataclass(frozen=True)
class RigGraph:
    """Parents of bones by name (None for roots), and the constraints that hold a bone.

    holds: by bone, in the order of their stack: of two that are on the later one wins.  loose:
    bones whose frame or channels something else decides, too: other constraints, drivers.
    """

    parents: Mapping[str, str | None]
    holds: Callable[[str], tuple[Hold, ...]]
    loose: Callable[[str], bool]

    def turning(self, bone: str) -> tuple[Hold, ...]:
        """The constraints that turn a bone, later ones winning."""
        return tuple(hold for hold in self.holds(bone) if hold.turns)

    def moving(self, bone: str) -> tuple[Hold, ...]:
        """The constraints that place a bone, later ones winning."""
        return tuple(hold for hold in self.holds(bone) if hold.moves)

    def ancestors(self, bone: str) -> list[str]:
        """Names from the bone's parent up to its root."""
        found = []
        above = self.parents[bone]
        while above is not None:
            found.append(above)
            above = self.parents[above]
        return found

    def chain_of(self, hold: Hold) -> list[str]:
        """Bones that a constraint of inverse kinematics turns, from its own bone up."""
        if not hold.target and not hold.other:
            return [hold.bone]  # it has nothing to reach for yet
        above = [hold.bone, *self.ancestors(hold.bone)]
        return above[: hold.chain] if hold.chain else above
