"""Model folders, published checkpoints and parity."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from model_fakes import OURS, published_like, random_model
from safetensors.torch import save_file
from torch import Tensor

from core.errors import ScaleMoGenError
from core.model import parity
from core.model.config import ModelConfig, Scale
from core.model.convert import convert
from core.model.presets import published
from core.model.published import (
    read_published,
    tokenizer_from_published,
    tokenizer_to_published,
    transformer_from_published,
    transformer_to_published,
)
from core.model.weights import Model, build, load, save_tokenizer, save_transformer

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = Path(os.environ.get("SCALEMOGEN_PARITY", ROOT.parent / "shared" / "parity"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = random_model(OURS)
    save_tokenizer(tmp_path, OURS, model.tokenizer, model.mean, model.std)
    save_transformer(tmp_path, OURS, model.transformer)
    return tmp_path


def test_a_saved_model_loads_as_it_was(folder: Path) -> None:
    model, saved = load(folder), random_model(OURS)
    assert model.config == OURS
    torch.testing.assert_close(model.mean, saved.mean)
    for ours, theirs in (
        (model.tokenizer, saved.tokenizer),
        (model.transformer, saved.transformer),
    ):
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(a, b.half().float())


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.safetensors", "transformer.safetensors"]
)
def test_damaged_or_missing_files_are_told_by_name(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    for broken in (b"", data[: len(data) // 2], b"{" + data[1:-9] + b"garbage!!"):
        (folder / name).write_bytes(broken)
        with pytest.raises(ScaleMoGenError, match=r"config\.json|" + name):
            load(folder)
    (folder / name).unlink()
    with pytest.raises(ScaleMoGenError, match=name):
        load(folder)


def test_weights_of_another_model_are_refused(folder: Path) -> None:
    other = replace(OURS, transformer=replace(OURS.transformer, depth=3))
    (folder / "config.json").write_text(other.to_json())
    with pytest.raises(ScaleMoGenError, match="does not belong or is missing"):
        load(folder)
    other = replace(OURS, transformer=replace(OURS.transformer, ffn_width=128))
    (folder / "config.json").write_text(other.to_json())
    with pytest.raises(ScaleMoGenError, match="another shape"):
        load(folder)


def test_sizes_that_make_no_network_are_refused(folder: Path) -> None:
    sound = json.loads(OURS.to_json())
    for part, key, value in (
        ("tokenizer", "width", "wide"),
        ("tokenizer", "layout", "foo"),
        ("tokenizer", "max_latents", -3),
        ("tokenizer", "scales", [{"divisor": 0, "groups": [[0]]}]),
        ("tokenizer", "scales", [{"divisor": 1, "groups": [[99]]}]),
        ("transformer", "depth", "deep"),
        ("transformer", "heads", 5),
    ):
        broken = sound | {part: sound[part] | {key: value}}
        (folder / "config.json").write_text(json.dumps(broken))
        with pytest.raises(ScaleMoGenError, match=r"config\.json"):
            load(folder)


def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    model = random_model(OURS)
    model.mean[3] = float("nan")
    save_tokenizer(folder, OURS, model.tokenizer, model.mean, model.std)
    with pytest.raises(ScaleMoGenError, match="statistics"):
        load(folder)
    model = random_model(OURS)
    save_tokenizer(folder, OURS, model.tokenizer, model.mean, model.std)
    with torch.no_grad():
        model.transformer.start[0] = float("inf")
    save_transformer(folder, OURS, model.transformer)
    with pytest.raises(ScaleMoGenError, match="no number"):
        load(folder)


def test_configurations_survive_json() -> None:
    for config in (OURS, published_like("snapmogen"), published_like("humanml3d")):
        assert ModelConfig.from_json(config.to_json()) == config
    for text in ("", "[]", "{}", '{"format": 2}', '{"format": 1, "name": "x"}'):
        with pytest.raises(ScaleMoGenError):
            ModelConfig.from_json(text)


# --- published checkpoints -----------------------------------------------------------------------


def write_published(folder: Path, model: Model) -> None:
    """The folder that a parity check reads, but for the expected numbers."""
    torch.save({"vq_model": tokenizer_to_published(model.tokenizer)}, folder / "vq_latest.tar")
    transformer = transformer_to_published(model.transformer, chunks=2)
    torch.save({"trainer": {"gpt_wo_ddp": transformer}}, folder / "predictor.pth")
    vq, predictor = model.config.tokenizer, model.config.transformer
    description = {
        "dataset": vq.layout,
        "vq": {
            "latent_dim": vq.width,
            "bsq_dim": vq.bits,
            "n_layers": 2,
            "n_extra_layers": 1,
            "max_motion_length": vq.max_latents * 4,
            "chain": [[s.divisor, s.groups] for s in vq.scales],
        },
        "predictor": {
            "embed_dim": predictor.width,
            "depth": predictor.depth,
            "num_heads": predictor.heads,
            "text_channels": predictor.text_width,
            "text_maxlen": predictor.max_text,
        },
        "generation": {"cfg": 3.0, "tau": 1.3},
    }
    (folder / "config.json").write_text(json.dumps(description))


def wide_enough(config: ModelConfig) -> ModelConfig:
    """Published feed-forward widths are multiples of 256, and there are 15 scale rows."""
    return replace(config, transformer=replace(config.transformer, ffn_width=256, scale_rows=15))


@pytest.mark.parametrize("layout", ["snapmogen", "humanml3d"])
def test_published_names_there_and_back(layout: str) -> None:
    model, other = random_model(published_like(layout)), build(published_like(layout))
    names = tokenizer_to_published(model.tokenizer)
    other.tokenizer.load_state_dict(tokenizer_from_published(names, other.tokenizer))
    names = transformer_to_published(model.transformer, chunks=2)
    other.transformer.load_state_dict(transformer_from_published(names))
    features = torch.randn(1, 20, len(model.mean))
    for a, b in zip(
        model.tokenizer.tokenize(features), other.tokenizer.tokenize(features), strict=True
    ):
        assert torch.equal(a, b)
    for a, b in zip(model.transformer.parameters(), other.transformer.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("layout", ["snapmogen", "humanml3d"])
def test_a_full_size_model_has_exactly_the_published_tensors(layout: str) -> None:
    if not (REFERENCE / "published_state_dict_keys.json").exists():
        pytest.skip(f"no reference numbers in {REFERENCE} (SCALEMOGEN_PARITY names their folder)")
    keys = json.loads((REFERENCE / "published_state_dict_keys.json").read_text())[layout]
    skeleton = json.loads((REFERENCE / "published_skeletons.json").read_text())[layout]
    scales = tuple(
        Scale(divisor, tuple(tuple(g) for g in groups))
        for divisor, groups in skeleton["scale_chain"]
    )
    model = build(published(layout, scales, skeleton["max_frames"] // 4))

    def shapes(tensors: dict[str, Tensor]) -> dict[str, list[int]]:
        return {name: list(tensor.shape) for name, tensor in tensors.items()}

    assert shapes(tokenizer_to_published(model.tokenizer)) == keys["tokenizer"]
    assert shapes(transformer_to_published(model.transformer)) == keys["predictor"]


def test_parity_with_the_published_method() -> None:
    if not (REFERENCE / "snapmogen" / "expected.safetensors").exists():
        pytest.skip(f"no reference numbers in {REFERENCE} (SCALEMOGEN_PARITY names their folder)")
    stages = parity.compare(REFERENCE / "snapmogen")
    assert len(stages) == 16
    assert [stage.name for stage in stages if not stage.passed] == []


@pytest.mark.parametrize("layout", ["snapmogen", "humanml3d"])
def test_parity_notices_a_wrong_number(layout: str, tmp_path: Path) -> None:
    """Expected numbers made by our own engine pass; spoiled ones fail at their stage."""
    model = random_model(wide_enough(published_like(layout)))
    write_published(tmp_path, model)
    expected = expected_of(parity.published_model(tmp_path))
    save_file(expected, tmp_path / "expected.safetensors")
    assert all(stage.passed for stage in parity.compare(tmp_path))
    for name, stage in (
        ("vq.encoder_output_bctj", "clip 1: encoder output"),
        ("pred.teacher_logits", "teacher-forced logits"),
        ("gen.motion", "greedy motion"),
    ):
        spoiled = expected | {name: expected[name] * 1.01}
        save_file(spoiled, tmp_path / "expected.safetensors")
        assert stage in [s.name for s in parity.compare(tmp_path) if not s.passed]
    spoiled = expected | {"gen.bits.01": 1 - expected["gen.bits.01"]}
    save_file(spoiled, tmp_path / "expected.safetensors")
    assert [s.name for s in parity.compare(tmp_path) if not s.passed] == ["greedy scale 1"]


@torch.inference_mode()
def expected_of(model: Model) -> dict[str, Tensor]:
    """A parity folder's expected numbers, as our engine makes them."""
    from core.model.sampler import SamplingOptions, sample

    tokenizer, quantizer = model.tokenizer, model.tokenizer.quantizer
    full, length = model.config.tokenizer.max_latents, 11 * 4
    torch.manual_seed(5)
    motion = torch.randn(2, full * 4, len(model.mean))
    motion[1, length:] = 0
    text = torch.randn(6, model.config.transformer.text_width)
    encoded = torch.zeros(2, full, 7, model.config.tokenizer.width)
    encoded[0] = tokenizer.encode_clip(motion[:1])[0]
    encoded[1, :11] = tokenizer.encode_clip(motion[1:, :length])[0]
    bits = [tokenizer.tokenize(motion[:1]), tokenizer.tokenize(motion[1:, :length])]
    quantized, decoded = torch.zeros_like(encoded), torch.zeros_like(motion)
    result: dict[str, Tensor] = {}
    for clip, latents in ((0, full), (1, 11)):
        quantized[clip, :latents] = quantizer.latents_from_bits(bits[clip], latents)[0]
        decoded[clip, : latents * 4] = tokenizer.detokenize(bits[clip], latents * 4)[0]
    for scale, shape in enumerate(quantizer.pyramid.shapes(full)):
        both = torch.zeros(2, shape.tokens, quantizer.bits, dtype=torch.uint8)
        both[0] = bits[0][scale][0]
        both[1, : bits[1][scale].shape[1]] = bits[1][scale][0]
        result[f"vq.bits.{scale:02}"] = both
    inputs = quantizer.teacher_inputs(bits[0], full)
    result["pred.teacher_inputs"] = inputs
    result["pred.teacher_logits"] = model.transformer(inputs, text[None], None, full).flatten(2)
    made = sample(
        model.transformer, quantizer, text, 11, [0], SamplingOptions(3.0, 1.3, greedy=True)
    )
    for scale, (b, p) in enumerate(zip(made.bits, made.probabilities, strict=True)):
        result[f"gen.bits.{scale:02}"] = b.to(torch.uint8)
        result[f"gen.probs.{scale:02}"] = p.flatten(1, 2)
    return result | {
        "in.motion": motion,
        "in.lengths": torch.tensor([full * 4, length]),
        "in.text.0": text,
        "in.gen_length": torch.tensor([length]),
        "vq.encoder_output_bctj": encoded.permute(0, 3, 1, 2).contiguous(),
        "vq.quantized_btjd": quantized,
        "vq.decoded": decoded,
        "gen.motion": tokenizer.detokenize(made.bits, length),
    }


def test_published_checkpoints_become_a_model_folder(tmp_path: Path) -> None:
    source, out = tmp_path / "published", tmp_path / "ours"
    source.mkdir()
    model = random_model(wide_enough(published_like("humanml3d")))
    write_published(source, model)
    with pytest.raises(ScaleMoGenError, match=r"mean\.npy"):
        convert(source, out)
    assert not out.exists()
    np.save(source / "mean.npy", model.mean.numpy())
    np.save(source / "std.npy", model.std.numpy())
    convert(source, out)
    made = load(out)
    assert made.config.name == "ours"
    for a, b in zip(made.transformer.parameters(), model.transformer.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ScaleMoGenError, match="already holds a model"):
        convert(source, out)


def test_a_checkpoint_that_holds_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"vq_model": Path("x")}, path)
    with pytest.raises(ScaleMoGenError, match="cannot be loaded safely|can be loaded safely"):
        read_published(path, "vq_model")
    torch.save({"other": 1}, path)
    with pytest.raises(ScaleMoGenError, match="has no vq_model"):
        read_published(path, "vq_model")
    with pytest.raises(ScaleMoGenError, match="cannot be read"):
        read_published(tmp_path / "missing.pth", "vq_model")
