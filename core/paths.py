"""Where the project's own files lie, in a checkout and in the installed extension alike."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
MODELS = ASSETS / "models"


def cache_dir() -> Path:
    """Folder for files that can be made again (prompt states), created on demand.

    ``SCALEMOGEN_CACHE`` overrides the platform's cache folder.
    """
    override = os.environ.get("SCALEMOGEN_CACHE")
    if override:
        return Path(override)
    if os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "scalemogen"
