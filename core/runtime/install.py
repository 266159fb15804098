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
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import ScaleMoGenError
from ..paths import ROOT
from .child import watch_lifeline
from .damage import damaged_distributions, remove_remains
from .environment import State, VirtualEnvironment, clear_stamp, write_stamp
from .inquiry import ask
from .interpreter import make_interpreter
from .kept import KeptWheels
from .locking import only_one
from .pip_code import pip_folder
from .pip_process import PipError, Traffic, run_pip
from .place import (
    KEPT,
    LOCK,
    LOG,
    NO_DEPENDENCIES,
    REQUIREMENTS,
    SCRATCH,
    longest_path_problem,
    look,
    orphans,
    slots,
    wanted_fingerprint,
    without_dependencies,
)
from .progress import Progress
from .system import folder_bytes, platform_name, space_problem

_BOOT = "import sys; sys.path.append(sys.argv[1]); from core.runtime.install import main; main()"
_SPACE_REMEDY = "Free some space, or choose an Install Folder on another disk."


@dataclass(frozen=True)
class Job:
    """What is to be installed.

    root: the runtime folder.  wheels: folder of wheels ("": from the package index).  index:
    address of a package index ("": pip's own settings); only_index: ask no other.  build_index,
    version: as in :class:`.builds.Build`.  download, disk: MB that are expected.  anew: leave a
    complete runtime and make another beside it, for another build of torch.  thorough: compare
    the checksum of every file.  offline: no index is asked; only what is there is put right.
    """

    root: str
    wheels: str = ""
    index: str = ""
    only_index: bool = False
    build_index: str = ""
    version: str = ""
    download: int = 230
    disk: int = 950
    offline: bool = False
    anew: bool = False
    thorough: bool = False


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
        return f"The disk is full. {_SPACE_REMEDY}"
    where = f" {error.filename}" if error.filename else ""
    return f"{error.strerror or error}:{where}. Put that right, or choose another Install Folder."


