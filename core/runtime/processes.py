"""Processes that can be ended together with everything that they have started."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_BYTES_AT_MOST = 1 << 20
_LINES_AT_MOST = 1000


def start(
    command: Sequence[str | Path],
    *,
    stdin: int | None = subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = subprocess.DEVNULL,
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process at the head of a group of its own, its stdout in a pipe.

    Nothing of Blender's own Python settings reaches it, and no console window opens on Windows.

    Raises:
        OSError: it cannot be started.
    """
    away = ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")
    environment = {key: value for key, value in os.environ.items() if key not in away}
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        [str(word) for word in command],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment | dict(variables or {}),
        cwd=tempfile.gettempdir(),  # on Windows a process keeps its folder from being renamed
        start_new_session=sys.platform != "win32",
        creationflags=flags,
    )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it has started, at once; then nothing of it is left."""
    if sys.platform == "win32":
        if process.poll() is None:
            command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
            with contextlib.suppress(OSError):
                subprocess.run(
                    command,
                    capture_output=True,
                    check=False,
                    creationflags=subprocess.CREATE_NO_WINDOW,
                )
    else:
        # Also where the process itself has ended: others of its group may be left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()


def answer(
    command: Sequence[str | Path], *, first_line_seconds: float, seconds: float
) -> tuple[list[str], str]:
    """Run a process and return the lines of its stdout, and how it ended.

    Its stdin is a pipe that comes to its end when this process does: a lifeline.

    The second is ``""`` where it ended well, else ``"late"`` (no first line in time, or no end),
    ``"code N"``, or why it could not be started. A flood of output is cut off.
    """
    try:
        process = start(command, stdin=subprocess.PIPE)
    except OSError as error:
        return [], error.strerror or str(error)
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        left = _BYTES_AT_MOST
        with contextlib.suppress(OSError, ValueError):
            while left > 0 and lines.qsize() < _LINES_AT_MOST:
                line = process.stdout.readline(left)
                if not line:
                    break
                left -= len(line)
                lines.put(line.decode(errors="replace").rstrip("\r\n"))
        lines.put(None)

    threading.Thread(target=read, name="answer", daemon=True).start()
    found: list[str] = []
    started = time.monotonic()
    try:
        while True:
            limit = seconds if found else first_line_seconds
            try:
                line = lines.get(timeout=max(0.0, limit - (time.monotonic() - started)))
            except queue.Empty:
                return found, "late"
            if line is None:
                break
            found.append(line)
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return found, "late"
        return found, f"code {code}" if code else ""
    finally:
        kill_group(process)
        if process.stdin is not None:
            process.stdin.close()
