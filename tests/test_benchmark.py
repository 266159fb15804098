"""``benchmark``: what is measured where, the processes that measure, and the tables."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_fakes import OURS, random_model

from cli.benchmark import process, worker
from cli.benchmark.plan import configurations
from cli.benchmark.report import as_markdown, as_text, growth, tables
from cli.dispatch import main
from core.errors import ScaleMoGenError
from core.model.weights import save_tokenizer, save_transformer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny model on the bundled text encoder; its longest clip has 5.3 seconds."""
    config = replace(OURS, transformer=replace(OURS.transformer, text_width=384))
    model = random_model(config)
    save_tokenizer(tmp_path / "tiny", config, model.tokenizer, model.mean, model.std)
    save_transformer(tmp_path / "tiny", config, model.transformer)
    return tmp_path / "tiny"


def error_line(capfd: pytest.CaptureFixture[str]) -> str:
    output = capfd.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    return line


# --- the whole command ---------------------------------------------------------------------------


def test_every_configuration_is_measured_cold_and_warm(folder: Path, tmp_path: Path, capfd) -> None:
    target = tmp_path / "table.md"
    words = ["--model", str(folder), "--device", "cpu", "--lengths", "1", "2", "--threads", "1"]
    words += ["--variations", "3", "--repeats", "2", "--without-published", "--json"]
    assert main(["benchmark", *words, "--markdown", str(target)]) == 0
    report = json.loads(capfd.readouterr().out)
    assert [(r["seconds"], r["variations"], r["threads"]) for r in report["rows"]] == [
        (1, 3, 1),
        (2, 3, 1),
    ]
    for row in report["rows"]:
        assert row["repeats"] == 2
        assert row["start"].keys() == {
            "interpreter_ms", "imports_ms", "weights_ms", "text_encoder_ms",
        }  # fmt: skip
        assert all(ms > 0 for ms in row["start"].values())
        for stages in (row["cold"], row["warm"]):
            assert len(stages["scales_ms"]) == 3
            assert 0 < stages["text_ms"] + sum(stages["scales_ms"]) < stages["total_ms"]
        # New words each time: had the prompt been known, no state would have been computed.
        assert row["warm"]["text_ms"] > 1
        assert row["peak_mb"] > 100 and row["gpu_peak_mb"] is None
        model = random_model(OURS)
        assert row["parameters"] > sum(p.numel() for p in model.transformer.parameters())
    assert {"machine", "cpu_count", "torch", "python", "load_average"} <= report.keys()
    page = target.read_text()
    assert page.startswith("# Benchmark\n") and "| tiny | cpu | 1 | 3 | 2 |" in page


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["--lengths", "2", "11"], "use 0.5 to 5.3"),
        (["--model", "nothing-like-it"], "no model 'nothing-like-it'"),
        (["--device", "cuda:99"], "no device 'cuda:99'"),
        (["--markdown", "no/such/folder/table.md"], "Make it first"),
    ],
)
def test_what_cannot_be_measured_is_told_before_anything_is(
    folder: Path, tmp_path: Path, capfd, monkeypatch, words: list[str], about: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ask = process.ask
    tasks: list[str] = []

    def watched(request: dict[str, Any], threads: int) -> dict[str, Any]:
        tasks.append(request["task"])
        return ask(request, threads)

    monkeypatch.setattr(process, "ask", watched)
    assert main(["benchmark", "--model", str(folder), *words]) == 2
    assert about in error_line(capfd)
    assert "measure" not in tasks
    assert list(tmp_path.glob("*.md")) == []


def test_a_process_that_dies_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], -9, stdout="", stderr="")

    monkeypatch.setattr(process.subprocess, "run", killed)
    with pytest.raises(ScaleMoGenError, match="memory was not enough.*--variations"):
        process.ask({"task": "describe"}, 1)


