"""Ask a Python whether the engine can run in it (:mod:`.probe` is what runs there)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .probe import BOOT, NEEDED, NEWEST, OLDEST
from .probe import __file__ as _PROBE
from .processes import answer

#: A cold disk and a virus scanner can make the first import of torch take minutes.
_SECONDS_AT_MOST = 240.0
_FIRST_LINE_SECONDS = 30.0


@dataclass(frozen=True)
class Findings:
    """What a Python has.

    problem: one line with the remedy; "" where the engine can run in it.  devices: tables with
    ``id``, ``name`` and ``memory_mb``.
    """

    problem: str = ""
    version: tuple[int, ...] = ()
    packages: dict[str, str] = field(default_factory=dict)
    build: str = ""
    engine: str = ""
    devices: tuple[dict[str, Any], ...] = ()


def ask(python: Path, engine_folder: Path) -> Findings:
    """Start ``python`` and look at what it has; takes the seconds that importing torch takes.

    Args:
        python: path of an interpreter, as somebody chose it: anything may be there.
        engine_folder: the folder that has ``core`` in it.
    """
    if problem := path_problem(python):
        return Findings(problem)
    # Not resolved: what a virtual environment's interpreter links to has none of its packages.
    command: list[str | Path] = [
        python.absolute(),
        "-I",
        "-X",
        "utf8",
        "-c",
        BOOT,
        _PROBE,
        engine_folder,
    ]
    lines, ending = answer(
        command, first_line_seconds=_FIRST_LINE_SECONDS, seconds=_SECONDS_AT_MOST
    )
    version = _version(lines)
    if not version:
        return Findings(
            f"{python} does not answer as Python does. Choose a Python interpreter: python3 on "
            "Linux and macOS, python.exe on Windows."
        )
    if not OLDEST <= version[:2] <= NEWEST:
        return Findings(
            "{} is Python {}.{}; the engine needs {}.{} to {}.{}. Choose another.".format(
                python, *version[:2], *OLDEST, *NEWEST
            ),
            version,
        )
    found = _table(lines)
    if found is None:
        why = "it did not come to an end" if ending == "late" else f"it ended with {ending}"
        return Findings(
            f"Importing {', '.join(NEEDED)} in {python} failed: {why}. Install them there "
            "again, or choose another.",
            version,
        )
    return Findings(
        _problem(python, found),
        version,
        found["packages"],
        found["build"],
        found["engine"],
        tuple(found["devices"]),
    )


def path_problem(python: Path) -> str:
    """Return what is wrong with a path without starting anything, "" where nothing is."""
    if not str(python).strip() or str(python) == ".":
        return "No Python is chosen. Choose one under Python Interpreter."
    if python.is_dir():
        inside = interpreter_in(python)
        hint = f"Choose the interpreter in it: {inside}." if inside else "Choose the interpreter."
        return f"{python} is a folder. {hint}"
    if not python.is_file():
        return f"There is no file {python}. Choose a Python interpreter."
    if python.stem.lower().startswith("blender"):
        return f"{python} is Blender. Choose a Python that has PyTorch, or use Install Here."
    if os.name != "nt" and not os.access(python, os.X_OK):
        return f"{python} is no program that can be started. Choose a Python interpreter."
    return ""


def interpreter_in(folder: Path) -> Path | None:
    """Return the interpreter of an environment's folder, None where it is no such folder."""
    names = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _version(lines: list[str]) -> tuple[int, ...]:
    try:
        version = json.loads(lines[0])
    except (ValueError, IndexError):
        return ()
    numbers = isinstance(version, list) and len(version) == 3
    return tuple(version) if numbers and all(type(n) is int for n in version) else ()


def _table(lines: list[str]) -> dict[str, Any] | None:
    for line in reversed(lines[1:]):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and "packages" in found:
            return found
    return None


def _problem(python: Path, found: dict[str, Any]) -> str:
    if found["missing"]:
        names = ", ".join(found["missing"])
        why = next(iter(found["missing"].values()))
        return (
            f"{python} lacks {names} ({why}). Install what is missing there "
            f"(-m pip install {names.replace(',', '')}), or choose another."
        )
    if found["problem"]:
        return f"The engine does not start with {python} ({found['problem']}). Choose another."
    return ""
