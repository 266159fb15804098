"""Blender's window with the built add-on installed; skipped where that cannot be had."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from launcher import ROOT
from tests.window.artist import Artist
from tests.window.screen import SUITES, Screen, root_folder

PICTURES = ROOT / "out" / "window"


@pytest.fixture(scope="session")
def built_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension as artists get it."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, str(ROOT / "build_addon.py"), "--out", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["path"])


@pytest.fixture(params=SUITES, ids=lambda suite: f"blender-{SUITES[suite]}")
def suite(request: pytest.FixtureRequest) -> str:
    """Which Debian, and with that which Blender."""
    root_folder(request.param)
    return str(request.param)


@pytest.fixture
def screen(suite: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Screen]:
    """A Blender with factory settings and an empty user folder."""
    name = request.node.originalname.removeprefix("test_")
    screen = Screen(suite, tmp_path, PICTURES / SUITES[suite] / name)
    try:
        yield screen
        assert screen.alive(), screen.log()[-5000:]
        assert "Traceback" not in screen.log(), screen.log()[-5000:]
    finally:
        screen.close()


@pytest.fixture
def artist(screen: Screen, built_zip: Path) -> Artist:
    """Someone who has installed the add-on and looks at its tab in the sidebar."""
    artist = Artist(screen)
    artist.install(built_zip)
    return artist


@pytest.fixture
def note(suite: str) -> Callable[..., None]:
    """``note(name=value)``: write what was measured to ``measured.json`` beside the pictures."""
    path = PICTURES / SUITES[suite] / "measured.json"

    def note(**values: Any) -> None:
        known = json.loads(path.read_text()) if path.exists() else {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(known | values, indent=2) + "\n")

    return note
