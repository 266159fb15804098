"""The command line: dispatching, exit codes, one-line errors; generate, retarget."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli import dispatch
from cli.dispatch import main
from core.bvh import motion_from_bvh, read_bvh, write_bvh
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.paths import ROOT
from core.skeleton import canonical
from launcher.commands import CLI_COMMANDS
from tests.cli_fakes import (
    FakeEngine,
    FakePipeline,
    install_engine,
    install_pipeline,
    refuse_engine,
)

PROMPT = "a person walks forward and waves"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    return install_engine(monkeypatch)


@pytest.fixture
def blender(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    return install_pipeline(monkeypatch)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def one_line_error(capfd: pytest.CaptureFixture[str]) -> str:
    """The error on stderr: exactly one line, nothing on stdout."""
    output = capfd.readouterr()
    assert output.out == ""
    lines = output.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and lines[0].endswith("."), lines
    return lines[0]


def seed_in(path: Path) -> int:
    """The seed that the fake engine hid in a motion's height."""
    motion = motion_from_bvh(read_bvh(path))
    assert motion is not None
    return round((motion.root_positions[0, 1] - 0.9) * 1000)


# --- dispatching ---------------------------------------------------------------------------------


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    output = capsys.readouterr().out
    assert all(f"  {name} " in output for name in CLI_COMMANDS)
    assert main([]) == 2


def test_an_unknown_command_suggests_a_near_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["generat", "x"]) == 2
    assert "Did you mean generate?" in one_line_error(capfd)


@pytest.mark.parametrize(
    ("raised", "code"), [(KeyboardInterrupt(), 130), (ScaleMoGenError("two\nlines"), 2)]
)
def test_what_ends_a_command_decides_the_exit_code(monkeypatch, capfd, raised, code) -> None:
    def fail(_: object) -> None:
        raise raised

    monkeypatch.setattr("cli.convert.run", fail)
    assert main(["convert", "in", "--out", "out"]) == code
    assert "Traceback" not in capfd.readouterr().err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("cli.convert.run", fail)
    with pytest.raises(ValueError, match="a bug"):
        main(["convert", "in", "--out", "out"])


