"""What all tests share: the data set where it is at hand, and scripts inside Blender's module."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# A busy machine is slow: a deadline per example would only make failures by chance.
# The gate tries the same examples each time; `--hypothesis-profile searching` looks for new ones.
settings.register_profile("scalemogen", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("searching", deadline=None, max_examples=200)
settings.load_profile("scalemogen")

# Ends a script inside bpy: its normal exit may hang or crash after the work is done.
_BPY_SCRIPT = """
import os, shutil, sys, traceback
code = 1
try:
    exec(compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec"))
    code = 0
except BaseException:
    traceback.print_exc()
finally:
    scratch = getattr(getattr(sys.modules.get("bpy"), "app", None), "tempdir", "")
    if os.path.basename(os.path.normpath(scratch or ".")).startswith("blender_"):
        shutil.rmtree(scratch, ignore_errors=True)  # os._exit would leave it behind
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
"""


@pytest.fixture(scope="session")
def motion_data() -> Path:
    """The folder of the captioned motion set; the test is skipped where it is absent."""
    folder = Path(os.environ.get("SCALEMOGEN_DATA", ROOT.parent / "shared" / "data" / "motion"))
    if not (folder / "captions.jsonl").is_file():
        pytest.skip(f"no motion data set in {folder} (SCALEMOGEN_DATA names its folder)")
    return folder


@pytest.fixture
def run_in_blender(tmp_path: Path) -> Callable[..., str]:
    """Run Python source inside the bpy module, in a process of its own; return its output.

    ``run_in_blender(source, *arguments, timeout=120)``: the source finds its arguments in
    ``sys.argv[2:]``. A failing script fails the test with the script's traceback. Blender's user
    folders lie in ``tmp_path`` (or in ``resources``): nothing of the machine's own settings is
    seen or changed.
    """
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("no bpy here: start the tests with python3 run.py test")

    def run(
        source: str, *arguments: object, timeout: float = 120, resources: Path | None = None
    ) -> str:
        script = tmp_path / "in_blender.py"
        script.write_text(source, encoding="utf-8")
        command = [sys.executable, "-c", _BPY_SCRIPT, str(script), *map(str, arguments)]
        python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            command,
            env=os.environ
            | {
                "BLENDER_USER_RESOURCES": str(resources or tmp_path / "blender"),
                "PYTHONPATH": python_path,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run
