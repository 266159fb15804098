"""The engine's front door: prompts to motions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from model_fakes import OURS, published_like, random_model

from core.engine import Engine, pick_device
from core.errors import ScaleMoGenError
from core.model.weights import model_folder
from core.paths import MODELS
from core.skeleton import canonical


class Encoder:
    """Stands in for the text encoder: states that depend on the words alone."""

    width = 48

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, prompts: list[str]) -> list[np.ndarray]:
        self.calls += 1
        return [
            np.random.default_rng(len(p)).normal(size=(len(p.split()) + 2, 48)).astype("f4")
            for p in prompts
        ]


@pytest.fixture
def engine() -> Engine:
    return Engine(random_model(OURS), torch.device("cpu"), Encoder())  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.5, 1.234, 5.0])
def test_a_motion_has_the_length_asked_for(engine: Engine, seconds: float) -> None:
    motion = engine.generate("a person walks", seconds, [1]).motions[0]
    assert motion.frame_count == round(seconds * 30)
    assert motion.fps == 30
    np.testing.assert_allclose(np.linalg.norm(motion.rotations, axis=-1), 1.0)
    np.testing.assert_allclose(motion.root_positions[0, [0, 2]], 0.0)
    assert motion.contacts is not None
    assert motion.contacts.min() >= 0
    assert motion.contacts.max() <= 1


def test_variations_share_the_text_and_equal_what_each_seed_gives_alone(engine: Engine) -> None:
    together = engine.generate("a person waves", 2.0, [5, 6])
    assert engine._encoder.calls == 1  # type: ignore[attr-defined]
    alone = engine.generate("a person waves", 2.0, [6]).motions[0]
    np.testing.assert_allclose(together.motions[1].rotations, alone.rotations, atol=1e-4)
    assert not np.allclose(together.motions[0].rotations, alone.rotations, atol=1e-2)


def test_the_same_request_gives_the_same_motion(engine: Engine) -> None:
    first, second = (engine.generate("a kick", 1.0, [3]).motions[0] for _ in range(2))
    assert np.array_equal(first.rotations, second.rotations)
    other = engine.generate("a person bows politely", 1.0, [3]).motions[0]
    assert not np.allclose(first.rotations, other.rotations)


def test_progress_is_told_per_scale_and_timings_add_up(engine: Engine) -> None:
    seen: list[tuple[int, int]] = []
    made = engine.generate("a kick", 1.0, [3], on_scale=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    timings = made.timings
    assert len(timings["scales_ms"]) == 3
    parts = timings["text_ms"] + sum(timings["scales_ms"]) + timings["decode_ms"]
    assert parts == pytest.approx(timings["total_ms"], rel=0.05, abs=5)


@pytest.mark.parametrize("layout", ["snapmogen", "humanml3d"])
def test_published_layouts_end_on_our_skeleton(layout: str) -> None:
    model = random_model(published_like(layout))
    motion = Engine(model, torch.device("cpu"), Encoder()).generate("a kick", 2.0, [1]).motions[0]
    assert motion.skeleton is canonical()
    assert motion.fps == 30
    assert abs(motion.seconds - 2.0) < 0.06
    assert np.isfinite(motion.positions()).all()


@pytest.mark.parametrize(
    ("prompt", "seconds", "seeds", "options", "about"),
    [
        ("  ", 2.0, [1], {}, "prompt is empty"),
        ("a kick", 0.0, [1], {}, "use 0.5 to"),
        ("a kick", 1000.0, [1], {}, "use 0.5 to 5.3"),
        ("a kick", float("nan"), [1], {}, "use 0.5 to"),
        ("a kick", 2.0, [], {}, "no seed"),
        ("a kick", 2.0, [1], {"guidance": -1.0}, "guidance"),
        ("a kick", 2.0, [1], {"temperature": float("inf")}, "temperature"),
    ],
)
def test_bad_requests_name_the_remedy(
    engine: Engine, prompt: str, seconds: float, seeds: list[int], options: dict, about: str
) -> None:
    with pytest.raises(ScaleMoGenError, match=about):
        engine.generate(prompt, seconds, seeds, **options)


def test_a_text_encoder_of_another_width_is_refused() -> None:
    encoder = Encoder()
    encoder.width = 768
    with pytest.raises(ScaleMoGenError, match="trained on 48"):
        Engine(random_model(OURS), torch.device("cpu"), encoder)  # type: ignore[arg-type]


def test_unknown_and_absent_devices_are_refused() -> None:
    assert pick_device("cpu").type == "cpu"
    for name in ("tpu9", "", "cuda:99", "meta"):
        with pytest.raises(ScaleMoGenError, match="use auto"):
            pick_device(name)


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScaleMoGenError, match="no model"):
        model_folder("no-such-model")
    with pytest.raises(ScaleMoGenError, match="no model"):
        model_folder(tmp_path)


def test_the_bundled_model_makes_a_person_who_stands_on_the_floor() -> None:
    if not (MODELS / "default.json").exists():
        pytest.skip("no bundled model in this checkout")
    engine = Engine.load("default", "cpu")
    motion = engine.generate("a person walks forward", 3.0, [1]).motions[0]
    positions = motion.positions()
    # Statements about any sane walk, not about this one: up, on the floor, and getting somewhere.
    assert np.all(positions[:, 15, 1] > 1.0), "the head is high"
    assert np.abs(positions[..., 1].min(axis=1)).max() < 0.15, "some foot is near the floor"
    path = motion.root_positions[-1] - motion.root_positions[0]
    assert path[2] > 0.5, "it walks ahead"
