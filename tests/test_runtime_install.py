"""The installer's process: whatever stops it, the next start makes the runtime complete."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import runtime_fakes as fakes
from runtime_fakes import Index, Install, install, package_index

from core.runtime import place
from core.runtime.environment import State, VirtualEnvironment, read_details

HERE = (sys.version_info[0], sys.version_info[1])


@pytest.fixture(autouse=True)
def no_settings_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's package index is none of the tests' business."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fakes.make_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fakes.make_engine(tmp_path_factory.mktemp("engine") / "add-on with spaces ü")


@pytest.fixture(scope="module")
def template(engine: Path, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete runtime, to be copied and spoilt."""
    root = tmp_path_factory.mktemp("template") / "runtime"
    assert install(engine, root, wheels=str(wheels))["event"] == "done"
    return root


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Path:
    """A complete runtime of one's own."""
    root = tmp_path / "runtime"
    shutil.copytree(template, root, symlinks=True)
    return root


@pytest.fixture
def index(wheels: Path) -> Iterator[Index]:
    with package_index(wheels) as served:
        yield served


def environment(root: Path) -> VirtualEnvironment:
    return place.slots(root, HERE)[0]


def runs(root: Path) -> bool:
    """Whether what is installed can be imported, with all its files."""
    code = (
        "import torch, numpy, safetensors, tokenizers, pathlib\n"
        "for m in (torch, numpy, safetensors, tokenizers):\n"
        "    ballast = pathlib.Path(m.__file__).with_name('ballast.bin').read_bytes()\n"
        "    assert ballast == b'x' * 5000, m\n"
    )
    command = [environment(root).python, "-I", "-c", code]
    return subprocess.run(command, check=False).returncode == 0


# --- Installing ------------------------------------------------------------------------------


def test_from_a_folder_of_wheels_into_an_empty_folder(
    engine: Path, wheels: Path, tmp_path: Path
) -> None:
    root = tmp_path / "a new folder ü" / "runtime"
    running = Install(engine, root, wheels=str(wheels))
    done = running.end()
    assert done["event"] == "done", done
    assert running.events[0]["event"] == "hello"
    steps = [event for event in running.events if event["event"] == "progress"]
    assert {"prepare", "check"} <= {step["phase"] for step in steps}
    fractions = [step["fraction"] for step in steps]
    assert fractions == sorted(fractions)  # it never goes back
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    assert done["packages"] == fakes.VERSIONS
    assert done["build"] == "cpu"
    assert done["devices"][0]["name"] == "Tiny CPU"
    assert done["downloaded_mb"] == 0
    assert Path(done["python"]) == environment(root).python
    assert runs(root)
    details = read_details(environment(root).folder)
    assert details["version"] == list(sys.version_info[:3])
    assert details["build"] == "cpu"
    left = sorted(path.name for path in root.iterdir())
    assert left == [environment(root).folder.name, place.LOCK, place.LOG]
    assert "--no-index" in (root / place.LOG).read_text()
    assert not list(environment(root).site_packages.glob("pip*"))  # nothing that needs repairing


def test_from_a_package_index(engine: Path, index: Index, tmp_path: Path) -> None:
    done = install(engine, tmp_path, index=index.address, only_index=True)
    assert done["event"] == "done", done
    assert sorted(index.requests) == sorted(
        f"{name}-{version}-py3-none-any.whl" for name, version in fakes.VERSIONS.items()
    )
    assert runs(tmp_path)
    assert not (tmp_path / place.KEPT).exists()


def test_a_complete_runtime_stays_and_needs_nothing(engine: Path, made: Path) -> None:
    before = environment(made).site_packages.joinpath("torch", "__init__.py").stat().st_mtime_ns
    done = install(engine, made, offline=True)
    assert done["event"] == "done", done
    after = environment(made).site_packages.joinpath("torch", "__init__.py").stat().st_mtime_ns
    assert after == before


