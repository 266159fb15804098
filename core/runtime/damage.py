"""Packages whose installation did not come to its end, or of which something was lost since."""

from __future__ import annotations

import base64
import csv
import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

_BLOCK = 1 << 20


def damaged_distributions(
    site_packages: Path,
    *,
    thorough: bool = False,
    on_package: Callable[[str], None] = lambda _name: None,
) -> list[Path]:
    """Return the ``.dist-info`` folders of packages that are not whole.

    pip writes RECORD last and trusts a ``.dist-info`` folder without looking at the files.
    (``importlib.metadata`` is no help: since Python 3.12 it leaves missing files out.)

    Args:
        site_packages: the folder to look at.
        thorough: also read every file and compare its checksum; otherwise its size has to do.
        on_package: told the name of each package before it is looked at.
    """
    damaged = []
    for info in sorted(site_packages.glob("*.dist-info")):
        on_package(info.name.partition("-")[0])
        if not _is_whole(info, thorough):
            damaged.append(info)
    return damaged


def remove_remains(site_packages: Path, damaged: list[Path]) -> None:
    """Let pip install the damaged packages again, and clear what broken-off updates left."""
    for info in [*damaged, *site_packages.glob("~*")]:
        if info.is_dir() and not info.is_symlink():
            shutil.rmtree(info)
        else:
            info.unlink()


def _is_whole(info: Path, thorough: bool) -> bool:
    try:
        files = list(_recorded(info))
        if not files or not (info / "METADATA").is_file():
            return False
        for path, digest, size in files:
            if size and path.stat().st_size != size:
                return False
            if not size and not path.exists():
                return False
            if thorough and digest and _digest(path, digest.partition("=")[0]) != digest:
                return False
    except (OSError, ValueError, csv.Error):  # ValueError: RECORD itself is damaged
        return False
    return True


def _recorded(info: Path) -> Iterator[tuple[Path, str, int]]:
    """Yield path, checksum and bytes (0: not told) of the files in RECORD; no byte code."""
    with (info / "RECORD").open(encoding="utf-8", newline="") as file:
        for name, digest, size in csv.reader(file):
            if not name.endswith(".pyc"):
                yield info.parent / name, digest, int(size or 0)


def _digest(path: Path, algorithm: str) -> str:
    summer = hashlib.new(algorithm)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            summer.update(block)
    digest = base64.urlsafe_b64encode(summer.digest()).rstrip(b"=").decode()
    return f"{algorithm}={digest}"
