"""Blender's own validator of extensions, where a Blender is at hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from core.errors import ScaleMoGenError

_SECONDS_AT_MOST = 300


def validator_commands(environment: Path) -> dict[str, list[str]]:
    """Return name → command line of every validator found; the zip's path goes at the end.

    The bpy module carries the same script that ``blender --command extension`` runs.

    Args:
        environment: the virtual environment, with its ``blender/5.0/bpy`` and the like.
    """
    commands = {}
    for script in sorted(environment.glob("blender/*/bpy/*/scripts/*/bl_pkg/cli/blender_ext.py")):
        scripts = script.parents[3]
        command = [sys.executable, str(script), "validate"]
        tags = list(scripts.glob("modules/_bpy_internal/extensions/tags.py"))
        if tags:
            command += ["--valid-tags", str(tags[0])]
        commands[f"bpy {scripts.parent.name}"] = command
    blender = shutil.which("blender")
    if blender and not commands:
        commands["blender"] = [blender, "--command", "extension", "validate"]
    return commands


def validate(archive: Path, environment: Path) -> list[str]:
    """Let every validator at hand read the zip; return their names.

    Raises:
        ScaleMoGenError: one of them refuses it (the message carries its words), cannot be
            started or comes to no end.
    """
    commands = validator_commands(environment)
    for name, command in commands.items():
        try:
            run = subprocess.run(
                [*command, str(archive)],
                capture_output=True,
                text=True,
                timeout=_SECONDS_AT_MOST,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ScaleMoGenError(
                f"The validator of {name} did not end within {_SECONDS_AT_MOST} s. Start again; if "
                f"that does not help, look at what it waits for: {command[0]}."
            ) from error
        except OSError as error:
            raise ScaleMoGenError(
                f"The validator of {name} cannot be started ({error.strerror}: {command[0]}). "
                "Repair that installation."
            ) from error
        if run.returncode:
            words = " ".join((run.stdout + run.stderr).split())
            raise ScaleMoGenError(f"The validator of {name} refuses {archive}: {words}")
    return list(commands)
