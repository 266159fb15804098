"""Latent frames of any length, made anew window by window: each sees what those before it made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .masked import MaskedSource, Rule, sample_masked
from .sampler import SamplingOptions, sample
from .weights import Model

#: Each step draws from other seeds, or all would move alike.
_NEXT_SEED = 1_000_003
_TIE = 1e-4
#: Cells on either side that tell what is around.
_AROUND = 6


@dataclass(frozen=True)
class Step:
    """A window of cells, and which of them are made anew.

    window: first and one past the last, at most as many as the model can see; mask: [cells of the
    window, 7] bool; text: states [L, text width].
    lead: so many of the first scales are generated as if the masked cells were a clip of their own.
    beyond: that clip is so many cells longer before and after them: what the text tells of neither
        begins nor ends with the masked cells.
    around: so many of the first scales are those of what is around, one side going into the other.
    kept, source_text, rule: see :class:`core.model.masked.MaskedSource`.
    """

    window: tuple[int, int]
    mask: Tensor
    text: Tensor
    lead: int = 0
    beyond: tuple[int, int] = (0, 0)
    around: int = 0
    kept: int = 0
    source_text: Tensor | None = None
    rule: Rule = "composite"


class Timeline:
    """sums: [B, cells, 7, d], what the scales' codes add up to (or what they stand for)."""

    def __init__(self, model: Model, sums: Tensor) -> None:
        self.sums = sums.clone()
        self._model, self._taken = model, 0
        self._quantizer = model.tokenizer.quantizer

    @torch.inference_mode()
    def take(
        self,
        step: Step,
        seeds: Sequence[int],
        options: SamplingOptions,
        on_scale: Callable[[Callable[[], Tensor]], None] | None = None,
    ) -> None:
        """Make one window anew; what it does not mask stays as it is.

        ``on_scale`` is called after each scale with a function that gives the first variation's
        sums [1, cells, 7, d] as they are so far; raising in it cancels.
        """
        window = slice(*step.window)
        own = [seed + self._taken * _NEXT_SEED for seed in seeds]
        seen = self.sums[:, window]
        # Before the first step all variations are alike.
        bits = self._bits(seen if self._taken else seen[:1])

        def scale_done(_: int, sums: Tensor) -> None:
            def so_far() -> Tensor:
                first = self.sums[:1].clone()
                first[:, window] = sums[:1]
                return first

            if on_scale is not None:
                on_scale(so_far)

        if step.mask.all() and not step.kept and step.source_text is None:
            made = self._whole(step, own, options, scale_done)
            self.sums[:, window] = made
            self._taken += 1
            return
        lead = self._lead(step, own, options) or self._around(
            step, seen if self._taken else seen[:1]
        )
        made = sample_masked(
            self._model.transformer,
            self._quantizer,
            step.text,
            MaskedSource(
                bits,
                step.mask,
                step.kept,
                lead,
                step.source_text,
                step.rule,
            ),
            own,
            options,
            scale_done,
        )
        if self._taken:
            made = torch.where(step.mask[None, ..., None], made, seen)
        self.sums[:, window] = made
        self._taken += 1

    def _whole(
        self,
        step: Step,
        seeds: Sequence[int],
        options: SamplingOptions,
        on_scale: Callable[[int, Tensor], None],
    ) -> Tensor:
        """A window of which nothing stays is generated."""
        cells = len(step.mask)

        def scale_done(scale: int, bits: list[Tensor]) -> None:
            on_scale(scale, self._sums(bits, cells))

        transformer = self._model.transformer
        made = sample(transformer, self._quantizer, step.text, cells, seeds, options, scale_done)
        return self._sums(made.bits, cells)

    def _sums(self, bits: list[Tensor], cells: int) -> Tensor:
        added = [self._quantizer.upsampled(b, scale, cells) for scale, b in enumerate(bits)]
        return torch.stack(added).sum(0)

    def _bits(self, sums: Tensor) -> list[Tensor]:
        """Bits per scale [N, tokens, d] of what the quantizer reads [N, T', 7, d]."""
        lengths = torch.full((len(sums),), sums.shape[1], device=sums.device)
        # Sums of codes leave remainders of exactly nothing, whose signs rounding would decide.
        return self._quantizer.self_corrected(sums + _TIE, lengths, 0.0)[0]

    def _lead(self, step: Step, seeds: Sequence[int], options: SamplingOptions) -> list[Tensor]:
        """What the first scales of a clip as long as the masked cells add, at its place."""
        if not step.lead:
            return []
        rows = step.mask.any(1).nonzero()[:, 0]
        first, cells = int(rows[0]), len(rows)
        after = len(step.mask) - first - cells
        made = sample(
            self._model.transformer,
            self._quantizer,
            step.text,
            sum(step.beyond) + cells,
            seeds,
            options,
            first_scales=step.lead,
        )
        own = slice(step.beyond[0], step.beyond[0] + cells)
        added = [
            self._quantizer.upsampled(bits, scale, sum(step.beyond) + cells)
            for scale, bits in enumerate(made.bits)
        ]
        return [F.pad(sums[:, own], (0, 0, 0, 0, first, after)) for sums in added]

    def _around(self, step: Step, seen: Tensor) -> list[Tensor]:
        """What the first scales add where the masked cells show what is before and after them."""
        rows = step.mask.any(1).nonzero()[:, 0]
        first, last = int(rows[0]), int(rows[-1]) + 1
        sides = [seen[:, max(0, first - _AROUND) : first], seen[:, last : last + _AROUND]]
        means = [side.mean(1, keepdim=True) for side in sides if side.shape[1]]
        if not step.around or not means:
            return []
        cells = torch.arange(len(step.mask), device=seen.device)
        share = ((cells - first + 1) / (last - first + 1)).clamp(0, 1)[None, :, None, None]
        between = means[0] + (means[-1] - means[0]) * share
        filled = torch.where(step.mask[None, ..., None], between, seen)
        bits = self._bits(filled)[: step.around]
        return [self._quantizer.upsampled(b, scale, len(step.mask)) for scale, b in enumerate(bits)]
