"""The command line's options of retargeting: what reaches Blender, and what is refused before."""

import json
from pathlib import Path

import numpy as np
import pytest

from cli.dispatch import main
from core.bvh import motion_from_bvh, read_bvh, write_bvh
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.retarget import RetargetOptions, map_bones, map_file
from core.skeleton import canonical
from tests.cli_fakes import FakeEngine, FakePipeline, install_engine, install_pipeline

PROMPT = "a person walks"
WORDS = """--root in-place --feet always --controls ik --arm-spread 5 --leg-spread -2.5 --hands off
--fbx-for unreal --fps 24 --start 101""".split()
MEANT = RetargetOptions(
    root="IN_PLACE",
    feet="ALWAYS",
    controls="IK",
    arm_spread=5.0,
    leg_spread=-2.5,
    keep_hands=False,
)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    return install_engine(monkeypatch)


@pytest.fixture
def blender(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    return install_pipeline(monkeypatch)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rotations = np.tile([1.0, 0, 0, 0], (31, 22, 1))
    write_bvh("walk.bvh", Motion(canonical(), rotations, np.full((31, 3), 0.9), 30.0))
    Path("prompts.tsv").write_text("walk\t2\ta person walks\n")
    return tmp_path


def one_line_error(capfd: pytest.CaptureFixture[str]) -> str:
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), lines
    return lines[0]


@pytest.mark.parametrize(
    "command",
    [
        ["generate", PROMPT, "--seconds", "2", "--fbx", "o.fbx"],
        ["batch", "prompts.tsv", "--out", ".", "--fbx"],
        ["retarget", "walk.bvh", "--fbx", "o.fbx"],
    ],
)
def test_every_command_hands_all_options_on(engine, blender, command) -> None:
    assert main([*command, *WORDS]) == 0
    given = blender.settings[-1]
    assert given["options"] == MEANT
    assert given["start_frame"] == 101 and given["bone_map"] is None
    assert given["motion"].fps == 24.0
    assert blender.exported_for == ["unreal"]


@pytest.mark.parametrize("command", ["generate", "retarget"])
def test_without_words_the_defaults_are_handed_on(engine, blender, command) -> None:
    first = PROMPT if command == "generate" else "walk.bvh"
    assert main([command, first, "--fbx", "o.fbx"]) == 0
    given = blender.settings[-1]
    assert given["options"] == RetargetOptions()
    assert given["start_frame"] == 1 and given["reference"] == "rest"
    assert given["motion"].fps == 30.0 and blender.exported_for == ["plain"]


def test_another_frame_rate_is_in_files_without_blender_too(here: Path) -> None:
    assert main(["retarget", "walk.bvh", "--bvh", "slow.bvh", "--fps", "12"]) == 0
    made = motion_from_bvh(read_bvh("slow.bvh"))
    assert made is not None and (made.fps, made.frame_count) == (12.0, 13)


def test_a_saved_bone_map_and_the_pose_of_the_file_reach_blender(engine, blender) -> None:
    saved = map_bones(canonical().joint_names, canonical().parents)
    map_file.save("mine.json", saved)
    Path("rig.blend").write_bytes(b"")
    words = ["--rig", "rig.blend", "--bone-map", "mine.json", "--reference", "pose"]
    assert main(["generate", PROMPT, "--blend", "o.blend", *words]) == 0
    assert blender.settings[-1]["bone_map"].bones == saved.bones
    assert {one["reference"] for one in blender.settings} == {"pose"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--root", "feet"], "invalid choice: 'feet'"),
        (["--arm-spread", "50"], "'50' is not a number from -45 to 45"),
        (["--arm-spread", "nan"], "'nan' is not a number"),
        (["--fps", "0"], "'0' is not a number from 1 to 240"),
        (["--start", "1.5"], "'1.5' is not a whole number"),
        (["--fbx-for", "maya"], "invalid choice: 'maya'"),
        (["--bone-map", "missing.json"], "Cannot read missing.json"),
        (["--bone-map", "walk.bvh"], "walk.bvh is not JSON"),
        (["--reference", "pose"], "mannequin is at rest"),
    ],
)
@pytest.mark.parametrize("command", ["generate", "batch", "retarget"])
def test_mistakes_are_told_before_any_work(engine, blender, capfd, command, words, message) -> None:
    rest = {
        "generate": [PROMPT, "--fbx", "o.fbx"],
        "batch": ["prompts.tsv", "--out", "out", "--fbx"],
        "retarget": ["walk.bvh", "--fbx", "o.fbx"],
    }
    assert main([command, *rest[command], *words]) == 2
    assert message in one_line_error(capfd)
    assert engine.loads == [] and blender.rigs == []


def test_a_rig_that_cannot_take_the_options_is_refused_before_the_model_loads(
    engine, blender, capfd
) -> None:
    blender.fail_check = ScaleMoGenError("The armature has no bone above the hips")
    assert main(["generate", PROMPT, "--fbx", "o.fbx", "--root", "root-bone"]) == 2
    assert "no bone above the hips" in one_line_error(capfd)
    assert engine.loads == []


@pytest.mark.parametrize("source", ["walk.bvh", "walk.fbx", "walk.blend", "walk.glb"])
def test_retarget_tells_what_it_recognised(blender, capfd, source) -> None:
    if source != "walk.bvh":
        Path(source).write_bytes(b"")
    assert main(["retarget", source, "--fbx", "o.fbx", "--json", "--fps", "15"]) == 0
    output = capfd.readouterr()
    report = json.loads(output.out)
    assert output.err == ""
    for part in ("motion", "rig"):
        assert report[part]["joints"] == report[part]["of"] == 22
        assert report[part]["missing"] == [] and isinstance(report[part]["doubtful"], list)
    assert report["fps"] == 15.0 and report["files"] == [{"kind": "fbx", "path": "o.fbx"}]
    assert report["frames"] == (16 if source == "walk.bvh" else 5)


def test_doubtful_joints_are_named(blender, monkeypatch, capfd) -> None:
    found = map_bones(canonical().joint_names, canonical().parents)
    unsure = {"left_knee": type("Evidence", (), {"confidence": 0.2, "reason": "only a guess"})}
    doubted = type(found)(found.scheme, found.bones, unsure)
    monkeypatch.setattr(blender, "check_rig", lambda *_, **__: doubted)
    monkeypatch.setattr("scalemogen_blender.pipeline.check_rig", blender.check_rig)
    assert main(["retarget", "walk.bvh", "--fbx", "o.fbx"]) == 0
    text = capfd.readouterr().err
    assert "left_knee" in text and "only a guess" in text


def test_a_bone_map_for_a_bvh_source_is_refused(blender, capfd) -> None:
    map_file.save("mine.json", map_bones(canonical().joint_names, canonical().parents))
    words = ["--fbx", "o.fbx", "--source-bone-map", "mine.json"]
    assert main(["retarget", "walk.bvh", *words]) == 2
    assert "not for BVH" in one_line_error(capfd)
