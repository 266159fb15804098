"""From a motion and an edit to edited motions: the one door for all editing that samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .editing import Edit, Edited, Report
from .editing.window import Grid, lay_grid, sampled_at
from .engine import Engine, before_each
from .errors import ScaleMoGenError
from .model.masked import MaskedSource, Rule, sample_masked
from .model.sampler import SamplingOptions
from .motion import Motion
from .rotations import quaternion_multiply, quaternion_rotate, slerp
from .skeleton import BODY_PARTS, canonical

#: Tokens of the stand-in for an empty prompt: as many as a short sentence has.
_EMPTY_TOKENS = 8
#: Each piece of a long edit draws from another seed, or all would move alike.
_NEXT_SEED = 1_000_003


@dataclass
class EditGeneration:
    """edited: one per seed; timings: milliseconds of each stage.

    timings: ``encode_ms``, ``text_ms``, ``scales_ms`` (one per scale of every piece),
    ``decode_ms`` (with the composing), ``total_ms``.
    """

    edited: list[Edited]
    timings: dict[str, Any] = field(default_factory=dict)


OnScale = Callable[[int, int], None]
OnPreview = Callable[[int, int, Callable[[], Motion]], None]
OnStep = Callable[[], None]


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
        began = time.perf_counter()
        options = self._checked(source, edit, seeds, guidance, temperature)
        grid = self._grid(source, edit)
        latents = self._encoded(source, grid)
        marks = [time.perf_counter()]
        text = self._text(edit.prompt)
        source_text = self._text(edit.source_prompt) if edit.words_only else None
        mask = _mask(grid, edit)
        scales = len(self._model.tokenizer.quantizer.pyramid)
        kept = round(edit.keep * (scales - 1))
        report = Report(
            edit,
            frames=_clamped(grid.frames_of(*grid.masked)),
            window=_clamped(grid.frames_of(0, grid.cells)),
            kept_scales=kept,
            scales=scales,
        )

        def composed(sums: Tensor, clean: bool) -> Edited:
            made, at = self._decoded(sums, grid, source.fps)
            return _compose(source, made, at, edit, report, clean)

        pieces = grid.pieces(self._longest)
        marks.append(time.perf_counter())
        working = latents.expand(len(seeds), -1, -1, -1).clone()
        done = 0

        def scale_done(rows: slice, window: slice, sums: Tensor) -> None:
            nonlocal done
            done += 1
            self.engine.wait()
            marks.append(time.perf_counter())
            of = scales * sum(1 if p == pieces[0] else len(seeds) for p in pieces)
            if on_scale is not None:
                on_scale(done, of)
            if on_preview is not None:
                first = working[rows][:1].clone()
                first[:, window] = sums[:1]
                on_preview(done, of, lambda: composed(first, False).motion)

        with before_each(self._model.transformer.blocks, on_step), torch.inference_mode():
            for number, piece in enumerate(pieces):
                window = slice(*piece.window)
                inside = torch.zeros_like(mask)
                inside[slice(*piece.masked)] = mask[slice(*piece.masked)]
                # Later pieces see what was made before them, which differs by variation.
                groups = (
                    [slice(0, None)]
                    if number == 0
                    else [slice(i, i + 1) for i in range(len(seeds))]
                )
                for rows in groups:
                    bits = self._bits(working[rows][:1, window])
                    own = [seed + number * _NEXT_SEED for seed in seeds[rows]]
                    sums = sample_masked(
                        self._model.transformer,
                        self._model.tokenizer.quantizer,
                        text,
                        MaskedSource(bits, inside[window], kept, source_text, rule),
                        own,
                        options,
                        lambda _, sums, rows=rows, window=window: scale_done(rows, window, sums),
                    )
                    if number == 0:
                        working[rows, window] = sums
                    else:
                        fresh = inside[window][None, ..., None]
                        working[rows, window] = torch.where(fresh, sums, working[rows, window])
        edited = []
        for sums in working:
            if on_step is not None:
                on_step()
            edited.append(composed(sums[None], cleanup))
        end = time.perf_counter()
        steps = [1000 * (b - a) for a, b in zip(marks[1:], marks[2:], strict=False)]
        return EditGeneration(
            edited,
            {
                "encode_ms": 1000 * (marks[0] - began),
                "text_ms": 1000 * (marks[1] - marks[0]),
                "scales_ms": steps,
                "decode_ms": 1000 * (end - marks[-1]),
                "total_ms": 1000 * (end - began),
            },
        )

    # --- what goes in ----------------------------------------------------------------------------

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
        features = torch.from_numpy(layout.encode(clip)).to(model.mean.device)
        features = (features - model.mean) / model.std
        tokenizer = model.tokenizer
        known: Tensor = tokenizer.quantizer.project_in(
            tokenizer.encode_clip(features[None]).float()
        )
        missing = grid.cells - grid.known
        return torch.cat([known, known[:, -1:].expand(-1, missing, -1, -1)], 1)

    def _bits(self, latents: Tensor) -> list[Tensor]:
        """Bits per scale [1, tokens, d] of what the quantizer reads [1, T', 7, d]."""
        lengths = torch.tensor([latents.shape[1]], device=latents.device)
        return self._model.tokenizer.quantizer.self_corrected(latents, lengths, 0.0)[0]

    # --- what comes out --------------------------------------------------------------------------

    @torch.inference_mode()
    def _decoded(self, sums: Tensor, grid: Grid, fps: float) -> tuple[Motion, int]:
        """The window's motion at ``fps`` of sums of codes [1, cells, 7, d], and its first frame."""
        model = self._model
        tokenizer = model.tokenizer
        features = tokenizer.decode(tokenizer.quantizer.project_out(sums))
        features = features * model.std + model.mean
        made = self.engine.layout.decode(features[0].float().cpu().numpy())
        first, last = _clamped(grid.frames_of(0, grid.cells))
        at = (np.arange(first, last + 1) - grid.start) / grid.step
        return sampled_at(made, at, fps), first


def _mask(grid: Grid, edit: Edit) -> Tensor:
    """[cells, 7] bool: what is made anew."""
    mask = torch.zeros(grid.cells, len(BODY_PARTS), dtype=torch.bool)
    for part in edit.parts:
        mask[slice(*grid.masked), BODY_PARTS.index(part)] = True
    return mask


def _clamped(frames: tuple[int, int]) -> tuple[int, int]:
    return max(0, frames[0]), max(0, frames[1])


def _compose(
    source: Motion, made: Motion, at: int, edit: Edit, report: Report, cleanup: bool
) -> Edited:
    """Until core.editing.compose is there: the asked joints, faded in and out."""
    count = max(source.frame_count, edit.last + 1)
    held = source.at_frames(np.minimum(np.arange(count), source.frame_count - 1))
    frames = np.arange(edit.first, edit.last + 1)
    anchor = max(edit.first - 1, 0)
    turn, shift = _onto(made, anchor - at, held, anchor)
    new = made.at_frames(frames - at)
    weight = np.ones(len(frames))
    for k in range(edit.blend):
        share = (k + 1) / (edit.blend + 1)
        if edit.first > 0 and k < len(frames):
            weight[k] = min(weight[k], share)
        if edit.last < source.frame_count - 1 and k < len(frames):
            weight[-1 - k] = min(weight[-1 - k], share)
    rotations, roots = held.rotations.copy(), held.root_positions.copy()
    for name in edit.joints:
        joint = source.skeleton.index(name)
        fresh = new.rotations[:, joint]
        if joint == 0:
            fresh = quaternion_multiply(turn, fresh)
            path = quaternion_rotate(turn, new.root_positions) + shift
            roots[frames] += (path - roots[frames]) * weight[:, None]
        rotations[frames, joint] = slerp(rotations[frames, joint], fresh, weight)
    return Edited(replace(held, rotations=rotations, root_positions=roots), report)


def _onto(made: Motion, i: int, source: Motion, j: int) -> tuple[np.ndarray, np.ndarray]:
    from .features.heading import heading_angles, yaw_quaternion

    a, b = (heading_angles(m.positions(), m.skeleton, 5.0)[k] for m, k in ((made, i), (source, j)))
    turn = yaw_quaternion(np.array(a - b))
    shift = source.root_positions[j] - quaternion_rotate(turn, made.root_positions[i])
    return turn, shift * [1.0, 0.0, 1.0]