def test_a_mistake_costs_no_heavy_import() -> None:
    code = (
        "import sys; from cli.dispatch import main\n"
        "code = main(['generate', 'x', '--seconds', 'nan', '--bvh', 'a.bvh'])\n"
        "heavy = {'torch', 'numpy', 'PIL', 'transformers', 'bpy'} & set(sys.modules)\n"
        "sys.exit(0 if code == 2 and not heavy else str(heavy))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_the_process_itself_ends_with_2_and_no_traceback() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "cli", "generate", "  ", "--bvh", "a.bvh"]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 2
    assert "the prompt is empty" in ended.stderr and "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_with_blender_loaded_the_process_ends_at_once(monkeypatch, capfd) -> None:
    ended: list[int] = []
    monkeypatch.setitem(sys.modules, "bpy", object())
    monkeypatch.setattr(dispatch.os, "_exit", ended.append)
    print("the last words", end="")
    with pytest.raises(SystemExit):  # only because the fake _exit returns
        dispatch.leave(3)
    assert ended == [3]
    assert capfd.readouterr().out == "the last words"


# --- generate ------------------------------------------------------------------------------------


def test_generate_writes_a_bvh_and_tells_its_name(engine, here: Path, capsys) -> None:
    assert main(["generate", f"  {PROMPT}\n", "--seconds", "2", "--bvh", "walk.bvh"]) == 0
    assert capsys.readouterr().out == "walk.bvh\n"
    assert seed_in(here / "walk.bvh") == 1
    ((prompt, seconds, seeds, options),) = engine.requests
    assert (prompt, seconds, seeds) == (PROMPT, 2.0, [1])
    assert options == {"guidance": None, "temperature": None, "cleanup": True}
    assert engine.loads == [("default", "auto", None)]


def test_a_motion_is_as_long_as_the_action_takes_where_nothing_is_said(engine, here: Path) -> None:
    assert main(["generate", PROMPT, "--bvh", "walk.bvh"]) == 0
    assert engine.requests[-1][1] == 2.5


def test_settings_reach_the_engine(engine, here: Path) -> None:
    words = ["--bvh", "a.bvh", "--guidance", "3", "--temperature", "0.9", "--cleanup", "off"]
    words += ["--model", "my/model"]
    words += ["--device", "cuda:1", "--text-encoder", "t5", "--seed", "7"]
    assert main(["generate", PROMPT, *words]) == 0
    assert engine.loads == [("my/model", "cuda:1", Path("t5"))]
    assert engine.requests[0][2:] == ([7], {"guidance": 3.0, "temperature": 0.9, "cleanup": False})


def test_json_is_the_only_thing_on_stdout(engine, blender, here: Path, capfd) -> None:
    words = ["--json", "--seed", "5", "--bvh", "a.bvh", "--fbx", "a.fbx"]
    assert main(["generate", PROMPT, *words]) == 0
    output = capfd.readouterr()
    report = json.loads(output.out)
    assert output.err == ""
    assert report["seed"] == 5 and report["seeds"] == [5]
    assert report["model"] == "fake" and report["device"] == "cpu"
    assert {"load_ms", "text_ms", "scales_ms", "decode_ms", "total_ms", "write_ms"} == set(
        report["timings"]
    )
    assert report["files"] == [
        {"seed": 5, "kind": "bvh", "path": "a.bvh"},
        {"seed": 5, "kind": "fbx", "path": "a.fbx"},
    ]


def test_variations_are_numbered_and_have_following_seeds(engine, blender, here: Path) -> None:
    words = ["--variations", "3", "--seed", "4", "--bvh", "w.bvh", "--fbx", "w.fbx"]
    words += ["--preview", "w.gif"]
    assert main(["generate", PROMPT, "--seconds", "0.5", *words]) == 0
    expected = {f"w_{n}.{kind}" for n in (1, 2, 3) for kind in ("bvh", "fbx", "gif")}
    assert {path.name for path in here.iterdir()} == expected
    assert [seed_in(here / f"w_{n}.bvh") for n in (1, 2, 3)] == [4, 5, 6]
    assert [(here / f"w_{n}.fbx").read_text() for n in (1, 2, 3)] == [".fbx 4", ".fbx 5", ".fbx 6"]
    assert len(engine.requests) == 1  # one pass for all


def test_previews_are_pictures(engine, here: Path) -> None:
    for name in ("a.png", "a.gif"):
        assert main(["generate", PROMPT, "--seconds", "0.5", "--preview", name]) == 0
    with Image.open("a.png") as sheet, Image.open("a.gif") as gif:
        assert sheet.width > 1000
        assert gif.n_frames >= 1


def test_the_rig_gets_the_motion_its_name_and_how_to_make_it_again(engine, blender, here) -> None:
    (here / "hero.blend").write_text("a rig")
    words = ["--rig", "hero.blend", "--glb", "a.glb", "--blend", "a.blend", "--guidance", "2"]
    assert main(["generate", PROMPT, *words]) == 0
    assert set(blender.rigs) == {"hero.blend"}
    ((name, properties),) = blender.actions
    assert name == PROMPT
    assert properties["prompt"] == PROMPT and properties["seed"] == 1
    assert properties["model"] == "fake" and properties["guidance"] == 2.0
    assert None not in properties.values()
    assert (here / "a.glb").read_text() == ".glb 1" and (here / "a.blend").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([PROMPT], "no output is asked for; add one of --bvh"),
        (["", "--bvh", "a.bvh"], "the prompt is empty"),
        ([" \n", "--bvh", "a.bvh"], "the prompt is empty"),
        (["\udce4", "--bvh", "a.bvh"], "not valid text"),
        ([PROMPT, "--bvh", "a.bvh", "--seconds", "0"], "not a length"),
        ([PROMPT, "--bvh", "a.bvh", "--seconds", "-3"], "not a length"),
        ([PROMPT, "--bvh", "a.bvh", "--seconds", "nan"], "not a length"),
        ([PROMPT, "--bvh", "a.bvh", "--seconds", "inf"], "not a length"),
        ([PROMPT, "--bvh", "a.bvh", "--seconds", "1000"], "use 0.5 to 10"),
        ([PROMPT, "--bvh", "a.bvh", "--seed", "1.5"], "not a whole number"),
        ([PROMPT, "--bvh", "a.bvh", "--seed", "-1"], "not a whole number"),
        ([PROMPT, "--bvh", "a.bvh", "--variations", "0"], "from 1 to 64"),
        ([PROMPT, "--bvh", "a.bvh", "--temperature", "0"], "from 0.01 to 10"),
        ([PROMPT, "--bvh", "a.bvh", "--guidance", "nan"], "from 0 to 50"),
        ([PROMPT, "--bvh", "a.bvh", "--device", "tpu"], "unknown device 'tpu'; use auto"),
        ([PROMPT, "--bvh", "a.fbx"], "--bvh a.fbx does not end in .bvh; name it a.bvh"),
        ([PROMPT, "--preview", "a.jpg"], "name it a.png"),
        ([PROMPT, "--fbx", "walk"], "name it walk.fbx"),
        ([PROMPT, "--bvh", "nowhere/a.bvh"], "no folder nowhere"),
        ([PROMPT, "--fbx", "a.fbx", "--rig", "hero.fbx"], "no rig file hero.fbx"),
        ([PROMPT, "--bvh", "a.bvh", "--rig", "hero"], "unknown rig 'hero'; use mannequin"),
        ([PROMPT, "--bvh", "a.bvh", "--colour", "red"], "--colour"),
        ([], "the prompt is missing; say what"),
    ],
)
def test_mistakes_are_one_line_with_a_remedy(engine, here, capfd, words, message) -> None:
    assert main(["generate", *words]) == 2
    assert message in one_line_error(capfd)
    assert engine.requests == []
    assert list(here.iterdir()) == []


