"""Run pip with a compact progress display, and count what it downloaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import SetupError

_UNITS = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_FETCHED = re.compile(r"\s*(Downloading|Using cached) (\S+) \(([\d.]+) (bytes|kB|MB|GB)\)")
_LOCAL = re.compile(r"\s*Processing (.+\.(?:whl|tar\.gz|zip))(?: \(from .*\))?$")
_WORTH_A_LINE = 20 * 10**6  # bytes: smaller files are not announced in a log


@dataclass
class Traffic:
    """Bytes that pip fetched over the network, and bytes it had (its cache, local folders)."""

    downloaded: int = 0
    reused: int = 0

    def read(self, line: str) -> tuple[str, int] | None:
        """Count one line of pip's output; return the file it names and its bytes, if any."""
        if fetched := _FETCHED.match(line):
            how, name, number, unit = fetched.groups()
            size = round(float(number) * _UNITS[unit])
            if how == "Downloading":
                self.downloaded += size
            else:
                self.reused += size
            return name.rpartition("/")[2], size
        if local := _LOCAL.match(line):
            path = Path(local[1])
            size = path.stat().st_size if path.is_file() else 0
            self.reused += size
            return path.name, size
        return None

    def __str__(self) -> str:
        reused = f" ({self.reused / 1e6:.0f} MB more were already here)" if self.reused else ""
        return f"{self.downloaded / 1e6:.0f} MB downloaded{reused}"


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
            line = f"      {minutes}:{seconds:02}  {_folder_bytes(self._scratch) / 1e6:.0f} MB  "
            line = (line + self._text)[: shutil.get_terminal_size().columns - 1]
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def _folder_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except OSError:  # pip has just moved it
                continue
    return total


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
    scratch = folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--no-warn-script-location", "--progress-bar", "off", *arguments]
    lines: list[str] = []
    log_path = folder / "setup.log"
    with log_path.open("a", encoding="utf-8") as log, Display(scratch) as display:
        print(f"\n$ pip install {' '.join(arguments)}", file=log, flush=True)
        display.show("asking for the list of files")
        pip = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        try:
            assert pip.stdout is not None
            for line in pip.stdout:
                log.write(line)
                lines.append(line.rstrip())
                if found := traffic.read(line):
                    display.show(*found)
                elif line.startswith("Installing collected"):
                    display.show("unpacking")
            code = pip.wait()
        finally:
            if pip.poll() is None:
                pip.terminate()
                pip.wait()
    shutil.rmtree(scratch, ignore_errors=True)
    if code:
        raise SetupError(_failure(what, lines, log_path))


def _failure(what: str, lines: list[str], log_path: Path) -> str:
    """Return pip's own words and the likeliest remedy."""
    text = "\n".join(lines)
    if "No space left" in text:
        remedy = "The disk is full: free some space, or set SCALEMOGEN_VENV to another disk."
    elif "No matching distribution" in text and "Retrying" not in text:
        remedy = (
            "pip's package index has no file of that version for this system and Python; "
            "see the log, and pip's own settings (pip config list)."
        )
    else:
        remedy = "Check the network and pip's own settings (pip config list), then start again."
    errors = [line for line in lines if line.startswith("ERROR")][-4:] or lines[-4:]
    shown = "".join(f"\n      {line}" for line in errors)
    return f"{what} could not be installed. {remedy} All of pip's output: {log_path}{shown}"
