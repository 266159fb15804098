"""Starting the engine's process: its command line, surroundings and folder."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .messages import Launch

#: Blender's own, or a studio's for Blender: in another Python's virtual environment they break it.
_NOT_FOR_THE_ENGINE = ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "__PYVENV_LAUNCHER__")


def command(launch: Launch, parent: int) -> list[str]:
    """The worker's command line; ``parent`` is the process it belongs to."""
    words = [
        os.fspath(launch.python),
        "-m",
        "core.worker",
        f"--model={launch.model}",
        f"--device={launch.device}",
        f"--idle-seconds={launch.idle_seconds}",
        f"--parent={parent}",
    ]
    if launch.cache_folder is not None:
        words.append(f"--cache-folder={launch.cache_folder}")
    return words


def environment(launch: Launch, base: Mapping[str, str]) -> dict[str, str]:
    """The worker's variables: ours, less all that would change its Python."""
    kept = {
        name: value
        for name, value in base.items()
        if not name.upper().startswith("PYTHON") and name not in _NOT_FOR_THE_ENGINE
    }
    return kept | {
        "PYTHONPATH": os.fspath(launch.engine_folder),
        "PYTHONNOUSERSITE": "1",
        "PYTHONSAFEPATH": "1",  # the current folder is no place to import from
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",  # where it crashed goes to the log
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }


def start_process(launch: Launch, folder: Path) -> subprocess.Popen[bytes]:
    """Start the worker with three raw pipes; OSError or ValueError when that is not possible.

    folder: its current folder.  Never the artist's: Windows would keep that from being renamed.
    """
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        folder = Path(tempfile.gettempdir())
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        command(launch, os.getpid()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd=folder,
        env=environment(launch, os.environ),
        creationflags=flags,
        # Interrupting Blender in its terminal is not meant for the engine; it leaves with Blender.
        start_new_session=True,
    )


def kill_process(process: subprocess.Popen[bytes]) -> None:
    """End a process, and where the system knows groups what it has started; never waits."""
    if process.poll() is not None:
        return
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
