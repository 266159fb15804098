"""What the machine has to bring: system libraries for bpy, the venv module, disk space."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

from core.runtime.system import lacks_venv, space_problem

from . import SetupError

# Debian package of every system library that Blender's Python module loads, by shared object name.
BPY_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libXext.so.6": "libxext6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libgomp.so.1": "libgomp1",
}
# Mesa's software renderer is found by file, not by name. Where a vendor's own driver serves
# OpenGL it may be absent, so on its own it stops nothing.
_MESA_DRIVERS = "libgl1-mesa-dri"
_DRIVER_FOLDERS = ("/usr/lib/x86_64-linux-gnu/dri", "/usr/lib/dri", "/usr/lib64/dri")


def library_loads(name: str) -> bool:
    """Whether the dynamic linker finds the shared object."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def mesa_drivers_present() -> bool:
    """Whether a folder of Mesa drivers exists."""
    return any(Path(folder).is_dir() for folder in _DRIVER_FOLDERS)


def missing_bpy_packages(
    loads: Callable[[str], bool] = library_loads,
    has_drivers: Callable[[], bool] = mesa_drivers_present,
    platform: str = sys.platform,
) -> list[str]:
    """Return the Debian names of the system packages that bpy needs and this machine lacks."""
    if not platform.startswith("linux"):
        return []
    missing = [package for name, package in BPY_LIBRARIES.items() if not loads(name)]
    if missing and not has_drivers():
        missing.append(_MESA_DRIVERS)
    return missing


def missing_packages_message(packages: list[str]) -> str:
    """Return the one line that tells how to get the packages."""
    return (
        "Blender's Python module needs system libraries that are missing here. As root: "
        f"apt-get install {' '.join(packages)}  (Debian and Ubuntu; elsewhere the packages with "
        "the same libraries)"
    )


def require_bpy_libraries() -> None:
    """Raise SetupError with the line that installs what is missing for bpy."""
    packages = missing_bpy_packages()
    if packages:
        raise SetupError(missing_packages_message(packages))


def require_venv() -> None:
    """Raise SetupError where this Python cannot make virtual environments."""
    if lacks_venv():
        raise SetupError(
            f"{sys.executable} cannot make virtual environments (venv or ensurepip is missing). "
            "Debian and Ubuntu, as root: apt-get install python3.11-venv"
        )


def require_space(folder: Path, megabytes: int, what: str) -> None:
    """Raise SetupError unless the disk of ``folder`` has ``megabytes`` free."""
    if problem := space_problem(folder, megabytes, what):
        raise SetupError(
            f"{problem} Free some, or set SCALEMOGEN_VENV to a folder on another disk."
        )


if __name__ == "__main__":  # .ci/run asks which packages to install
    needed = missing_bpy_packages() + (["python3.11-venv"] if lacks_venv() else [])
    print(*needed)
