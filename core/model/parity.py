"""Our engine against the numbers of the published method, stage by stage."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..errors import ScaleMoGenError
from .published import (
    published_config,
    read_published,
    tokenizer_from_published,
    transformer_from_published,
)
from .sampler import SamplingOptions, sample
from .weights import Model, build

#: Largest relative difference that counts as the same number in float32.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Stage:
    """One comparison: the largest difference over the largest expected value, and wrong bits."""

    name: str
    relative: float
    wrong_bits: int = 0

    @property
    def passed(self) -> bool:
        # Written so that a NaN fails.
        return self.relative <= TOLERANCE and self.wrong_bits == 0


def published_model(folder: Path) -> Model:
    """The model of config.json, vq_latest.tar and predictor.pth in a folder, in float32."""
    config = published_config(folder / "config.json")
    tokenizer = read_published(folder / "vq_latest.tar", "vq_model")
    transformer = read_published(folder / "predictor.pth", "trainer", "gpt_wo_ddp")
    try:
        model = build(config)
        model.tokenizer.load_state_dict(tokenizer_from_published(tokenizer, model.tokenizer))
        model.transformer.load_state_dict(transformer_from_published(transformer))
    except (RuntimeError, LookupError, ValueError, TypeError, ArithmeticError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise ScaleMoGenError(
            f"the checkpoints in {folder} do not fit its config.json ({reason}); "
            "put the files of one model together"
        ) from error
    return model


@torch.inference_mode()
def compare(folder: Path) -> list[Stage]:
    """All stages of a parity folder (model.md; format in ``run.py parity --help``)."""
    model = published_model(folder)
    expected = _read_expected(folder / "expected.safetensors")
    try:
        return [*_tokenizer_stages(model, expected), *_transformer_stages(model, expected)]
    except (LookupError, RuntimeError) as error:
        raise ScaleMoGenError(
            f"expected.safetensors in {folder} does not belong to this model ({error})"
        ) from error


def _tokenizer_stages(model: Model, expected: dict[str, Tensor]) -> list[Stage]:
    tokenizer, quantizer = model.tokenizer, model.tokenizer.quantizer
    stages = []
    for clip, frames in enumerate(expected["in.lengths"].tolist()):
        features = expected["in.motion"][clip : clip + 1, :frames]
        latents = tokenizer.latent_count(frames)
        encoded = tokenizer.encode_clip(features).permute(0, 3, 1, 2)
        wanted = expected["vq.encoder_output_bctj"][clip : clip + 1, :, :latents]
        stages.append(Stage(f"clip {clip}: encoder output", _relative(encoded, wanted)))
        bits = tokenizer.tokenize(features)
        wrong = sum(
            _wrong(b, expected[f"vq.bits.{scale:02}"][clip : clip + 1])
            for scale, b in enumerate(bits)
        )
        quantized = quantizer.latents_from_bits(bits, latents)
        wanted = expected["vq.quantized_btjd"][clip : clip + 1, :latents]
        stages.append(Stage(f"clip {clip}: quantized", _relative(quantized, wanted), wrong))
        decoded = tokenizer.detokenize(bits, frames)
        wanted = expected["vq.decoded"][clip : clip + 1, :frames]
        stages.append(Stage(f"clip {clip}: decoded motion", _relative(decoded, wanted)))
    return stages


def _transformer_stages(model: Model, expected: dict[str, Tensor]) -> list[Stage]:
    config = model.config
    quantizer = model.tokenizer.quantizer
    # Only the full-length clip: the published training code leaks over a shorter clip's end.
    full = config.tokenizer.max_latents
    bits = [expected[f"vq.bits.{s:02}"][:1].bool() for s in range(len(quantizer.pyramid))]
    inputs = quantizer.teacher_inputs(bits, full)
    text = expected["in.text.0"]
    logits = model.transformer(expected["pred.teacher_inputs"][:1], text[None], None, full)
    stages = [
        Stage("teacher inputs", _relative(inputs, expected["pred.teacher_inputs"][:1])),
        Stage(
            "teacher-forced logits",
            _relative(logits.flatten(2), expected["pred.teacher_logits"][:1]),
        ),
    ]
    frames = int(expected["in.gen_length"][0])
    latents = model.tokenizer.latent_count(frames)
    options = SamplingOptions(
        config.transformer.guidance, config.transformer.temperature, greedy=True
    )
    made = sample(model.transformer, quantizer, text, latents, [0], options)
    for scale, (b, p) in enumerate(zip(made.bits, made.probabilities, strict=True)):
        wanted = expected[f"gen.probs.{scale:02}"][:, : p.shape[1] * p.shape[2]]
        wrong = _wrong(b, expected[f"gen.bits.{scale:02}"])
        stages.append(Stage(f"greedy scale {scale}", _relative(p.flatten(1, 2), wanted), wrong))
    motion = model.tokenizer.detokenize(made.bits, frames)
    stages.append(Stage("greedy motion", _relative(motion, expected["gen.motion"][:, :frames])))
    return stages


def _relative(ours: Tensor, wanted: Tensor) -> float:
    if ours.shape != wanted.shape:
        return float("inf")
    return float((ours - wanted).abs().max() / wanted.abs().max().clamp_min(1e-12))


def _wrong(bits: Tensor, wanted: Tensor) -> int:
    """Differing bits; maps of a shorter clip are compared over the tokens that exist."""
    return int((bits != wanted[:, : bits.shape[1]].bool()).sum())


def _read_expected(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ScaleMoGenError(f"{path} cannot be read ({error}); name a parity folder") from error
