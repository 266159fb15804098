"""Preferences and operators of the runtime, inside Blender's module."""

from collections.abc import Callable
from pathlib import Path

import pytest
import runtime_fakes as fakes

pytestmark = pytest.mark.blender

#: The add-on with an engine that wants only tiny packages, so that installing takes seconds.
BEGIN = """
import os, subprocess, sys
from pathlib import Path
for name in [name for name in os.environ if name.startswith(("PIP_", "SCALEMOGEN_"))]:
    del os.environ[name]
os.environ["PIP_CONFIG_FILE"] = os.devnull
sys.path.insert(0, sys.argv[2])
sys.path.append(sys.argv[4])
import bpy
import scalemogen_blender
assert scalemogen_blender.__file__.startswith(sys.argv[2])
from scalemogen_blender import preferences, runtime
from scalemogen_blender.runtime import activity, installation, jobs, page, place, status
scalemogen_blender.register()
settings = preferences.get()
wheels = sys.argv[3]
ops = bpy.ops.scalemogen
Condition = status.Condition


def refused(call, *words, **options):
    try:
        call(**options)
    except RuntimeError as error:
        for word in words:
            assert word in str(error), error
        return str(error)
    raise AssertionError("it was not refused")


def shown():
    import panel_fakes

    class Page:
        @staticmethod
        def draw(self, context):
            page.draw(self.layout, context, settings)

    return panel_fakes.draw(Page, bpy.context)


def told(words):
    import panel_fakes

    return words in " ".join(panel_fakes.texts(shown()))
"""


@pytest.fixture
def run(tmp_path: Path, run_in_blender: Callable[..., str]) -> Callable[[str], str]:
    """Run a script after BEGIN."""
    checkout = fakes.make_add_on(tmp_path / "checkout ü")
    wheels = fakes.make_wheels(tmp_path / "wheels")
    tests = Path(__file__).parent

    def start(source: str) -> str:
        return run_in_blender(BEGIN + source, checkout, wheels, tests, timeout=300)

    return start


ONE_LIFE = """
assert status.current().condition is Condition.MISSING
assert "Install it in the preferences" in runtime.problem()
assert told("The engine needs PyTorch") and told("Install PyTorch (")
try:
    runtime.launch()
except Exception as error:
    assert type(error).__name__ == "ScaleMoGenError" and str(error) == runtime.problem()
else:
    raise AssertionError("launched")
refused(ops.runtime_install_wheels, "No folder of wheels is chosen", wait=True)
refused(ops.runtime_install_wheels, "holds no wheel of PyTorch", directory="/", wait=True)
assert not place.root().exists()
refused(ops.runtime_remove, "No runtime is installed")
refused(ops.runtime_check, "no runtime to check")
refused(ops.open_log, "Nothing has been installed yet")

settings.wheels_folder = wheels
assert ops.runtime_install_wheels(wait=True) == {"FINISHED"}
assert runtime.problem() is None and runtime.ready()
launch = runtime.launch()
assert launch.python.is_file() and launch.python.is_relative_to(place.root())
assert (launch.engine_folder / "core").is_dir()
assert (launch.model, launch.device, launch.idle_seconds) == ("open", "auto", 600.0)
assert told("PyTorch 2.13.0 (CPU)") and not told("to download")
assert ops.runtime_check(wait=True) == {"FINISHED"}
assert ops.open_log() == {"FINISHED"}

# Found devices are offered; a chosen one that has vanished stays chosen.
items = {item[0]: item[1] for item in preferences._device_items(settings, None)}
assert items == {"auto": "Automatic", "cpu": "Tiny CPU (1 GB)"}, items
settings.device = "cpu"
settings.idle_minutes = 0
assert (runtime.launch().device, runtime.launch().idle_seconds) == ("cpu", 0.0)
settings.device_id = "cuda:7"
assert settings.device == "cuda:7" and runtime.launch().device == "cuda:7"
settings.device = "auto"

# Damaged: found by checking, repaired from the folder of wheels.
lost = next(place.root().rglob("numpy/ballast.bin"))
lost.unlink()
refused(ops.runtime_check, "The runtime is damaged: numpy. Repair it.", wait=True)
assert status.current().condition is Condition.DAMAGED and not runtime.ready()
assert told("Repair (at most")
assert ops.runtime_repair(wait=True) == {"FINISHED"}
assert lost.is_file() and runtime.ready()

assert ops.runtime_remove(wait=True) == {"FINISHED"}
assert status.current().condition is Condition.MISSING
assert not list(place.root().glob("cp3*")) and not list(place.root().glob("removed*"))
scalemogen_blender.unregister()
assert not hasattr(bpy.types.WindowManager, "scalemogen_preferences")
"""


def test_one_life_of_a_runtime(run: Callable[[str], str]) -> None:
    run(ONE_LIFE)


OFFLINE = """
from scalemogen_blender._core import runtime as core_runtime

def forbidden(*_arguments, **_options):
    raise AssertionError("a process was started")

core_runtime.processes.start = forbidden
assert not bpy.app.online_access
for call in (ops.runtime_install,):
    refused(call, "Online access is off", "System, Network, Allow Online Access", wait=True)
    refused(call, "folder of wheels")
try:
    jobs.from_index()
except Exception as error:
    assert "Online access is off" in str(error)
else:
    raise AssertionError("a job was made")
assert told("Online access is off") and told("Open Network Preferences")
assert jobs.repair().offline
assert not place.root().exists()
bpy.context.preferences.system.use_online_access = True
assert jobs.online_problem() == "" and not told("Online access is off")
settings.package_index = "packages.example"
refused(ops.runtime_install, "begins with https://", wait=True)
settings.package_index = "https://packages.example/simple"
settings.package_index_only = True
job = jobs.from_index()
assert (job.index, job.only_index, job.offline) == ("https://packages.example/simple", True, False)
"""


