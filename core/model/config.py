"""Frozen configurations, stored as JSON beside the weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..errors import ScaleMoGenError

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Scale:
    """One token map: a cell covers ``divisor`` latent frames and one group of body parts."""

    divisor: int
    groups: Groups


@dataclass(frozen=True)
class TokenizerConfig:
    """Sizes of the auto-encoder and of its quantizer.

    layout: feature layout (:func:`core.features.feature_layout`).
    width: D, channels of every latent joint; bits: d, bits per token.
    fold: source frames that one cell of the per-joint embedding sees (1 as published).
    strides: temporal pooling of the two levels; fold * strides[0] * strides[1] frames make one
        latent frame.
    max_latents: T' of the longest clip.
    padding: "fixed" as published: every clip is quantized as if zero-padded to max_latents, and
        scales hold T' // divisor cells.  "clip": means and interpolations use only the latent
        frames that exist, and scales hold ceil(T' / divisor) cells.
    smoothing: width of a learned filter over the decoded frames, per feature (0: none, as
        published); it takes out the seams between folded frames.
    """

    layout: str
    width: int
    bits: int
    scales: tuple[Scale, ...]
    max_latents: int
    fold: int = 1
    strides: tuple[int, int] = (2, 2)
    blocks_per_level: int = 2
    dropout: float = 0.1
    padding: Literal["fixed", "clip"] = "fixed"
    smoothing: int = 0

    @property
    def stride(self) -> int:
        """Source frames per latent frame."""
        return self.fold * self.strides[0] * self.strides[1]


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of the next-scale transformer.

    width: C; text_width and max_text: size of the text encoder's states and of the learned
    unconditional text; scale_rows: rows of the scale embedding (the published one has spare rows).
    length_condition: add an embedding of the clip's length to the condition vector (ours; coarse
        tokens otherwise cannot know how long the motion will be).
    guidance: strength of the text; guidance_ramp: factors of it at the first and the last scale,
        linear between (published: 0 to 1).  The coarse scales decide what is done, the fine ones
        how smoothly.  temperature: divides the logits; temperature_ramp: factors of it likewise.
    """

    width: int
    depth: int
    heads: int
    text_width: int
    max_text: int
    ffn_width: int
    scale_rows: int
    text_encoder: str
    length_condition: bool = False
    drop_path: float = 0.1
    guidance: float = 7.0
    guidance_ramp: tuple[float, float] = (0.0, 1.0)
    temperature: float = 1.3
    temperature_ramp: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class ModelConfig:
    """What ``config.json`` in a model folder holds."""

    name: str
    tokenizer: TokenizerConfig
    transformer: TransformerConfig

    def to_json(self) -> str:
        return json.dumps({"format": 1, **asdict(self)}, indent=1) + "\n"

    @staticmethod
    def from_json(text: str) -> ModelConfig:
        """Raises ScaleMoGenError when the text is not such a configuration."""
        try:
            data = json.loads(text)
            if data.pop("format") != 1:
                raise ScaleMoGenError("this model was made by a newer version; update ScaleMoGen")
            return ModelConfig(
                name=data["name"],
                tokenizer=tokenizer_config(data["tokenizer"]),
                transformer=transformer_config(data["transformer"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ScaleMoGenError(
                f"config.json of the model is damaged ({error}); install the model again"
            ) from error


def transformer_config(data: dict[str, Any]) -> TransformerConfig:
    """A TransformerConfig of parsed JSON; without ramps it has the published ones."""
    ramps = {"guidance_ramp": (0.0, 1.0), "temperature_ramp": (1.0, 1.0)}
    for name, published in ramps.items():
        first, last = data.get(name, published)
        ramps[name] = (float(first), float(last))
    return TransformerConfig(**{**data, **ramps})


def tokenizer_config(data: dict[str, Any]) -> TokenizerConfig:
    """A TokenizerConfig of parsed JSON (lists become tuples)."""
    scales = tuple(
        Scale(int(scale["divisor"]), tuple(tuple(group) for group in scale["groups"]))
        for scale in data["scales"]
    )
    first, second = data["strides"]
    return TokenizerConfig(**{**data, "scales": scales, "strides": (first, second)})
