"""From a motion and an edit to edited motions: the one door for all editing that samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .cleanup import clean_up
from .editing import Edit, Edited, Report
from .editing.alignment import on_the_floor
from .editing.blocks import Block, block_windows, cell_borders, seam_windows
from .editing.compose import compose
from .editing.looping import looped_source
from .editing.window import Grid, lay_grid, sampled_at
from .engine import Engine, Generation, before_each
from .errors import ScaleMoGenError
from .model.masked import Rule
from .model.sampler import SamplingOptions
from .model.timeline import Step, Timeline
from .motion import Motion
from .skeleton import BODY_PARTS, canonical
from .stages import Clock, OnPreview, OnScale, Progress

#: Tokens of the stand-in for an empty prompt: as many as a short sentence has.
_EMPTY_TOKENS = 8
#: So many of the last scales are sampled in view of what is around; those before are generated as
#: if the range were a clip of its own, so that the prompt happens within it as a whole.  Limbs on a
#: body that stays have to fit it in more than detail.
_FITTED_BODY, _FITTED_PARTS, _FITTED_PART = 1, 2, 4
#: Seconds on either side of the range that the composing is shown.
_SHOWN_SECONDS = 0.8
#: Without a prompt the scales before these many show what is around.
_FITTED_AROUND = 2

OnStep = Callable[[], None]


@dataclass
class EditGeneration:
    """edited: one per seed; timings: milliseconds of each stage.

    timings: ``encode_ms``, ``text_ms``, ``scales_ms`` (one per scale of every piece),
    ``decode_ms`` (with the composing), ``total_ms``.
    """

    edited: list[Edited]
    timings: dict[str, Any] = field(default_factory=dict)


@dataclass
class SequenceGeneration(Generation):
    """starts: for every motion the frame at which each block begins."""

    starts: list[list[int]] = field(default_factory=list)


class Editor:
    """Edits motions with an engine's model."""

    def __init__(self, engine: Engine) -> None:
        """ScaleMoGenError for a model that cannot edit."""
        config = engine.model.config.tokenizer
        if engine.layout.skeleton is not canonical() or config.padding != "clip":
            raise ScaleMoGenError(
                f"the model '{engine.name}' can generate, but not edit; choose open or plus"
            )
        self.engine, self._model = engine, engine.model
        self._stride, self._longest = config.stride, config.max_latents
        self._scales = len(engine.model.tokenizer.quantizer.pyramid)

    def edit(
        self,
        source: Motion,
        edit: Edit,
        seeds: Sequence[int],
        *,
        guidance: float | None = None,
        temperature: float | None = None,
        cleanup: bool = True,
        rule: Rule = "composite",
        on_scale: OnScale | None = None,
        on_preview: OnPreview | None = None,
        on_step: OnStep | None = None,
    ) -> EditGeneration:
        """One edited motion per seed, at the frame rate of the source.

        Outside the edit's joints and frames they are the source bit for bit.  An empty prompt
        leaves what happens to what is around.  The same request gives the same motions.  Callbacks
        are those of :meth:`core.engine.Engine.generate`; the scales of all pieces of a long range
        are counted, and ``coarse()`` gives the whole edited motion.  ScaleMoGenError on bad values.
        """
        clock = Clock(self.engine.wait)
        options = self._checked(source, edit, seeds, guidance, temperature)
        looped = looped_source(source, edit) if edit.loop else None
        if looped is not None:
            source, edit = looped.source, looped.edit
        grid = self._grid(source, edit)
        timeline = Timeline(self._model, self._encoded(source, grid).expand(len(seeds), -1, -1, -1))
        clock.stage("encode_ms")
        text = self._text(edit.prompt)
        source_text = self._text(edit.source_prompt) if edit.words_only else None
        clock.stage("text_ms")
        kept = round(edit.keep * (self._scales - 1))
        report = Report(
            edit,
            frames=_clamped(grid.frames_of(*grid.masked)),
            window=_clamped(grid.frames_of(0, grid.cells)),
            kept_scales=kept,
            scales=self._scales,
        )

        def composed(sums: Tensor, clean: bool) -> Edited:
            made, at = self._decoded(sums, grid, source.fps, edit)
            edited = compose(source, made, at, edit, report, clean)
            return edited if looped is None else looped.back(edited)

        free = rule == "composite" and not kept and not edit.words_only
        says = bool(edit.prompt.strip())
        steps = [
            Step(
                piece.window,
                _mask(piece.window, piece.masked, edit.parts).to(text.device),
                text,
                kept=kept,
                lead=self._lead(edit.parts) if free and says else 0,
                beyond=grid.beyond(piece, self._longest),
                around=self._scales - _FITTED_AROUND if free and not says else 0,
                source_text=source_text,
                rule=rule,
            )
            for piece in grid.pieces(self._longest)
        ]
        progress = Progress(clock, len(steps) * self._scales, on_scale, on_preview)
        with before_each(self._model.transformer.blocks, on_step):
            for step in steps:
                timeline.take(
                    step,
                    seeds,
                    options,
                    lambda sums: progress(lambda: composed(sums(), False).motion),
                )
        edited = []
        for sums in timeline.sums:
            if on_step is not None:
                on_step()
            edited.append(composed(sums[None], cleanup))
        clock.stage("decode_ms")
        return EditGeneration(edited, clock.timings)

    def sequence(
        self,
        blocks: Sequence[Block],
        seeds: Sequence[int],
        *,
        guidance: float | None = None,
        temperature: float | None = None,
        cleanup: bool = True,
        on_scale: OnScale | None = None,
        on_preview: OnPreview | None = None,
        on_step: OnStep | None = None,
    ) -> SequenceGeneration:
        """One motion per seed of several prompts, one after another, of any length.

        Arguments and callbacks are those of :meth:`core.engine.Engine.generate`; the scales of all
        blocks and seams are counted.  ScaleMoGenError on bad values.
        """
        clock = Clock(self.engine.wait)
        options = self._sequence_options(blocks, seeds, guidance, temperature)
        seconds = [
            self.engine.natural_seconds(block.prompt) if block.seconds is None else block.seconds
            for block in blocks
        ]
        texts = [self._text(block.prompt) for block in blocks]
        nothing = self._text("")
        clock.stage("text_ms")
        fps = self.engine.layout.skeleton.fps
        borders = cell_borders(seconds, fps, self._stride)
        frames = max(1, round(sum(seconds) * fps))
        everywhere = [
            (
                Step(window, _mask(window, masked, BODY_PARTS), text, lead=self._lead(BODY_PARTS)),
                options,
            )
            for (window, masked), text in zip(
                block_windows(borders, self._longest), texts, strict=True
            )
        ]
        # What joins two blocks is nobody's prompt.
        plain = replace(options, guidance=0.0)
        everywhere += [
            (
                Step(
                    window,
                    _mask(window, masked, BODY_PARTS),
                    nothing,
                    around=self._scales - _FITTED_AROUND,
                ),
                plain,
            )
            for window, masked in seam_windows(borders, self._longest)
        ]
        quantizer = self._model.tokenizer.quantizer
        timeline = Timeline(self._model, quantizer.empty_sum(len(seeds), borders[-1], texts[0]))

        def motion(sums: Tensor) -> Motion:
            return self._motion(sums).at_frames(slice(0, frames))

        progress = Progress(clock, len(everywhere) * self._scales, on_scale, on_preview)
        with before_each(self._model.transformer.blocks, on_step):
            for step, own in everywhere:
                timeline.take(step, seeds, own, lambda sums: progress(lambda: motion(sums())))
        motions = []
        for sums in timeline.sums:
            if on_step is not None:
                on_step()
            made = motion(sums[None])
            motions.append(clean_up(made) if cleanup else made)
        clock.stage("decode_ms")
        starts = [border * self._stride for border in borders[:-1]]
        return SequenceGeneration(motions, clock.timings, [list(starts) for _ in seeds])

    def _lead(self, parts: Sequence[str]) -> int:
        """How many of the first scales are generated for the range alone."""
        fitted = _FITTED_PARTS if len(parts) > 1 else _FITTED_PART
        if len(parts) == len(BODY_PARTS):
            fitted = _FITTED_BODY
        return max(0, self._scales - fitted)

    # --- what goes in ----------------------------------------------------------------------------

    def _sequence_options(
        self,
        blocks: Sequence[Block],
        seeds: Sequence[int],
        guidance: float | None,
        temperature: float | None,
    ) -> SamplingOptions:
        if not blocks:
            raise ScaleMoGenError("there are no blocks; add one at least")
        for number, block in enumerate(blocks, 1):
            if not block.prompt.strip():
                raise ScaleMoGenError(
                    f"the prompt of block {number} is empty; say what the character should do"
                )
            if block.seconds is not None:
                self.engine.check_seconds(block.seconds)
        return self.engine.sampling_options(seeds, guidance, temperature)

    def _checked(
        self,
        source: Motion,
        edit: Edit,
        seeds: Sequence[int],
        guidance: float | None,
        temperature: float | None,
    ) -> SamplingOptions:
        if source.skeleton is not canonical():
            raise ValueError("editing works on motions of the canonical skeleton")
        if source.frame_count < 2:
            raise ScaleMoGenError("a motion of one frame cannot be edited; give it two at least")
        if edit.first > source.frame_count:
            raise ScaleMoGenError(
                f"the range begins at frame {edit.first}, but the motion ends at frame "
                f"{source.frame_count - 1}; begin at {source.frame_count} at the latest"
            )
        options = self.engine.sampling_options(seeds, guidance, temperature)
        # Without words there is nothing to be guided to.
        return options if edit.prompt.strip() else replace(options, guidance=0.0)

    def _text(self, prompt: str) -> Tensor:
        """States [L, text width]; those of an empty prompt are the learned stand-in."""
        if prompt.strip():
            return self.engine.text_states(prompt)
        with torch.inference_mode():
            return self._model.transformer.unconditional_states(_EMPTY_TOKENS).float()

    def _grid(self, source: Motion, edit: Edit) -> Grid:
        return lay_grid(
            edit,
            source.frame_count,
            source.fps,
            model_fps=self.engine.layout.skeleton.fps,
            stride=self._stride,
            longest=self._longest,
        )

    @torch.inference_mode()
    def _encoded(self, source: Motion, grid: Grid) -> Tensor:
        """What the quantizer reads [1, cells, 7, d] of the source; unknown cells hold the last."""
        layout, model = self.engine.layout, self._model
        frames = np.arange(grid.known * grid.stride + 1)
        clip = sampled_at(source, grid.start + frames * grid.step, layout.skeleton.fps)
        features = torch.from_numpy(layout.encode(on_the_floor(clip))).to(model.mean.device)
        features = (features - model.mean) / model.std
        tokenizer = model.tokenizer
        known: Tensor = tokenizer.quantizer.project_in(
            tokenizer.encode_clip(features[None]).float()
        )
        missing = grid.cells - grid.known
        return torch.cat([known, known[:, -1:].expand(-1, missing, -1, -1)], 1)

    # --- what comes out --------------------------------------------------------------------------

    @torch.inference_mode()
    def _decoded(self, sums: Tensor, grid: Grid, fps: float, edit: Edit) -> tuple[Motion, int]:
        """The motion at ``fps`` of sums of codes [1, cells, 7, d], and its first frame.

        It shows the range and a little around it: more is thrown away by the composing.  Where the
        cells end a frame or two before the range does, it goes on as it came.
        """
        made = self._motion(sums)
        first, last = _clamped(grid.frames_of(0, grid.cells))
        around = round(_SHOWN_SECONDS * fps)
        first = min(max(first, edit.first - around), edit.first)
        last = max(min(last, edit.last + around), edit.last)
        at = (np.arange(first, last + 1) - grid.start) / grid.step
        return sampled_at(made, at, fps), first

    @torch.inference_mode()
    def _motion(self, sums: Tensor) -> Motion:
        """The motion of sums of codes [1, cells, 7, d], at the model's rate."""
        model = self._model
        features = model.tokenizer.decode(model.tokenizer.quantizer.project_out(sums))
        features = features * model.std + model.mean
        return self.engine.layout.decode(features[0].float().cpu().numpy())


def _mask(window: tuple[int, int], masked: tuple[int, int], parts: Sequence[str]) -> Tensor:
    """[cells of the window, 7] bool: what is made anew."""
    mask = torch.zeros(window[1] - window[0], len(BODY_PARTS), dtype=torch.bool)
    for part in parts:
        mask[masked[0] - window[0] : masked[1] - window[0], BODY_PARTS.index(part)] = True
    return mask


def _clamped(frames: tuple[int, int]) -> tuple[int, int]:
    return max(0, frames[0]), max(0, frames[1])
