"""The add-on's side of the runtime that needs no Blender: following, cancelling, remembering."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import runtime_fakes as fakes
from runtime_fakes import Index, package_index

from core.errors import ScaleMoGenError
from core.runtime.builds import builds_for
from core.runtime.inquiry import Findings
from core.runtime.install import Job
from scalemogen_blender.runtime import blender_python, plan
from scalemogen_blender.runtime.checking import Check, Checker
from scalemogen_blender.runtime.installation import Installation, Outcome, wait_for

PYTHON = Path(sys.executable)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with package_index(fakes.make_wheels(tmp_path / "wheels")) as served:
        yield served


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return fakes.make_engine(tmp_path / "engine")


def job(root: Path, index: Index) -> Job:
    return Job(str(root), index=index.address, only_index=True, download=1, disk=1)


# --- Following an installation ---------------------------------------------------------------


def test_an_installation_is_followed_to_its_end(tmp_path: Path, engine: Path, index: Index) -> None:
    installation = Installation(PYTHON, job(tmp_path / "runtime", index), engine)
    assert installation.outcome is Outcome.RUNNING
    steps = []
    wait_for(installation, steps.append)
    assert installation.outcome is Outcome.DONE, installation.message
    assert installation.step.fraction == 1.0
    assert installation.details["packages"] == fakes.VERSIONS
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    installation.cancel()  # too late: it changes nothing
    assert installation.outcome is Outcome.DONE


def test_cancel_ends_everything_and_the_next_one_goes_on(
    tmp_path: Path, engine: Path, index: Index
) -> None:
    index.hold = "numpy"
    installation = Installation(PYTHON, job(tmp_path / "runtime", index), engine)
    assert index.held.wait(60)
    assert not installation.wait(0.0)
    installation.cancel()
    assert installation.wait(10)
    assert installation.outcome is Outcome.CANCELLED
    assert "goes on from here" in installation.message
    assert index.dropped.wait(10), "pip is still there"
    index.hold = ""
    again = Installation(PYTHON, job(tmp_path / "runtime", index), engine)
    assert again.wait(120)
    assert again.outcome is Outcome.DONE, again.message
    assert index.requests.count("torch-2.13.0-py3-none-any.whl") == 1


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_an_installer_that_is_killed_is_noticed(tmp_path: Path, engine: Path, index: Index) -> None:
    index.hold = "torch"
    installation = Installation(PYTHON, job(tmp_path / "runtime", index), engine)
    assert index.held.wait(60)
    os.kill(installation._process.pid, signal.SIGKILL)
    assert installation.wait(20)
    assert installation.outcome is Outcome.FAILED
    assert "Install again: it goes on from here" in installation.message


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for Python")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 0", "ended unexpectedly"),
        ("echo 'Blender 5.0.1'; exit 1", "Blender 5.0.1"),
        ("echo '[]'; echo '{}'; echo 7; exit 1", "ended unexpectedly"),
        ('echo \'{"event": "failed", "message": "The disk is full."}\'', "The disk is full."),
    ],
)
def test_whatever_the_installer_says_ends_in_a_sentence(
    tmp_path: Path, script: str, words: str
) -> None:
    python = fakes.fake_python(tmp_path / "python3", script)
    installation = Installation(python, Job(str(tmp_path)), tmp_path)
    assert installation.wait(20)
    assert installation.outcome is Outcome.FAILED
    assert words in installation.message


# --- What is known of interpreters -----------------------------------------------------------

GOOD = Findings(
    version=(3, 11, 7),
    packages={"torch": "2.13.0"},
    build="cuda",
    engine="1",
    devices=({"id": "cuda:0", "name": "RTX", "memory_mb": 16000},),
)
BAD = Findings("It lacks torch. Install it.")


@pytest.fixture
def python(tmp_path: Path) -> Path:
    path = tmp_path / "env" / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text("")
    return path


def test_an_interpreter_is_asked_once_and_remembered_across_starts(
    tmp_path: Path, python: Path
) -> None:
    asked = []

    def ask(path: Path, _engine: Path) -> Findings:
        asked.append(path)
        return GOOD

    store = tmp_path / "logs" / "checks.json"
    checker = Checker(ask)
    assert checker.known(python, store) is None
    checker.check(python, tmp_path, store)
    assert checker.known(python, store) == Check(GOOD)
    next_start = Checker(ask)
    assert next_start.known(python, store) == Check(GOOD)
    assert asked == [python]


@pytest.mark.parametrize("change", ["interpreter", "packages"])
def test_what_has_changed_is_asked_again(tmp_path: Path, python: Path, change: str) -> None:
    checker = Checker(lambda _python, _engine: GOOD)
    store = tmp_path / "checks.json"
    checker.check(python, tmp_path, store)
    if change == "interpreter":
        python.write_text("another")
    else:
        (python.parent.parent / "complete.json").write_text("{}")
    assert checker.known(python, store) is None


def test_what_is_wrong_may_be_put_right_until_the_next_start(tmp_path: Path, python: Path) -> None:
    store = tmp_path / "checks.json"
    checker = Checker(lambda _python, _engine: BAD)
    checker.check(python, tmp_path, store)
    known = checker.known(python, store)
    assert known is not None
    assert known.problem == BAD.problem
    assert Checker().known(python, store) is None
    checker.forget(python)
    assert checker.known(python, store) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": {"findings": {"x": 1}}}'])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, python: Path, text: str) -> None:
    store = tmp_path / "checks.json"
    store.write_text(text)
    checker = Checker(lambda _python, _engine: GOOD)
    assert checker.known(python, store) is None
    checker.check(python, tmp_path, store)
    assert str(python) in json.loads(store.read_text())


def test_asking_never_makes_the_caller_wait(tmp_path: Path, python: Path) -> None:
    begun, go_on, asked = threading.Event(), threading.Event(), []

    def ask(path: Path, _engine: Path) -> Findings:
        asked.append(path)
        begun.set()
        go_on.wait(20)
        return GOOD

    checker, store = Checker(ask), tmp_path / "checks.json"
    checker.begin(python, tmp_path, store)
    assert begun.wait(20)
    checker.begin(python, tmp_path, store)  # drawn again meanwhile
    assert checker.running(python)
    assert checker.known(python, store) is None
    go_on.set()
    assert fakes.until(lambda: not checker.running())
    assert checker.known(python, store) == Check(GOOD)
    assert asked == [python]


def test_damaged_packages_of_an_installed_runtime_are_named(tmp_path: Path, python: Path) -> None:
    packages = tmp_path / "site-packages"
    (packages / "torch-2.13.0.dist-info").mkdir(parents=True)
    checker = Checker(lambda _python, _engine: GOOD)
    check = checker.check(python, tmp_path, tmp_path / "checks.json", packages)
    assert check.problem == "The runtime is damaged: torch. Repair it."
    assert Checker().known(python, tmp_path / "checks.json") is None


# --- What would be installed -----------------------------------------------------------------


def test_the_choice_is_kept_where_the_build_can_be_had() -> None:
    assert plan.make_plan("CPU", True, True, "linux-x64").build.name == "cpu"
    assert plan.make_plan("AUTO", True, True, "windows-x64").build.name == "cuda"
    assert plan.make_plan("AUTO", False, False, "macos-arm64").build.name == "metal"


@pytest.mark.parametrize(
    ("choice", "index", "nvidia", "platform", "words"),
    [
        ("CUDA", False, True, "windows-x64", "Only a package index that has this build"),
        ("METAL", False, False, "windows-x64", "no such build for this machine"),
        ("AUTO", False, False, "linux-x64", "No NVIDIA GPU was found"),
        ("AUTO", False, True, "linux-x64", ""),
        ("CUDA", True, True, "windows-x64", ""),
    ],
)
def test_doubts_are_said_before_gigabytes_are_fetched(
    choice: str, index: bool, nvidia: bool, platform: str, words: str
) -> None:
    doubt = plan.make_plan(choice, index, nvidia, platform).doubt
    assert words in doubt
    assert bool(words) == bool(doubt)


def test_sizes_are_said_as_people_say_them() -> None:
    assert plan.gigabytes(230) == "0.2 GB"
    assert plan.gigabytes(3000) == "3 GB"
    assert all(plan.build_name(build.name) != build.name for build in builds_for("linux-x64"))


# --- Blender's own Python --------------------------------------------------------------------


def test_blenders_python_is_what_blender_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert blender_python.interpreter() == PYTHON


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_blender_itself_is_never_started_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blender = fakes.fake_python(tmp_path / "blender", "touch started")
    monkeypatch.setattr(sys, "executable", str(blender))
    monkeypatch.setattr(sys, "_base_executable", str(blender))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "python"))
    with pytest.raises(ScaleMoGenError, match="Choose Existing Python"):
        blender_python.interpreter()
    folder = tmp_path / "python" / "bin"
    folder.mkdir(parents=True)
    name = "python{}.{}".format(*sys.version_info[:2])
    own = fakes.fake_python(folder / name, "exit 0")
    assert blender_python.interpreter() == own


def test_a_check_that_fails_is_an_answer_too(tmp_path: Path) -> None:
    """Otherwise whatever draws the page would ask again and again."""

    def ask(_python: Path, _engine: Path) -> Findings:
        raise KeyError("unheard of")

    checker, store = Checker(ask), tmp_path / "checks.json"
    checker.begin(PYTHON, tmp_path, store)
    while checker.running():
        threading.Event().wait(0.01)
    known = checker.known(PYTHON, store)
    assert known is not None and "unheard of" in known.problem


@pytest.mark.parametrize(
    "device", [3, {}, {"id": 1, "name": "x", "memory_mb": 2}, {"id": "cpu", "name": "x"},
               {"id": "cpu", "name": "x", "memory_mb": "much"}],
)  # fmt: skip
def test_devices_that_cannot_be_shown_are_asked_for_again(tmp_path: Path, device: object) -> None:
    store = tmp_path / "checks.json"
    good = {"id": "cpu", "name": "a processor", "memory_mb": None}
    Checker().remember(PYTHON, Check(Findings(version=(3, 11, 0), devices=(good,))), store)
    assert Checker().known(PYTHON, store) is not None
    table = json.loads(store.read_text())
    table[str(PYTHON)]["findings"]["devices"] = [device]
    store.write_text(json.dumps(table))
    assert Checker().known(PYTHON, store) is None
