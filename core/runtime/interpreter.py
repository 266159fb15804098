"""The interpreter of an environment, made from the Python that runs this."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from ..errors import ScaleMoGenError
from .environment import MARK, VirtualEnvironment
from .processes import answer


def make_interpreter(place: VirtualEnvironment) -> None:
    """Make it, unless it is there and starts; installed packages stay.

    Raises:
        ScaleMoGenError: this Python cannot make environments.
        OSError: the folder cannot be written.
    """
    if place.has_interpreter and _starts(place):
        return
    try:
        import venv
    except ImportError:
        raise ScaleMoGenError(
            f"Blender's Python ({sys.executable}) cannot make environments (venv is missing). On "
            "Debian and Ubuntu, as root: apt-get install python{}.{}-venv".format(*place.version)
        ) from None
    for name in ("bin", "Scripts", MARK):  # also links that lead nowhere any more
        _remove(place.folder / name)
    venv.EnvBuilder(symlinks=os.name != "nt", with_pip=False).create(place.folder)
    if os.name == "nt" and not place.python.exists():
        _copy_interpreter(place)
    if not _starts(place):
        raise ScaleMoGenError(
            f"An environment made with Blender's Python ({sys.executable}) does not start. Use an "
            "existing Python instead."
        )


def _starts(place: VirtualEnvironment) -> bool:
    line = "import sys; print(tuple(sys.version_info[:2]), sys.prefix != sys.base_prefix)"
    told, ending = answer([place.python, "-I", "-c", line], first_line_seconds=60, seconds=60)
    return not ending and told == [f"{place.version} True"]


def _copy_interpreter(place: VirtualEnvironment) -> None:
    """Put the interpreter itself where venv found no launcher for Windows to put."""
    home = Path(getattr(sys, "_base_executable", sys.executable)).parent
    for pattern in ("python.exe", "pythonw.exe", "python3*.dll", "vcruntime*.dll"):
        for file in home.glob(pattern):
            shutil.copy2(file, place.python.parent)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
