"""Wheels that were downloaded completely: after an interruption they are not fetched again.

pip's own cache would do this for some servers only, at the price of a second copy of everything.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path


class KeptWheels:
    """A folder of wheels, filled from pip's own downloads."""

    def __init__(self, store: Path, key: Sequence[str]) -> None:
        """Take what is kept in ``store`` under this ``key``, and delete what is not.

        key: what is wanted and from where: another index may have another build of a version.
        """
        name = hashlib.sha256("\n".join(key).encode()).hexdigest()[:8]
        self.folder = store / name
        self.folder.mkdir(parents=True, exist_ok=True)
        for other in store.iterdir():
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)

    def drop_damaged(self, on_wheel: Callable[[str], None] = lambda _name: None) -> None:
        """Delete wheels that did not reach the disk whole; ``on_wheel`` is told each name."""
        for wheel in sorted(self.folder.glob("*.whl")):
            on_wheel(wheel.name)
            if not _is_whole(wheel):
                wheel.unlink()

    def paths(self, names: Collection[str], *, among: bool) -> list[str]:
        """Return the wheels of packages whose name is (``among``) or is not one of ``names``.

        They are named on pip's command line: with ``--find-links`` it would prefer the index's
        files of the same version.
        """
        wheels = sorted(self.folder.glob("*.whl"))
        return [str(wheel) for wheel in wheels if (_package(wheel) in names) is among]

    def keep(self, scratch: Path, unfinished: str = "") -> None:
        """Give all wheels below ``scratch`` a second name here, but for the ``unfinished`` one.

        pip deletes its own when it ends, well or badly. Where the disk knows no second names,
        nothing is kept.
        """
        for wheel in scratch.rglob("*.whl"):
            kept = self.folder / wheel.name
            if wheel.name != unfinished and not kept.exists():
                with contextlib.suppress(OSError):
                    os.link(wheel, kept)


def _package(wheel: Path) -> str:
    return wheel.name.partition("-")[0].lower().replace("_", "-")


def _is_whole(wheel: Path) -> bool:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.testzip() is None
    except Exception:  # what is no zip any more makes zipfile and zlib raise all sorts
        return False
