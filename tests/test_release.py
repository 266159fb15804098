"""From a run to a model folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from model_fakes import OURS, random_model

from core.errors import ScaleMoGenError
from core.model.duration import DurationPredictor
from core.model.presets import bundled
from core.model.weights import (
    Model,
    load,
    save_durations,
    save_tokenizer,
    save_transformer,
)
from core.training.release import release


def a_run(folder: Path, model: Model) -> Path:
    save_tokenizer(folder / "model", OURS, model.tokenizer, model.mean, model.std)
    save_transformer(folder / "model", OURS, model.transformer)
    return folder


def test_a_release_has_its_own_name_and_the_presets_sampling(tmp_path: Path) -> None:
    model = random_model(OURS)
    run = a_run(tmp_path / "run", model)
    save_durations(run / "model", DurationPredictor(np.ones(48), 0.5))
    release(run, tmp_path / "small")
    made = load(tmp_path / "small")
    assert made.config.name == "small"
    sampling, preset = made.config.transformer, bundled().transformer
    assert sampling.guidance == preset.guidance
    assert sampling.guidance_ramp == preset.guidance_ramp
    assert sampling.temperature_ramp == preset.temperature_ramp
    assert replace(made.config, name=OURS.name, transformer=OURS.transformer) == OURS
    assert made.durations is not None
    a, b = (m.transformer.state_dict() for m in (made, load(run / "model")))
    assert all(torch.equal(a[name], b[name]) for name in b)


def test_the_decoder_may_come_from_a_run_that_gives_the_same_bits(tmp_path: Path) -> None:
    model = random_model(OURS)
    first = a_run(tmp_path / "first", model)
    with torch.no_grad():
        model.tokenizer.unembed[0].weight.add_(1.0)
    better = a_run(tmp_path / "better", model)
    release(first, tmp_path / "made", better)
    made, before = load(tmp_path / "made").tokenizer, load(first / "model").tokenizer
    difference = made.unembed[0].weight - before.unembed[0].weight
    assert difference.mean().item() == pytest.approx(1.0, abs=1e-3)
    assert torch.equal(made.embed[0].weight, before.embed[0].weight)
    other = a_run(tmp_path / "other", random_model(OURS, seed=1))
    with pytest.raises(ScaleMoGenError, match="train it with --start-from"):
        release(first, tmp_path / "mixed", other)
    assert not (tmp_path / "mixed").exists()
