"""Masked sampling: new tokens inside a mask of latent frames x body parts, the source's outside.

The published recipe (arXiv 2605.11704, section 4.3) edits a token only where all that it covers is
edited, so that a short range or a single limb keeps its coarse tokens.  Here every token that
touches the mask is sampled, and what the scales add up to is composited: inside the mask the new
codes count, outside the source's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from .attention import KeyValueCache
from .quantizer import MultiScaleQuantizer
from .sampler import Chance, SamplingOptions, guide, guided_scales
from .transformer import NextScaleTransformer, TextCondition

#: "composite": every token that touches the mask is sampled, and counts inside the mask only;
#: "whole_tokens": tokens that lie inside the mask as a whole are sampled (published).
Rule = Literal["composite", "whole_tokens"]
#: A source bit goes where the target makes it this much less probable than the source did.
WORDS_THRESHOLD = 0.1


@dataclass(frozen=True)
class MaskedSource:
    """What is edited.

    bits: per scale [1, tokens, d] bool of the source; mask: [T', 7] bool, what may change;
    kept: how many of the first scales keep the source's bits inside the mask, too;
    text: states [L, text width] of what the source shows, where only what the words change is
    wanted; else None.
    """

    bits: list[Tensor]
    mask: Tensor
    kept: int = 0
    text: Tensor | None = None
    rule: Rule = "composite"


def sampled_tokens(
    quantizer: MultiScaleQuantizer, mask: Tensor, rule: Rule = "composite"
) -> list[Tensor]:
    """Per scale [tokens] bool: which tokens a mask [T', 7] bool lets be sampled."""
    pyramid = quantizer.pyramid
    latents = len(mask)
    inside = mask if rule == "composite" else ~mask
    tokens = []
    for scale in range(len(pyramid)):
        cells = inside.to(quantizer.project_in.weight.dtype)[None, ..., None]
        share = pyramid.to_scale(cells, scale, mean=True, valid=None)
        share = share[0, : pyramid.shape(scale, latents).cells, :, 0].flatten()
        tokens.append(share > 0 if rule == "composite" else share == 0)
    return tokens


@torch.inference_mode()
def sample_masked(
    transformer: NextScaleTransformer,
    quantizer: MultiScaleQuantizer,
    text: Tensor,
    source: MaskedSource,
    seeds: Sequence[int],
    options: SamplingOptions,
    on_scale: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Sums of codes [B, T', 7, d] of ``len(seeds)`` variations for a text [L, text width].

    Outside the mask they are the source's.  What is outside is seen as the source has it: one pass
    over all tokens of the source fills the memory of keys and values, which all variations share,
    and only the tokens that are sampled ask.  ``on_scale`` is called after each scale with its
    index and the sums so far (outside the mask those of all scales); raising in it cancels.
    """
    device, batch, latents = text.device, len(seeds), len(source.mask)
    chance = Chance(seeds)
    scales = len(quantizer.pyramid)
    weights = options.weights(scales)
    guided = guided_scales(weights)
    picked = sampled_tokens(quantizer, source.mask, source.rule)
    inside = source.mask[None, ..., None]

    context = _Context(transformer, quantizer, text, source, bool(guided), latents)
    wanted = _source_probabilities(context, options, picked) if source.text is not None else None
    condition = context.condition.repeated(batch)
    cache = KeyValueCache(transformer.config.depth)
    additions = [quantizer.upsampled(b, s, latents) for s, b in enumerate(source.bits)]
    outside = torch.stack(additions).sum(0)
    total = quantizer.empty_sum(batch, latents, text)
    rows = 2 if guided else 1
    for scale in range(scales):
        if rows == 2 and scale == guided:
            rows = 1
            condition = condition.first(batch)
            cache.keep(batch)
        bits = source.bits[scale].expand(batch, -1, -1)
        tokens = picked[scale].nonzero()[:, 0]
        kept = scale < source.kept or not len(tokens)
        context.remember(cache, scale, ~picked[scale] if not kept else None, batch, rows)
        if not kept:
            x = _inputs(transformer, quantizer, total, condition, scale, latents, rows)
            logits = transformer.run(
                x[:, tokens], range(scale, scale + 1), latents, condition, None, cache, tokens
            )
            if rows == 2:
                logits = guide(logits, weights[scale])
            probabilities = options.probabilities(logits, scale, scales)
            made = probabilities[..., 1] > probabilities[..., 0]
            if not options.is_greedy(scale, scales):
                numbers = chance.numbers(*bits.shape[1:]).to(device)
                made = numbers[:, tokens] < probabilities[..., 1]
            if wanted is not None:
                made = _where_words_change(bits[:, tokens], made, probabilities, wanted[scale])
            bits = bits.clone()
            bits[:, tokens] = made
        added = quantizer.upsampled(bits, scale, latents).to(total.dtype)
        total = total + torch.where(inside, added, additions[scale].to(total.dtype))
        if on_scale is not None:
            on_scale(scale, torch.where(inside, total, outside))
    return total


def _inputs(
    transformer: NextScaleTransformer,
    quantizer: MultiScaleQuantizer,
    total: Tensor,
    condition: TextCondition,
    scale: int,
    latents: int,
    rows: int,
) -> Tensor:
    """Transformer input [rows * B, tokens, C] of a scale."""
    if scale == 0:
        tokens = quantizer.pyramid.shape(0, latents).tokens
        return transformer.start_tokens(condition, tokens)
    x = transformer.embed(quantizer.next_input(total, scale, latents))
    return torch.cat([x, x]) if rows == 2 else x


class _Context:
    """Keys, values and logits of all tokens of the source, teacher-forced in one pass.

    Its rows: the text, unconditional where guided, the source's text where words count.
    """

    def __init__(
        self,
        transformer: NextScaleTransformer,
        quantizer: MultiScaleQuantizer,
        text: Tensor,
        source: MaskedSource,
        guided: bool,
        latents: int,
    ) -> None:
        self.guided = guided
        texts = [text]
        if guided:
            texts.append(transformer.unconditional_states(len(text)).to(text.dtype))
        if source.text is not None:
            texts.append(source.text)
        states, lengths = _padded(texts)
        counts = torch.full((len(texts),), latents, device=text.device)
        condition = transformer.condition(states, lengths, counts)
        inputs = quantizer.teacher_inputs(source.bits, latents)
        shapes = quantizer.pyramid.shapes(latents)
        start = transformer.start_tokens(condition, shapes[0].tokens)
        x = torch.cat([start, transformer.embed(inputs).expand(len(texts), -1, -1)], 1)
        memory = KeyValueCache(transformer.config.depth)
        mask = transformer.teacher_mask(latents)
        self.logits = transformer.run(x, range(len(shapes)), latents, condition, mask, memory)
        self.memory = memory
        self.bounds = [0]
        for shape in shapes:
            self.bounds.append(self.bounds[-1] + shape.tokens)
        self.condition = condition.first(2 if guided else 1)

    def remember(
        self, cache: KeyValueCache, scale: int, which: Tensor | None, batch: int, rows: int
    ) -> None:
        """Put keys and values of a scale's tokens (all, or ``which`` [tokens]) into a memory."""
        part = slice(self.bounds[scale], self.bounds[scale + 1])
        for block in range(self.memory.depth):
            keys, values = (
                x[:rows, :, part] if which is None else x[:rows, :, part][:, :, which]
                for x in self.memory.of(block)
            )
            keys, values = (x.repeat_interleave(batch, 0) for x in (keys, values))
            cache.extend(block, keys, values)


def _padded(texts: list[Tensor]) -> tuple[Tensor, Tensor | None]:
    """States [N, L, width] of texts of several lengths, and their lengths [N] where they differ."""
    lengths = [len(states) for states in texts]
    longest = max(lengths)
    if min(lengths) == longest:
        return torch.stack(texts), None
    states = [torch.nn.functional.pad(x, (0, 0, 0, longest - len(x))) for x in texts]
    return torch.stack(states), torch.tensor(lengths, device=texts[0].device)


def _source_probabilities(
    context: _Context, options: SamplingOptions, picked: list[Tensor]
) -> list[Tensor]:
    """Per scale [sampled tokens, d, 2]: of the source's bits, under the source's own text."""
    scales = len(picked)
    weights = options.weights(scales)
    found = []
    for scale, tokens in enumerate(picked):
        part = slice(context.bounds[scale], context.bounds[scale + 1])
        logits = context.logits[-1, part]
        if context.guided:
            logits = guide(torch.stack([logits, context.logits[1, part]]), weights[scale])[0]
        found.append(options.probabilities(logits[tokens], scale, scales))
    return found


def _where_words_change(bits: Tensor, made: Tensor, target: Tensor, source: Tensor) -> Tensor:
    """New bits where the target thinks markedly less of the source's than the source itself did."""
    index = bits[..., None].long()
    now = target.gather(-1, index)[..., 0]
    then = source.expand_as(target).gather(-1, index)[..., 0]
    return torch.where(now < then - WORDS_THRESHOLD, made, bits)
