"""Run pip with a compact progress display, and count what it downloaded."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from core.runtime.pip_process import PipError, Traffic, run_pip
from core.runtime.system import folder_bytes

from . import SetupError

_WORTH_A_LINE = 20 * 10**6  # bytes: smaller files are not announced in a log


class Display:
    """One line that keeps changing on a terminal; on anything else a line per large file.

    Everything goes to stderr: stdout belongs to the command (``--json``).
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._text = ""
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._live = sys.stderr.isatty()

    def __enter__(self) -> Display:
        if self._live:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._live:
            self._thread.join()
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def show(self, text: str, size: int = 0) -> None:
        """Say what is being worked on (``size`` in bytes where it is a file)."""
        self._text = f"{text} ({size / 1e6:.0f} MB)" if size >= 10**6 else text
        if not self._live and size >= _WORTH_A_LINE:
            print(f"      {self._text}", file=sys.stderr, flush=True)

    def _tick(self) -> None:
        while not self._stop.wait(0.5):
            minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
            line = f"      {minutes}:{seconds:02}  {folder_bytes(self._scratch) / 1e6:.0f} MB  "
            line = (line + self._text)[: shutil.get_terminal_size().columns - 1]
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def pip_install(
    python: Path, arguments: Sequence[str], folder: Path, traffic: Traffic, what: str
) -> None:
    """Run ``pip install`` with ``python``.

    Args:
        python: the interpreter whose pip is used.
        arguments: what follows ``pip install``.
        folder: the environment; ``setup.log`` in it receives all output, ``tmp`` the downloads
            under way (so that a small /tmp does not matter, and nothing is left elsewhere).
        traffic: counts what was downloaded.
        what: name for messages.

    Raises:
        SetupError: pip failed; the message carries the last lines and the log's path.
    """
    scratch, log = folder / "tmp", folder / "setup.log"
    with Display(scratch) as display:
        display.show("asking for the list of files")

        def follow(line: str) -> None:
            if found := traffic.read(line):
                display.show(*found)
            elif line.startswith("Installing collected"):
                display.show("unpacking")

        try:
            run_pip(
                python,
                ["install", *arguments],
                what=what,
                scratch=scratch,
                log=log,
                on_line=follow,
                space_remedy="Free some space, or set SCALEMOGEN_VENV to another disk.",
            )
        except PipError as error:
            shown = "".join(f"\n      {line}" for line in error.words)
            raise SetupError(f"{error} All of pip's output: {log}{shown}") from error
