"""``edit`` on the command line, and what ``generate`` makes of blocks, loops and in-place."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cli.dispatch import main
from core.bvh import motion_from_bvh, parse_bvh, read_bvh, write_bvh
from core.bvh_edit import BvhSubject
from core.editing import joints_of
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.paths import ROOT
from core.preview.comparison import MARK
from core.rotations import rotation_angle
from core.skeleton import BODY_PARTS, canonical
from tests.bvh_files import STYLES, bvh_of
from tests.cli_fakes import FakeEngine, install_engine, refuse_engine
from tests.edit_fakes import AWAY, BY_SEED, FakeEditor, install_editor
from tests.synthetic import walking
from tests.test_cli import one_line_error

FRAMES = 100
WAVE = ["--prompt", "a person waves"]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    return install_engine(monkeypatch)


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> FakeEditor:
    return install_editor(monkeypatch)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_bvh("walk.bvh", walking(FRAMES))
    return tmp_path


def edit(*words: str, out: str = "out.bvh") -> int:
    return main(["edit", "walk.bvh", "--out", out, *words])


def lines_of(path: str) -> list[bytes]:
    return Path(path).read_bytes().splitlines(keepends=True)


def motion_of(path: str) -> Motion:
    motion = motion_from_bvh(read_bvh(path))
    assert motion is not None
    return motion


# --- what is asked -------------------------------------------------------------------------------


def test_an_edit_writes_the_asked_bones_in_the_asked_frames(editor, capsys) -> None:
    assert edit(*WAVE, "--bones", "left_arm", "--frames", "30:80", "--seed", "4") == 0
    old, new = lines_of("walk.bvh"), lines_of("out.bvh")
    head = len(old) - FRAMES
    changed = [n - head for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    assert changed == list(range(30, 81))
    before, after = motion_of("walk.bvh").rotations, motion_of("out.bvh").rotations
    turned = rotation_angle(before, after)
    arm = [canonical().index(joint) for joint in joints_of(("left_arm",))]
    assert turned[30:81][:, arm] == pytest.approx(AWAY + 4 * BY_SEED, abs=1e-6)
    assert np.array_equal(np.delete(before, arm, axis=1), np.delete(after, arm, axis=1))
    output = capsys.readouterr()
    assert output.out == "out.bvh\n"
    assert "asked: frames 30 to 80 (1.70 s) of 0 to 99; changed: 4 bones, left_c" in output.err
    assert "made anew: left_arm in frames 30 to 80" in output.err


def test_settings_reach_the_editor(editor, engine) -> None:
    words = ["--keep", "0.5", "--blend", "7", "--later", "offset", "--words-only"]
    words += ["--source-prompt", "a person walks", "--guidance", "3", "--temperature", "0.9"]
    words += [
        "--keep-feet",
        "off",
        "--cleanup",
        "off",
        "--model",
        "plus",
        "--device",
        "cuda:1",
        "--text-encoder",
        "t5",
    ]
    assert edit(*WAVE, *words) == 0
    ((_, asked, seeds, options),) = editor.requests
    assert (asked.prompt, asked.keep, asked.blend) == ("a person waves", 0.5, 7)
    assert (asked.later, asked.words_only, asked.source_prompt) == (
        "OFFSET",
        True,
        "a person walks",
    )
    assert asked.joints == joints_of(BODY_PARTS) and seeds == [1] and not asked.keep_feet
    assert options == {"guidance": 3.0, "temperature": 0.9, "cleanup": False}
    assert engine.loads == [("plus", "cuda:1", Path("t5"))]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("30:80", (30, 80)),
        ("30:", (30, 99)),
        (":80", (0, 80)),
        (":", (0, 99)),
        ("1s:2.5s", (30, 75)),
        ("1.5s:80", (45, 80)),
        ("7:7", (7, 7)),
    ],
)
def test_a_range_is_frames_or_seconds_and_may_be_open(editor, frames, expected, capsys) -> None:
    assert edit(*WAVE, "--frames", frames, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert tuple(report["asked"]["frames"]) == expected
    begin = report["made_anew"]["seen"][0]
    asked = editor.requests[0][1]
    assert (asked.first + begin, asked.last + begin) == expected


def test_only_what_the_model_sees_is_read_of_a_long_file(editor, monkeypatch) -> None:
    write_bvh("long.bvh", walking(3000))
    read: list[tuple[int, int]] = []
    own = BvhSubject.read
    monkeypatch.setattr(
        BvhSubject, "read", lambda self, *ends: read.append(ends) or own(self, *ends)
    )
    words = ["--bones", "left_arm", "--frames", "2000:2030", "--out", "long_out.bvh"]
    assert main(["edit", "long.bvh", *WAVE, *words]) == 0
    assert read == [(1940, 2090)]
    source, asked, _, _ = editor.requests[0]
    assert (source.frame_count, asked.first, asked.last) == (151, 60, 90)
    old, new = lines_of("long.bvh"), lines_of("long_out.bvh")
    changed = [n for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    assert len(changed) == 31 and changed[0] - (len(old) - 3000) == 2000


def test_bones_may_be_named_as_the_file_does_or_as_parts(editor, capsys) -> None:
    Path("walk.bvh").write_bytes(bvh_of(STYLES["mixamo"], walking(30)))
    words = ["--bones", "mixamorig:RightHand, head", "--bones", "Spine1,RightHandIndex1"]
    assert edit(*WAVE, *words, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["asked"]["joints"]) == {"spine2", "neck", "head", "right_wrist"}
    assert report["untouched"] == ["mixamorig:RightHandIndex1"]


def test_variations_are_numbered_have_following_seeds_and_one_pass(editor) -> None:
    assert edit(*WAVE, "--variations", "3", "--seed", "5", "--bones", "head") == 0
    assert [seeds for _, _, seeds, _ in editor.requests] == [[5, 6, 7]]
    head = canonical().index("head")
    before = motion_of("walk.bvh").rotations[:, head]
    for number, seed in ((1, 5), (2, 6), (3, 7)):
        after = motion_of(f"out_{number}.bvh").rotations[:, head]
        assert rotation_angle(before, after) == pytest.approx(AWAY + seed * BY_SEED, abs=1e-6)
    assert not Path("out.bvh").exists()


def test_before_and_after_are_shown_in_one_picture(editor) -> None:
    write_bvh("walk.bvh", walking(16))
    for name in ("a.png", "a.gif"):
        assert edit(*WAVE, "--frames", "6:9", "--preview", name) == 0
    with Image.open("a.png") as sheet, Image.open("a.gif") as gif:
        rows, columns = (np.asarray(sheet.convert("RGB")) == MARK).all(axis=-1).nonzero()
        assert len({*(rows // 100)}) == 2, "both rows mark the range"
        marked = round(10 * len({*columns}) / sheet.width)
        assert marked == 2, "of 10 poses from frame 0 to 15 two lie within 6 to 9"
        assert gif.width > 800 and gif.n_frames == 13


# --- operations ----------------------------------------------------------------------------------


def test_in_between_makes_frames_anew_with_and_without_words(editor) -> None:
    assert edit("--in-between", "--frames", "40:60") == 0
    assert edit("--in-between", "--frames", "40:60", *WAVE) == 0
    assert [(a.prompt, a.keep, a.frame_count) for _, a, _, _ in editor.requests] == [
        ("", 0.0, 21),
        ("a person waves", 0.0, 21),
    ]


def test_extend_adds_frames_past_the_end(editor) -> None:
    assert edit("--extend", "0.5") == 0
    source, asked, _, _ = editor.requests[0]
    assert (asked.first, asked.last) == (source.frame_count, source.frame_count + 14)
    assert asked.joints == joints_of(BODY_PARTS)
    old, new = lines_of("walk.bvh"), lines_of("out.bvh")
    assert len(new) == len(old) + 15
    assert [n for n, line in enumerate(old) if new[n] != line] == [
        next(n for n, line in enumerate(old) if line.startswith(b"Frames:"))
    ]
    assert parse_bvh(b"".join(new).decode()).rotations.shape[0] == FRAMES + 15


def test_a_loop_is_an_edit_of_the_end_that_sees_the_beginning(editor) -> None:
    assert edit("--loop", "1", "--bones", "root,left_leg,right_leg") == 0
    source, asked, _, _ = editor.requests[0]
    assert asked.loop and (asked.first, asked.last) == (70, 99)
    assert source.frame_count == FRAMES
    assert asked.joints == joints_of(("root", "left_leg", "right_leg"))


def test_in_place_needs_no_model(monkeypatch, capsys) -> None:
    refuse_engine(monkeypatch, "the model is not wanted here")
    assert edit("--in-place") == 0
    motion, before = motion_of("out.bvh"), motion_of("walk.bvh")
    assert np.ptp(before.root_positions[:, 2]) > 3.0
    assert np.ptp(motion.root_positions[:, 2]) < 0.1
    assert motion.root_positions[:, 1] == pytest.approx(before.root_positions[:, 1], abs=1e-6)
    assert np.array_equal(motion.rotations[:, 1:], before.rotations[:, 1:])
    assert "made anew" not in capsys.readouterr().err


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing says what should happen; add --prompt"),
        ([*WAVE, "--frames", "30:180"], "has 0 to 99 (3.33 s at 30 fps); use --frames 30:99, or"),
        ([*WAVE, "--frames", "200:300"], "choose in there, or --extend SECONDS"),
        ([*WAVE, "--frames=-5:20"], "use --frames 0:20"),
        ([*WAVE, "--frames", "80:30"], "ends before it begins"),
        ([*WAVE, "--frames", "30"], "is no range of frames; write FIRST:LAST"),
        ([*WAVE, "--frames", "a:b"], "is no range of frames"),
        ([*WAVE, "--frames", "1.5:3"], "for example 30:80, 30: or 1.5s:3s"),
        ([*WAVE, "--bones", "left_hand"], "Near it are left_"),
        ([*WAVE, "--bones", ","], "--bones names nothing"),
        ([*WAVE, "--bones", "zzz"], "body parts are root, left_leg"),
        ([*WAVE, "--extend", "1", "--frames", "3:9"], "--extend says which frames"),
        ([*WAVE, "--extend", "1", "--bones", "head"], "leave out --bones"),
        ([*WAVE, "--loop", "30"], "--loop 30 leaves nothing of walk.bvh"),
        ([*WAVE, "--loop", "1", "--in-between"], "not allowed with"),
        ([*WAVE, "--in-place"], "leave out --prompt"),
        (["--in-between", "--keep", "0.4"], "leave out --keep"),
        ([*WAVE, "--words-only"], "give both"),
        ([*WAVE, "--keep", "1.4"], "not a number from 0 to 1"),
        ([*WAVE, "--armature", "Hero"], "leave it out"),
        ([*WAVE, "--preview", "x.jpg"], "does not end in .png or .gif"),
        ([*WAVE, "--bone-map", "none.json"], "none.json"),
        (["--prompt", "  "], "the prompt is empty"),
    ],
)
def test_mistakes_are_one_line_with_a_remedy(editor, here, capfd, words, message) -> None:
    assert edit(*words) == 2
    assert message in one_line_error(capfd)
    assert {path.name for path in here.iterdir()} == {"walk.bvh"}
    assert not editor.requests


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["walk.txt", "--out", "o.bvh"], "name a .bvh, .blend"),
        (["no.bvh", "--out", "o.bvh"], "there is no file no.bvh"),
        (["walk.bvh", "--out", "o.fbx"], "name --out o.bvh, then put that on a rig"),
        (["walk.bvh", "--out", "o.mp4"], "has no known ending"),
        (["walk.bvh", "--out", "no/o.bvh"], "There is no folder no"),
        (["empty.bvh", "--out", "o.bvh"], "empty.bvh: line 0: the file ends"),
        (["robot.bvh", "--out", "o.bvh"], "robot.bvh"),
    ],
)
def test_files_that_cannot_be_are_refused(editor, capfd, words, message) -> None:
    Path("empty.bvh").write_text("")
    Path("walk.txt").write_text("")
    lines = ["HIERARCHY", "ROOT arm", "{", "OFFSET 0 0 0", "CHANNELS 3 Xrotation Yrotation"]
    lines[-1] += " Zrotation"
    lines += ["}", "MOTION", "Frames: 1", "Frame Time: 0.04", "0 0 0", ""]
    Path("robot.bvh").write_text("\n".join(lines))
    assert main(["edit", *words, *WAVE]) == 2
    assert message in one_line_error(capfd)


def test_a_mistake_costs_no_heavy_import(here) -> None:
    code = (
        "import sys; from cli.dispatch import main\n"
        "code = main(['edit', 'walk.bvh', '--out', 'o.bvh', '--frames', '3:9'])\n"
        "heavy = {'torch', 'numpy', 'PIL', 'bpy'} & set(sys.modules)\n"
        "sys.exit(0 if code == 2 and not heavy else str(heavy))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=here)


def test_what_goes_wrong_leaves_every_file_as_it_was(editor, here, capfd) -> None:
    Path("out.bvh").write_text("an older one")
    before = Path("walk.bvh").read_bytes()
    editor.fail = ScaleMoGenError("out of luck")
    assert edit(*WAVE) == 2
    assert edit(*WAVE, out="walk.bvh") == 2
    capfd.readouterr()
    assert Path("out.bvh").read_text() == "an older one"
    assert Path("walk.bvh").read_bytes() == before
    assert {path.name for path in here.iterdir()} == {"walk.bvh", "out.bvh"}


def test_the_input_is_replaced_only_where_out_names_it(editor, capfd) -> None:
    before = Path("walk.bvh").read_bytes()
    assert edit(*WAVE, "--preview", "p.png", out="walk.bvh") == 0
    assert Path("walk.bvh").read_bytes() != before
    Path("walk_1.bvh").write_bytes(before)
    capfd.readouterr()
    assert main(["edit", "walk_1.bvh", *WAVE, "--variations", "2", "--out", "walk.bvh"]) == 2
    assert "walk_1.bvh is read and would be overwritten" in one_line_error(capfd)


# --- files of Blender ----------------------------------------------------------------------------


class FakeFile:
    """Stands for scalemogen_blender.edit_file.EditFile."""

    name, first, last, fps = "hero.blend", 1, 100, 24.0

    def __init__(self) -> None:
        self.written: list[tuple[Any, ...]] = []

    def region(self, words: list[str], first: int, last: int) -> Any:
        print("Blender says something")
        joints = joints_of(("left_arm",))
        return types.SimpleNamespace(joints=joints, bones=("arm.L",), untouched=("finger.L",))

    def read(self, first: int, last: int) -> Any:
        motion = walking(last - first + 1, 24.0)
        return types.SimpleNamespace(motion=motion, first=first)

    def write(self, seen: Any, edited: Any, region: Any, path: Path, about: dict) -> None:
        self.written.append((seen.first, edited, region.bones, path, about))


def test_scene_files_go_through_blender_in_their_own_frames(editor, monkeypatch, capfd) -> None:
    opened, asked = FakeFile(), []
    pipeline = types.ModuleType("scalemogen_blender.pipeline")
    pipeline.open_edit = lambda *words: asked.append(words) or opened  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "scalemogen_blender.pipeline", pipeline)
    Path("hero.blend").write_text("a rig")
    words = ["hero.blend", "--armature", "Hero", "--bones", "arm.L", "--frames", "51:60"]
    words += [*WAVE, "--out", "o.fbx", "--variations", "2", "--json"]
    assert main(["edit", *words]) == 0
    output = capfd.readouterr()
    report = json.loads(output.out)
    assert asked == [(Path("hero.blend"), "Hero", None)]
    assert report["asked"]["frames"] == [51, 60] and report["untouched"] == ["finger.L"]
    assert report["made_anew"]["frames"] == [51, 60]
    first, edited, bones, path, about = opened.written[1]
    assert (bones, path) == (("arm.L",), Path("o_2.fbx"))
    assert edited.report.edit.first + first == 51
    assert about["prompt"] == "a person waves" and about["seed"] == 2


# --- generate ------------------------------------------------------------------------------------


def test_blocks_become_one_motion(editor, capsys) -> None:
    words = ["--block", "a person walks", "3", "--block", "a person sits down", "--seed", "2"]
    assert main(["generate", *words, "--bvh", "a.bvh", "--json"]) == 0
    assert editor.blocks == [([("a person walks", 3.0), ("a person sits down", None)], [2])]
    report = json.loads(capsys.readouterr().out)
    assert report["blocks"] == [
        {"prompt": "a person walks", "begins_s": 0.0},
        {"prompt": "a person sits down", "begins_s": 1.0},
    ]
    assert report["prompt"] == "a person walks, a person sits down"
    assert motion_of("a.bvh").frame_count == 60


def test_what_is_generated_can_be_a_loop_and_in_place(editor) -> None:
    words = ["--block", "a person walks", "2", "--loop", "0.5", "--in-place", "--seed", "3"]
    assert main(["generate", *words, "--bvh", "a.bvh"]) == 0
    _, asked, seeds, _ = editor.requests[0]
    assert asked.loop and (asked.first, asked.last) == (45, 59) and seeds == [3]
    assert asked.prompt == "a person walks"
    assert np.ptp(motion_of("a.bvh").root_positions[:, 2]) < 0.2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--block", "a", "person", "sits"], "put the prompt in quotation marks"),
        (["--block", "a person sits", "soon"], "not a length in seconds"),
        (["--block", " "], "the prompt is empty"),
        (["a person walks", "--block", "a person sits"], "leave out the prompt"),
        (["--seconds", "3", "--block", "a person sits"], "leave out --seconds"),
        (["a person walks", "--seconds", "2", "--loop", "2"], "--loop 2 leaves nothing of 2.00 s"),
    ],
)
def test_blocks_that_cannot_be_meant(editor, capfd, words, message) -> None:
    assert main(["generate", *words, "--bvh", "a.bvh"]) == 2
    assert message in one_line_error(capfd)
