"""Install the add-on's runtime: a process of its own, started with Blender's Python.

    python -I -c BOOT FOLDER    (FOLDER has ``core`` in it; see :func:`command`)

The first line on stdin is the job as JSON (:class:`Job`); stdin then stays open: its end means
that Blender is gone or that the artist cancelled, and ends everything. Each line on stdout is a
JSON object with an "event": "hello", "progress", and last "done" or "failed".
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import ScaleMoGenError
from ..paths import ROOT
from .child import watch_lifeline
from .installer import Installer
from .job import SPACE_REMEDY, Job
from .pip_process import PipError

__all__ = ["ROOT", "Job", "command", "job_line", "main"]

_BOOT = "import sys; sys.path.append(sys.argv[1]); from core.runtime.install import main; main()"


def command(python: Path, engine_folder: Path = ROOT) -> list[str]:
    """Return the command line that starts the installer with ``python``."""
    return [str(python), "-I", "-X", "utf8", "-c", _BOOT, str(engine_folder)]


def job_line(job: Job) -> bytes:
    """Return what goes to its stdin first."""
    return (json.dumps(asdict(job)) + "\n").encode()


def main() -> None:
    """Read the job, carry it out, tell about it; never returns."""
    say = _speaker()
    say("hello", python="{}.{}.{}".format(*sys.version_info[:3]), pid=os.getpid())
    try:
        # Not through sys.stdin: its buffer would swallow what the lifeline waits for.
        job = Job(**json.loads(_read_line()))
        watch_lifeline()
        say("done", **Installer(job, say).run())
        code = 0
    except ScaleMoGenError as error:
        say("failed", message=_with_details(error))
        code = 2
    except OSError as error:
        say("failed", message=_os_problem(error))
        code = 2
    except Exception as error:
        say("failed", message=f"The installer made a mistake ({type(error).__name__}: {error}).")
        code = 1
    sys.stdout.flush()
    os._exit(code)  # the lifeline's thread does not hold anything up


def _read_line() -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(3)
        line += byte
    return bytes(line)


def _speaker() -> Callable[..., None]:
    one_at_a_time = threading.Lock()

    def say(event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, **fields})
        try:
            with one_at_a_time:
                print(line, flush=True)
        except OSError:  # nobody listens any more
            os._exit(3)

    return say


def _with_details(error: ScaleMoGenError) -> str:
    if not isinstance(error, PipError):
        return str(error)
    words = " ".join(error.words)
    return f"{error} pip says: {words[:400]}" if words else str(error)


def _os_problem(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk is full. {SPACE_REMEDY}"
    where = f" {error.filename}" if error.filename else ""
    return f"{error.strerror or error}:{where}. Put that right, or choose another Install Folder."
