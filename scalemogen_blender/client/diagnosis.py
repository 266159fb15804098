"""What the end of the engine's process means, in a sentence that says what to do."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from .inbox import Ended
from .incoming import one_line
from .messages import Launch

_REPAIR = "Repair the runtime in the add-on's preferences."
_MEMORY = (
    "The engine was ended by the system, probably for lack of memory. Ask for fewer variations or "
    "a shorter motion, or close other programs."
)
_NO_MODULE = re.compile(r"No module named '?([\w.]+)'?")
_ENDED_BY_OTHERS = {"SIGTERM", "SIGINT", "SIGHUP"}
#: Windows: STATUS_NO_MEMORY and STATUS_COMMITMENT_LIMIT.
_WINDOWS_NO_MEMORY = {0xC0000017, 0xC000012D}
_WINDOWS_CRASH = 0xC0000000


@dataclass(frozen=True)
class Verdict:
    """message: one line with the remedy.  final: starting again would end the same way.

    repair: whether repairing the runtime is the remedy.
    """

    message: str
    final: bool = False
    repair: bool = False


def verdict(ended: Ended, log: Sequence[str], launch: Launch) -> Verdict:
    """Why a process that nobody wanted to end has ended."""
    if ended.start_error is not None:
        return _not_started(ended.start_error, launch)
    if ended.other_version:
        return Verdict(
            f"The engine does not fit this version of the add-on: {ended.fault}. Restart Blender, "
            "or install the add-on again.",
            final=True,
        )
    if ended.refusal is not None:
        reason, message = ended.refusal
        repair = reason == "runtime"
        return Verdict(f"{message} {_REPAIR}" if repair else message, reason != "fault", repair)
    if ended.fault:
        return Verdict(
            f"The engine was ended because it sent what makes no sense ({one_line(ended.fault)}). "
            + ("Generate again." if ended.ready else _REPAIR),
            repair=not ended.ready,
        )
    how, memory = _exit(ended.code)
    if memory:
        return Verdict(_MEMORY)
    if how in _ENDED_BY_OTHERS:
        return Verdict(f"The engine was ended from outside ({how}). Generate again.")
    if ended.ready:
        return Verdict(
            f"The engine crashed ({how}). Generate again; if it goes on, choose the device CPU in "
            "the preferences."
        )
    missing = next(filter(None, map(_NO_MODULE.search, reversed(log))), None)
    if missing is not None:
        return Verdict(
            f"The engine cannot start: {missing[1]} is missing. {_REPAIR}", final=True, repair=True
        )
    last = f" It wrote: {one_line(log[-1])[:200]}." if log and "---" not in log[-1] else ""
    return Verdict(f"The engine ended while starting ({how}).{last} {_REPAIR}", repair=True)


def _not_started(error: Exception, launch: Launch) -> Verdict:
    if isinstance(error, FileNotFoundError):
        about = f"there is no {launch.python}"
    elif isinstance(error, PermissionError):
        about = f"{launch.python} may not be run"
    else:
        about = f"{launch.python} cannot be run ({one_line(str(error))})"
    return Verdict(f"The engine cannot start: {about}. {_REPAIR}", final=True, repair=True)


def _exit(code: int | None) -> tuple[str, bool]:
    """How a process ended, in words, and whether memory was probably what it lacked."""
    code = 0 if code is None else code
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return name, name == "SIGKILL"
    if code >= _WINDOWS_CRASH:
        return f"error {code:#x}", code in _WINDOWS_NO_MEMORY
    return f"exit code {code}", False
