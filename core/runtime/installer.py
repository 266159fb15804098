"""One installation of the runtime, from whatever the last one left to a complete environment."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ScaleMoGenError
from ..paths import ROOT
from .damage import damaged_distributions, remove_remains
from .environment import State, VirtualEnvironment, clear_stamp, write_stamp
from .inquiry import ask
from .interpreter import make_interpreter
from .job import SPACE_REMEDY, Job
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
from .system import folder_bytes, space_problem


class Installer:
    """Carries out a job; ``say(event, **fields)`` is told how far it is."""

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
        download = job.download if job.asks_an_index else 0
        needed = max(job.disk + download - there, 200)
        if problem := space_problem(self._root, needed, "The runtime"):
            raise ScaleMoGenError(f"{problem} {SPACE_REMEDY}")

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
        sources = self._job.sources(self._root / SCRATCH)
        scratch = self._root / SCRATCH / "downloads"
        kept = None
        if self._job.asks_an_index:
            kept = KeptWheels(
                self._root / KEPT, [wanted, self._job.version, *self._job.addresses()]
            )
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
                        variables=self._job.variables(),
                        space_remedy=SPACE_REMEDY,
                    )
                except PipError as error:
                    if error.is_conflict:
                        # They may be what conflicts.
                        shutil.rmtree(self._root / KEPT, ignore_errors=True)
                    raise self._job.explained(error) from error
        return traffic

    def _clean(self, place: VirtualEnvironment) -> None:
        for other in slots(self._root, self._version):
            if other != place:
                shutil.rmtree(other.folder, ignore_errors=True)  # in use on Windows: next time
        shutil.rmtree(self._root / KEPT, ignore_errors=True)


def _another_is_at_work() -> None:
    raise ScaleMoGenError(
        "Another Blender is installing the runtime right now. Wait until it is done."
    )
