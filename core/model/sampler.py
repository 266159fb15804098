"""Scale-by-scale sampling with guidance, temperature, seeds and a key/value cache."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .attention import KeyValueCache
from .quantizer import MultiScaleQuantizer
from .transformer import NextScaleTransformer


@dataclass(frozen=True)
class SamplingOptions:
    """guidance: strength of the text, times ``ramp`` (factors at the first and the last scale).

    temperature: divides the logits, times ``temperature_ramp`` likewise: coarse scales choose what
    is done, and chance in the fine ones is only jitter.
    greedy (or temperature 0): take the more probable value of every bit.
    """

    guidance: float
    temperature: float
    greedy: bool = False
    ramp: tuple[float, float] = (0.0, 1.0)
    temperature_ramp: tuple[float, float] = (1.0, 1.0)

    def weights(self, scales: int) -> list[float]:
        """Guidance at every scale."""
        return [self.weight(scale / max(scales - 1, 1)) for scale in range(scales)]

    def probabilities(self, logits: Tensor, scale: int, scales: int) -> Tensor:
        """[..., 2] of the guided logits [..., 2] of a scale."""
        temperature = self.heat(scale / max(scales - 1, 1))
        return torch.softmax(logits.float() / max(temperature, 1e-4), -1)

    def is_greedy(self, scale: int, scales: int) -> bool:
        """Whether a scale takes the more probable values."""
        return self.greedy or self.heat(scale / max(scales - 1, 1)) == 0

    def weight(self, progress: float) -> float:
        """Guidance at a scale, ``progress`` from 0 (coarsest) to 1 (finest)."""
        return self.guidance * _between(self.ramp, progress)

    def heat(self, progress: float) -> float:
        """Temperature at a scale, ``progress`` from 0 (coarsest) to 1 (finest)."""
        return self.temperature * _between(self.temperature_ramp, progress)


def _between(ramp: tuple[float, float], progress: float) -> float:
    first, last = ramp
    return first + (last - first) * progress


@dataclass
class Sample:
    """bits: per scale [B, tokens, d] bool; probabilities: per scale [B, tokens, d, 2]."""

    bits: list[Tensor]
    probabilities: list[Tensor] = field(default_factory=list)


class Chance:
    """One generator per variation: none depends on its neighbours.

    Drawn on the CPU, so that a seed means the same numbers on every device.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._generators = [torch.Generator().manual_seed(seed % 2**63) for seed in seeds]

    def numbers(self, tokens: int, bits: int) -> Tensor:
        """Even random numbers in 0..1 [variations, tokens, bits] on the CPU."""
        return torch.stack([torch.rand(tokens, bits, generator=g) for g in self._generators])


def guided_scales(weights: Sequence[float]) -> int:
    """How many of the first scales need the unconditional logits; finer ones look back at them."""
    return max((scale + 1 for scale, weight in enumerate(weights) if weight), default=0)


def guide(logits: Tensor, weight: float) -> Tensor:
    """Guided logits [B, ...] of conditional and unconditional ones, stacked [2 B, ...]."""
    conditional, unconditional = logits.chunk(2)
    return (1 + weight) * conditional - weight * unconditional


@torch.inference_mode()
def sample(
    transformer: NextScaleTransformer,
    quantizer: MultiScaleQuantizer,
    text: Tensor,
    latents: int,
    seeds: Sequence[int],
    options: SamplingOptions,
    on_scale: Callable[[int, list[Tensor]], None] | None = None,
    first_scales: int | None = None,
) -> Sample:
    """Token maps of ``len(seeds)`` variations for one text [L, text width].

    Every variation draws from a generator of its own, so it does not depend on its neighbours.
    With guidance, unconditional copies run in the same batch, up to the last scale that is guided.
    ``on_scale`` is called after each scale with its index and all bits so far; raising in it
    cancels.  ``first_scales``: make only so many.
    """
    device = text.device
    chance = Chance(seeds)
    batch = len(seeds)
    scales = len(quantizer.pyramid)
    weights = options.weights(scales)
    last_guided = guided_scales(weights)
    guided = last_guided > 0
    states = text[None]
    if guided:
        states = torch.stack([text, transformer.unconditional_states(len(text)).to(text.dtype)])
    counts = torch.full((len(states),), latents, device=device)
    condition = transformer.condition(states, None, counts).repeated(batch)
    cache = KeyValueCache(transformer.config.depth)
    columns: Tensor | None = transformer.start_mask(latents)
    total = quantizer.empty_sum(batch, latents, text)
    result = Sample([])
    for scale in range(scales if first_scales is None else first_scales):
        if guided and scale == last_guided:
            # Nothing reads the unconditional half any more; before, finer scales look back at it.
            guided = False
            condition = condition.first(batch)
            cache.keep(batch)
        tokens = quantizer.pyramid.shape(scale, latents).tokens
        if scale == 0:
            x = transformer.start_tokens(condition, tokens)
        else:
            x = transformer.embed(quantizer.next_input(total, scale, latents))
            x = torch.cat([x, x]) if guided else x
            if columns is not None:
                columns = torch.cat([columns, columns.new_ones(tokens)])
        mask = None if columns is None else columns[None, None, None]
        logits = transformer.run(x, range(scale, scale + 1), latents, condition, mask, cache)
        if guided:
            logits = guide(logits, weights[scale])
        probabilities = options.probabilities(logits, scale, scales)
        if options.is_greedy(scale, scales):
            bits = probabilities[..., 1] > probabilities[..., 0]
        else:
            bits = chance.numbers(*probabilities.shape[1:-1]).to(device) < probabilities[..., 1]
        result.bits.append(bits)
        result.probabilities.append(probabilities)
        total = total + quantizer.upsampled(bits, scale, latents).to(total.dtype)
        if on_scale is not None:
            on_scale(scale, result.bits)
    return result
