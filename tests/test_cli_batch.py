"""Batches of prompts: the file, seeds, shards, resuming."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.dispatch import main
from cli.prompts_file import PromptLine, read_prompts, shard
from core.bvh import motion_from_bvh, read_bvh
from core.errors import ScaleMoGenError
from tests.cli_fakes import FakeEngine, install_engine, install_pipeline

THREE = "walk\t2\ta person walks\n# a comment\n\nrun-1\t1.5\ta person runs\nsit\t3\tsits down\n"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    return install_engine(monkeypatch)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("prompts.tsv").write_text(THREE)
    return tmp_path


def names(folder: str = "out") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_every_prompt_becomes_a_file_and_the_model_is_loaded_once(engine, capfd) -> None:
    assert main(["batch", "prompts.tsv", "--out", "out", "--bvh"]) == 0
    assert names() == ["run-1_1.bvh", "sit_1.bvh", "walk_1.bvh"]
    assert len(engine.loads) == 1
    assert [request[:3] for request in engine.requests] == [
        ("a person walks", 2.0, [1]),
        ("a person runs", 1.5, [1]),
        ("sits down", 3.0, [1]),
    ]
    output = capfd.readouterr()
    assert output.out == "" and "3 motions written to out" in output.err


def test_seeds_count_from_one_and_give_different_motions(engine) -> None:
    assert main(["batch", "prompts.tsv", "--out", "out", "--bvh", "--seeds", "10"]) == 0
    assert len(names()) == 30
    heights = []
    for seed in range(1, 11):
        motion = motion_from_bvh(read_bvh(f"out/walk_{seed}.bvh"))
        assert motion is not None
        heights.append(round((motion.root_positions[0, 1] - 0.9) * 1000))
    assert heights == list(range(1, 11))
    assert max(len(request[2]) for request in engine.requests) <= 8  # memory stays bounded


def test_several_kinds_at_once(engine, monkeypatch) -> None:
    blender = install_pipeline(monkeypatch)
    words = ["--bvh", "--fbx", "--glb", "--rig", "rigify"]
    assert main(["batch", "prompts.tsv", "--out", "out", *words]) == 0
    assert len(names()) == 9
    assert Path("out/sit_1.fbx").read_text() == ".fbx 1"
    assert set(blender.rigs) == {"rigify"}
    assert blender.actions[0][1]["prompt"] == "a person walks"


@given(st.integers(0, 40), st.integers(1, 12))
def test_shards_divide_the_jobs_without_loss_or_overlap(count: int, shards: int) -> None:
    jobs = [PromptLine(n, f"id{n}", 1.0, "walk") for n in range(count)]
    parts = [shard(jobs, index, shards) for index in range(1, shards + 1)]
    assert sorted(job.line for part in parts for job in part) == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_shard_makes_its_part(engine) -> None:
    assert main(["batch", "prompts.tsv", "--out", "out", "--bvh", "--shard", "2/2"]) == 0
    assert names() == ["run-1_1.bvh"]
    assert main(["batch", "prompts.tsv", "--out", "out", "--bvh", "--shard", "1/2"]) == 0
    assert names() == ["run-1_1.bvh", "sit_1.bvh", "walk_1.bvh"]


def test_resuming_makes_only_what_is_missing(engine, capfd) -> None:
    assert main(["batch", "prompts.tsv", "--out", "out", "--bvh", "--seeds", "2"]) == 0
    before = Path("out/walk_1.bvh").stat().st_mtime_ns
    Path("out/run-1_2.bvh").unlink()
    engine.requests.clear()
    words = ["--bvh", "--seeds", "2", "--resume"]
    assert main(["batch", "prompts.tsv", "--out", "out", *words]) == 0
    assert [request[:3] for request in engine.requests] == [("a person runs", 1.5, [2])]
    assert Path("out/walk_1.bvh").stat().st_mtime_ns == before
    assert "1 motions written to out, 5 existed already" in capfd.readouterr().err


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    Path("w.tsv").write_bytes(b"\xef\xbb\xbfwalk\t2\ta person walks\r\nb\t1\truns\ta\ttab\r\n")
    jobs = read_prompts(Path("w.tsv"))
    assert [(job.id, job.prompt) for job in jobs] == [
        ("walk", "a person walks"),
        ("b", "runs a tab"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("walk 2 walks", "found 1 of 3 fields"),
        ("walk\t2", "found 2 of 3 fields"),
        ("walk\t2\t  ", "the prompt is empty"),
        ("walk\tlong\twalks", "'long' is not a length"),
        ("walk\t0\twalks", "not a length"),
        ("../walk\t2\twalks", "cannot be a file name"),
        ("a/b\t2\twalks", "cannot be a file name"),
        ("a\\b\t2\twalks", "cannot be a file name"),
        (".hidden\t2\twalks", "cannot be a file name"),
        ("\t2\twalks", "cannot be a file name"),
        ("x" * 200 + "\t2\twalks", "cannot be a file name"),
        ("FIRST\t2\twalks", "already used in line 1"),
    ],
)
def test_the_whole_file_is_checked_before_anything_is_made(engine, capfd, line, message) -> None:
    Path("prompts.tsv").write_text(f"first\t2\tok\n\n{line}\n")
    assert main(["batch", "prompts.tsv", "--out", "out", "--bvh"]) == 2
    error = capfd.readouterr().err
    assert error.startswith("error: prompts.tsv:3: ") and message in error
    assert len(error.splitlines()) == 1
    assert engine.loads == [] and not Path("out").exists()


def test_a_length_beyond_the_model_is_named_with_its_line(engine, capfd) -> None:
    Path("prompts.tsv").write_text("a\t2\twalks\nb\t11\truns\n")
    assert main(["batch", "prompts.tsv", "--out", "out", "--bvh"]) == 2
    assert "prompts.tsv:2: 11 seconds" in capfd.readouterr().err
    assert engine.requests == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["prompts.tsv", "--out", "out"], "add --bvh"),
        (["prompts.tsv", "--bvh"], "--out"),
        (["none.tsv", "--out", "out", "--bvh"], "cannot read none.tsv"),
        (["empty.tsv", "--out", "out", "--bvh"], "holds no prompts"),
        (["latin.tsv", "--out", "out", "--bvh"], "not UTF-8"),
        (["prompts.tsv", "--out", "prompts.tsv", "--bvh"], "Cannot make the folder"),
        (["prompts.tsv", "--out", "out", "--bvh", "--shard", "3/2"], "not I/N"),
        (["prompts.tsv", "--out", "out", "--bvh", "--shard", "0/2"], "not I/N"),
        (["prompts.tsv", "--out", "out", "--bvh", "--seeds", "0"], "from 1 to 1000"),
    ],
)
def test_mistakes_are_one_line(engine, capfd, words, message) -> None:
    Path("empty.tsv").write_text("# nothing\n")
    Path("latin.tsv").write_bytes("a\t2\tgrüßt\n".encode("latin-1"))
    assert main(["batch", *words]) == 2
    error = capfd.readouterr().err
    assert message in error and len(error.splitlines()) == 1
    assert engine.requests == []


def test_reading_a_missing_file_is_a_plain_error() -> None:
    with pytest.raises(ScaleMoGenError, match=r"cannot read nowhere\.tsv"):
        read_prompts(Path("nowhere.tsv"))
