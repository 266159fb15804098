"""Blender's own validator of extensions, where a Blender is at hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from core.errors import ScaleMoGenError


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
        ScaleMoGenError: one of them refuses it; the message carries its words.
    """
    commands = validator_commands(environment)
    for name, command in commands.items():
        run = subprocess.run(
            [*command, str(archive)], capture_output=True, text=True, timeout=300, check=False
        )
        if run.returncode:
            words = " ".join((run.stdout + run.stderr).split())
            raise ScaleMoGenError(f"The validator of {name} refuses {archive}: {words}")
    return list(commands)
