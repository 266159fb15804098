"""How far an installation is: from pip's lines, and from how its folders grow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from .kept import KeptWheels
from .pip_process import Traffic
from .system import folder_bytes

_TICK_SECONDS = 0.4
_DOWNLOAD, _UNPACK = (0.04, 0.62), (0.62, 0.94)


class Progress:
    """Tells how far it is: a fraction that never goes back, and what is being worked on."""

    def __init__(self, download: int, disk: int, say: Callable[..., None]) -> None:
        self._say = say
        self._download, self._disk = download * 1e6, disk * 1e6
        self._fraction = 0.0
        self._lock = threading.Lock()

    def at(self, phase: str, fraction: float, package: str = "", size: int = 0) -> None:
        """Say it; ``size`` in bytes: fetched so far, or unpacked."""
        with self._lock:
            self._fraction = max(self._fraction, min(fraction, 1.0))
            self._say(
                "progress",
                phase=phase,
                fraction=round(self._fraction, 4),
                package=package,
                bytes=size,
            )

    @contextmanager
    def following(
        self, traffic: Traffic, scratch: Path, site_packages: Path, kept: KeptWheels | None
    ) -> Iterator[Callable[[str], None]]:
        """Follow pip by its lines, and by how its folders grow: that works with every pip.

        What it has downloaded completely goes to ``kept``.
        """
        over = threading.Event()
        shown = {"phase": "resolve", "package": ""}
        local = 0  # bytes of files that pip reads where they lie

        def on_line(line: str) -> None:
            nonlocal local
            if found := traffic.read(line):
                name, size = found
                local += size if line.lstrip().startswith("Processing") else 0
                if not name.endswith(".metadata"):
                    if kept is not None:
                        kept.keep(scratch, unfinished=unquote(name))
                    shown.update(phase="download", package=name.partition("-")[0])
            elif line.startswith("Installing collected"):
                if kept is not None:
                    kept.keep(scratch)
                shown.update(phase="unpack", package="")

        def tick() -> None:
            start = folder_bytes(site_packages)
            while not over.wait(_TICK_SECONDS):
                phase, package = shown["phase"], shown["package"]
                if phase == "unpack":
                    size = folder_bytes(site_packages) - start
                    part, (low, high) = size / self._disk, _UNPACK
                else:
                    size = folder_bytes(scratch) + local
                    part, (low, high) = size / self._download, _DOWNLOAD
                self.at(phase, low + (high - low) * min(part, 1.0), package, size)

        thread = threading.Thread(target=tick, name="progress", daemon=True)
        thread.start()
        try:
            yield on_line
        finally:
            over.set()
            thread.join()
