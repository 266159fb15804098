"""The project's virtual environment: where it is, and whether it is complete."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

from . import ROOT
from .arguments import blender_wheels

REQUIREMENTS = ROOT / "requirements"
PINNED = ("engine.txt", "dev.txt", "encoder.txt")
_STAMP = "complete.json"


class State(Enum):
    """What an environment needs before it can be used."""

    READY = "ready"
    MISSING = "missing"
    INTERRUPTED = "half-made"
    OUTDATED = "out of date"


@dataclass(frozen=True)
class Environment:
    """A virtual environment in ``folder`` with a stamp that is written last."""

    folder: Path

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
        return self.folder / "lib" / "python3.11" / "site-packages"

    def bpy_folder(self, blender: str) -> Path:
        """Where the bpy of a Blender ("5.0") lies; it goes onto PYTHONPATH."""
        return self.folder / "blender" / blender


def default_environment() -> Environment:
    """``.venv`` in the checkout, or the folder named by ``SCALEMOGEN_VENV``."""
    override = os.environ.get("SCALEMOGEN_VENV")
    return Environment(Path(override).absolute() if override else ROOT / ".venv")


def fingerprint(texts: Mapping[str, str]) -> str:
    """Return a hash of requirement files (name to text) that comments do not change."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        lines = (line.split("#")[0].strip() for line in text.splitlines())
        digest.update("\n".join([name, *filter(None, lines), ""]).encode())
    return digest.hexdigest()


def wanted_fingerprint() -> str:
    """The fingerprint of the checkout's requirement files."""
    return fingerprint({n: (REQUIREMENTS / n).read_text(encoding="utf-8") for n in PINNED})


def read_stamp(folder: Path) -> str | None:
    """Return the fingerprint of the completed installation in ``folder``, None without one."""
    try:
        return str(json.loads((folder / _STAMP).read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_stamp(folder: Path, value: str) -> None:
    """Mark the installation in ``folder`` as complete."""
    temporary = folder / (_STAMP + ".part")
    temporary.write_text(json.dumps({"fingerprint": value}) + "\n", encoding="utf-8")
    os.replace(temporary, folder / _STAMP)


def clear_stamp(folder: Path) -> None:
    """Mark the installation in ``folder`` as not complete."""
    (folder / _STAMP).unlink(missing_ok=True)


def state_of(environment: Environment, wanted: str) -> State:
    """Tell what the environment needs to have the fingerprint ``wanted``."""
    stamp = read_stamp(environment.folder)
    if not environment.python.exists():  # also where the Python it was made with has gone
        begun = (environment.folder / "pyvenv.cfg").exists()
        return State.INTERRUPTED if begun else State.MISSING
    if stamp is None:
        return State.INTERRUPTED
    return State.READY if stamp == wanted else State.OUTDATED


def bpy_is_ready(environment: Environment, blender: str) -> bool:
    """Whether the bpy of that Blender is completely installed, in the version now wanted."""
    return read_stamp(environment.bpy_folder(blender)) == blender_wheels()[1][blender]


def damaged_distributions(site_packages: Path) -> list[Path]:
    """Return the ``.dist-info`` folders of packages whose installation did not come to its end.

    pip writes RECORD last and trusts a ``.dist-info`` folder without looking at the files.
    """
    damaged = []
    for info in sorted(site_packages.glob("*.dist-info")):
        distribution: Distribution = PathDistribution(info)
        files = distribution.files
        if files is None or not all(
            (site_packages / str(file)).exists() for file in files if not str(file).endswith(".pyc")
        ):
            damaged.append(info)
    return damaged


def child_environment(environment: Environment, blender: str | None) -> dict[str, str]:
    """Return the environment variables for a command: only the pinned packages, no network.

    Args:
        environment: where the packages are.
        blender: the Blender whose bpy is wanted ("5.0"); ``SCALEMOGEN_BLENDER`` tells the command.
    """
    variables = dict(os.environ)
    for name in ("PYTHONHOME", "SCALEMOGEN_BLENDER", "__PYVENV_LAUNCHER__"):
        variables.pop(name, None)
    paths = [str(ROOT)]
    if blender is not None:
        paths.append(str(environment.bpy_folder(blender)))
        variables["SCALEMOGEN_BLENDER"] = blender
    variables["PYTHONPATH"] = os.pathsep.join(paths)
    variables["PYTHONNOUSERSITE"] = "1"
    variables["HF_HUB_OFFLINE"] = variables["TRANSFORMERS_OFFLINE"] = "1"
    return variables
