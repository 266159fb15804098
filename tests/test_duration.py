"""How long an action takes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from model_fakes import OURS, random_model
from synthetic import walking

from core.engine import DEFAULT_SECONDS, Engine
from core.errors import ScaleMoGenError
from core.model.duration import LONGEST, SHORTEST, DurationPredictor, fit_durations
from core.model.weights import load, save_durations, save_tokenizer, save_transformer
from core.training.corpus import Clip
from core.training.durations import clip_durations


def test_lengths_that_follow_from_the_words_are_found() -> None:
    random = np.random.default_rng(0)
    embeddings = random.normal(size=(200, 12))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    true = np.exp(embeddings @ random.normal(size=12) * 0.5 + 1.0)
    fitted = fit_durations(embeddings, true, np.ones(200), penalty=1e-9)
    told = [fitted.seconds(row[None]) for row in embeddings]
    np.testing.assert_allclose(told, np.clip(true, SHORTEST, LONGEST), atol=0.051)


def test_without_a_pattern_the_usual_length_is_told() -> None:
    embeddings = np.random.default_rng(1).normal(size=(50, 8))
    fitted = fit_durations(embeddings, np.full(50, 3.0), np.ones(50))
    assert fitted.seconds(np.random.default_rng(2).normal(size=(4, 8))) == 3.0


@given(st.floats(-50, 50), st.integers(0, 99))
def test_a_length_is_always_one_that_was_seen_often(bias: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    predictor = DurationPredictor(random.normal(size=6) * 9, bias)
    assert SHORTEST <= predictor.seconds(random.normal(size=(3, 6))) <= LONGEST


def test_windows_of_long_takes_do_not_count() -> None:
    def clip(frames: int, caption: str, scope: str) -> Clip:
        return Clip("x", walking(frames), (caption,), (), {"scope": scope})

    states = {"short": np.eye(4)[:1], "long": np.eye(4)[1:2]}
    clips = [clip(30, "short", "clip"), clip(120, "long", "clip"), clip(240, "short", "trial")]
    predictor = clip_durations(clips, states)
    assert predictor.seconds(states["short"]) < 1.3
    assert predictor.seconds(states["long"]) > 3.5


class _Encoder:
    width = 48

    def encode(self, prompts: list[str]) -> list[np.ndarray]:
        return [np.full((3, 48), 1.0 if "slow" in p else -1.0) for p in prompts]


def test_the_engine_tells_it_and_has_a_default() -> None:
    model = random_model(OURS)
    engine = Engine(model, torch.device("cpu"), _Encoder())  # type: ignore[arg-type]
    assert engine.natural_seconds("a slow walk") == DEFAULT_SECONDS
    model.durations = DurationPredictor(np.full(48, 0.1), 0.8)
    assert engine.natural_seconds("a slow walk") > engine.natural_seconds("a kick")
    assert engine.natural_seconds("  ") == DEFAULT_SECONDS
    model.durations = DurationPredictor(np.zeros(48), 9.0)
    assert engine.natural_seconds("for ages") == min(LONGEST, engine.max_seconds)


def test_it_is_stored_beside_the_weights_and_checked(tmp_path: Path) -> None:
    model = random_model(OURS)
    save_tokenizer(tmp_path, OURS, model.tokenizer, model.mean, model.std)
    save_transformer(tmp_path, OURS, model.transformer)
    assert load(tmp_path).durations is None
    save_durations(tmp_path, DurationPredictor(np.arange(48) / 48, 1.25))
    found = load(tmp_path).durations
    assert found is not None
    assert found.bias == 1.25
    np.testing.assert_allclose(found.weight, np.arange(48) / 48, atol=1e-7)
    save_durations(tmp_path, DurationPredictor(np.zeros(47), 1.25))
    with pytest.raises(ScaleMoGenError, match="duration.safetensors"):
        load(tmp_path)
    save_durations(tmp_path, replace(found, bias=float("nan")))
    with pytest.raises(ScaleMoGenError, match="no number"):
        load(tmp_path)