def test_without_leave_to_go_online_no_process_is_started(run: Callable[[str], str]) -> None:
    run(OFFLINE)


EXISTING = """
settings.runtime_source = "EXISTING"
assert "No Python is chosen" in runtime.problem()
settings.python_path = str(Path(sys.argv[2]))
assert "is a folder" in runtime.problem() and told("is a folder")

# In background mode launching waits for the answer instead of guessing.
bare = Path(sys.argv[2]) / "bare"
subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
settings.python_path = str(bare / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
assert status.current().condition is Condition.CHECKING and runtime.problem() is None
try:
    runtime.launch()
except Exception as error:
    assert "lacks torch" in str(error), error
else:
    raise AssertionError("launched")
assert "lacks torch" in runtime.problem() and told("lacks torch") and told("Check Again")
refused(ops.runtime_check, "lacks torch", wait=True)

# One that has everything: what Install Here made serves as an existing Python as well.
settings.runtime_source = "INSTALL"
assert ops.runtime_install_wheels(directory=wheels, wait=True) == {"FINISHED"}
python = runtime.launch().python
settings.runtime_source = "EXISTING"
settings.python_path = str(python)
assert runtime.launch().python == python
assert told("PyTorch 2.13.0 (CPU)")

# The environment wins over everything.
settings.python_path = ""
os.environ[status.OVERRIDE] = str(python)
assert runtime.ready() and runtime.launch().python == python
assert told("SCALEMOGEN_PYTHON")
os.environ[status.OVERRIDE] = "/no/such/python"
assert "SCALEMOGEN_PYTHON: There is no file" in runtime.problem()
"""


def test_an_existing_python_is_checked(run: Callable[[str], str]) -> None:
    run(EXISTING)


RUNNING = """
import time

def ended(seconds=60):
    for _ in range(int(seconds / 0.05)):
        if activity.installation() is None:
            return True
        time.sleep(0.05)
    return False

assert ops.runtime_install_wheels(directory=wheels) == {"FINISHED"}
running = activity.installation()
assert running is not None
assert "being installed" in runtime.problem() and told("%")
refused(ops.runtime_install_wheels, "is being installed", directory=wheels)
refused(ops.runtime_repair, "is being installed")
refused(ops.runtime_remove, "is being installed")
assert ops.runtime_cancel() == {"FINISHED"}
assert ended()
assert "Cancelled" in activity.failure() and told("Cancelled")
refused(ops.runtime_cancel, "Nothing is being installed")
assert status.current().condition in {Condition.MISSING, Condition.INTERRUPTED}
assert ops.runtime_install_wheels(directory=wheels, wait=True) == {"FINISHED"}
assert activity.failure() == "" and runtime.ready()

# The add-on's end ends the installation, too.
ops.runtime_remove(wait=True)
assert ops.runtime_install_wheels(directory=wheels) == {"FINISHED"}
process = activity.installation()._process
scalemogen_blender.unregister()
assert process.poll() is not None
assert activity.installation() is None
"""


def test_a_running_installation_can_be_cancelled_and_ends_with_the_add_on(
    run: Callable[[str], str],
) -> None:
    run(RUNNING)


PLACES = """
settings.runtime_folder = str(Path(sys.argv[2]) / "elsewhere")
assert place.root() == Path(sys.argv[2]) / "elsewhere" / "scalemogen-runtime"
(Path(sys.argv[2]) / "elsewhere").mkdir()
(Path(sys.argv[2]) / "elsewhere" / "thesis.txt").write_text("years of work")
assert ops.runtime_install_wheels(directory=wheels, wait=True) == {"FINISHED"}
assert ops.runtime_remove(wait=True) == {"FINISHED"}
assert (Path(sys.argv[2]) / "elsewhere" / "thesis.txt").is_file()
addon = Path(scalemogen_blender.__file__).parent
settings.runtime_folder = str(addon / "runtime")
assert "inside the add-on" in runtime.problem()
refused(ops.runtime_install_wheels, "inside the add-on", directory=wheels, wait=True)
assert told("inside the add-on")
settings.runtime_folder = ""
assert addon not in place.root().parents

# Made by the Python of another Blender: recognised, left alone, made anew beside.
other = place.root() / "cp399"
other.mkdir(parents=True)
(other / "pyvenv.cfg").write_text(f"home = {other}\\n")
(other / "bin").mkdir()
(other / "bin" / "python").write_text("")
(other / "Scripts").mkdir()
(other / "Scripts" / "python.exe").write_text("")
assert status.current().condition is Condition.OTHER_PYTHON
assert "installed with Python 3.99" in runtime.problem()
assert ops.runtime_install_wheels(directory=wheels, wait=True) == {"FINISHED"}
assert runtime.ready() and other.is_dir()
"""


def test_the_runtime_lies_outside_the_add_on_and_beside_others(run: Callable[[str], str]) -> None:
    run(PLACES)