def test_an_unwritable_output_is_known_before_the_model_is_loaded(engine, capfd) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("no file system here that refuses files to everyone")
    assert main(["generate", PROMPT, "--bvh", "/proc/walk.bvh"]) == 2
    assert "Choose a writable folder" in one_line_error(capfd)
    assert engine.loads == []


def test_the_engines_complaints_are_passed_on(monkeypatch, capfd, here: Path) -> None:
    refuse_engine(monkeypatch, "tokenizer.safetensors is damaged; reinstall the extension")
    assert main(["generate", PROMPT, "--bvh", "a.bvh"]) == 2
    assert "reinstall the extension" in one_line_error(capfd)
    assert list(here.iterdir()) == []


def test_an_unusable_rig_is_known_before_the_model_is_loaded(engine, blender, here, capfd) -> None:
    blender.fail_open = ScaleMoGenError("No leg bones found. Pick a humanoid rig.")
    assert main(["generate", PROMPT, "--fbx", "a.fbx"]) == 2
    assert "No leg bones" in one_line_error(capfd)
    assert engine.loads == [] and list(here.iterdir()) == []


def test_an_export_that_fails_is_one_line(engine, blender, here: Path, capfd) -> None:
    blender.fail_export = ScaleMoGenError("Cannot write a.fbx: No space left on device.")
    assert main(["generate", PROMPT, "--fbx", "a.fbx"]) == 2
    assert "No space left on device" in one_line_error(capfd)