def test_the_command_itself_stays_small() -> None:
    """What it imported, its workers would be measured beside."""
    code = (
        "import sys, cli.benchmark as b, argparse\n"
        "from cli.benchmark import plan, process, report, worker\n"
        "b.add_arguments(argparse.ArgumentParser())\n"
        "assert not {'torch', 'numpy', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- what is measured ----------------------------------------------------------------------------


def test_without_narrowing_every_combination_is_measured() -> None:
    plan = configurations(["cpu"], [1, 2], [1, 2, 4, 10], [1, 8], "some")
    own = [(c.threads, c.seconds, c.variations) for c in plan if not c.published]
    assert sorted(own) == [(t, s, n) for t in (1, 2) for s in (1, 2, 4, 10) for n in (1, 8)]
    large = [(c.threads, c.seconds, c.variations) for c in plan if c.published]
    assert large == [(1, 4, 1), (1, 10, 1), (2, 4, 1), (2, 10, 1), (2, 4, 8)]


def test_the_published_size_is_left_out_or_measured_in_full() -> None:
    asked = (["cpu"], [1, 2], [1, 2], [1, 8])
    assert not any(c.published for c in configurations(*asked, "none"))
    everything = configurations(*asked, "all")
    assert sum(c.published for c in everything) == sum(not c.published for c in everything) == 8
    assert not any(c.published for c in configurations(["cpu"], [1], [12.0], [1], "some"))
    # Short clips only: then these, rather than nothing to compare with.
    assert any(c.published for c in configurations(*asked, "some"))


def test_a_gpu_is_measured_beside_the_cpu(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Imaginary 9000")
    request = {"model": str(folder), "text_encoder": None, "lengths": [2.0], "device": "auto"}
    about = worker.describe(request)
    assert about["devices"] == ["cpu", "cuda"] and about["gpu"] == "Imaginary 9000"
    without = worker.describe(request | {"device": "cpu", "lengths": None})
    assert without["devices"] == ["cpu"]
    assert without["lengths"] == [1, 2, 4], "ten seconds are more than this model makes"
    plan = configurations(about["devices"], [1, 2], [2.0], [1, 8], "none")
    assert [c.threads for c in plan if c.device == "cuda"] == [2, 2]


def test_clocks_wait_for_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 123_456_789)
    worker._wait("cuda:0")
    worker._wait("cpu")
    assert waited == ["cuda:0"]
    assert worker._gpu_peak_mb("cuda:0") == 123.5 and worker._gpu_peak_mb("cpu") is None


def test_medians_are_taken_stage_by_stage() -> None:
    timings = [
        {"text_ms": t, "scales_ms": [t, 10 * t], "decode_ms": 1.0, "total_ms": 2 * t}
        for t in (3.0, 100.0, 1.0)
    ]
    assert worker.median(timings) == {
        "text_ms": 3.0,
        "scales_ms": [3.0, 30.0],
        "decode_ms": 1.0,
        "total_ms": 6.0,
    }


# --- the tables ----------------------------------------------------------------------------------


def row(seconds: float, total: float, published: bool = False, **more: Any) -> dict[str, Any]:
    stages = {"text_ms": 0.0, "scales_ms": [total / 4, total / 2], "decode_ms": total / 4}
    return {
        "published": published,
        "device": "cpu",
        "threads": 2,
        "seconds": seconds,
        "variations": 1,
        "model": "snapmogen" if published else "plus",
        "start": {
            "interpreter_ms": 50, "imports_ms": 900, "weights_ms": 150, "text_encoder_ms": 100,
        },
        "cold": stages | {"total_ms": 2 * total},
        "warm": stages | {"total_ms": total} | more,
        "warm_cpu_ms": 2 * total,
        "parameters": 100 if published else 10,
        "peak_mb": 900.0 if published else 450.0,
        "gpu_peak_mb": None,
    }  # fmt: skip


REPORT = {
    "model": "plus",
    "machine": "a machine",
    "cpu_count": 2,
    "gpu": None,
    "python": "3.11",
    "torch": "2",
    "load_average": 0.25,
    "rows": [row(2, 60), row(4, 100), row(4, 1000, published=True)],
}


def cells(title: str) -> list[dict[str, str]]:
    (table,) = [t for t in tables(REPORT) if t.title == title]
    return [dict(zip(table.header, line, strict=True)) for line in table.rows]


def test_the_published_size_is_told_as_ratios() -> None:
    (line,) = cells("Published size against this model")
    assert (line["seconds"], line["scales"], line["decode"]) == ("4", "10.0", "10.0")
    assert (line["processor time"], line["peak memory"]) == ("10.0", "2.0")
    assert line["parameters"] == "10.0"


def test_the_start_is_split_and_summed() -> None:
    (line,) = cells("Start")
    assert line["import to ready"] == "1150" and line["first clip"] == "120"
    assert line["all"] == "1320"


def test_the_growth_with_length_is_told() -> None:
    (line,) = cells("Growth with length")
    assert (line["fixed ms"], line["ms per second of motion"]) == ("20", "20")
    assert line["exponent"] == "0.74"


def test_a_stage_that_the_engine_gains_gets_a_column() -> None:
    report = REPORT | {"rows": [row(2, 60, cleanup_ms=7.5), row(4, 100, published=True)]}
    table = tables(report)[0]
    column = table.header.index("cleanup")
    assert table.rows[0][column] == "7.5" and table.rows[1][column] == "-"


def test_text_and_markdown_hold_the_same_numbers() -> None:
    text, page = as_text(REPORT), as_markdown(REPORT)
    assert "load average before: 0.2" in text
    for table in tables(REPORT):
        for line in table.rows:
            assert f"| {' | '.join(line)} |" in page
            assert any(printed.split() == " ".join(line).split() for printed in text.splitlines())


@given(st.floats(0.1, 100), st.floats(0.2, 2), st.sets(st.integers(1, 20), min_size=2))
def test_the_exponent_of_a_power_law_is_found(
    factor: float, power: float, lengths: set[int]
) -> None:
    _, _, found = growth([(n, factor * n**power) for n in lengths])
    assert found == pytest.approx(power, abs=1e-6)


# --- through the worker --------------------------------------------------------------------------


def test_what_an_artist_waits_for_is_measured_through_the_worker(folder: Path, capfd) -> None:
    words = ["benchmark", "--worker", "--model", str(folder), "--device", "cpu", "--lengths", "1"]
    words += ["--variations", "2", "--repeats", "1", "--json"]
    assert main(words) == 0
    report = json.loads(capfd.readouterr().out)
    (row,) = report["rows"]
    assert (row["seconds"], row["variations"], report["model"]) == (1, 2, "tiny")
    assert 0 < row["first_preview_ms"] <= row["finished_ms"]
    assert report["start_ms"] > row["first_preview_ms"] and report["longest_call_ms"] > 0


def test_a_worker_that_cannot_start_is_told_in_a_line(capfd) -> None:
    assert main(["benchmark", "--worker", "--model", "nothing-like-it"]) == 2
    assert "no model 'nothing-like-it'" in error_line(capfd)
