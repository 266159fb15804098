"""``evaluate --prompts``: sheets, overviews and the page; our own prompts for judging."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from cli.dispatch import main
from cli.prompts_file import read_prompts
from core.training.corpus import mirror_text
from launcher import ROOT
from tests import cli_fakes

OURS = ROOT / "docs" / "prompts.tsv"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> cli_fakes.FakeEngine:
    monkeypatch.chdir(tmp_path)
    Path("prompts.tsv").write_text(
        "# mine\nwalk\t1\ta person walks\nhop-2\t0.6\ta person hops </script>\n"
    )
    return cli_fakes.install_engine(monkeypatch)


def evaluate(*words: str) -> int:
    return main(["evaluate", "--prompts", "prompts.tsv", *words])


def embedded(folder: str = "out") -> dict:
    text = (Path(folder) / "index.html").read_text(encoding="utf-8")
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert match is not None
    return json.loads(match[1])


def test_a_sheet_per_prompt_an_overview_and_a_page(engine, capfd) -> None:
    assert evaluate("--out", "out") == 0
    names = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*.*"))
    assert names == ["index.html", "overview_1.png", "sheets/hop-2.png", "sheets/walk.png"]
    assert [request[:3] for request in engine.requests] == [
        ("a person walks", 1.0, [1]),
        ("a person hops </script>", 0.6, [1]),
    ]
    data = embedded()
    assert data["models"] == ["fake"] and data["seeds"] == [1]
    assert [p["text"] for p in data["prompts"]] == ["a person walks", "a person hops </script>"]
    assert [p["clips"][0][0]["frames"] for p in data["prompts"]] == [30, 18]
    out, err = capfd.readouterr()
    assert out.strip() == str(Path("out/index.html"))
    assert "2 motions of 2 prompts" in err


def test_two_models_and_seeds_are_rows_of_a_sheet(engine) -> None:
    assert evaluate("--out", "one") == 0
    engine.loads.clear()
    words = ["--model", "plus", "--against", "open", "--seed", "5", "--seeds", "2"]
    assert evaluate("--out", "out", *words, "--guidance", "3", "--temperature", "0.8") == 0
    assert [load[0] for load in engine.loads] == ["plus", "open"]
    assert engine.requests[-1][2:] == ([5, 6], {"guidance": 3.0, "temperature": 0.8})
    with Image.open("out/sheets/walk.png") as four, Image.open("one/sheets/walk.png") as single:
        more = four.height - single.height
        assert more % 3 == 0 and more > 3 * 230, "three rows more"
    data = embedded()
    assert data["models"] == ["fake (plus)", "fake (open)"], "both fakes have the same name"
    assert data["seeds"] == [5, 6]
    assert all(len(p["clips"]) == 2 and len(p["clips"][0]) == 2 for p in data["prompts"])
    assert "guidance 3" in data["notes"] and "temperature 0.8" in data["notes"]
    # The fake engine makes motions whose height is the seed in millimetres.
    first, second = data["prompts"][0]["clips"][1]
    assert first["points"] != second["points"]


def test_the_same_model_twice_is_told_apart(engine) -> None:
    assert evaluate("--out", "out", "--model", "plus", "--against", "plus") == 0
    assert embedded()["models"] == ["fake (1)", "fake (2)"]


def test_two_models_may_be_named_in_one_word_as_for_the_table(engine, capfd) -> None:
    assert evaluate("--out", "out", "--model", "plus, open") == 0
    assert embedded()["models"] == ["fake (plus)", "fake (open)"]
    engine.loads.clear()
    capfd.readouterr()
    assert evaluate("--out", "out", "--model", "plus,open", "--against", "third") == 2
    assert "not 3" in complaint(capfd) and engine.loads == []


def test_overviews_of_a_longer_file_do_not_stay(engine) -> None:
    lines = "".join(f"p{n}\t0.6\twalk {n}\n" for n in range(11))
    Path("long.tsv").write_text(lines)
    assert main(["evaluate", "--prompts", "long.tsv", "--out", "out"]) == 0
    assert Path("out/overview_2.png").is_file()
    Path("out/overview_mine.png").write_text("not ours")
    assert evaluate("--out", "out") == 0
    left = sorted(path.name for path in Path("out").glob("overview*"))
    assert left == ["overview_1.png", "overview_mine.png"]


def complaint(capfd: pytest.CaptureFixture[str]) -> str:
    error = capfd.readouterr().err.strip()
    assert error.startswith("error: ") and "\n" not in error
    return error


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("walk\t99\ta person walks\n", "prompts.tsv:1"),
        ("walk\t1\n", "prompts.tsv:1"),
        ("# nothing\n", "no prompts"),
        ("a/b\t1\twalk\n", "file name"),
    ],
)
def test_a_wrong_file_is_told_before_anything_is_made(engine, capfd, text: str, word: str) -> None:
    Path("prompts.tsv").write_text(text)
    assert evaluate("--out", "out") == 2
    assert word in complaint(capfd)
    assert engine.requests == [] and not Path("out/index.html").exists()


def test_prompts_need_a_folder(engine, capfd) -> None:
    assert evaluate() == 2
    assert "--out" in complaint(capfd)


def test_an_unknown_model_is_told(monkeypatch, engine, capfd) -> None:
    cli_fakes.refuse_engine(monkeypatch, "there is no model 'nope'; use plus")
    assert evaluate("--out", "out", "--against", "nope") == 2
    assert "nope" in complaint(capfd)


def test_the_file_of_prompts_is_never_overwritten(engine, capfd) -> None:
    Path("out").mkdir()
    Path("out/index.html").write_text("walk\t1\ta person walks\n")
    assert main(["evaluate", "--prompts", "out/index.html", "--out", "out"]) == 2
    assert "overwritten" in complaint(capfd)
    assert Path("out/index.html").read_text() == "walk\t1\ta person walks\n"


# ---- docs/prompts.tsv

_WORD = re.compile(r"[a-z]+")
#: Words that tell nothing of the motion: a sentence with another subject is the same sentence.
_EMPTY = frozenset(
    "a an the of to and then with in on at as that so is are be does do doing have make animate "
    "show person someone somebody character figure human he she they it him her his their its "
    "man woman guy girl boy".split()
)


def telling_words(sentence: str) -> frozenset[str]:
    return frozenset(_WORD.findall(sentence.lower())) - _EMPTY


def plain(sentence: str) -> str:
    return " ".join(_WORD.findall(sentence.lower()))


def test_there_are_forty_prompts_of_sensible_length() -> None:
    jobs = read_prompts(OURS)
    assert len(jobs) == 40
    assert all(1.5 <= job.seconds <= 6 for job in jobs)
    assert len({plain(job.prompt) for job in jobs}) == 40


@pytest.mark.dataset
def test_no_prompt_of_ours_is_a_training_sentence(motion_data: Path) -> None:
    """Not a caption, paraphrase or mirrored one, and no more than two thirds of its words."""
    sentences: set[str] = set()
    for name in ("captions.jsonl", "paraphrases.jsonl"):
        for line in (motion_data / name).read_text(encoding="utf-8").splitlines():
            sentences.update(json.loads(line)["captions"])
    assert len(sentences) > 5000
    sentences |= {mirror_text(sentence) for sentence in sentences}
    known = {plain(sentence) for sentence in sentences}
    bags = {telling_words(sentence) for sentence in sentences}
    for job in read_prompts(OURS):
        assert plain(job.prompt) not in known, job.prompt
        words = telling_words(job.prompt)
        nearest = max(bags, key=lambda bag: len(bag & words) / len(bag | words))
        shared = len(nearest & words) / len(nearest | words)
        assert shared <= 2 / 3, f"{job.prompt!r} shares its words with {sorted(nearest)}"
