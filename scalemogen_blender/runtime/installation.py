"""A running installation: its process, and how far it is. No bpy in here."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from .._core import runtime as core_runtime


class Outcome(Enum):
    """How an installation stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Step:
    """phase: prepare, resolve, download, unpack or check.  fraction: of everything, 0 to 1.

    package: what it is about, may be empty.  megabytes: fetched or unpacked so far.
    """

    phase: str = "prepare"
    fraction: float = 0.0
    package: str = ""
    megabytes: float = 0.0


class Installation:
    """Starts at once; everything may be asked at any time from any thread and never waits."""

    def __init__(
        self, python: Path, job: core_runtime.install.Job, engine_folder: Path | None = None
    ) -> None:
        """``python`` is Blender's; OSError when it cannot be started."""
        folder = engine_folder or core_runtime.install.ROOT
        self.step = Step()
        self.message = ""
        self.details: dict[str, Any] = {}
        self._outcome = Outcome.RUNNING
        self._cancelled = False
        self._tail: deque[str] = deque(maxlen=5)
        self._process = core_runtime.processes.start(
            core_runtime.install.command(python, folder),
            stdin=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._write(core_runtime.install.job_line(job))
        self._thread = threading.Thread(target=self._follow, name="runtime install", daemon=True)
        self._thread.start()

    @property
    def outcome(self) -> Outcome:
        return self._outcome

    @property
    def cancelling(self) -> bool:
        """Asked to stop, and not yet stopped."""
        return self._cancelled and self._outcome is Outcome.RUNNING

    def cancel(self) -> None:
        """End it and everything that it has started; what is on the disk by then stays."""
        if self._outcome is Outcome.RUNNING and not self._cancelled:
            self._cancelled = True
            # On Windows ending a tree of processes takes a moment: not on the caller's time.
            threading.Thread(target=self._kill, name="runtime cancel", daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; whether that has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has died already: its output tells why
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()  # the lifeline: pip ends with it, wherever it is
        core_runtime.processes.kill_group(self._process)

    def _follow(self) -> None:
        ending = ""
        try:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                ending = self._take(line.decode(errors="replace")) or ending
            self._process.wait()
        finally:
            self._kill()
            self._process.stdout.close()
            self._settle(ending)

    def _take(self, line: str) -> str:
        """Take one line; return "done" or "failed" where it is the last word."""
        try:
            event = json.loads(line)
            kind = event.pop("event")
            if kind == "progress":
                megabytes = event["bytes"] / 1e6
                self.step = Step(event["phase"], event["fraction"], event["package"], megabytes)
            elif kind == "done":
                self.details = event
                return "done"
            elif kind == "failed":
                self.message = event["message"]
                return "failed"
        except (ValueError, KeyError, AttributeError, TypeError):
            self._tail.append(line.strip())  # what something else than the installer wrote
        return ""

    def _settle(self, ending: str) -> None:
        if ending == "done":
            self.step = Step("check", 1.0)
            self._outcome = Outcome.DONE
        elif self._cancelled:
            self.message = "Cancelled. Installing again goes on from here."
            self._outcome = Outcome.CANCELLED
        else:
            if ending != "failed":
                words = " ".join(self._tail)[-300:]
                self.message = (
                    f"The installer ended unexpectedly{f' ({words})' if words else ''}. Install "
                    "again: it goes on from here."
                )
            self._outcome = Outcome.FAILED


def wait_for(installation: Installation, say: Any) -> None:
    """Wait for the end, in scripts and background mode; ``say(step)`` is told each new step."""
    shown: tuple[str, str] | None = None
    while not installation.wait(0.1):
        step = installation.step
        if (step.phase, step.package) != shown:
            shown = (step.phase, step.package)
            say(step)
    time.sleep(0)