def test_a_full_disk_leaves_the_old_file(engine, here: Path, capfd, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (here / "a.bvh").write_text("old")
    (here / "a.png").write_text("old")
    monkeypatch.setattr("core.files.os.replace", full)
    for words in (["--bvh", "a.bvh"], ["--preview", "a.png"]):
        assert main(["generate", PROMPT, "--seconds", "0.5", *words]) == 2
        error = one_line_error(capfd)
        assert "No space left on device" in error and "free space" in error
    assert sorted(path.name for path in here.iterdir()) == ["a.bvh", "a.png"]
    assert (here / "a.bvh").read_text() == (here / "a.png").read_text() == "old"


def test_without_blender_the_error_says_what_to_do(engine, monkeypatch, capfd) -> None:
    monkeypatch.setitem(sys.modules, "bpy", None)  # makes `import bpy` fail
    for name in [n for n in sys.modules if n.startswith("scalemogen_blender")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["generate", PROMPT, "--fbx", "a.fbx"]) == 2
    assert "need Blender's Python module" in one_line_error(capfd)


# --- retarget ------------------------------------------------------------------------------------


def still() -> Motion:
    rotations = np.tile([1.0, 0, 0, 0], (10, 22, 1))
    return Motion(canonical(), rotations, np.full((10, 3), 0.9), 30.0)


def test_retarget_puts_a_file_on_a_rig(blender, here: Path, capfd) -> None:
    write_bvh("walk.bvh", still())
    assert (
        main(["retarget", "walk.bvh", "--rig", "rigify", "--fbx", "o.fbx", "--bvh", "o.bvh"]) == 0
    )
    assert set(blender.rigs) == {"rigify"}
    assert blender.actions[0][0] == "walk"
    output = capfd.readouterr()
    assert output.out.split() == ["o.fbx", "o.bvh"][::-1]
    assert "motion: " in output.err and "rig: " in output.err and "22 of 22" in output.err
    again = motion_from_bvh(read_bvh("o.bvh"))
    assert again is not None and again.frame_count == 10


_SNAKE = """HIERARCHY
ROOT part1
{
 OFFSET 0 0 0
 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
 JOINT part2
 {
  OFFSET 0 0 1
  CHANNELS 3 Zrotation Xrotation Yrotation
  End Site
  {
   OFFSET 0 0 1
  }
 }
}
MOTION
Frames: 1
Frame Time: 0.0333333
0 0 0 0 0 0 0 0 0
"""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["walk.txt", "--fbx", "o.fbx"], "walk.txt holds no motion that can be read"),
        (["missing.fbx", "--fbx", "o.fbx"], "Cannot read missing.fbx"),
        (["missing.bvh", "--fbx", "o.fbx"], "Cannot read missing.bvh"),
        (["damaged.bvh", "--fbx", "o.fbx"], "damaged.bvh: line 2"),
        (["snake.bvh", "--fbx", "o.fbx"], "bones were not found"),
        (["walk.bvh"], "no output is asked for"),
        (["walk.bvh", "--bvh", "./walk.bvh"], "would be overwritten"),
        (["walk.bvh", "--rig", "walk.bvh", "--bvh", "walk.bvh"], "would be overwritten"),
    ],
)
def test_retarget_refuses_what_it_cannot_use(blender, here, capfd, words, message) -> None:
    write_bvh("walk.bvh", still())
    Path("damaged.bvh").write_text("HIERARCHY\nnonsense\n")
    Path("snake.bvh").write_text(_SNAKE)
    assert main(["retarget", *words]) == 2
    assert message in one_line_error(capfd)
    assert not Path("o.fbx").exists()


# --- import-motion and test ----------------------------------------------------------------------


def test_import_motion_tells_what_it_made_and_left_out(here: Path, capfd) -> None:
    (here / "mine").mkdir()
    write_bvh("mine/walk.bvh", Motion(canonical(), np.tile([1.0, 0, 0, 0], (60, 22, 1)),
                                      np.full((60, 3), 0.9), 30.0))  # fmt: skip
    Path("mine/bad.bvh").write_text("nonsense")
    Path("mine/captions.tsv").write_text("walk\ta person stands\nbad\tnothing\n")
    assert main(["import-motion", "mine", "--out", "data", "--licence", "CC0"]) == 0
    output = capfd.readouterr()
    assert "1 clips" in output.out and "mine.npz.xz" in output.out
    assert "left out bad: mine/bad.bvh: line 1" in output.err
    assert sorted(path.name for path in (here / "data").iterdir()) == [
        "captions.jsonl",
        "mine.npz.xz",
    ]


def test_import_motion_refuses_a_missing_folder(capfd) -> None:
    assert main(["import-motion", "nowhere", "--out", "data"]) == 2
    assert "there is no folder nowhere" in one_line_error(capfd)
