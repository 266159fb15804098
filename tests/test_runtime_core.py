"""core.runtime: what is installed where, whether it is whole, and what a Python can do."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import runtime_fakes as fakes

from core.errors import ScaleMoGenError
from core.runtime import builds, damage, inquiry, locking, pip_code, place, processes, system
from core.runtime.environment import MARK, State, VirtualEnvironment, read_details, write_stamp
from core.runtime.inquiry import Findings, ask
from core.runtime.kept import KeptWheels
from core.runtime.pip_process import Traffic
from core.runtime.probe import NEEDED, NEWEST, OLDEST
from launcher import ROOT

HERE = (sys.version_info[0], sys.version_info[1])
posix = pytest.mark.skipif(os.name == "nt", reason="shell scripts stand in for interpreters")


# --- Packages that are whole -----------------------------------------------------------------


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of packages with two whole ones in it."""
    folder = tmp_path / "site-packages"
    for name in ("first", "second"):
        wheel = fakes.make_wheel(tmp_path, name, "1.0", "x = 1\n", ballast=100)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def names(found: list[Path]) -> list[str]:
    return [path.name.partition("-")[0] for path in found]


def test_whole_packages_are_left_alone(packages: Path) -> None:
    assert damage.damaged_distributions(packages, thorough=True) == []


@pytest.mark.parametrize("file", ["first/ballast.bin", "first-1.0.dist-info/METADATA"])
def test_a_missing_file_is_found(packages: Path, file: str) -> None:
    (packages / file).unlink()
    assert names(damage.damaged_distributions(packages)) == ["first"]


@pytest.mark.parametrize("record", [None, b"", b"first/__init__.py,,many\n", b"\x00\xff"])
def test_pip_stopped_before_the_end_is_found(packages: Path, record: bytes | None) -> None:
    path = packages / "first-1.0.dist-info" / "RECORD"
    path.unlink() if record is None else path.write_bytes(record)
    assert names(damage.damaged_distributions(packages)) == ["first"]


def test_a_file_that_a_power_cut_emptied_is_found(packages: Path) -> None:
    (packages / "second" / "ballast.bin").write_bytes(b"")
    assert names(damage.damaged_distributions(packages)) == ["second"]


def test_a_flipped_byte_is_found_by_looking_thoroughly(packages: Path) -> None:
    (packages / "second" / "ballast.bin").write_bytes(b"\x01" + bytes(99))
    assert damage.damaged_distributions(packages) == []
    seen: list[str] = []
    found = damage.damaged_distributions(packages, thorough=True, on_package=seen.append)
    assert names(found) == ["second"]
    assert seen == ["first", "second"]


def test_remains_of_broken_off_updates_are_cleared(packages: Path) -> None:
    (packages / "~irst").mkdir()
    (packages / "~econd.py").write_text("")
    damage.remove_remains(packages, [packages / "first-1.0.dist-info"])
    left = sorted(path.name for path in packages.iterdir())
    assert left == ["first", "second", "second-1.0.dist-info"]


# --- The environment -------------------------------------------------------------------------


def make_environment(folder: Path, wanted: str | None, home: Path | None = None) -> None:
    environment = VirtualEnvironment(folder, HERE)
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text("")
    (folder / MARK).write_text(f"home = {home or folder}\n")
    if wanted is not None:
        write_stamp(folder, wanted, build="cpu")


def test_nothing_is_missing(tmp_path: Path) -> None:
    found = place.look(tmp_path / "none", HERE)
    assert found.state is State.MISSING
    assert found.other_python is None


def test_a_complete_one_is_ready_and_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    first, second = place.slots(tmp_path, HERE)
    make_environment(second.folder, place.wanted_fingerprint(HERE))
    found = place.look(tmp_path, HERE)
    assert (found.state, found.environment, found.details["build"]) == (State.READY, second, "cpu")
    make_environment(first.folder, None)  # another build is being made beside it
    assert place.look(tmp_path, HERE).environment == second


@pytest.mark.parametrize(
    ("stamp", "state"), [(None, State.INTERRUPTED), ("older pins", State.OUTDATED)]
)
def test_a_half_made_or_older_one_is_told_apart(
    tmp_path: Path, stamp: str | None, state: State
) -> None:
    make_environment(place.slots(tmp_path, HERE)[0].folder, stamp)
    assert place.look(tmp_path, HERE).state is state


