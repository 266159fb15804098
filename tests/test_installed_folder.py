"""The installed extension in a folder with spaces and letters of other scripts, read-only."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher import ROOT
from launcher.environment import default_environment
from packing.main import build
from scalemogen_blender.client import EngineClient
from scalemogen_blender.client.messages import Failed, Finished, GenerateRequest, Launch

INSTALL = """
import sys
import bpy
bpy.ops.extensions.package_install_files(
    filepath=sys.argv[2], repo="user_default", enable_on_install=True
)
print(sys.modules["bl_ext.user_default.scalemogen"].__path__[0])
"""
USE = """
import sys
import bpy
for _ in range(2):
    bpy.ops.preferences.addon_enable(module="bl_ext.user_default.scalemogen")
    bpy.ops.scalemogen.add_mannequin()
    bpy.ops.preferences.addon_disable(module="bl_ext.user_default.scalemogen")
print(len(bpy.data.objects))
"""


def content(folder: Path) -> dict[str, int]:
    """Files and their sizes; byte code is Python's own matter."""
    files = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {str(p.relative_to(folder)): p.stat().st_size for p in files if p.is_file()}


@pytest.fixture
def installed(tmp_path: Path, run_in_blender: Callable[..., str]) -> Iterator[Path]:
    """Blender's user folder with the add-on in it; nobody but root may write to the add-on."""
    archive = build(ROOT, tmp_path, default_environment().folder)["path"]
    resources = tmp_path / "Änne Müller’s files" / "ブレンダー 5" / "user"
    output = run_in_blender(INSTALL, archive, resources=resources)
    folder = resources / "extensions" / "user_default" / "scalemogen"
    assert str(folder) in output
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield resources
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.blender
@pytest.mark.slow
def test_add_on_and_worker_run_from_it_and_write_nothing_there(
    installed: Path, tmp_path: Path, run_in_blender: Callable[..., str]
) -> None:
    folder = installed / "extensions" / "user_default" / "scalemogen"
    before = content(folder)
    assert int(run_in_blender(USE, resources=installed).split()[-1]) > 3
    launch = Launch(
        python=Path(sys.executable), engine_folder=folder, device="cpu", cache_folder=tmp_path / "é"
    )
    client = EngineClient(launch, tmp_path / "Protokoll ü" / "engine.log")
    try:
        request = client.generate(GenerateRequest("a person waves", seeds=(1,), seconds=2.0))
        events = []
        end = time.monotonic() + 300
        while not any(isinstance(event, Finished | Failed) for event in events):
            assert time.monotonic() < end, client.log_tail()
            assert not client.failure, client.failure
            events += client.poll()
            time.sleep(0.05)
    finally:
        client.stop(10)
    (finished,) = (event for event in events if isinstance(event, Finished))
    assert finished.request == request
    assert finished.motions[0].frame_count == 60
    assert content(folder) == before
