"""The runtime as it is, in words: what panels, operators and the engine's start go by."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import bpy

from .. import preferences
from .._core import errors
from .._core import runtime as core_runtime
from . import activity, place
from .checking import Findings

OVERRIDE = "SCALEMOGEN_PYTHON"


class Condition(Enum):
    """What there is."""

    READY = "ready"
    CHECKING = "checking"
    MISSING = "missing"
    INTERRUPTED = "half-made"
    OUTDATED = "out of date"
    OTHER_PYTHON = "of another Python"
    DAMAGED = "damaged"
    UNUSABLE = "unusable"


#: What Install Here leads to from each condition.
REPAIRABLE = {Condition.INTERRUPTED, Condition.DAMAGED}


@dataclass(frozen=True)
class Status:
    """condition; problem: one line with the remedy, None where the engine can be started.

    python: the interpreter that runs the engine, None without one.  findings: what is known of it.
    details: what the installation wrote down.
    """

    condition: Condition
    problem: str | None = None
    python: Path | None = None
    findings: Findings = field(default_factory=Findings)
    details: dict[str, object] = field(default_factory=dict)


def current() -> Status:
    """The runtime that the preferences choose; cheap, and never raises."""
    if override := os.environ.get(OVERRIDE):
        return _override(Path(override))
    if preferences.get().runtime_source == "EXISTING":
        return _existing()
    return _installed()


def overridden() -> bool:
    """Whether the environment names the interpreter."""
    return bool(os.environ.get(OVERRIDE))


def _override(python: Path) -> Status:
    if problem := core_runtime.inquiry.path_problem(python):
        return Status(Condition.UNUSABLE, f"{OVERRIDE}: {problem}")
    known = activity.checker.known(python, place.checks_file())
    return Status(Condition.READY, None, python, known.findings if known else Findings())


def existing_python() -> Path:
    """The interpreter that the artist chose."""
    chosen = preferences.get().python_path.strip()
    return Path(bpy.path.abspath(chosen)) if chosen else Path()


def _existing() -> Status:
    python = existing_python()
    if problem := core_runtime.inquiry.path_problem(python):
        return Status(Condition.UNUSABLE, problem)
    known = activity.checker.known(python, place.checks_file())
    if known is None:
        begin_check(python)
        return Status(Condition.CHECKING, None, python)
    condition = Condition.UNUSABLE if known.problem else Condition.READY
    return Status(condition, known.problem or None, python, known.findings)


def _installed() -> Status:
    try:
        there = core_runtime.place.look(place.root(), place.version())
    except (errors.ScaleMoGenError, OSError) as error:
        return Status(Condition.UNUSABLE, str(error))
    python = there.environment.python
    if there.state is core_runtime.environment.State.READY:
        known = activity.checker.known(python, place.checks_file())
        if known is not None and known.problem:
            words = known.problem if known.damaged else f"{known.problem} Or repair it."
            return Status(Condition.DAMAGED, words, python, known.findings, there.details)
        findings = known.findings if known is not None else Findings()
        return Status(Condition.READY, None, python, findings, there.details)
    running = activity.installation()
    if running is not None:
        percent = round(100 * running.step.fraction)
        problem = f"The engine is being installed ({percent} %)."
    else:
        problem = _PROBLEMS[there.state.name]
    condition = Condition[there.state.name]
    if there.other_python is not None and running is None:
        condition = Condition.OTHER_PYTHON
        made, here = ("{}.{}".format(*v) for v in (there.other_python, place.version()))
        problem = (
            f"The engine was installed with Python {made}, and this Blender has {here}. Install "
            "it again in the preferences."
        )
    return Status(condition, problem, None, Findings(), there.details)


_PROBLEMS = {
    "MISSING": "The engine is not installed. Install it in the preferences.",
    "INTERRUPTED": "The engine's installation is not complete. Repair it in the preferences.",
    "OUTDATED": "The engine needs newer packages. Update it in the preferences.",
}


def begin_check(python: Path, site_packages: Path | None = None) -> None:
    """Look at an interpreter on a thread, and draw again when that is done."""
    from . import watch

    activity.checker.begin(python, place.engine_folder(), place.checks_file(), site_packages)
    watch.start()


def find_devices(python: Path) -> None:
    """Ask an interpreter for its devices unless it was asked already; for drawing code."""
    known = activity.checker.known(python, place.checks_file())
    if known is None and not bpy.app.background:
        begin_check(python, installed_site_packages(python))


def installed_site_packages(python: Path) -> Path | None:
    """The packages of an interpreter that we installed; None for any other."""
    try:
        slots = core_runtime.place.slots(place.root(), place.version())
    except errors.ScaleMoGenError:
        return None
    return next((slot.site_packages for slot in slots if slot.python == python), None)
