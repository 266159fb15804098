"""Masked sampling: new tokens inside a mask of latent frames x body parts, the source's outside.

The published recipe (arXiv 2605.11704, section 4.3) edits a token only where all that it covers is
edited, so that a short range or a single limb keeps its coarse tokens.  Here every token that
touches the mask is sampled, and what the scales add up to is composited: inside the mask the new
codes count, outside the source's.

Shapes: B variations, N sources (1, or one per variation), T' latent frames, d bits.
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
#: Of the finest scale so many cells on either side of the mask are looked at.
NEAR_CELLS = 3


@dataclass(frozen=True)
class MaskedSource:
    """What is edited.

    bits: per scale [N, tokens, d] bool of the source; mask: [T', 7] bool, what may change.
    kept: how many of the first scales keep the source's bits inside the mask, too.
    lead: what the first scales add to the sums inside the mask, [B, T', 7, d] each, where that is
        known already: the finer ones are sampled to fit it to what is around.  Not with ``kept``.
    text: states [L, text width] of what the source shows, where only what the words change is
        wanted; else None.
    """

    bits: list[Tensor]
    mask: Tensor
    kept: int = 0
    lead: Sequence[Tensor] = ()
    text: Tensor | None = None
    rule: Rule = "composite"


def sampled_tokens(
    quantizer: MultiScaleQuantizer, mask: Tensor, rule: Rule = "composite"
) -> list[Tensor]:
    """Per scale [tokens] bool: which tokens a mask [T', 7] bool lets be sampled."""
    pyramid = quantizer.pyramid
    inside = mask if rule == "composite" else ~mask
    tokens = []
    for scale, shape in enumerate(pyramid.shapes(len(mask))):
        cells = inside.to(quantizer.project_in.weight.dtype)[None, ..., None]
        share = pyramid.to_scale(cells, scale, mean=True, valid=None)
        share = share[0, : shape.cells, :, 0].flatten()
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
    over the tokens of the source fills the memory of keys and values, which all variations share,
    and only the tokens that are sampled ask.  ``on_scale`` is called after each scale with its
    index and the sums so far (outside the mask those of all scales); raising in it cancels.
    """
    batch, latents = len(seeds), len(source.mask)
    chance = Chance(seeds)
    scales = len(quantizer.pyramid)
    weights = options.weights(scales)
    last_guided = guided_scales(weights)
    rows = 2 if last_guided else 1
    picked = sampled_tokens(quantizer, source.mask, source.rule)
    inside = source.mask[None, ..., None]
    additions = [quantizer.upsampled(b, s, latents) for s, b in enumerate(source.bits)]
    outside = torch.stack(additions).sum(0)
    total = quantizer.empty_sum(batch, latents, text)

    seen = _seen_tokens(quantizer, source, picked)
    context = _Context(transformer, quantizer, text, source, rows == 2, seen)
    wanted = _source_probabilities(context, options, picked) if source.text is not None else None
    condition = context.condition.repeated(batch)
    memory = _Memory(transformer, context, picked, batch)
    led = []
    for scale in range(max(source.kept, len(source.lead))):
        added = additions[scale]
        if source.lead:
            x = _inputs(transformer, quantizer, total, condition, scale, rows)
            led.append(x[:, picked[scale]])
            added = torch.where(inside, source.lead[scale], added)
        else:
            memory.see_source(scale, rows)
        total = total + added.to(total.dtype)
        if on_scale is not None:
            on_scale(scale, torch.where(inside, total, outside))
    if led:
        memory.remember(torch.cat(led, 1), range(len(led)), condition, rows)
    for scale in range(max(source.kept, len(source.lead)), scales):
        if rows == 2 and scale == last_guided:
            rows = 1
            condition = condition.first(batch)
            memory.cache.keep(batch)
        tokens, added = picked[scale], additions[scale]
        if tokens.any():
            x = _inputs(transformer, quantizer, total, condition, scale, rows)[:, tokens]
            logits = memory.run(x, scale, condition, rows)
            if rows == 2:
                logits = guide(logits, weights[scale])
            probabilities = options.probabilities(logits, scale, scales)
            made = probabilities[..., 1] > probabilities[..., 0]
            bits = source.bits[scale].expand(batch, -1, -1).clone()
            if not options.is_greedy(scale, scales):
                # Drawn for the whole map: a token has its luck, whatever is sampled beside it.
                numbers = chance.numbers(*bits.shape[1:]).to(text.device)
                made = numbers[:, tokens] < probabilities[..., 1]
            if wanted is not None:
                made = _where_words_change(bits[:, tokens], made, probabilities, wanted[scale])
            bits[:, tokens] = made
            added = torch.where(inside, quantizer.upsampled(bits, scale, latents), added)
        else:
            memory.see_source(scale, rows)
        total = total + added.to(total.dtype)
        if on_scale is not None:
            on_scale(scale, torch.where(inside, total, outside))
    return total


def _inputs(
    transformer: NextScaleTransformer,
    quantizer: MultiScaleQuantizer,
    total: Tensor,
    condition: TextCondition,
    scale: int,
    rows: int,
) -> Tensor:
    """Transformer input [rows * B, tokens, C] of a scale."""
    latents = total.shape[1]
    if scale == 0:
        tokens = quantizer.pyramid.shape(0, latents).tokens
        return transformer.start_tokens(condition, tokens)
    x = transformer.embed(quantizer.next_input(total, scale, latents))
    return torch.cat([x, x]) if rows == 2 else x


def _seen_tokens(
    quantizer: MultiScaleQuantizer, source: MaskedSource, picked: list[Tensor]
) -> list[Tensor]:
    """Per scale [tokens] bool: which of the source's tokens are looked at.

    At the finest scale, which has most of them, only those near the mask, and none that are sampled
    anyway: nothing coarser looks at them.
    """
    seen = [torch.ones_like(tokens) for tokens in picked]
    rows = source.mask.any(1).nonzero()[:, 0]
    if len(rows) and source.kept < len(picked):
        cells = torch.arange(len(source.mask), device=rows.device)
        near = (cells >= rows[0] - NEAR_CELLS) & (cells <= rows[-1] + NEAR_CELLS)
        seen[-1] = near.repeat_interleave(source.mask.shape[1])
        if source.text is None:
            seen[-1] = seen[-1] & ~picked[-1]
    return seen


class _Context:
    """Keys, values and logits of tokens of the source, teacher-forced in one pass.

    What is around is not what the prompt tells of, so it is seen under no text at all, once for
    the guided and the unconditional half.  Where words count, its rows are the text, unconditional
    where guided, and the source's text; each with every source.
    """

    def __init__(
        self,
        transformer: NextScaleTransformer,
        quantizer: MultiScaleQuantizer,
        text: Tensor,
        source: MaskedSource,
        guided: bool,
        seen: list[Tensor],
    ) -> None:
        self.guided, self.latents, self.seen = guided, len(source.mask), seen
        nothing = transformer.unconditional_states(len(text)).to(text.dtype)
        texts = [text, nothing] if guided else [text]
        self.condition = self._condition(transformer, texts)
        self.shared = source.text is None
        texts = [nothing] if source.text is None else [*texts, source.text]
        condition = self._condition(transformer, texts)
        self.sources = len(source.bits[0])
        whole = condition.repeated(self.sources)
        inputs = transformer.embed(quantizer.teacher_inputs(source.bits, self.latents))
        first = quantizer.pyramid.shape(0, self.latents).tokens
        x = torch.cat([transformer.start_tokens(whole, first), inputs.repeat(len(texts), 1, 1)], 1)
        tokens = torch.cat(seen).nonzero()[:, 0]
        mask = transformer.teacher_mask(self.latents)[:, :, tokens][..., tokens]
        self.memory = KeyValueCache(transformer.config.depth)
        given = (x[:, tokens], range(len(seen)), self.latents, whole, mask, self.memory, tokens)
        self.bounds = [0]
        for which in seen:
            self.bounds.append(self.bounds[-1] + int(which.sum()))
        if source.text is None:
            transformer.remember(*given)
        else:
            logits = transformer.run(*given)
            self.logits = logits.unflatten(0, (len(texts), self.sources))

    def _condition(self, transformer: NextScaleTransformer, texts: list[Tensor]) -> TextCondition:
        states, lengths = _padded(texts)
        counts = torch.full((len(texts),), self.latents, device=states.device)
        return transformer.condition(states, lengths, counts)

    def part(self, scale: int) -> slice:
        """Where a scale's tokens are among those that were looked at."""
        return slice(self.bounds[scale], self.bounds[scale + 1])


class _Memory:
    """What the sampled tokens see: the source outside the mask, and one another."""

    def __init__(
        self, transformer: NextScaleTransformer, context: _Context, picked: list[Tensor], batch: int
    ) -> None:
        self.cache = KeyValueCache(transformer.config.depth)
        self._transformer, self._context = transformer, context
        self._picked, self._batch = picked, batch

    def see_source(self, scale: int, rows: int, which: Tensor | None = None) -> None:
        """A scale's tokens, all or ``which`` [tokens], are seen as the source has them."""
        context = self._context
        part, sources = context.part(scale), context.sources
        if which is not None:
            which = which[context.seen[scale]]
        for block in range(context.memory.depth):
            seen = []
            for stored in context.memory.of(block):
                own = stored[: sources if context.shared else rows * sources, :, part]
                own = own if which is None else own[:, :, which]
                own = own if sources > 1 else own.repeat_interleave(self._batch, 0)
                seen.append(own.repeat(rows, 1, 1, 1) if context.shared else own)
            self.cache.extend(block, seen[0], seen[1])

    def run(self, x: Tensor, scale: int, condition: TextCondition, rows: int) -> Tensor:
        """Logits of inputs x of the picked tokens of a scale, which are remembered, too."""
        self.see_source(scale, rows, ~self._picked[scale])
        tokens = self._picked[scale].nonzero()[:, 0]
        scales, latents = range(scale, scale + 1), self._context.latents
        return self._transformer.run(x, scales, latents, condition, None, self.cache, tokens)

    def remember(self, x: Tensor, scales: range, condition: TextCondition, rows: int) -> None:
        """Remember the picked tokens of the first scales, whose inputs x are all known."""
        for scale in scales:
            self.see_source(scale, rows, ~self._picked[scale])
        own = _scale_numbers([self._picked[s] for s in scales])
        others = _scale_numbers([~self._picked[s] & self._context.seen[s] for s in scales])
        mask = (own[:, None] >= torch.cat([others, own])[None])[None, None]
        tokens = torch.cat([self._picked[scale] for scale in scales]).nonzero()[:, 0]
        latents = self._context.latents
        self._transformer.remember(x, scales, latents, condition, mask, self.cache, tokens)


def _scale_numbers(maps: list[Tensor]) -> Tensor:
    """[tokens] which map each of the picked tokens of several maps [tokens] bool is of."""
    return torch.cat([m.new_full((int(m.sum()),), s, dtype=torch.long) for s, m in enumerate(maps)])


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
    """Per scale [N, sampled tokens, d, 2]: of the source's bits, under the source's own text."""
    scales = len(picked)
    weights = options.weights(scales)
    found = []
    for scale, tokens in enumerate(picked):
        logits = context.logits[:, :, context.part(scale)][:, :, tokens[context.seen[scale]]]
        guided = logits[-1]
        if context.guided:
            guided = guide(torch.cat([logits[-1], logits[1]]), weights[scale])
        found.append(options.probabilities(guided, scale, scales))
    return found


def _where_words_change(bits: Tensor, made: Tensor, target: Tensor, source: Tensor) -> Tensor:
    """New bits where the target thinks markedly less of the source's than the source itself did."""
    index = bits[..., None].long()
    now = target.gather(-1, index)[..., 0]
    then = source.expand_as(target).gather(-1, index)[..., 0]
    return torch.where(now < then - WORDS_THRESHOLD, made, bits)