def test_one_of_another_blenders_python_is_recognised(tmp_path: Path) -> None:
    other = (3, 99)
    make_environment(tmp_path / "cp399", place.wanted_fingerprint(other))
    found = place.look(tmp_path, HERE)
    assert (found.state, found.other_python) == (State.MISSING, other)
    assert found.environment.folder != tmp_path / "cp399"  # it is made anew beside


def test_a_stamp_is_no_good_once_its_interpreter_has_gone(tmp_path: Path) -> None:
    folder = place.slots(tmp_path, HERE)[0].folder
    home = tmp_path / "Blender 4.2" / "python" / "bin"
    home.mkdir(parents=True)
    make_environment(folder, place.wanted_fingerprint(HERE), home)
    assert place.look(tmp_path, HERE).state is State.READY
    assert place.orphans(tmp_path) == []
    home.rmdir()
    assert place.look(tmp_path, HERE).state is State.INTERRUPTED
    assert place.orphans(tmp_path) == [folder]


def test_pins_python_platform_and_needs_make_another_runtime(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = place.wanted_fingerprint((3, 11))
    assert place.wanted_fingerprint((3, 13)) != before
    monkeypatch.setattr(place, "platform_name", lambda: "windows-arm64")
    assert place.wanted_fingerprint((3, 11)) != before
    monkeypatch.undo()
    monkeypatch.setattr(place, "NEEDED", (*NEEDED, "more"))
    assert place.wanted_fingerprint((3, 11)) != before
    monkeypatch.undo()
    (tmp_path / "requirements.txt").write_text("torch==9\n")
    monkeypatch.setattr(place, "REQUIREMENTS", tmp_path / "requirements.txt")
    assert place.wanted_fingerprint((3, 11)) != before


def test_taking_it_out_of_use_leaves_nothing_that_looks_ready(tmp_path: Path) -> None:
    first, _ = place.slots(tmp_path, HERE)
    make_environment(first.folder, place.wanted_fingerprint(HERE))
    (tmp_path / place.KEPT).mkdir()
    doomed = place.set_aside(tmp_path)
    assert len(doomed) == 2
    assert all(folder.is_dir() and read_details(folder) == {} for folder in doomed)
    assert place.look(tmp_path, HERE).state is State.MISSING


def test_it_is_not_taken_away_while_it_is_being_made(tmp_path: Path) -> None:
    make_environment(place.slots(tmp_path, HERE)[0].folder, "x")
    holding = (
        "import sys; from pathlib import Path; from core.runtime.locking import only_one\n"
        f"with only_one(Path({str(tmp_path / place.LOCK)!r}), lambda: None):\n"
        "    print('holding', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", holding], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"holding"
        with pytest.raises(ScaleMoGenError, match="being installed right now"):
            place.set_aside(tmp_path)
        holder.kill()  # however it ends, the lock is given back
        holder.wait()
        with locking.only_one(tmp_path / place.LOCK, lambda: pytest.fail("still locked")):
            pass


def test_windows_is_told_of_paths_that_it_would_refuse(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deep = Path("C:/Users/somebody/AppData/Roaming/Blender Foundation/Blender/5.0/extensions/.user")
    monkeypatch.setattr(place, "_long_paths_allowed", lambda: False)
    assert "Choose a short Install Folder" in (place.longest_path_problem(deep, HERE) or "")
    assert place.longest_path_problem(Path("C:/ScaleMoGen"), HERE) is None
    monkeypatch.setenv("LOCALAPPDATA", "C:/Users/artist/AppData/Local")
    short = place.short_root()
    assert short is not None
    assert place.longest_path_problem(short, HERE) is None
    monkeypatch.setattr(place, "_long_paths_allowed", lambda: True)
    assert place.longest_path_problem(deep, HERE) is None


# --- Downloads that are kept -----------------------------------------------------------------


def test_finished_downloads_are_kept_and_the_one_under_way_is_not(tmp_path: Path) -> None:
    scratch = tmp_path / "tmp"
    for name in ("torch", "numpy", "tokenizers"):
        fakes.make_wheel(scratch / f"pip-unpack-{name}", name, "1.0", "")
    kept = KeptWheels(tmp_path / "kept", ["pins"])
    kept.keep(scratch, unfinished="numpy-1.0-py3-none-any.whl")
    kept.keep(scratch, unfinished="numpy-1.0-py3-none-any.whl")
    alone = kept.paths({"tokenizers"}, among=True)
    others = kept.paths({"tokenizers"}, among=False)
    assert [Path(path).name for path in alone] == ["tokenizers-1.0-py3-none-any.whl"]
    assert [Path(path).name for path in others] == ["torch-1.0-py3-none-any.whl"]


def test_kept_wheels_of_other_pins_or_another_index_are_thrown_away(tmp_path: Path) -> None:
    kept = KeptWheels(tmp_path, ["pins"])
    fakes.make_wheel(kept.folder, "torch", "1.0", "")
    assert KeptWheels(tmp_path, ["pins"]).paths((), among=False)
    assert not KeptWheels(tmp_path, ["pins", "--index-url elsewhere"]).paths((), among=False)
    assert not kept.folder.exists()


@pytest.mark.parametrize("size", [0, 300, -1])
def test_a_kept_wheel_that_did_not_reach_the_disk_is_dropped(tmp_path: Path, size: int) -> None:
    kept = KeptWheels(tmp_path, ["pins"])
    whole = fakes.make_wheel(kept.folder, "numpy", "1.0", "")
    broken = fakes.make_wheel(kept.folder, "torch", "1.0", "x = 1", ballast=1000)
    content = broken.read_bytes()
    zeros = content[:200] + bytes(300) + content[500:]
    broken.write_bytes(zeros if size < 0 else content[:size])
    kept.drop_damaged()
    assert kept.paths((), among=False) == [str(whole)]


# --- Builds and pins -------------------------------------------------------------------------

PLATFORMS = ["linux-x64", "linux-arm64", "windows-x64", "windows-arm64", "macos-arm64"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_has_a_build_that_pip_brings(platform: str) -> None:
    found = builds.builds_for(platform)
    assert found[0].obtainable
    assert all(build.download > 0 and build.disk > build.download for build in found)
    assert builds.recommended(found, has_nvidia=False, own_index=False).obtainable


def test_this_machine_has_a_platform_name_of_that_kind() -> None:
    assert re.fullmatch(r"(linux|windows|macos)-(x64|arm64)", system.platform_name())


@pytest.mark.parametrize(
    ("platform", "nvidia", "index", "name"),
    [
        ("windows-x64", True, True, "cuda"),
        ("windows-x64", True, False, "cpu"),  # pip's own index has no other
        ("linux-x64", True, False, "cuda"),
        ("linux-x64", False, False, "cuda"),  # likewise; it runs on the CPU, too
        ("linux-x64", False, True, "cpu"),
        ("macos-arm64", False, False, "metal"),
    ],
)
def test_the_recommended_build_suits_the_machine_and_can_be_had(
    platform: str, nvidia: bool, index: bool, name: str
) -> None:
    assert builds.recommended(builds.builds_for(platform), nvidia, index).name == name


def test_an_unknown_machine_is_told_what_to_do() -> None:
    with pytest.raises(ScaleMoGenError, match="Use an existing Python"):
        builds.builds_for("plan9-sparc")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"platforms": {"linux-x64": {"builds": {}}}}'])
def test_a_damaged_list_of_builds_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "builds.json").write_text(text)
    with pytest.raises(ScaleMoGenError, match=r"Install the extension again|Use an existing"):
        builds.builds_for("linux-x64", tmp_path)


def test_a_distributor_fills_in_an_index_without_touching_code(tmp_path: Path) -> None:
    table = json.loads((builds.FOLDER / "builds.json").read_text())
    entry = table["platforms"]["windows-x64"]["builds"]["cuda"]
    entry |= {"index": "https://packages.example/cuda", "version": "2.13.0+cuda"}
    (tmp_path / "builds.json").write_text(json.dumps(table))
    found = builds.builds_for("windows-x64", tmp_path)
    best = builds.recommended(found, has_nvidia=True, own_index=False)
    assert (best.name, best.index) == ("cuda", "https://packages.example/cuda")


def test_the_bundled_list_names_no_server() -> None:
    for path in builds.FOLDER.iterdir():
        assert "://" not in path.read_text(encoding="utf-8"), path


def test_nvidias_tool_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name == "nt":
        pytest.skip("a shell script stands in for the tool")
    fakes.fake_python(tmp_path / "nvidia-smi", "echo 'NVIDIA RTX A4000, 16376'\necho 'garbage'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert builds.nvidia_gpus() == [("NVIDIA RTX A4000", 16376)]
    fakes.fake_python(tmp_path / "nvidia-smi", "exit 9")
    assert builds.nvidia_gpus() == []


def pins(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            match = re.match(r"([\w.-]+)==([\w.]+)(; .+)?$", line)
            assert match, f"{path}: {line} is not pinned exactly"
            found.setdefault(match[1].lower().replace("_", "-"), set()).add(match[2])
    return found


def test_the_runtime_has_the_engines_own_pins() -> None:
    """numpy apart: Blender's Pythons up to 3.14 need one that has wheels for all of them."""
    engine = pins(ROOT / "requirements" / "engine.txt")
    runtime = pins(place.REQUIREMENTS) | pins(place.NO_DEPENDENCIES)
    assert set(NEEDED) <= set(runtime)
    for name, versions in runtime.items():
        assert name == "numpy" or engine[name] <= versions, name


def test_everything_that_the_runtime_asks_for_is_pinned_for_every_python() -> None:
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    known = pins(place.REQUIREMENTS)
    for name in known:
        if name == "numpy":
            continue
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            pytest.skip(f"{name} is not installed here: start the tests with python3 run.py test")
        for line in lines:
            asked = Requirement(line)
            if asked.name.startswith(("nvidia-", "cuda-", "triton")):
                continue  # pinned by torch itself
            for minor in range(OLDEST[1], NEWEST[1] + 1):
                here = {"extra": "", "python_version": f"3.{minor}"}
                if asked.marker is None or asked.marker.evaluate(here):
                    assert asked.name.lower().replace("_", "-") in known, f"{name} asks for {line}"


def test_downloads_are_counted_from_what_pip_says() -> None:
    traffic = Traffic()
    assert traffic.read("  Downloading torch-2.13.0.whl (526.6 MB)\n") == (
        "torch-2.13.0.whl",
        526_600_000,
    )
    assert traffic.downloaded == 526_600_000


# --- Asking a Python -------------------------------------------------------------------------


def problem(python: Path) -> str:
    return ask(python, ROOT).problem


def test_a_python_with_everything_runs_the_engine(tmp_path: Path) -> None:
    engine = fakes.make_engine(tmp_path / "engine")
    packages = tmp_path / "packages"
    for name, source in fakes.PACKAGES.items():
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text(source)
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    made = VirtualEnvironment(environment, HERE)
    assert "lacks torch, numpy, safetensors, tokenizers" in ask(made.python, engine).problem
    (made.site_packages / "ours.pth").write_text(str(packages))
    found = ask(made.python, engine)
    assert found.problem == ""
    assert found.version == tuple(sys.version_info[:3])
    assert found.packages == fakes.VERSIONS
    assert found.build == "cpu"
    assert found.devices == ({"id": "cpu", "name": "Tiny CPU", "memory_mb": 1000},)
    (engine / "core" / "engine.py").write_text("raise RuntimeError('too old')")
    assert "does not start" in ask(made.python, engine).problem
    (packages / "numpy" / "__init__.py").write_text("raise OSError('wrong architecture')")
    assert "lacks numpy (OSError: wrong architecture)" in ask(made.python, engine).problem


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_a_question_ends_with_whoever_asked_it(tmp_path: Path) -> None:
    engine = fakes.make_engine(tmp_path / "engine")
    packages, begun = tmp_path / "packages", tmp_path / "begun"
    packages.mkdir()
    waiting = f"import os, pathlib, time; pathlib.Path({str(begun)!r}).write_text(str(os.getpid()))"
    (packages / "torch.py").write_text(f"{waiting}\ntime.sleep(60)\n")
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    made = VirtualEnvironment(environment, HERE)
    (made.site_packages / "ours.pth").write_text(str(packages))
    asking = (
        "import sys; from pathlib import Path; from core.runtime.inquiry import ask\n"
        f"ask(Path({str(made.python)!r}), Path({str(engine)!r}))\n"
    )
    asker = subprocess.Popen([sys.executable, "-c", asking], cwd=ROOT)
    assert fakes.until(lambda: begun.exists() and bool(begun.read_text()))
    asker.kill()
    asker.wait()
    assert fakes.until(lambda: not _alive(int(begun.read_text())))


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_what_is_no_interpreter_is_refused_in_words(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a program")
    assert "No Python is chosen" in problem(Path())
    assert "There is no file" in problem(tmp_path / "none")
    assert "is a folder. Choose the interpreter." in problem(tmp_path)
    assert "is Blender" in problem(fakes.fake_python(tmp_path / "blender", "exit 0"))
    if os.name != "nt":
        assert "no program that can be started" in problem(text)
        text.chmod(0o755)
        assert "does not answer as Python does" in problem(text)


def test_an_environments_folder_leads_to_its_interpreter() -> None:
    folder = Path(sys.prefix)
    assert str(inquiry.interpreter_in(folder)) in problem(folder)


@posix
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo '[3, 9, 18]'", "is Python 3.9; the engine needs 3.11 to 3.14"),
        ("echo '[3, 15, 0]'", "is Python 3.15; the engine needs 3.11 to 3.14"),
        ("exit 0", "does not answer as Python does"),
        ("echo hello", "does not answer as Python does"),
        ("echo '[3, true, 0]'", "does not answer as Python does"),
        ("yes", "does not answer as Python does"),
        ("echo '[3, 11, 7]'; exit 139", "failed: it ended with code 139"),
        ("echo '[3, 11, 7]'; echo '{\"other\": 1}'", "failed: it ended with"),
        ("echo '[3, 11, 7]'; sleep 60", "failed: it did not come to an end"),
        ("sleep 60", "does not answer as Python does"),
    ],
)
def test_whatever_a_chosen_program_does_it_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    monkeypatch.setattr(inquiry, "_FIRST_LINE_SECONDS", 1.0)
    monkeypatch.setattr(inquiry, "_SECONDS_AT_MOST", 1.5)
    python = fakes.fake_python(tmp_path / "python3", script)
    found = ask(python, ROOT)
    assert words in found.problem
    assert "\n" not in found.problem


def test_what_asks_can_be_read_by_any_python() -> None:
    import ast

    from core.runtime.probe import BOOT

    ast.parse(BOOT, feature_version=(3, 2))
    assert Findings().problem == ""


@posix
def test_a_process_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    script = f"(while :; do touch {alive}; sleep 0.05; done) & echo started; wait"
    process = processes.start([fakes.fake_python(tmp_path / "parent", script)])
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    assert fakes.until(alive.exists)
    processes.kill_group(process)
    process.stdout.close()
    alive.unlink(missing_ok=True)
    assert not fakes.until(alive.exists, 0.5)


# --- pip itself ------------------------------------------------------------------------------


def test_pip_comes_from_the_python_or_from_the_folder_of_wheels(tmp_path: Path) -> None:
    own = pip_code.pip_folder(tmp_path / "own")
    assert (own / "pip" / "__main__.py").is_file()
    wheels = tmp_path / "wheels"
    fakes.make_wheel(wheels, "pip", "99.0", "__version__ = '99.0'\n")
    chosen = pip_code.pip_folder(tmp_path / "chosen", wheels)
    assert "99.0" in (chosen / "pip" / "__init__.py").read_text()
    (wheels / "pip-99.0-py3-none-any.whl").write_bytes(b"broken")
    again = pip_code.pip_folder(tmp_path / "chosen", wheels)
    assert (again / "pip" / "__main__.py").is_file()


def test_a_python_without_pip_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr("sysconfig.get_config_var", lambda _name: None)
    with pytest.raises(ScaleMoGenError, match=r"apt-get install python3\.\d+-venv") as failure:
        pip_code.pip_folder(tmp_path / "pip", tmp_path)
    assert "folder of wheels" in str(failure.value)
    fakes.make_wheel(tmp_path, "pip", "99.0", "")
    assert (pip_code.pip_folder(tmp_path / "pip", tmp_path) / "pip").is_dir()
