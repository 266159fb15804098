"""The project's virtual environment: where it is, and whether it is complete."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from core.runtime.environment import VirtualEnvironment, fingerprint, read_stamp

from . import ROOT
from .arguments import blender_wheels

REQUIREMENTS = ROOT / "requirements"
PINNED = ("engine.txt", "dev.txt", "encoder.txt")


@dataclass(frozen=True)
class Environment(VirtualEnvironment):
    """The virtual environment, with a folder for each Blender in it."""

    def bpy_folder(self, blender: str) -> Path:
        """Where the bpy of a Blender ("5.0") lies; it goes onto PYTHONPATH."""
        return self.folder / "blender" / blender


def default_environment() -> Environment:
    """``.venv`` in the checkout, or the folder named by ``SCALEMOGEN_VENV``."""
    override = os.environ.get("SCALEMOGEN_VENV")
    return Environment(Path(override).absolute() if override else ROOT / ".venv")


def wanted_fingerprint() -> str:
    """The fingerprint of the checkout's requirement files."""
    return fingerprint({n: (REQUIREMENTS / n).read_text(encoding="utf-8") for n in PINNED})


def bpy_is_ready(environment: Environment, blender: str) -> bool:
    """Whether the bpy of that Blender is completely installed, in the version now wanted."""
    return read_stamp(environment.bpy_folder(blender)) == blender_wheels()[1][blender]


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
