"""Many prompts at once through an engine: what its generate makes, in batches of like length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from ..engine import MIN_SECONDS, Engine
from ..model.sampler import sample
from ..model.transformer import NextScaleTransformer, TextCondition
from ..motion import Motion

if TYPE_CHECKING:
    from ..model.sampler import SamplingOptions


@dataclass(frozen=True)
class Setting:
    """Sampling options; None takes the model's own.  ``raw``: without the engine's clean-up."""

    guidance: float | None = None
    temperature: float | None = None
    raw: bool = False

    @property
    def label(self) -> str:
        parts = []
        if self.guidance is not None:
            parts.append(f"guidance {self.guidance:g}")
        if self.temperature is not None:
            parts.append(f"temperature {self.temperature:g}")
        name = ", ".join(parts) or "own settings"
        return f"{name}, raw" if self.raw else name


@dataclass(frozen=True)
class Wish:
    """A motion to be made: like ``Engine.generate(prompt, seconds, [seed])``."""

    prompt: str
    seconds: float
    seed: int


def possible_seconds(engine: Engine, seconds: float) -> float:
    """The nearest length that the engine can make."""
    return min(max(seconds, MIN_SECONDS), engine.max_seconds)


def generate_many(
    engine: Engine,
    wishes: Sequence[Wish],
    setting: Setting = Setting(),
    batch: int = 32,
    progress: Callable[[int], object] = lambda count: None,
) -> list[Motion]:
    """A motion for every wish, in their order, the same as the engine makes one by one.

    Works on ``batch`` prompts of the same latent length at a time; ``progress`` is called with the
    number of motions that have been finished.  ScaleMoGenError on bad values.
    """
    if not wishes:
        return []
    for wish in wishes:  # checked before the long work, and the same for all
        options = engine._options(
            wish.prompt, wish.seconds, [wish.seed], setting.guidance, setting.temperature
        )
    fps = engine.layout.skeleton.fps
    tokenizer = engine.model.tokenizer
    frames = [max(1, round(wish.seconds * fps)) for wish in wishes]
    texts = _texts(engine, sorted({wish.prompt for wish in wishes}))
    # Texts of like length side by side waste little on padding.
    order = sorted(
        range(len(wishes)),
        key=lambda i: (tokenizer.latent_count(frames[i]), len(texts[wishes[i].prompt]), frames[i]),
    )
    made: list[Motion | None] = [None] * len(wishes)
    at = 0
    while at < len(order):
        latents = tokenizer.latent_count(frames[order[at]])
        members = [
            i for i in order[at : at + batch] if tokenizer.latent_count(frames[i]) == latents
        ]
        chosen = [texts[wishes[i].prompt] for i in members]
        seeds = [wishes[i].seed for i in members]
        bits = _sample(engine, chosen, latents, seeds, options)
        for count in {frames[i] for i in members}:
            rows = [row for row, i in enumerate(members) if frames[i] == count]
            motions = engine._decode([b[rows] for b in bits], count, not setting.raw)
            for row, motion in zip(rows, motions, strict=True):
                made[members[row]] = motion
        progress(len(members))
        at += len(members)
    return [motion for motion in made if motion is not None]


def _texts(engine: Engine, prompts: Sequence[str]) -> dict[str, Tensor]:
    most = engine.model.config.transformer.max_text
    states: list[Any] = []
    for at in range(0, len(prompts), 256):
        states += engine._encoder.encode(prompts[at : at + 256])
    return {
        prompt: torch.from_numpy(state)[:most].to(engine.device)
        for prompt, state in zip(prompts, states, strict=True)
    }


def _sample(
    engine: Engine,
    texts: Sequence[Tensor],
    latents: int,
    seeds: Sequence[int],
    options: "SamplingOptions",
) -> list[Tensor]:
    """Bits per scale [B, tokens, d] of a text and a seed each."""
    model = engine.model
    many = cast(NextScaleTransformer, _ManyTexts(model.transformer, texts))
    return sample(many, model.tokenizer.quantizer, texts[0], latents, seeds, options).bits


class _ManyTexts:
    """A transformer for the sampler whose condition holds one text a row instead of one for all."""

    def __init__(self, transformer: NextScaleTransformer, texts: Sequence[Tensor]) -> None:
        self._transformer, self._texts = transformer, texts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transformer, name)

    def condition(self, states: Tensor, lengths: None, latents: Tensor) -> TextCondition:
        """The sampler asks for [text] or [text, unconditional]; it gets that of every row."""
        own = torch.tensor([len(text) for text in self._texts], device=states.device)
        rows = torch.nn.utils.rnn.pad_sequence(list(self._texts), batch_first=True)
        if len(states) == 2:
            empty = self._transformer.unconditional_states(rows.shape[1]).to(rows.dtype)
            rows = torch.cat([rows, empty.expand_as(rows)])
            own = torch.cat([own, own])
        made = self._transformer.condition(rows, own, latents[:1].expand(len(rows)))
        return _Whole(made.vector, made.keys_values, made.mask)


class _Whole(TextCondition):
    """A condition that has all rows already."""

    def repeated(self, count: int) -> TextCondition:
        return self
