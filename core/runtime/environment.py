"""A virtual environment on disk: where its parts lie, and the stamp that says it is complete."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

#: Every virtual environment has it, from its first moment on.
MARK = "pyvenv.cfg"
_STAMP = "complete.json"


class State(Enum):
    """What an environment needs before it can be used."""

    READY = "ready"
    MISSING = "missing"
    INTERRUPTED = "half-made"
    OUTDATED = "out of date"


@dataclass(frozen=True)
class VirtualEnvironment:
    """A virtual environment in ``folder`` of Python ``version``."""

    folder: Path
    version: tuple[int, int] = (3, 11)

    @property
    def python(self) -> Path:
        """Its interpreter."""
        if os.name == "nt":
            return self.folder / "Scripts" / "python.exe"
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where its packages lie."""
        if os.name == "nt":
            return self.folder / "Lib" / "site-packages"
        return self.folder / "lib" / "python{}.{}".format(*self.version) / "site-packages"

    @property
    def has_interpreter(self) -> bool:
        """Whether the interpreter is there, and the Python that it was made from still is."""
        if not self.python.exists():  # also a link that leads nowhere any more
            return False
        home = _home(self.folder)
        return home is None or home.is_dir()


def _home(folder: Path) -> Path | None:
    """Where the Python lies that made the environment: on Windows only this file tells."""
    try:
        lines = (folder / MARK).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip() == "home" and value.strip():
            return Path(value.strip())
    return None


def fingerprint(texts: Mapping[str, str]) -> str:
    """Return a hash of requirement files (name to text) that comments do not change."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        lines = (line.split("#")[0].strip() for line in text.splitlines())
        digest.update("\n".join([name, *filter(None, lines), ""]).encode())
    return digest.hexdigest()


def read_details(folder: Path) -> dict[str, Any]:
    """Return what the stamp in ``folder`` says; empty without a whole one."""
    try:
        details = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(details, dict) and isinstance(details.get("fingerprint"), str)
    return details if whole else {}


def read_stamp(folder: Path) -> str | None:
    """Return the fingerprint of the completed installation in ``folder``, None without one."""
    return read_details(folder).get("fingerprint")


def write_stamp(folder: Path, value: str, **details: Any) -> None:
    """Mark the installation in ``folder`` as complete.

    Whatever was written before is on the disk before the stamp is: a power cut cannot leave a
    stamp beside half-written packages.
    """
    temporary = folder / (_STAMP + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"fingerprint": value, **details}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    if hasattr(os, "sync"):
        os.sync()
    os.replace(temporary, folder / _STAMP)


def clear_stamp(folder: Path) -> None:
    """Mark the installation in ``folder`` as not complete."""
    (folder / _STAMP).unlink(missing_ok=True)


def state_of(environment: VirtualEnvironment, wanted: str) -> State:
    """Tell what the environment needs to have the fingerprint ``wanted``."""
    stamp = read_stamp(environment.folder)
    if not environment.has_interpreter:
        begun = (environment.folder / MARK).exists()
        return State.INTERRUPTED if begun else State.MISSING
    if stamp is None:
        return State.INTERRUPTED
    return State.READY if stamp == wanted else State.OUTDATED
