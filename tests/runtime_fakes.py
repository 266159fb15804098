"""A runtime that installs in seconds: tiny wheels, an engine that wants them, a package index."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import shutil
import socketserver
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: What the tiny engine needs, and what its wheels hold.
PACKAGES = {
    "torch": (
        "class _V: cuda = None\n"
        "class _Mps:\n    @staticmethod\n    def is_built(): return False\n"
        "class _B: mps = _Mps\n"
        "class _T:\n    def sum(self): return self\n    def item(self): return 0.0\n"
        "__version__, version, backends = '2.13.0', _V, _B\n"
        "def from_numpy(_): return _T()\n"
    ),
    "numpy": "__version__ = '2.3.5'\ndef zeros(_): return 0\n",
    "safetensors": "__version__ = '0.8.0'\n",
    "tokenizers": "__version__ = '0.23.3'\n",
}
VERSIONS = {"torch": "2.13.0", "numpy": "2.3.5", "safetensors": "0.8.0", "tokenizers": "0.23.3"}


def make_wheel(folder: Path, name: str, version: str, source: str, ballast: int = 0) -> Path:
    """A wheel with one module, and a file of so many bytes beside it."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": source.encode(),
        f"{name}/ballast.bin": b"x" * ballast,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},{_digest(content)},{len(content)}" for path, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return path


def _digest(content: bytes) -> str:
    return (
        "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    )


def make_wheels(folder: Path) -> Path:
    """All wheels that the tiny engine needs."""
    for name, source in PACKAGES.items():
        make_wheel(folder, name, VERSIONS[name], source, ballast=5000)
    return folder


def make_engine(folder: Path) -> Path:
    """A copy of what the installer is, for an engine that wants only tiny packages."""
    core = folder / "core"
    core.mkdir(parents=True)
    for name in ("__init__.py", "errors.py", "paths.py"):
        shutil.copy(ROOT / "core" / name, core / name)
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "core" / "runtime", core / "runtime", ignore=without)
    _make_tiny(folder)
    (core / "worker").mkdir()
    (core / "worker" / "__init__.py").write_text("")
    device = {"id": "cpu", "name": "Tiny CPU", "memory_mb": 1000}
    (core / "worker" / "devices.py").write_text(f"def found_devices(): return [{device!r}]\n")
    return folder


def make_add_on(folder: Path) -> Path:
    """A copy of the whole checkout's add-on with the tiny engine."""
    without = shutil.ignore_patterns("__pycache__", "*.safetensors")
    for name in ("scalemogen_blender", "core", "assets"):
        shutil.copytree(ROOT / name, folder / name, ignore=without)
    _make_tiny(folder)
    device = {"id": "cpu", "name": "Tiny CPU", "memory_mb": 1000}
    (folder / "core" / "worker" / "devices.py").write_text(
        f"def found_devices(): return [{device!r}]\n"
    )
    return folder


def _make_tiny(folder: Path) -> None:
    (folder / "core" / "engine.py").write_text("import torch, numpy, safetensors, tokenizers\n")
    pins = folder / "assets" / "runtime"
    pins.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}=={VERSIONS[name]}" for name in ("torch", "numpy", "safetensors")]
    (pins / "requirements.txt").write_text("\n".join(lines) + "\n")
    (pins / "no_dependencies.txt").write_text(f"tokenizers=={VERSIONS['tokenizers']}\n")
    shutil.copy(ROOT / "assets" / "runtime" / "builds.json", pins / "builds.json")


class Install:
    """The installer's process, seen as the add-on sees it."""

    def __init__(self, engine: Path, root: Path, **job: Any) -> None:
        from core.runtime.install import Job, command, job_line

        self.events: list[dict[str, Any]] = []
        settings = {"disk": 1, "download": 1} | job
        self.process = subprocess.Popen(
            command(Path(sys.executable), engine),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(job_line(Job(root=str(root), **settings)).decode())
        self.process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """Its last word; AssertionError where that is neither "done" nor "failed"."""
        assert self.process.stdout is not None
        lines = self.process.stdout.read().splitlines()
        self.process.wait(60)
        self.close()
        assert lines, "it said nothing"
        self.events = [json.loads(line) for line in lines]
        assert self.events[-1]["event"] in ("done", "failed"), lines
        return self.events[-1]

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


def install(engine: Path, root: Path, **job: Any) -> dict[str, Any]:
    """Install and return the last word."""
    return Install(engine, root, **job).end()


class Index:
    """A package index of one folder of wheels; ``hold`` names a wheel that is never sent whole.

    requests: names of the files that were asked for.  held: set when that wheel is under way.
    dropped: set when whoever asked for it has gone.
    """

    def __init__(self, wheels: Path) -> None:
        self.wheels, self.hold, self.fail = wheels, "", ""
        self.requests: list[str] = []
        self.held, self.dropped = threading.Event(), threading.Event()
        self.address = ""

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        kind, name = handler.path.strip("/").split("/")[-2:]
        if kind == "simple":
            same = (
                p.name for p in self.wheels.glob("*.whl") if _normal(p.name.split("-")[0]) == name
            )
            links = "".join(f'<a href="../../files/{file}">{file}</a>' for file in same)
            self._send(handler, links.encode(), "text/html")
            return
        self.requests.append(name)
        content = (self.wheels / name).read_bytes()
        if self.hold and name.startswith(self.hold):
            self._hold(handler, content)
        elif self.fail and name.startswith(self.fail):
            handler.send_error(404)
        else:
            self._send(handler, content, "application/zip")

    def _send(self, handler: Any, content: bytes, kind: str) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _hold(self, handler: Any, content: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: len(content) // 2])
        handler.wfile.flush()
        self.held.set()
        with suppress(OSError):
            handler.connection.recv(1)  # nothing more is sent: this returns when they hang up
        self.dropped.set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


@contextmanager
def package_index(wheels: Path) -> Iterator[Index]:
    """Serve a folder of wheels on this machine."""
    index = Index(wheels)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    index.address = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fake_python(path: Path, script: str) -> Path:
    """A program that answers in Python's place: ``script`` is the rest of a shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether it comes true in time."""
    event = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return True
        event.wait(0.02)
    return False
