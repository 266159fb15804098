"""Naming schemes: presets in assets/rig_maps/, and the artist's own."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType

from .bone_names import comparable, shared_prefix
from .vocabulary import RIG_MAPS

#: A rig follows a scheme if it has a bone for this share of the scheme's slots.
_COVERAGE = 0.75


@dataclass(frozen=True)
class Scheme:
    """A naming scheme: bone names per slot (of chains the longest variant).

    others: bones of such rigs that play no joint.  needs: one of these has to be there.
    marks: parts of names (as "mixamorig") that only such rigs have; is_marked: all of them do.
    is_control: the named bones are controls that others follow (rigs of this kind have the
    deforming bones as well, so their scheme goes first).
    """

    name: str
    title: str
    bones: Mapping[str, tuple[str, ...]]
    others: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    is_marked: bool = False
    is_control: bool = False
    table: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def slots(self) -> Mapping[str, str]:
        """Comparable bone name → slot; empty for bones that play no joint."""
        found = dict.fromkeys(map(comparable, self.others), "")
        found.update(
            {comparable(name): slot for slot, chain in self.bones.items() for name in chain}
        )
        return MappingProxyType(found)

    def hits(self, present: Collection[str]) -> int:
        """How many of a rig's (comparable) names it explains; 0 if the rig is of another kind."""
        if self.needs and not any(comparable(name) in present for name in self.needs):
            return 0
        named = [any(comparable(n) in present for n in chain) for chain in self.bones.values()]
        if sum(named) < _COVERAGE * len(named):
            return 0
        return sum(name in present for name in self.slots)


@cache
def schemes() -> tuple[Scheme, ...]:
    """All schemes of assets/rig_maps/, by file name."""
    tables = (_table(path) for path in sorted(RIG_MAPS.glob("*.json")))
    return tuple(scheme_of(table) for table in tables if "bones" in table)


def is_control_scheme(name: str) -> bool:
    """Whether a scheme's bones are controls, which need not hang on each other."""
    return any(scheme.is_control for scheme in schemes() if scheme.name == name)


def _table(path: Path) -> dict:
    table: dict = json.loads(path.read_text(encoding="utf-8"))
    return table


def scheme_of(table: Mapping) -> Scheme:
    """The scheme of a preset's table; keys that it does not know are kept in ``table``."""
    bones = {
        slot: (names,) if isinstance(names, str) else tuple(names)
        for slot, names in table["bones"].items()
        if names
    }
    return Scheme(
        table["name"],
        table.get("title", table["name"]),
        MappingProxyType(bones),
        tuple(table.get("others", ())),
        tuple(table.get("needs", ())),
        tuple(table.get("marks", ())),
        bool(table.get("is_marked")),
        bool(table.get("controls") or table.get("switches") or table.get("deform")),
        table,
    )


@dataclass(frozen=True)
class Match:
    """A scheme and what it says of each bone: a slot, "" for none, None where it says nothing."""

    scheme: Scheme
    slots: tuple[str | None, ...]


def match(names: Sequence[str], candidates: Iterable[Scheme] | None = None) -> Match | None:
    """The scheme that explains most of the rig's names; None if none fits.

    Controls go first, then the one with the longest mark.  Of several that explain as many, the one
    with the fewest names, and then the first by name.
    """
    written = "\n".join(names).lower()
    plain = [comparable(name) for name in names]
    prefix = shared_prefix(names)
    bare = [name.removeprefix(prefix) for name in plain]
    present = {*plain, *bare}
    best: tuple[tuple, Scheme] | None = None
    for scheme in schemes() if candidates is None else candidates:
        marked = max((len(mark) for mark in scheme.marks if mark in written), default=0)
        if scheme.is_marked and not marked:
            continue
        hits = scheme.hits(present)
        rank = (scheme.is_control, marked, hits, -len(scheme.slots))
        if hits and (best is None or rank > best[0]):
            best = (rank, scheme)
    if best is None:
        return None
    said = best[1].slots
    return Match(best[1], tuple(said.get(p, said.get(b)) for p, b in zip(plain, bare, strict=True)))
