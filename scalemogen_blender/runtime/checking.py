"""What is known of interpreters: each is asked once, on a thread. No bpy in here."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .._core import VERSION
from .._core import runtime as core_runtime

Findings = core_runtime.inquiry.Findings


@dataclass(frozen=True)
class Check:
    """What asking brought.  damaged: packages of which files are missing or cut off."""

    findings: Findings
    damaged: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """One line with the remedy, "" where the engine can run."""
        if self.damaged:
            return f"The runtime is damaged: {', '.join(self.damaged)}. Repair it."
        return self.findings.problem


class Checker:
    """Remembers checks by interpreter, as long as that stays the same file; good ones on disk."""

    def __init__(self, ask: Callable[[Path, Path], Findings] | None = None) -> None:
        self._ask = ask or core_runtime.inquiry.ask
        self._known: dict[str, tuple[list[object], Check]] = {}
        self._running: set[str] = set()
        self._read: Path | None = None
        self._lock = threading.Lock()

    def known(self, python: Path, store: Path) -> Check | None:
        """What is known of it; cheap."""
        self._load(store)
        signature, check = self._known.get(str(python), ([], None))
        return check if check is not None and signature == _signature(python) else None

    def running(self, python: Path | None = None) -> bool:
        """Whether it (or any) is being asked right now."""
        return bool(self._running) if python is None else str(python) in self._running

    def begin(
        self, python: Path, engine_folder: Path, store: Path, site_packages: Path | None = None
    ) -> None:
        """Ask it on a thread, unless that is under way; ``site_packages`` is looked through."""
        with self._lock:
            if str(python) in self._running:
                return
            self._running.add(str(python))

        def run() -> None:
            try:
                self.check(python, engine_folder, store, site_packages)
            except Exception as error:  # without an answer it would be asked again and again
                traceback.print_exc()
                about = f"{python} cannot be checked ({type(error).__name__}: {error})."
                self.remember(python, Check(Findings(f"{about} Choose another.")), store)
            finally:
                with self._lock:
                    self._running.discard(str(python))

        threading.Thread(target=run, name="runtime check", daemon=True).start()

    def check(
        self, python: Path, engine_folder: Path, store: Path, site_packages: Path | None = None
    ) -> Check:
        """Ask it and wait for the answer (seconds)."""
        damaged = []
        if site_packages is not None:
            damaged = core_runtime.damage.damaged_distributions(site_packages)
        names = tuple(info.name.partition("-")[0] for info in damaged)
        check = Check(self._ask(python, engine_folder), names)
        self.remember(python, check, store)
        return check

    def remember(self, python: Path, check: Check, store: Path) -> None:
        """Keep what is known; what is wrong may be put right any time and is not written down."""
        with self._lock:
            self._known[str(python)] = (_signature(python), check)
            good = {
                path: {"signature": signature, "findings": asdict(replace(c.findings))}
                for path, (signature, c) in self._known.items()
                if not c.problem
            }
            with contextlib.suppress(OSError):
                store.parent.mkdir(parents=True, exist_ok=True)
                part = store.with_name(f"{store.name}.{os.getpid()}.part")
                part.write_text(json.dumps(good), encoding="utf-8")
                os.replace(part, store)

    def forget(self, python: Path) -> None:
        """Ask anew when next needed."""
        with self._lock:
            self._known.pop(str(python), None)

    def _load(self, store: Path) -> None:
        if self._read == store:
            return
        self._read = store
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
            table = json.loads(store.read_text(encoding="utf-8"))
            for path, entry in table.items():
                known = list(entry["signature"]), Check(_findings(entry["findings"]))
                with self._lock:
                    self._known.setdefault(path, known)


def _findings(stored: Mapping[str, Any]) -> Findings:
    """Findings as they were written down; KeyError or TypeError unless they can be shown."""
    found = Findings(
        **{**stored, "version": tuple(stored["version"]), "devices": tuple(stored["devices"])}
    )
    for device in found.devices:
        memory = device["memory_mb"]
        if not (isinstance(device["id"], str) and isinstance(device["name"], str)):
            raise TypeError("a device without a name")
        if not (memory is None or isinstance(memory, int | float)):
            raise TypeError("a device's memory is a number")
    return found


def _signature(python: Path) -> list[object]:
    """What changes when there is something else to be found."""
    parts: list[object] = [VERSION]
    for path in (python, python.parent.parent / "complete.json"):
        try:
            about = path.stat()
            parts += [about.st_mtime_ns, about.st_size]
        except OSError:
            parts.append(0)
    return parts
