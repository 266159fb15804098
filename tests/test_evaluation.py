"""The evaluator and its training, many prompts at once, the baseline, folders, the command."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluation_fakes import TINY, Encoder, evaluator, text_states, tiny, write_data
from model_fakes import OURS, published_like, random_model
from safetensors.numpy import save_file
from synthetic import tumbling, walking

import core.evaluation.embedding
import core.training.run
from cli.dispatch import main
from core.bvh import write_bvh
from core.engine import Engine
from core.errors import ScaleMoGenError
from core.evaluation.embedding import Embedder, embed_features, embed_states, layout_features
from core.evaluation.evaluator import EvaluatorConfig
from core.evaluation.folder import read_folder
from core.evaluation.many import Setting, Wish, generate_many, possible_seconds
from core.evaluation.metrics import r_precision
from core.evaluation.report import Captions, by_class, measure
from core.evaluation.retrieval import NearestCaption, of_length
from core.evaluation.rows import Row, real_row
from core.evaluation.storage import load_evaluator, save_evaluator
from core.evaluation.suite import evaluate
from core.features import feature_layout
from core.training.corpus import load_corpus
from core.training.evaluator_data import EvaluatorData
from core.training.evaluator_task import (
    ContrastiveOptions,
    EvaluatorTask,
    info_nce,
    motion_summary,
    sides_named,
)
from core.training.loop import LoopConfig, train


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def engine() -> Engine:
    return Engine(random_model(OURS), torch.device("cpu"), Encoder())  # type: ignore[arg-type]


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Embedder:
    monkeypatch.setattr(core.evaluation.embedding, "CachedTextEncoder", Encoder)
    return Embedder(evaluator())


# --- evaluator -----------------------------------------------------------------------------------


def test_embeddings_are_unit_vectors_that_do_not_depend_on_the_batch() -> None:
    network = evaluator()
    random = np.random.default_rng(1)
    clips = [random.normal(size=(n, 272)).astype("f4") for n in (90, 8, 33, 64)]
    together = embed_features(network, clips)
    np.testing.assert_allclose(np.linalg.norm(together, axis=-1), 1.0, rtol=1e-5)
    for clip, vector in zip(clips, together, strict=True):
        np.testing.assert_allclose(embed_features(network, [clip])[0], vector, atol=1e-5)
    states = Encoder().encode(["a person walks", "a", "someone sits down slowly on a chair"])
    texts = embed_states(network, states)
    for state, vector in zip(states, texts, strict=True):
        np.testing.assert_allclose(embed_states(network, [state])[0], vector, atol=1e-5)
    assert np.abs(together[0] - together[2]).max() > 0.01


def test_clips_shorter_than_a_patch_have_an_embedding() -> None:
    assert np.isfinite(embed_features(evaluator(), [np.zeros((2, 272), "f4")])).all()


def test_an_evaluator_comes_back_from_its_folder(tmp_path: Path) -> None:
    network = evaluator()
    save_evaluator(tmp_path, network)
    again = load_evaluator(tmp_path)
    assert again.config == TINY
    clip = [np.random.default_rng(0).normal(size=(40, 272)).astype("f4")]
    np.testing.assert_allclose(
        embed_features(network, clip), embed_features(again, clip), atol=5e-3
    )
    assert torch.equal(again.mean, network.mean)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("config.json", lambda b: None, "no evaluator"),
        ("config.json", lambda b: b"{", "damaged"),
        ("config.json", lambda b: b.replace(b'"width": 16', b'"width": "16"'), "wrong type"),
        ("config.json", lambda b: b.replace(b'"width": 16', b'"width": 15'), "width"),
        ("config.json", lambda b: b.replace(b'"width": 16', b'"width": 32'), "shape"),
        ("config.json", lambda b: b.replace(b'"depth": 1', b'"depth": 2'), "missing"),
        ("config.json", lambda b: b.replace(b'"depth": 1,', b""), "lacks the field 'depth'"),
        ("config.json", lambda b: b.replace(b'"format": 1', b'"format": 7'), "format"),
        ("evaluator.safetensors", lambda b: None, "cannot be used"),
        ("evaluator.safetensors", lambda b: b[:-3] + b"abc", "checksum"),
    ],
)
def test_damaged_evaluators_are_told(
    tmp_path: Path, file: str, damage: Callable[[bytes], bytes | None], message: str
) -> None:
    save_evaluator(tmp_path, evaluator())
    changed = damage((tmp_path / file).read_bytes())
    (tmp_path / file).unlink() if changed is None else (tmp_path / file).write_bytes(changed)
    with pytest.raises(ScaleMoGenError, match=message) as caught:
        load_evaluator(tmp_path)
    assert "\n" not in str(caught.value)


def test_motions_fit_layouts_of_the_same_joints() -> None:
    motion = walking(61)
    assert layout_features(motion, feature_layout("canonical")).shape == (60, 272)
    assert layout_features(motion, feature_layout("humanml3d")).shape == (40, 263)
    with pytest.raises(ScaleMoGenError, match="no snapmogen features"):
        layout_features(motion, feature_layout("snapmogen"))


# --- training ------------------------------------------------------------------------------------


def task_of(data: Path, layout: str = "canonical") -> EvaluatorTask:
    torch.manual_seed(0)
    clips = load_corpus(data, "train")
    training = EvaluatorData(clips, layout, mirrored=True)
    validation = EvaluatorData(load_corpus(data, "val"), layout, mirrored=False)
    states, lengths = text_states([*training.sentences, *validation.sentences])
    options = ContrastiveOptions(batch=8)
    return EvaluatorTask(tiny(layout), clips, training, validation, states, lengths, options)


def loop(steps: int) -> LoopConfig:
    return LoopConfig(learning_rate=3e-3, steps=steps, warmup=2, log_every=1)


def test_mirror_images_are_items_with_mirrored_sentences(data: Path) -> None:
    clips = load_corpus(data, "train")
    made = EvaluatorData(clips, "canonical", mirrored=True)
    assert len(made) == 24
    assert made.sentences[made.texts[0][0][0]] == "a person will walk to the left"
    assert made.sentences[made.texts[1][0][0]] == "a person will walk to the right"
    other = EvaluatorData(clips, "humanml3d", mirrored=True)
    assert len(other) == 24
    # Mirrored by columns and by motion: both swap the sides of the contacts.
    contacts = made.piece(0, 0, None)[:, -4:]
    assert torch.equal(made.piece(1, 0, None)[:, -4:], contacts[:, [2, 3, 0, 1]])
    contacts = other.piece(0, 0, None)[:, -4:]
    assert torch.equal(other.piece(1, 0, None)[:, -4:], contacts[:, [2, 3, 0, 1]])


def test_prepared_features_are_kept_until_a_clip_changes(data: Path, tmp_path: Path) -> None:
    clips, cache = load_corpus(data, "train"), tmp_path / "kept.safetensors"
    first = EvaluatorData(clips, "canonical", True, cache)
    written = cache.stat().st_mtime_ns
    again = EvaluatorData(clips, "canonical", True, cache)
    assert cache.stat().st_mtime_ns == written
    assert torch.equal(first.piece(3, 0, None), again.piece(3, 0, None))
    other = [replace(clips[0], motion=tumbling(99, 50)), *clips[1:]]
    changed = EvaluatorData(other, "canonical", True, cache)
    assert cache.stat().st_mtime_ns != written
    assert not torch.equal(first.piece(0, 0, 9), changed.piece(0, 0, 9))
    cache.write_bytes(b"damaged")
    assert torch.equal(
        EvaluatorData(clips, "canonical", True, cache).piece(0, 0, 9), first.piece(0, 0, 9)
    )


def test_captions_that_say_the_same_are_no_negatives(data: Path) -> None:
    task = task_of(data)
    torch.manual_seed(1)
    task.options = ContrastiveOptions(batch=12, same=0.95)
    *_, same = task.batch()
    assert torch.equal(same, same.T)
    assert not same.diagonal().any()
    assert same.any(), "four clips have the same captions"
    # Left against right stays a negative however near the sentences are.
    task.options = ContrastiveOptions(batch=12, same=-1.0, own_captions=1.0)
    task.concepts = torch.arange(len(task.concepts))
    torch.manual_seed(2)
    *_, same = task.batch()
    torch.manual_seed(2)
    sides = (torch.multinomial(task.probabilities, 12), torch.randint(2, (12,)))[1]
    assert torch.equal(same, (sides[:, None] == sides) & ~torch.eye(12, dtype=torch.bool))


def test_sides_are_found_as_words() -> None:
    assert sides_named("Left, then to the right; counterclockwise") == (
        "left",
        "right",
        "counterclockwise",
    )
    assert sides_named("upright and alright") == ()
    assert sides_named("a left-handed throw with both feet") == ("left", "both")
    assert sides_named("leftwards, rightward, the rightmost") == ("left", "right", "right")


def test_info_nce_agrees_with_a_plain_loop() -> None:
    scores = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    same = torch.zeros(5, 5, dtype=torch.bool)
    same[0, 3] = same[3, 0] = True
    total = 0.0
    for table in (scores.numpy(), scores.numpy().T):
        for i in range(5):
            kept = [table[i, j] for j in range(5) if not same[i, j]]
            total -= table[i, i] - np.log(np.exp(kept).sum())
    assert float(info_nce(scores, same)) == pytest.approx(total / 10, rel=1e-5)


def test_the_summary_leaves_out_what_lies_behind_a_clip() -> None:
    x = torch.randn(2, 10, 3)
    x[1, 6:] = 100.0
    whole = motion_summary(x, torch.tensor([10, 6]))
    alone = motion_summary(x[1:, :6], torch.tensor([6]))
    torch.testing.assert_close(whole[1:], alone)
    torch.testing.assert_close(whole[0, :3], x[0].mean(0))


def test_training_the_evaluator_learns(data: Path, tmp_path: Path) -> None:
    task = task_of(data)
    torch.manual_seed(5)
    before = float(task.loss(task.model, 0, 0.0)[0].detach())
    figures = train(task, loop(30), tmp_path)
    torch.manual_seed(5)
    assert float(task.loss(task.model, 0, 0.0)[0].detach()) < 0.8 * before
    assert set(figures) == {"top1", "top2", "top3"}
    assert figures["top1"] <= figures["top2"] <= figures["top3"]
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_an_interrupted_training_of_the_evaluator_resumes_exactly(
    data: Path, tmp_path: Path
) -> None:
    class StoppedError(Exception):
        pass

    config = replace(loop(6), checkpoint_minutes=0.0)
    straight = task_of(data)
    train(straight, config, tmp_path / "straight")
    broken = task_of(data)
    real = broken.loss

    def loss(model: torch.nn.Module, step: int, progress: float):
        if step == 3:
            raise StoppedError
        return real(model, step, progress)

    broken.loss = loss  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        train(broken, config, tmp_path / "broken")
    resumed = task_of(data)
    train(resumed, config, tmp_path / "broken")
    for a, b in zip(straight.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("layout", ["canonical", "humanml3d"])
def test_train_evaluator_leaves_a_folder_to_measure_with(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.setattr(core.training.run, "text_states", text_states)

    def small(layout: str, features: int) -> EvaluatorConfig:
        return tiny(layout)

    monkeypatch.setattr(core.training.run, "EvaluatorConfig", small)
    words = ["train", "evaluator", "--data", str(data), "--out", str(tmp_path), "--steps", "2"]
    assert main([*words, "--batch", "6", "--layout", layout]) == 0
    made = load_evaluator(tmp_path / "model")
    assert made.config.layout == layout
    features = layout_features(walking(70), feature_layout(layout))
    assert embed_features(made, [features]).shape == (1, 8)


# --- many prompts --------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", [Setting(), Setting(0.0, 1.0), Setting(2.0, 0.5, raw=True)])
def test_many_prompts_give_what_the_engine_makes_one_by_one(
    engine: Engine, setting: Setting
) -> None:
    wishes = [
        Wish("a person walks", 2.0, 4),
        Wish("someone waves with the left hand", 2.1, 5),
        Wish("a kick", 1.0, 6),
        Wish("a person walks", 2.0, 7),
        Wish("jumping", 2.05, 4),
    ]
    told: list[int] = []
    together = generate_many(engine, wishes, setting, batch=3, progress=told.append)
    assert sum(told) == 5
    for wish, motion in zip(wishes, together, strict=True):
        alone = engine.generate(
            wish.prompt,
            wish.seconds,
            [wish.seed],
            guidance=setting.guidance,
            temperature=setting.temperature,
            cleanup=not setting.raw,
        ).motions[0]
        assert motion.frame_count == alone.frame_count
        np.testing.assert_allclose(motion.positions(), alone.positions(), atol=2e-3)


def test_wishes_are_checked_before_the_work(engine: Engine) -> None:
    assert generate_many(engine, []) == []
    with pytest.raises(ScaleMoGenError, match="empty"):
        generate_many(engine, [Wish("walk", 1.0, 1), Wish(" ", 1.0, 1)])
    with pytest.raises(ScaleMoGenError, match="cannot be made"):
        generate_many(engine, [Wish("walk", 99.0, 1)])
    assert possible_seconds(engine, 99.0) == engine.max_seconds
    assert possible_seconds(engine, 0.1) == 0.5


def test_settings_have_names() -> None:
    assert Setting().label == "own settings"
    assert Setting(4.0, 0.7).label == "guidance 4, temperature 0.7"
    assert Setting(4.0, raw=True).label == "guidance 4, raw"


# --- the baseline --------------------------------------------------------------------------------


def test_the_nearest_caption_gives_back_its_motion_cut_or_held(data: Path) -> None:
    clips = load_corpus(data, "train")
    nearest = NearestCaption(clips, Encoder().encode)
    random = np.random.default_rng(0)
    wanted = ["someone will tumble to the left", "a person will walk to the right"]
    for _ in range(4):
        made = nearest.motions(wanted, [40, 500], random)
        assert [m.frame_count for m in made] == [40, 500]
        tumbles = [c.motion for c in clips if c.captions[0] == wanted[0]]
        assert any(np.array_equal(made[0].rotations, m.rotations[:40]) for m in tumbles)
        walks = [c.motion for c in clips if c.captions[0] == "a person will walk to the left"]
        assert any(np.array_equal(made[1].rotations[:40], m.rotations[:40]) for m in walks)
        assert np.array_equal(made[1].rotations[-1], made[1].rotations[-100])


def test_cut_and_held() -> None:
    motion = walking(30)
    assert np.array_equal(of_length(motion, 10).rotations, motion.rotations[:10])
    held = of_length(motion, 33)
    assert np.array_equal(held.root_positions[29:], np.tile(motion.root_positions[-1], (4, 1)))


# --- folders -------------------------------------------------------------------------------------


def write_folder(folder: Path, captions: bool = True) -> Path:
    folder.mkdir()
    for number in range(3):
        write_bvh(folder / f"{number}.bvh", walking(50 + number))
        if captions:
            (folder / f"{number}.txt").write_text("a person will walk to the left\n")
    return folder


def test_our_own_files_come_back_as_they_were(tmp_path: Path) -> None:
    found = read_folder(write_folder(tmp_path / "in"))
    assert [m.frame_count for m in found.motions] == [50, 51, 52]
    assert found.captions == [("a person will walk to the left",)] * 3
    assert max(found.bones) < 0.01
    here = found.motions[0].positions()[:, :, 1]
    np.testing.assert_allclose(here, walking(50).positions()[:, :, 1], atol=1e-3)


def test_unusable_files_are_left_out_and_told(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in")
    (folder / "1.bvh").write_text("nothing")
    write_bvh(folder / "2.bvh", walking(3))
    found = read_folder(folder)
    assert len(found.motions) == 1
    assert [name for name, _ in found.left_out] == ["1.bvh", "2.bvh"]
    (folder / "0.bvh").write_text("nothing")
    with pytest.raises(ScaleMoGenError, match="no motion in"):
        read_folder(folder)


def test_folders_without_files_or_prompts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScaleMoGenError, match="no folder"):
        read_folder(tmp_path / "absent")
    with pytest.raises(ScaleMoGenError, match=r"no \.bvh files"):
        read_folder(tmp_path)
    with pytest.raises(ScaleMoGenError, match="no caption"):
        read_folder(write_folder(tmp_path / "in", captions=False))


# --- whole evaluations ---------------------------------------------------------------------------


class Oracle:
    """Embeds motions by their number of frames and captions by the number that they name."""

    def motions(self, motions):
        return np.array([[len(m.rotations), 0.0] for m in motions])

    def texts(self, sentences):
        return np.array([[float(s.split()[-1]), 0.0] for s in sentences])


def test_rows_are_measured_against_captions_and_real_motion() -> None:
    frames = [20, 30, 40, 50, 60, 70]
    captions = [(f"walk for {n}",) for n in frames]
    real = Row("real", captions, lambda _: [walking(n) for n in frames], fixed=True)
    calls = []

    def make(repeat: int):
        calls.append(repeat)
        return [walking(n + 1 + repeat % 2) for n in frames]

    wrong = Row("wrong", captions, lambda _: [walking(n) for n in frames[::-1]], fixed=True)
    rows = measure([real, Row("near", captions, make), wrong], Oracle(), 3, 1)
    first, near, far = (row.figures for row in rows)
    assert calls == [0, 1, 2]
    assert first["top1"].mean == near["top1"].mean == near["top1_all"].mean == 1.0
    assert first["fid"].mean == pytest.approx(0.0, abs=1e-6)
    assert near["fid"].mean == pytest.approx((1 + 4 + 1) / 3)
    assert near["mm_dist"].mean == pytest.approx(4 / 3)
    assert near["multimodality"].mean == pytest.approx(2 / 3)
    assert np.isnan(first["multimodality"].mean)
    assert far["top1"].mean == 0.0 and far["fid"].mean == pytest.approx(0.0, abs=1e-6)
    assert first["acceleration_ratio"].mean == pytest.approx(1.0)
    assert near["acceleration"].half > 0 or near["acceleration"].mean > 0
    table = by_class(rows, ["short"] * 3 + ["long"] * 3)
    assert [entry["class"] for entry in table] == ["long", "short"] or table[0]["clips"] == 3
    assert table[0]["rows"]["real"]["place"] == 1.0
    assert table[0]["rows"]["wrong"]["place"] > 1.0


def test_the_mismatched_captions_are_none_of_the_motions_own() -> None:
    row = Row("real", [("a 1", "b 2"), ("b 2",), ("c 3",), ("A 1.",)], lambda _: [])
    captions = Captions.of(Oracle(), [row])
    assert captions.sentences == ["a 1", "b 2", "c 3", "A 1."]
    others = captions.others(row, captions.sentences)
    assert others.tolist() == [
        [False, False, True, False],
        [True, False, True, True],
        [True, True, False, True],
        [False, True, True, False],
    ]


def test_one_caption_is_not_enough() -> None:
    row = Row("real", [("walk 1",)] * 3, lambda _: [walking(20)] * 3, fixed=True)
    with pytest.raises(ScaleMoGenError, match="two different captions"):
        measure([row], Oracle(), 1, 1)


def test_every_row_is_in_one_report(
    data: Path, engine: Engine, embedder: Embedder, tmp_path: Path
) -> None:
    clips = load_corpus(data, "val")
    settings = [Setting(), Setting(2.0)]
    folder = write_folder(tmp_path / "theirs")
    report = evaluate(
        [engine],
        clips,
        load_corpus(data, "train"),
        embedder,
        settings=settings,
        folders=[folder],
        repeats=2,
        classes=True,
    )
    assert [row.name for row in report.rows] == [
        "real motion",
        "tiny: reconstruction",
        "tiny: own settings",
        "tiny: guidance 2",
        "nearest caption",
        "theirs",
    ]
    made = report.as_json()
    assert json.loads(json.dumps(made, allow_nan=False))["pool"] == 6
    assert made["rows"][0]["figures"]["fid"]["mean"] == pytest.approx(0.0, abs=1e-6)
    assert made["rows"][0]["figures"]["acceleration_ratio"]["mean"] == pytest.approx(1.0)
    assert made["rows"][2]["figures"]["multimodality"]["mean"] > 0
    assert made["rows"][5]["motions"] == 3
    assert set(made["reconstruction"]["tiny"]) >= {"joint_mm", "global_mm"}
    assert {entry["class"] for entry in made["classes"]} == {
        "one: walk",
        "one: tumble",
        "one: stagger",
    }
    text = report.text()
    assert "R top-3" in text and "one: stagger" in text and "6 distinct captions" in text
    assert report.text(as_markdown=True).count("| --- |") == 3


def test_a_model_on_humanml3d_features_has_its_rows(data: Path, embedder: Embedder) -> None:
    model = random_model(published_like("humanml3d"))
    engine = Engine(model, torch.device("cpu"), Encoder())  # type: ignore[arg-type]
    clips = load_corpus(data, "val")
    report = evaluate([engine], clips, [], Embedder(evaluator(tiny("humanml3d"))), repeats=1)
    assert [row.name for row in report.rows] == [
        "real motion",
        "humanml3d: reconstruction",
        "humanml3d: own settings",
    ]
    assert all(np.isfinite(row.figures["fid"].mean) for row in report.rows)


def test_embeddings_of_the_real_row_are_the_evaluators(data: Path, embedder: Embedder) -> None:
    clips = load_corpus(data, "val")
    [row] = measure([real_row(clips)], embedder, 2, 1)
    features = [layout_features(c.motion, embedder.layout) for c in clips]
    np.testing.assert_allclose(row.embeddings[0], embed_features(embedder.evaluator, features))
    assert row.figures["top3"].mean == np.mean([r_precision(r, 3) for r in row.ranks])


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def command(
    data: Path, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    monkeypatch.setattr(core.evaluation.embedding, "CachedTextEncoder", Encoder)
    monkeypatch.setattr(Engine, "load", lambda *_: engine)
    save_evaluator(tmp_path / "evaluator", evaluator())
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> int:
        return main(["evaluate", "--data", str(data), "--evaluator", "evaluator", *words])

    return run


def test_evaluate_prints_and_writes_the_table(command, capfd, tmp_path: Path) -> None:
    words = ["--repeats", "2", "--settings", "own", "3:0.5", "own:raw", "--by-class", "--without"]
    assert command(*words, "--json", "a.json", "--markdown", "a.md") == 0
    out, err = capfd.readouterr()
    assert "real motion" in out and "guidance 3, temperature 0.5" in out and err == ""
    made = json.loads((tmp_path / "a.json").read_text())
    assert made["split"] == "val" and made["repeats"] == 2 and len(made["rows"]) == 6
    assert (tmp_path / "a.md").read_text().startswith("split val, 6 motions")


def test_evaluate_makes_one_row_for_guidance_and_four_by_default(command, tmp_path: Path) -> None:
    assert command("--repeats", "1", "--guidance", "2", "--json", "a.json") == 0
    names = [row["name"] for row in json.loads((tmp_path / "a.json").read_text())["rows"]]
    assert [n for n in names if n.startswith("tiny")] == [
        "tiny: reconstruction",
        "tiny: guidance 2",
    ]
    assert command("--repeats", "1", "--limit", "3", "--json", "a.json") == 0
    made = json.loads((tmp_path / "a.json").read_text())
    assert made["motions"] == 3
    assert sum(row["name"].startswith("tiny") for row in made["rows"]) == 5


def test_a_folder_with_only_a_test_split_has_no_baseline(
    command, data: Path, tmp_path: Path, capfd
) -> None:
    only = write_data(tmp_path / "only" if (tmp_path / "only").mkdir() is None else tmp_path)
    table = only / "captions.jsonl"
    table.write_text(table.read_text().replace('"train"', '"test"').replace('"val"', '"test"'))
    assert command("--data", str(only), "--split", "test", "--repeats", "1") == 0
    out, err = capfd.readouterr()
    assert "nearest caption" not in out
    assert "no training split" in err


def test_a_quick_look_prints_what_it_always_did(command, capfd, tmp_path: Path) -> None:
    assert command("--samples", "--sheet", "s.png") == 0
    made = json.loads(capfd.readouterr().out)
    assert set(made) >= {
        "model",
        "split",
        "clips",
        "joint_mm",
        "sliding_cm_s",
        "sliding_cm_s_real",
        "acceleration_m_s2",
        "acceleration_m_s2_real",
    }
    assert (tmp_path / "s.png").stat().st_size > 1000


def test_embeddings_of_any_evaluator_are_measured(command, capfd, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    text = random.normal(size=(50, 4)).astype("f4")[np.arange(100) % 50]
    tensors = {"text": text, "motion": text + 0.01, "generated": np.stack([text, text + 1, text])}
    save_file(tensors | {"noise": random.normal(size=(100, 4)).astype("f4")}, "e.safetensors")
    assert command("--embeddings", "e.safetensors", "--json", "e.json", "--markdown", "e.md") == 0
    rows = {r["name"]: r["figures"] for r in json.loads((tmp_path / "e.json").read_text())["rows"]}
    assert rows["real motion"]["top1"]["mean"] == 1.0
    assert rows["noise"]["top1"]["mean"] < 0.3
    assert rows["generated"]["multimodality"]["mean"] == pytest.approx(4 / 3)
    assert rows["real motion"]["multimodality"]["mean"] is None
    assert "sliding" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"motion": np.zeros((4, 2), "f4")}, "no matrix 'text'"),
        ({"motion": np.zeros(4, "f4"), "text": np.zeros((4, 2), "f4")}, "no matrix 'motion'"),
        (
            {n: np.eye(k, 4, dtype="f4") for n, k in (("motion", 4), ("text", 4), ("mine", 3))},
            "'mine' has the shape",
        ),
        (
            {"motion": np.full((4, 2), np.nan, "f4"), "text": np.eye(4, 2, dtype="f4")},
            "no number",
        ),
        ({"motion": np.eye(4, dtype="f4"), "text": np.ones((4, 4), "f4")}, "two different"),
    ],
)
def test_wrong_embeddings_are_told(command, capfd, tensors, message) -> None:
    save_file(tensors, "e.safetensors")
    assert command("--embeddings", "e.safetensors") == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--split", "odd"], "no clips of the split"),
        (["--settings", "much"], "is not a setting"),
        (["--settings", "4:0"], "is not a setting"),
        (["--settings", "99"], "is not a setting"),
        (["--evaluator", "absent"], "no evaluator in absent"),
        (["--motions", "absent"], "no folder absent"),
        (["--json", "absent/a.json"], "no folder absent"),
        (["--embeddings", "absent.safetensors"], "cannot be read"),
        (["--model", ","], "no model is named"),
        (["--repeats", "0"], "whole number"),
    ],
)
def test_bad_input_is_one_line_and_code_2(command, capfd, words, message) -> None:
    assert command(*words) == 2
    error = capfd.readouterr().err.strip()
    assert message in error.splitlines()[-1]
    assert "Traceback" not in error
