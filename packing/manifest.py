"""The rules of Blender's extension manifest that concern us, checked without Blender.

https://docs.blender.org/manual/en/latest/advanced/extensions/getting_started.html
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from core import __version__
from core.errors import ScaleMoGenError

_REQUIRED = (
    "schema_version",
    "id",
    "version",
    "name",
    "tagline",
    "maintainer",
    "type",
    "blender_version_min",
    "license",
)
_PERMISSIONS = {"files", "network", "clipboard", "camera", "microphone"}
_TERSE = 64


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest's table.

    Raises:
        ScaleMoGenError: it cannot be read, or it breaks a rule.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScaleMoGenError(f"{path} cannot be read ({error}). Get it from git again.") from error
    problems = manifest_problems(table)
    if problems:
        raise ScaleMoGenError(f"{path}: {'; '.join(problems)}. Correct the file.")
    return table


def manifest_problems(table: dict[str, Any]) -> list[str]:
    """Return what is wrong with a manifest, in words; empty when nothing is."""
    problems = [f"{key} is missing" for key in _REQUIRED if not table.get(key)]
    if problems:
        return problems
    if table["schema_version"] != "1.0.0":
        problems.append("schema_version is not 1.0.0")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", table["id"]):
        problems.append("id is not a plain Python identifier")
    if table["version"] != __version__:
        problems.append(f"version is {table['version']}, that of core is {__version__}")
    if table["type"] != "add-on":
        problems.append("type is not add-on")
    if not re.fullmatch(r"\d+\.\d+\.\d+", table["blender_version_min"]):
        problems.append("blender_version_min is not of the form 4.2.0")
    if not all(entry.startswith("SPDX:") for entry in table["license"]):
        problems.append("license entries start with SPDX:")
    terse = {"tagline": table["tagline"]}
    for name, reason in table.get("permissions", {}).items():
        if name not in _PERMISSIONS:
            problems.append(f"permission {name} does not exist")
        terse[f"permission {name}"] = reason
    for name, text in terse.items():
        if len(text) > _TERSE:
            problems.append(f"{name} has {len(text)} characters, at most {_TERSE} are allowed")
        if not re.search(r"[\w)\]}]$", text):
            problems.append(f"{name} ends with punctuation")
    return problems
