"""``rigs``: the table and the contact sheets, with plain matrices instead of Blender."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.dispatch import main
from core.bvh import write_bvh
from launcher.arguments import needs_bpy
from rig_library.sheet import CELL_HEIGHT, TITLE_HEIGHT, VIEWS
from tests.synthetic import walking


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    path = tmp_path / "walk.bvh"
    write_bvh(path, walking(12))
    return path


def test_the_table_is_printed_and_written(
    walk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "measured"
    words = ["rigs", "--numpy", "--schemes", "mixamo,unreal4", "--rest-poses", "T,BENT"]
    assert main([*words, "--motion", str(walk), "--out", str(out)]) == 0
    printed = capfd.readouterr().out
    assert printed.count("mixamo | ") == printed.count("unreal4 | ") == 2
    assert "worst of all" in printed
    rows = json.loads((out / "rigs.json").read_text(encoding="utf-8"))
    assert [(row["scheme"], row["rest_pose"]) for row in rows] == [
        ("mixamo", "T"), ("mixamo", "BENT"), ("unreal4", "T"), ("unreal4", "BENT"),
    ]  # fmt: skip
    assert max(row["direction"] for row in rows) < 0.5
    text = (out / "rigs.md").read_text(encoding="utf-8")
    assert "Motions: walk, 0.4 s, own feet slide " in text
    assert "rigs: usual; evaluated by plain matrices." in text


def test_a_contact_sheet_shows_the_motion_and_every_rest_pose(walk: Path, tmp_path: Path) -> None:
    words = ["rigs", "--numpy", "--schemes", "vroid", "--motion", str(walk), "--out", str(tmp_path)]
    assert main([*words, "--rest-poses", "T"]) == 0
    one = np.asarray(Image.open(tmp_path / "vroid.png").convert("RGB")).astype(int)
    assert main([*words, "--rest-poses", "T,BENT"]) == 0
    two = np.asarray(Image.open(tmp_path / "vroid.png").convert("RGB")).astype(int)
    assert len(two) - len(one) == len(VIEWS) * CELL_HEIGHT
    assert np.abs(two[: len(one) - 20] - one[:-20]).max() == 0
    # Blue left limbs in the motion's cells and in the rig's.
    blue = (two[..., 2] - two[..., 0] > 120).sum(axis=1)
    for top in range(TITLE_HEIGHT, len(two) - CELL_HEIGHT, CELL_HEIGHT):
        assert blue[top : top + CELL_HEIGHT].sum() > 300


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--schemes", "maximo"], "there is no scheme 'maximo'"),
        (["--rest-poses", "sitting"], "there is no rest pose 'sitting'"),
        (["--variation", "huge"], "there is no variation 'huge'"),
        (["--motion", "nothing.bvh"], "nothing.bvh"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["rigs", "--numpy", "--schemes", "mixamo", *words]) == 2
    error = capfd.readouterr().err
    assert len(error.splitlines()) == 1 and hint in error


def test_blender_is_needed_unless_plain_matrices_do() -> None:
    assert needs_bpy(["rigs", "--schemes", "mixamo"])
    assert not needs_bpy(["rigs", "--numpy"])
    assert not needs_bpy(["rigs", "--help"])
