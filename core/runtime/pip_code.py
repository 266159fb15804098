"""pip's own code for an environment that has none: from Blender's Python, or a folder of wheels."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import sysconfig
import zipfile
from pathlib import Path

from ..errors import ScaleMoGenError


def pip_folder(into: Path, wheels: Path | None = None) -> Path:
    """Unpack pip into ``into``, or find it unpacked; return the folder that has ``pip`` in it.

    The environment itself gets no pip: nothing in it can then be damaged that repairs it.

    Args:
        into: folder for pip's code; emptied first.
        wheels: folder that may hold a wheel of pip; it comes first, being what a studio chose.

    Raises:
        ScaleMoGenError: there is no pip anywhere.
    """
    shutil.rmtree(into, ignore_errors=True)
    for wheel in reversed(_wheels(wheels)):
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(into)
        except (OSError, zipfile.BadZipFile):
            continue
        return into
    # A system's Python may have pip installed where it has no wheel of it.
    found = importlib.util.find_spec("pip")
    if found is not None and found.origin is not None:
        shutil.copytree(Path(found.origin).parent, into / "pip")
        return into
    version = "{}.{}".format(*sys.version_info[:2])
    raise ScaleMoGenError(
        f"Blender's Python ({sys.executable}) has no pip. Put pip's wheel (pip-….whl) into a "
        "folder and install from that folder of wheels, or on Debian and Ubuntu, as root: "
        f"apt-get install python{version}-venv"
    )


def _wheels(chosen: Path | None) -> list[Path]:
    """Wheels of pip, best last."""
    folders = []
    if system := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        folders.append(Path(system))
    bundled = importlib.util.find_spec("ensurepip")
    if bundled is not None and bundled.origin is not None:
        folders.append(Path(bundled.origin).parent / "_bundled")
    if chosen is not None:
        folders.append(chosen)
    return [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