class Installer:
    """One installation, from whatever the last one left to a complete environment."""

    def __init__(self, job: Job, say: Callable[..., None]) -> None:
        self._job, self._say = job, say
        self._root = Path(job.root)
        self._version = (sys.version_info[0], sys.version_info[1])
        self._log = self._root / LOG
        self._progress = Progress(job.download, job.disk, say)

    def run(self) -> dict[str, Any]:
        """Do it; return what the add-on wants to know.

        Raises:
            ScaleMoGenError, OSError: why it is not to be had, and what to do.
        """
        began = time.monotonic()
        if problem := longest_path_problem(self._root, self._version):
            raise ScaleMoGenError(problem)
        self._root.mkdir(parents=True, exist_ok=True)
        os.chdir(self._root)  # on Windows a process keeps its folder from being renamed
        with only_one(self._root / LOCK, _another_is_at_work):
            try:
                return self._locked(began)
            finally:
                shutil.rmtree(self._root / SCRATCH, ignore_errors=True)

    def _locked(self, began: float) -> dict[str, Any]:
        wanted = wanted_fingerprint(self._version)
        place = self._place(wanted)
        self._require_space(place)
        self._trim_log()
        self._progress.at("prepare", 0.0)
        for folder in (*orphans(self._root), *self._root.glob("removed-*")):
            if folder != place.folder:
                shutil.rmtree(folder, ignore_errors=True)
        pip = pip_folder(self._root / SCRATCH / "pip", self._wheels)
        clear_stamp(place.folder)
        make_interpreter(place)
        self._clear_damage(place)
        traffic = self._install(place, pip, wanted)
        self._progress.at("check", 0.95)
        if self._job.thorough and damaged_distributions(place.site_packages, thorough=True):
            raise ScaleMoGenError(
                "Files that were just written read back as something else: the disk may be "
                "failing. Choose an Install Folder on another disk."
            )
        found = ask(place.python, ROOT)
        if found.problem:
            raise ScaleMoGenError(f"The packages are installed, but: {found.problem}")
        details: dict[str, Any] = {
            "python": str(place.python),
            "version": list(found.version),
            "build": found.build,
            "packages": found.packages,
            "megabytes": round(folder_bytes(place.folder) / 1e6),
        }
        write_stamp(place.folder, wanted, **details)
        self._clean(place)
        return details | {
            "devices": list(found.devices),
            "engine": found.engine,
            "downloaded_mb": round(traffic.downloaded / 1e6),
            "seconds": round(time.monotonic() - began, 1),
        }

    @property
    def _wheels(self) -> Path | None:
        return Path(self._job.wheels) if self._job.wheels else None

    def _place(self, wanted: str) -> VirtualEnvironment:
        there = look(self._root, self._version, wanted)
        if self._job.anew and there.state in (State.READY, State.OUTDATED):
            others = (p for p in slots(self._root, self._version) if p != there.environment)
            return next(others)
        return there.environment

    def _require_space(self, place: VirtualEnvironment) -> None:
        job = self._job
        folders = (place.folder, self._root / KEPT)
        there = round(sum(folder_bytes(folder) for folder in folders) / 1e6)
        download = 0 if job.wheels or job.offline else job.download
        needed = max(job.disk + download - there, 200)
        if problem := space_problem(self._root, needed, "The runtime"):
            raise ScaleMoGenError(f"{problem} {_SPACE_REMEDY}")

    def _trim_log(self) -> None:
        if self._log.is_file() and self._log.stat().st_size > 2_000_000:
            os.replace(self._log, self._log.with_suffix(".old.log"))

    def _clear_damage(self, place: VirtualEnvironment) -> None:
        self._progress.at("check", 0.02)
        damaged = damaged_distributions(
            place.site_packages,
            thorough=self._job.thorough,
            on_package=lambda name: self._progress.at("check", 0.02, name),
        )
        if damaged:
            with self._log.open("a", encoding="utf-8") as log:
                print(f"\nDamaged: {', '.join(info.name for info in damaged)}", file=log)
        remove_remains(place.site_packages, damaged)

    def _install(self, place: VirtualEnvironment, pip: Path, wanted: str) -> Traffic:
        traffic = Traffic()
        sources = self._sources()
        scratch = self._root / SCRATCH / "downloads"
        kept = None
        if not (self._job.wheels or self._job.offline):
            kept = KeptWheels(self._root / KEPT, [wanted, self._job.version, *self._addresses()])
            scratch /= kept.folder.name
            kept.keep(scratch)  # what one that was killed has left
            kept.drop_damaged(lambda name: self._progress.at("check", 0.03, name.split("-")[0]))
            sources.append("--no-cache-dir")
        pinned = ["-r", str(REQUIREMENTS)]
        if self._job.version:
            constraint = self._root / SCRATCH / "version.txt"
            constraint.write_text(f"torch=={self._job.version}\n", encoding="utf-8")
            pinned += ["-c", str(constraint)]
        for what, arguments, alone in (
            ("PyTorch", pinned, False),
            ("The tokenizer", ["--no-deps", "-r", str(NO_DEPENDENCIES)], True),
        ):
            here = kept.paths(without_dependencies(), among=alone) if kept is not None else []
            folders = (scratch, place.site_packages)
            with self._progress.following(traffic, *folders, kept) as on_line:
                try:
                    run_pip(
                        place.python,
                        ["install", "--only-binary=:all:", *sources, *arguments, *here],
                        what=what,
                        scratch=scratch,
                        log=self._log,
                        on_line=on_line,
                        pip_folder=pip,
                        variables=self._variables(),
                        space_remedy=_SPACE_REMEDY,
                    )
                except PipError as error:
                    raise self._explained(error) from error
        return traffic

    def _explained(self, error: PipError) -> ScaleMoGenError:
        """What pip's failure means here."""
        words = " ".join(error.words)
        if "conflict" in words or "ResolutionImpossible" in words:
            shutil.rmtree(self._root / KEPT, ignore_errors=True)  # they may be what conflicts
        missing = "No matching distribution" in words
        if missing and self._job.offline:
            return ScaleMoGenError(
                "Packages are missing or damaged, and online access is off. Switch it on (System, "
                "Network, Allow Online Access) or choose a Wheels Folder, then repair again."
            )
        if missing and self._job.wheels:
            found = re.findall(r"No matching distribution found for ([^ ;(]+)", words)
            names = ", ".join(dict.fromkeys(found)) or "a package"
            version = "{}.{}".format(*self._version)
            return ScaleMoGenError(
                f"{self._job.wheels} has no wheel of {names} for "
                f"Python {version} on {platform_name()}. Add it to the folder, then install again."
            )
        return error

    def _sources(self) -> list[str]:
        """Where packages come from, as pip's options.

        Addresses go into a file: they may hold a password, which others would see in a list of
        processes, and which has no place in the log.
        """
        job = self._job
        if job.wheels:
            return ["--no-index", "--find-links", job.wheels]
        if job.offline:
            return ["--no-index"]
        lines = self._addresses()
        if not lines:
            return []
        file = self._root / SCRATCH / "index.txt"
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return ["-r", str(file)]

    def _addresses(self) -> list[str]:
        job, lines = self._job, []
        if job.index:
            lines.append(f"{'--index-url' if job.only_index else '--extra-index-url'} {job.index}")
        if job.build_index and not job.only_index:
            lines.append(f"--extra-index-url {job.build_index}")
        return lines

    def _variables(self) -> dict[str, str]:
        """Without an index no setting of pip's may lead to the network either."""
        if not (self._job.wheels or self._job.offline):
            return {}
        return {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}

    def _clean(self, place: VirtualEnvironment) -> None:
        for other in slots(self._root, self._version):
            if other != place:
                shutil.rmtree(other.folder, ignore_errors=True)  # in use on Windows: next time
        shutil.rmtree(self._root / KEPT, ignore_errors=True)


def _another_is_at_work() -> None:
    raise ScaleMoGenError(
        "Another Blender is installing the runtime right now. Wait until it is done."
    )
