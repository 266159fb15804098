"""Known control rigs: the key "controls" of the schemes in assets/rig_maps/."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from ..bone_map import CHAINS, REQUIRED, SLOTS
from ..schemes import schemes
from .plan import ControlPlan, Limb, Switch


@cache
def _presets() -> tuple[Mapping[str, Any], ...]:
    return tuple(scheme.table for scheme in schemes() if "controls" in scheme.table)


def find_plan(names: Collection[str]) -> ControlPlan | None:
    """The plan of the known control rig that has bones of these names; None if none has.

    Whatever a rig lacks (toes, spine bones, IK controls) is left out; hips, legs and the mover
    must be there.
    """
    present = frozenset(names)
    for table in _presets():
        plan = _plan(table, present)
        if plan is not None:
            return plan
    return None


def _plan(table: Mapping[str, Any], present: frozenset[str]) -> ControlPlan | None:
    extra = table["controls"]
    bones = {**table["bones"], "pelvis": extra["pelvis"]}
    measured_names = extra["measured"]
    if extra["mover"] not in present:
        return None
    controls, measured = {}, {}
    spine_rows: list[int] = []
    for slot in SLOTS:
        rows = _rows(bones.get(slot, ()), present, every=slot in CHAINS)
        if not rows:
            continue
        if slot == "spine":
            spine_rows = rows
        controls[slot] = tuple(bones[slot][row] for row in rows)
        measured[slot] = _measured(measured_names.get(slot, ()), rows, controls[slot], present)
    if any(slot not in controls for slot in REQUIRED):
        return None
    twists = extra.get("twists", ())
    limbs = {name: _limb(row, present) for name, row in extra["limbs"].items()}
    return ControlPlan(
        scheme=table["name"],
        controls=controls,
        measured=measured,
        mover=extra["mover"],
        root=extra["root"] if extra["root"] in present else None,
        internal=extra.get("internal", ""),
        deform=extra.get("deform", ""),
        neutral=_present(extra.get("neutral", ()), present),
        twists=tuple(_one(twists, row, present) for row in spine_rows),
        limbs={name: limb for name, limb in limbs.items() if limb is not None},
        switches=tuple(_switch(row) for row in extra["switches"] if row["bone"] in present),
    )


def _one(names: Sequence[str], row: int, present: frozenset[str]) -> str:
    return names[row] if row < len(names) and names[row] in present else ""


def _rows(names: Sequence[str], present: frozenset[str], every: bool) -> list[int]:
    """Which names are there: all for a chain, else only the first."""
    found = [row for row, name in enumerate(names) if name in present]
    return found if every else found[:1]


def _measured(
    names: Sequence[str], rows: Sequence[int], controls: Sequence[str], present: frozenset[str]
) -> tuple[str, ...]:
    """The deform bones of some controls; a control that has none is measured itself."""
    found = []
    for row, control in zip(rows, controls, strict=True):
        name = names[min(row, len(names) - 1)] if names else control
        found.append(name if name in present else control)
    return tuple(found)


def _present(names: Sequence[str], present: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in present)


def _limb(row: Mapping[str, Any], present: frozenset[str]) -> Limb | None:
    if row["target"] not in present:
        return None
    pole, toes = (row.get(key) if row.get(key) in present else None for key in ("pole", "toes"))
    neutral, rigid = (_present(row.get(key, ()), present) for key in ("neutral", "rigid"))
    return Limb(row["target"], pole, toes, neutral, rigid)


def _switch(row: Mapping[str, Any]) -> Switch:
    keep = tuple(float(value) for value in row.get("keep", ()))
    return Switch(
        row["bone"], row["property"], row.get("limb", ""), row.get("FK"), row.get("IK"), keep
    )