def test_another_build_is_made_beside_and_then_takes_the_place(
    engine: Path, wheels: Path, made: Path, tmp_path: Path
) -> None:
    first, second = place.slots(made, HERE)
    lacking = tmp_path / "lacking"
    shutil.copytree(wheels, lacking)
    next(lacking.glob("numpy-*")).unlink()
    assert install(engine, made, wheels=str(lacking), anew=True)["event"] == "failed"
    assert read_details(first.folder)  # what worked works still
    assert runs(made)
    done = install(engine, made, wheels=str(wheels), anew=True)
    assert done["event"] == "done", done
    assert Path(done["python"]) == second.python
    assert not first.folder.exists()


def test_the_parents_settings_of_python_and_pip_are_kept_out(
    engine: Path, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "studio"))
    monkeypatch.setenv("PYTHONHOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "target"))
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    from core.runtime.install import Job, command, job_line
    from core.runtime.processes import start

    process = start(command(Path(sys.executable), engine), stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    job = Job(root=str(tmp_path / "runtime"), wheels=str(wheels), disk=1, download=1)
    process.stdin.write(job_line(job))
    process.stdin.flush()
    last = json.loads(process.stdout.read().splitlines()[-1])
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert last["event"] == "done", last
    assert runs(tmp_path / "runtime")
    assert not (tmp_path / "target").exists()


# --- Interrupted -----------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
@pytest.mark.parametrize("how", ["killed", "Blender is gone"])
def test_interrupted_while_downloading(
    engine: Path, index: Index, tmp_path: Path, how: str
) -> None:
    index.hold = "safetensors"
    running = Install(engine, tmp_path, index=index.address, only_index=True)
    assert index.held.wait(60)
    if how == "killed":
        running.process.send_signal(signal.SIGKILL)  # the installer alone: pip has to notice
    else:
        assert running.process.stdin is not None
        running.process.stdin.close()
    running.process.wait(20)
    assert index.dropped.wait(20), "pip goes on without its installer"
    running.close()
    assert place.look(tmp_path, HERE).state is State.INTERRUPTED
    fetched = list(index.requests)
    index.hold = ""
    done = install(engine, tmp_path, index=index.address, only_index=True)
    assert done["event"] == "done", done
    assert runs(tmp_path)
    again = index.requests[len(fetched) :]
    whole = [file for file in fetched if not file.startswith("safetensors")]
    assert whole, "something was downloaded before"
    assert not set(again) & set(whole)


def test_a_connection_that_breaks_is_a_sentence_and_what_was_fetched_is_kept(
    engine: Path, index: Index, tmp_path: Path
) -> None:
    index.fail = "safetensors"
    failed = install(engine, tmp_path, index=index.address, only_index=True)
    assert failed["event"] == "failed"
    assert "PyTorch could not be installed" in failed["message"]
    assert "\n" not in failed["message"]
    fetched, index.fail = list(index.requests), ""
    assert install(engine, tmp_path, index=index.address, only_index=True)["event"] == "done"
    assert fetched.count("torch-2.13.0-py3-none-any.whl") == 1
    assert "torch-2.13.0-py3-none-any.whl" not in index.requests[len(fetched) :]


def test_partial_and_damaged_packages_are_repaired(engine: Path, wheels: Path, made: Path) -> None:
    packages = environment(made).site_packages
    # Killed while unpacking: files without their list, and the remains of an update.
    shutil.rmtree(packages / "torch-2.13.0.dist-info")
    (packages / "torch" / "ballast.bin").unlink()
    (packages / "~orch").mkdir()
    (packages / "safetensors-0.8.0.dist-info" / "RECORD").unlink()
    (packages / "safetensors" / "ballast.bin").write_bytes(b"")
    # Damaged since.
    (packages / "tokenizers" / "ballast.bin").unlink()
    (packages / "numpy" / "ballast.bin").write_bytes(b"y" + b"x" * 4999)
    done = install(engine, made, wheels=str(wheels), thorough=True)
    assert done["event"] == "done", done
    assert runs(made)
    assert not (packages / "~orch").exists()
    assert "Damaged: numpy-2.3.5.dist-info" in (made / place.LOG).read_text()


def test_damage_without_a_network_or_wheels_says_what_is_needed(engine: Path, made: Path) -> None:
    (environment(made).site_packages / "torch" / "ballast.bin").unlink()
    failed = install(engine, made, offline=True)
    assert "online access is off" in failed["message"]
    assert place.look(made, HERE).state is State.INTERRUPTED  # never taken for complete


@pytest.mark.skipif(os.name == "nt", reason="symbolic links")
def test_an_interpreter_that_vanished_is_made_again_and_packages_stay(
    engine: Path, made: Path
) -> None:
    here = environment(made)
    for link in here.python.parent.glob("python*"):
        link.unlink()
        link.symlink_to("/opt/Blender 4.2/python/bin/python3")
    old = made / "cp310"  # of no use to anyone any more
    old.mkdir()
    (old / "pyvenv.cfg").write_text("home = /opt/Blender 3.6/python/bin\n")
    (made / "removed-0-123").mkdir()
    assert place.look(made, HERE).state is State.INTERRUPTED
    done = install(engine, made, offline=True)  # no package is needed for that
    assert done["event"] == "done", done
    assert runs(made)
    assert not old.exists()
    assert not (made / "removed-0-123").exists()


# --- What stands in the way ------------------------------------------------------------------


def test_two_blenders_do_not_install_at_once(engine: Path, index: Index, tmp_path: Path) -> None:
    index.hold = "torch"
    first = Install(engine, tmp_path, index=index.address, only_index=True)
    assert index.held.wait(60)
    second = install(engine, tmp_path, index=index.address, only_index=True)
    assert second["event"] == "failed"
    assert "Another Blender is installing" in second["message"]
    assert first.process.poll() is None
    first.process.kill()
    first.process.wait()
    first.close()


def test_too_little_space_is_said_before_anything_is_made(
    engine: Path, wheels: Path, tmp_path: Path
) -> None:
    failed = install(engine, tmp_path, wheels=str(wheels), disk=10**9)
    assert "needs about 1000000000 MB" in failed["message"]
    assert "Install Folder" in failed["message"]
    assert [path.name for path in tmp_path.iterdir()] == [place.LOCK]


def test_a_wheel_that_the_folder_lacks_is_named(engine: Path, wheels: Path, tmp_path: Path) -> None:
    lacking = tmp_path / "lacking"
    shutil.copytree(wheels, lacking)
    next(lacking.glob("tokenizers-*")).unlink()
    failed = install(engine, tmp_path / "runtime", wheels=str(lacking))
    assert "has no wheel of tokenizers==0.23.3 for Python" in failed["message"]


def test_packages_that_do_not_work_are_never_taken_for_complete(
    engine: Path, wheels: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(wheels, broken)
    fakes.make_wheel(broken, "torch", "2.13.0", "raise OSError('libcublas.so is missing')\n")
    failed = install(engine, tmp_path / "runtime", wheels=str(broken))
    assert "libcublas.so is missing" in failed["message"]
    assert place.look(tmp_path / "runtime", HERE).state is State.INTERRUPTED


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(engine: Path, wheels: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    failed = install(engine, tmp_path / "runtime", wheels=str(wheels))
    tmp_path.chmod(0o700)
    assert "choose another Install Folder" in failed["message"]


def test_a_file_where_the_folder_should_be(engine: Path, wheels: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    failed = install(engine, tmp_path / "file" / "runtime", wheels=str(wheels))
    assert "choose another Install Folder" in failed["message"]


def test_a_password_in_an_address_is_seen_nowhere(
    engine: Path, index: Index, tmp_path: Path
) -> None:
    index.hold = "torch"
    address = index.address.replace("http://", "http://studio:s3cr3t@")
    running = Install(engine, tmp_path, index=address, only_index=True)
    assert index.held.wait(60)
    if Path("/proc/self/cmdline").exists():
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _ours(path)]
        assert any(b"pip" in line for line in lines)
        assert not any(b"s3cr3t" in line for line in lines)
    running.process.kill()
    running.process.wait()
    running.close()
    assert "s3cr3t" not in (tmp_path / place.LOG).read_text()


def _ours(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.geteuid() and bool(path.read_bytes())
    except OSError:
        return False
