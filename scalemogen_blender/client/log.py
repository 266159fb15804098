"""What the engine writes to stderr: the last lines in memory, more of it in a file."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from pathlib import Path

_LONGEST_LINE = 2000


class EngineLog:
    """Last lines and a file of bounded size, with one older file (``.1``) beside it.

    The file is a convenience: where it cannot be written, the lines in memory must do.
    """

    def __init__(self, path: Path, max_bytes: int = 1_000_000, kept_lines: int = 200) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._lines: deque[str] = deque(maxlen=kept_lines)
        self._open_line = b""
        # Two locks: whoever reads the lines must not wait for a disk.
        self._reading, self._writing = threading.Lock(), threading.Lock()

    def tail(self, count: int = 20) -> tuple[str, ...]:
        """The last so many lines that are not empty."""
        with self._reading:
            return tuple(self._lines)[-count:]

    def write(self, data: bytes) -> None:
        """Take what the engine wrote, cut anywhere; may wait for the disk."""
        with self._writing:
            self._keep(data)
            # A worker that dies together with the disk is not to take this thread along.
            with contextlib.suppress(OSError):
                self._store(data)

    def note(self, text: str) -> None:
        """A line of our own; ends a line that the engine left open."""
        with self._writing:
            before = b"\n" if self._open_line else b""
        self.write(before + text.encode(errors="replace") + b"\n")

    def _keep(self, data: bytes) -> None:
        *whole, rest = (self._open_line + data).splitlines(keepends=True) or [b""]
        if rest.endswith((b"\n", b"\r")) or len(rest) > _LONGEST_LINE:
            whole.append(rest)
            rest = b""
        self._open_line = rest
        texts = [line[:_LONGEST_LINE].decode(errors="replace").rstrip() for line in whole]
        with self._reading:
            self._lines.extend(text for text in texts if text)

    def _store(self, data: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Opened for every piece: Windows renames no open file, and several Blenders may share it.
        with self.path.open("ab") as file:
            file.write(data)
            full = file.tell() > self._max_bytes
        if full:
            try:
                os.replace(self.path, self.path.with_name(f"{self.path.name}.1"))
            except OSError:
                self.path.write_bytes(b"")  # bounded it must be
