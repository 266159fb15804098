"""Blender's own Python as a program that can be started."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from .._core import errors


def interpreter() -> Path:
    """The interpreter that Blender brings (or was built for).

    ScaleMoGenError when there is none: some packagings of Blender leave it out.
    """
    for path in _candidates():
        # Never Blender itself, which some builds name here: it would open a second window.
        if path.name.lower().startswith("python") and path.is_file():
            return path
    raise errors.ScaleMoGenError(
        "This Blender has no Python that can be started by itself. Choose Existing Python in the "
        "add-on's preferences."
    )


def _candidates() -> Iterator[Path]:
    for name in (sys.executable, getattr(sys, "_base_executable", "")):
        if name:
            yield Path(name)
    version = "python{}.{}".format(*sys.version_info[:2])
    names = ("python.exe",) if os.name == "nt" else (version, "python3", "python")
    for prefix in (sys.prefix, sys.base_prefix):
        for folder in ("bin", "."):
            yield from (Path(prefix, folder, name) for name in names)
