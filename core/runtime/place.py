"""The folder that holds the add-on's runtime: which environments are in it, and how they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ScaleMoGenError
from .builds import FOLDER
from .environment import (
    MARK,
    State,
    VirtualEnvironment,
    clear_stamp,
    fingerprint,
    read_details,
    state_of,
)
from .locking import only_one
from .probe import NEEDED
from .system import platform_name

LOCK = "install.lock"
LOG = "install.log"
SCRATCH = "tmp"
KEPT = "downloads"
REQUIREMENTS = FOLDER / "requirements.txt"
NO_DEPENDENCIES = FOLDER / "no_dependencies.txt"

# Two of each Python, so that a working one is kept until the next is complete.  The names are
# short because of Windows, where long paths are refused (see longest_path_problem).
_NAMES = ("cp{}{}", "cp{}{}b")
#: Characters of the longest folder below site-packages (torch's licences).
_DEEPEST = 162
#: Windows makes no folder with a longer path unless it is told to allow long paths.
_WINDOWS_FOLDER_AT_MOST = 247


@dataclass(frozen=True)
class Installed:
    """What a runtime folder has for a Python.

    environment: the best there is, or where the first one will be.  details: what its stamp says.
    other_python: version of an environment that another Python made, where there is none of ours.
    """

    environment: VirtualEnvironment
    state: State
    details: dict[str, Any] = field(default_factory=dict)
    other_python: tuple[int, int] | None = None


def wanted_fingerprint(version: tuple[int, int]) -> str:
    """The fingerprint of a complete environment for this machine and Python ``version``."""
    texts = {
        path.name: path.read_text(encoding="utf-8") for path in (REQUIREMENTS, NO_DEPENDENCIES)
    }
    texts["python"] = "{}.{}".format(*version)
    texts["platform"] = platform_name()
    texts["needed"] = " ".join(NEEDED)
    return fingerprint(texts)


def without_dependencies() -> frozenset[str]:
    """Names of the packages that are installed without what they ask for."""
    lines = NO_DEPENDENCIES.read_text(encoding="utf-8").splitlines()
    return frozenset(line.partition("==")[0].lower() for line in lines if "==" in line)


def slots(root: Path, version: tuple[int, int]) -> tuple[VirtualEnvironment, ...]:
    """The places of environments of Python ``version``."""
    return tuple(VirtualEnvironment(root / name.format(*version), version) for name in _NAMES)


def look(root: Path, version: tuple[int, int], wanted: str | None = None) -> Installed:
    """Return what there is; cheap enough for every drawing of a panel (a few ``stat`` calls)."""
    wanted = wanted or wanted_fingerprint(version)
    order = [State.READY, State.OUTDATED, State.INTERRUPTED, State.MISSING]
    found = [(place, state_of(place, wanted)) for place in slots(root, version)]
    place, state = min(found, key=lambda pair: order.index(pair[1]))  # the first of equals
    other = None
    if state is State.MISSING:
        other = next(iter(sorted(_other_pythons(root, version), reverse=True)), None)
    return Installed(place, state, read_details(place.folder), other)


def _other_pythons(root: Path, version: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for path in root.glob(f"cp3*/{MARK}"):
        digits = path.parent.name.removeprefix("cp").removesuffix("b")
        if digits.isdigit() and (found := (int(digits[0]), int(digits[1:]))) != version:
            yield found


def set_aside(root: Path) -> list[Path]:
    """Take the runtime out of use; return the folders to be deleted, however long that takes.

    Raises:
        ScaleMoGenError: an installation is under way.
        OSError: a file is in use.
    """
    doomed: list[Path] = []
    with only_one(root / LOCK, _under_way):
        for folder in (*root.glob("cp3*"), root / SCRATCH, root / KEPT, *root.glob("removed-*")):
            if folder.is_dir():
                clear_stamp(folder)
                away = folder.with_name(f"removed-{len(doomed)}-{os.getpid()}")
                os.replace(folder, away)
                doomed.append(away)
    return doomed


def _under_way() -> None:
    raise ScaleMoGenError("The runtime is being installed right now. Wait until it is done.")


def orphans(root: Path) -> list[Path]:
    """Return environments whose Python is gone (an older Blender's, copied along): of no use."""
    marks = root.glob(f"cp3*/{MARK}")
    places = (VirtualEnvironment(mark.parent) for mark in marks)
    return [place.folder for place in places if not place.has_interpreter]


def longest_path_problem(root: Path, version: tuple[int, int]) -> str | None:
    """Return what is wrong where Windows would refuse the paths of the packages in ``root``."""
    if _long_paths_allowed():
        return None
    longest = len(str(slots(root, version)[-1].site_packages)) + 1 + _DEEPEST
    if longest <= _WINDOWS_FOLDER_AT_MOST:
        return None
    return (
        f"{root} is too deep: PyTorch's files would have paths of more than 260 characters, which "
        "Windows refuses. Choose a short Install Folder (C:\\ScaleMoGen), or allow long paths in "
        "Windows."
    )


def _long_paths_allowed() -> bool:
    if sys.platform == "win32":
        import winreg

        key = r"SYSTEM\CurrentControlSet\Control\FileSystem"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                return bool(winreg.QueryValueEx(opened, "LongPathsEnabled")[0])
        except OSError:
            return False
    return True


def short_root() -> Path | None:
    """Where a runtime goes on Windows when the usual folder is too deep."""
    base = os.environ.get("LOCALAPPDATA")
    return Path(base, "ScaleMoGen") if base else None
