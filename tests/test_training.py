"""Training: the corpus, the loop, interruption and several processes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_fakes import OURS, random_model
from synthetic import tumbling, walking
from torch import Tensor, nn

from core.dataset_format import PackedClip, write_captions, write_pack
from core.errors import ScaleMoGenError
from core.features import feature_layout
from core.model.weights import Model
from core.training import report
from core.training.checkpoint import SHARD_BYTES, load_state, save_state
from core.training.corpus import Clip, clip_weights, load_corpus, mirror_text
from core.training.feature_math import (
    canonical_layout,
    foot_steps,
    global_positions,
    heading_positions,
)
from core.training.loop import LoopConfig, Task, train
from core.training.memory import keep_freed_memory
from core.training.mixture import plain
from core.training.optimizers import build_optimizers
from core.training.token_data import TokenData, build_token_data
from core.training.tokenizer_task import TokenizerTask, reconstruction_figures
from core.training.transformer_task import SHEET_PROMPTS, TransformerTask
from core.training.variants import ends_as_it_began, held, repeated, variants

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed data set of synthetic clips: a dozen to train on, two to check."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for source in ("one", "two"):
        clips = []
        for number in range(7):
            motion = walking(40 + 20 * number) if number % 2 else tumbling(number, 70, reach=0.4)
            clips.append(PackedClip.from_motion(f"{source}/{number}", motion))
            rows.append(
                {
                    "clip": f"{source}/{number}",
                    "file": f"{source}.npz.xz",
                    "source": source,
                    "captions": ["a person walks to the left" if number % 2 else "someone tumbles"],
                    "scope": "trial" if number == 3 else "clip",
                    "split": "val" if number == 6 else "train",
                }
            )
        write_pack(folder / f"{source}.npz.xz", clips)
    write_captions(folder / "captions.jsonl", rows)
    bank = [{"match": {"sentence": "someone tumbles"}, "captions": ["a figure tumbles about"]}]
    write_captions(folder / "paraphrases.jsonl", bank)
    return folder


# --- corpus --------------------------------------------------------------------------------------


def test_the_corpus_is_read_with_its_paraphrases(data: Path) -> None:
    clips = load_corpus(data, "train")
    assert len(clips) == 12
    assert {c.paraphrases for c in clips} == {(), ("a figure tumbles about",)}
    assert len(load_corpus(data, "train", without=["two"])) == 6
    with pytest.raises(ScaleMoGenError, match="no source 'tow'"):
        load_corpus(data, "train", without=["tow"])
    with pytest.raises(ScaleMoGenError, match="no clips of the split"):
        load_corpus(data, "test")


def test_rare_actions_are_drawn_more_often_than_their_share(data: Path) -> None:
    clips = load_corpus(data, "train")
    weights = clip_weights(clips)
    assert weights.sum() == pytest.approx(1.0)
    walks = [w for c, w in zip(clips, weights, strict=True) if "walks" in c.captions[0]]
    trial = [w for c, w in zip(clips, weights, strict=True) if c.row["scope"] == "trial"]
    assert max(trial) < min(w for w in walks if w not in trial)


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("turn left, then right", "turn right, then left"),
        ("upright and alright", "upright and alright"),
        ("a Left-handed throw", "a Right-handed throw"),
        ("walks counterclockwise", "walks clockwise"),
        ("turns anticlockwise", "turns clockwise"),
        ("leftwards", "rightwards"),
        ("their lefty jab", "their righty jab"),
    ],
)
def test_mirrored_sentences_swap_sides(text: str, mirrored: str) -> None:
    assert mirror_text(text) == mirrored


@given(st.text(alphabet="leftrigh -,", max_size=40))
def test_mirroring_a_sentence_twice_gives_it_back(text: str) -> None:
    assert mirror_text(mirror_text(text)) == text


def test_variants_hold_repeat_and_cut_without_jumps() -> None:
    motion = walking(45)
    longer = repeated(motion, 3)
    step = np.linalg.norm(np.diff(longer.root_positions, axis=0), axis=-1)
    assert step.max() < 0.06, "walking on, not jumping back"
    assert np.diff(longer.root_positions[:, 2]).min() > 0.03, "and not halting at the seams"
    assert np.abs(longer.root_positions[:, 1] - 0.96).max() < 0.03
    still = held(motion, 4.0)
    assert still.frame_count == 120
    assert np.array_equal(still.rotations[-1], motion.rotations[-1])
    made = variants(motion, np.random.default_rng(0))
    assert len(made) == 5
    assert all(m.frame_count > 10 for m, _ in made)
    assert len(variants(walking(200), np.random.default_rng(0))) == 5


def test_only_what_ends_as_it_began_is_repeated() -> None:
    """A walk of one whole cycle is; sitting down is not."""
    assert ends_as_it_began(walking(31))
    sunk = walking(31)
    lower = np.linspace(0.0, 0.4, 31)[:, None] * [0.0, 1.0, 0.0]
    sunk = replace(sunk, root_positions=sunk.root_positions - lower)
    assert not ends_as_it_began(sunk)
    lengths = {m.frame_count for m, _ in variants(sunk, np.random.default_rng(0))}
    assert len(lengths) == 4, "as it is, slower, faster, held"


def test_a_pose_can_be_held_before_the_action_too() -> None:
    motion = walking(30)
    both = held(motion, 3.0, lead=0.5)
    assert both.frame_count == 90
    np.testing.assert_array_equal(both.rotations[:31], np.repeat(motion.rotations[:1], 31, 0))
    np.testing.assert_array_equal(both.rotations[30:60], motion.rotations)
    np.testing.assert_array_equal(both.rotations[59:], np.repeat(motion.rotations[-1:], 31, 0))


def test_encoded_clips_are_kept_until_something_changes(data: Path, tmp_path: Path) -> None:
    model, clips, cache = random_model(OURS), load_corpus(data, "train"), tmp_path / "c.safetensors"

    def build(clips: list[Clip], model: Model) -> TokenData:
        return build_token_data(
            plain(clips, varied=True),
            model.tokenizer,
            model.mean,
            model.std,
            augment=True,
            cache=cache,
            workers=0,
        )

    first = build(clips, model)
    written = cache.stat().st_mtime_ns
    again = build(clips, model)
    assert cache.stat().st_mtime_ns == written
    assert again.sentences == first.sentences
    assert again.texts == first.texts
    np.testing.assert_array_equal(again.weights, first.weights)
    assert all(torch.equal(a, b) for a, b in zip(again.latents, first.latents, strict=True))
    # Mirrored variants say the other side.
    said = {first.sentences[own[0]] for own, _ in first.texts}
    assert {"a person walks to the left", "a person walks to the right"} <= said
    assert len(build(clips[:-1], model).latents) < len(first.latents)
    other = build(clips, random_model(OURS, seed=1))
    assert not torch.equal(other.latents[0], first.latents[0])


# --- checkpoints ---------------------------------------------------------------------------------


def test_states_are_sharded_and_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert load_state(folder) is None
    tensors = {f"t{i}": torch.randn(1024, 1024) for i in range(8)}
    save_state(folder, tensors, {"step": 3})
    files = list(folder.glob("*.safetensors"))
    assert len(files) == 3
    assert all(f.stat().st_size < SHARD_BYTES + 2**20 for f in files)
    found = load_state(folder)
    assert found is not None
    assert found[1] == {"step": 3}
    assert all(torch.equal(found[0][k], v) for k, v in tensors.items())
    # Killed between the two renames: the previous state is still found.
    folder.rename(folder.with_name("state.old"))
    assert load_state(folder) is not None
    (folder / "000.safetensors").write_bytes(b"rubbish")
    with pytest.raises(ScaleMoGenError, match="delete the folder"):
        load_state(folder)


# --- the loop ------------------------------------------------------------------------------------


def loop(steps: int) -> LoopConfig:
    return LoopConfig(learning_rate=1e-2, steps=steps, warmup=2, log_every=1, checkpoint_minutes=0)


def tokenizer_task(data: Path) -> TokenizerTask:
    torch.manual_seed(11)
    return TokenizerTask(
        OURS.tokenizer, load_corpus(data, "train"), load_corpus(data, "val"), batch_frames=128
    )


def transformer_task(data: Path) -> TransformerTask:
    model = random_model(OURS)
    clips = plain(load_corpus(data, "train"), varied=True)
    tokens = build_token_data(clips, model.tokenizer, model.mean, model.std, augment=True)
    count = 2 * len(tokens.sentences) + len(SHEET_PROMPTS)
    lengths = torch.arange(count) % 5 + 3
    states = torch.randn(int(lengths.sum()), 48, generator=torch.Generator().manual_seed(0)).half()
    sheet = [s.float() for s in states.split(lengths.tolist())[-len(SHEET_PROMPTS) :]]
    return TransformerTask(model, tokens, tokens, states, lengths, sheet, batch_tokens=200)


def parameters(task: Task) -> list[Tensor]:
    return [p.detach().clone() for p in task.model.parameters()]


@pytest.mark.parametrize(
    ("make", "optimizer"),
    [(tokenizer_task, "adamw"), (transformer_task, "adamw"), (transformer_task, "muon")],
)
def test_an_interrupted_training_resumes_exactly(
    make, optimizer: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = make(data)
    config = replace(loop(6), optimizer=optimizer)
    monkeypatch.setattr(type(straight), "validate", lambda self, folder, step: {"loss": 1.0})
    train(straight, config, tmp_path / "straight")

    class StoppedError(Exception):
        pass

    broken = make(data)
    real = broken.loss

    def loss(model: nn.Module, step: int, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        if step == 3:
            raise StoppedError
        return real(model, step, progress)

    broken.loss = loss
    with pytest.raises(StoppedError):
        train(broken, config, tmp_path / "broken")
    resumed = make(data)
    train(resumed, config, tmp_path / "broken")
    for a, b in zip(parameters(straight), parameters(resumed), strict=True):
        assert torch.equal(a, b)
    rows = report.read_table(tmp_path / "broken" / "log.csv")
    assert [row["step"] for row in rows] == [str(n) for n in range(1, 7)]
    assert [r["loss"] for r in rows] == [
        r["loss"] for r in report.read_table(tmp_path / "straight" / "log.csv")
    ]


def test_both_tasks_learn_and_leave_logs_and_pictures(data: Path, tmp_path: Path) -> None:
    for task, steps in ((tokenizer_task(data), 30), (transformer_task(data), 30)):
        folder = tmp_path / task.name
        figures = train(task, loop(steps), folder)
        losses = [float(row["loss"]) for row in report.read_table(folder / "log.csv")]
        assert np.mean(losses[-5:]) < np.mean(losses[:5])
        assert all(np.isfinite(v) for v in figures.values())
        assert (folder / "curves.png").stat().st_size > 1000
    assert (tmp_path / "transformer" / "samples.png").stat().st_size > 1000


def test_steps_of_the_feet_over_the_ground_are_those_of_the_world_path(data: Path) -> None:
    layout = canonical_layout("canonical")
    x = torch.from_numpy(layout.encode(load_corpus(data, "train")[0].motion))[None]
    steps = foot_steps(x, heading_positions(x, layout), layout)
    feet = global_positions(x, layout)[:, :, list(layout.skeleton.contact_joints)]
    world = feet[..., [0, 2]].diff(dim=1)
    torch.testing.assert_close(steps.norm(dim=-1), world.norm(dim=-1), rtol=1e-4, atol=1e-5)
    assert steps.norm(dim=-1).max() > 0.01


def test_freed_memory_is_kept_where_the_c_library_allows() -> None:
    import platform

    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")


def test_only_matrices_inside_the_blocks_go_to_muon(data: Path) -> None:
    model = transformer_task(data).model
    adam, muon = build_optimizers(
        model, name="muon", learning_rate=1e-3, weight_decay=0.1, betas=(0.9, 0.97), fused=False
    )
    names = {id(p): n for n, p in model.named_parameters()}
    turned = {names[id(p)] for group in muon.param_groups for p in group["params"]}
    others = {names[id(p)] for group in adam.param_groups for p in group["params"]}
    assert turned | others == set(names.values())
    assert not turned & others
    assert turned
    assert all(n.startswith("blocks.") and n.endswith(".weight") for n in turned)
    assert {"head.weight", "code_embed.weight", "scale_embed.weight"} <= others
    decayed = {names[id(p)] for p in adam.param_groups[0]["params"]}
    assert "head.weight" in decayed
    assert not any(n.endswith("bias") for n in decayed)


def test_the_decoder_is_trained_on_while_the_bits_stay(data: Path, tmp_path: Path) -> None:
    first = tokenizer_task(data)
    tokenizer = first.model
    later = tokenizer_task(data)
    later.start_from(tokenizer, first.mean + 0.1, first.std)
    before = [p.detach().clone() for p in later.model.encoder_parameters()]
    decoder = later.model.unembed[0].weight.detach().clone()
    train(later, loop(2), tmp_path)
    assert all(
        torch.equal(a, b) for a, b in zip(before, later.model.encoder_parameters(), strict=True)
    )
    assert not torch.equal(decoder, later.model.unembed[0].weight)
    assert torch.equal(later.mean, first.mean + 0.1)


def test_a_state_of_another_model_or_other_data_is_not_resumed(data: Path, tmp_path: Path) -> None:
    train(tokenizer_task(data), loop(1), tmp_path)
    other = TokenizerTask(
        OURS.tokenizer,
        load_corpus(data, "train", ["two"]),
        load_corpus(data, "val"),
        batch_frames=128,
    )
    with pytest.raises(ScaleMoGenError, match="another model or of other data"):
        train(other, loop(2), tmp_path)


def test_half_precision_leaves_bits_and_gradients_sound() -> None:
    """Quantizing stays in float32 under autocast: constant bits once gave gradients of NaN."""
    quantizer = random_model(OURS).tokenizer.quantizer
    latents = torch.ones(2, 8, 7, 16, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        made = quantizer(latents)
        (made.latents.float().sum() + made.commitment + made.entropy).backward()
    assert latents.grad is not None
    assert torch.isfinite(latents.grad).all()
    plain = quantizer(torch.ones(2, 8, 7, 16))
    assert all(torch.equal(a, b) for a, b in zip(made.bits, plain.bits, strict=True))


def test_clips_too_short_for_the_longest_windows_can_be_trained_on(data: Path) -> None:
    clips = [c for c in load_corpus(data, "train") if c.motion.frame_count < 100]
    task = TokenizerTask(OURS.tokenizer, clips, clips[:1], batch_frames=64)
    assert task.windows == (32, 64)
    assert task.batch().shape[-1] == 272
    short = [replace(c, motion=c.motion.at_frames(slice(0, 20))) for c in clips]
    with pytest.raises(ScaleMoGenError, match="longer"):
        TokenizerTask(OURS.tokenizer, short, short[:1])


def test_training_stops_by_the_clock(data: Path, tmp_path: Path) -> None:
    config = replace(loop(1), steps=None, minutes=0.02)
    train(tokenizer_task(data), config, tmp_path)
    facts = json.loads((tmp_path / "state" / "state.json").read_text())
    assert facts["elapsed"] >= 1.2
    assert facts["step"] > 0


def test_a_perfect_tokenizer_would_measure_no_error(data: Path) -> None:
    """The measure itself: the same features in and out give nought, shifted ones their shift."""
    layout = feature_layout("canonical")

    class Copy:
        config = OURS.tokenizer
        shift = 0.0

        def tokenize(self, x: Tensor) -> Tensor:
            return x

        def detokenize(self, x: Tensor, frames: int) -> Tensor:
            y = x.clone()
            y[..., 3] += self.shift
            return y

    features = [layout.encode(walking(60))]
    copy = Copy()
    mean, std = torch.zeros(272), torch.ones(272)
    exact = reconstruction_figures(copy, features, mean, std, layout)  # type: ignore[arg-type]
    assert exact["joint_mm"] == pytest.approx(0, abs=1e-3)
    assert exact["acceleration_ratio"] == pytest.approx(1)
    copy.shift = 0.05
    higher = reconstruction_figures(copy, features, mean, std, layout)  # type: ignore[arg-type]
    assert higher["global_mm"] == pytest.approx(50, rel=1e-3)
    assert higher["joint_mm"] == pytest.approx(0, abs=1e-3)


@pytest.mark.slow
def test_two_processes_train_together(data: Path, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"),
        *("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"),
        *("-m", "cli", "train", "tokenizer", "--data", str(data), "--out", str(tmp_path / "run")),
        *("--steps", "3", "--batch", "256"),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    facts = json.loads((tmp_path / "run" / "tokenizer" / "state" / "state.json").read_text())
    assert facts["step"] == 3
    assert (tmp_path / "run" / "model" / "tokenizer.safetensors").exists()
