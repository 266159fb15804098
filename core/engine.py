"""From a prompt to motions: the one door through which the command line and the worker go."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .cleanup import clean_up
from .errors import ScaleMoGenError
from .features import feature_layout
from .model.sampler import SamplingOptions, sample
from .model.weights import Model, load, model_folder
from .motion import Motion
from .retarget.to_canonical import onto_canonical
from .skeleton import canonical
from .text.cache import CachedTextEncoder

#: Below this a clip has too few frames to be a motion.
MIN_SECONDS = 0.5
#: Where the model does not know how long an action takes.
DEFAULT_SECONDS = 4.0


@dataclass
class Generation:
    """motions: one per seed, on the canonical skeleton; timings: milliseconds of each stage.

    Their ``contacts`` tell which foot joints stand: 1 or 0 after the clean-up, without it the
    model's own probabilities.
    timings: ``text_ms``, ``scales_ms`` (one per scale), ``decode_ms`` (with the clean-up),
    ``total_ms``.
    """

    motions: list[Motion]
    timings: dict[str, Any]


def pick_device(name: str) -> torch.device:
    """``auto`` (CUDA, else Metal, else CPU), ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    ScaleMoGenError when that device is not on this machine.
    """
    cuda, metal = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if cuda else "mps" if metal else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ScaleMoGenError(f"unknown device {name!r}; use auto, cpu, cuda or mps") from error
    there = {"cpu": True, "cuda": cuda, "mps": metal}.get(device.type, False)
    if there and device.type == "cuda" and device.index is not None:
        there = device.index < torch.cuda.device_count()
    if not there:
        raise ScaleMoGenError(f"there is no device {name!r} on this machine; use auto or cpu")
    return device


class Engine:
    """A loaded model on a device."""

    def __init__(self, model: Model, device: torch.device, encoder: CachedTextEncoder) -> None:
        wanted = model.config.transformer.text_width
        if encoder.width != wanted:
            raise ScaleMoGenError(
                f"the text encoder gives {encoder.width} numbers a token, but this model was "
                f"trained on {wanted}; name the folder of the encoder it was trained with"
            )
        self.model = model.to(device)
        self.layout = feature_layout(model.config.tokenizer.layout)
        self._device, self._encoder = device, encoder

    @classmethod
    def load(
        cls, model: str | Path = "default", device: str = "auto", encoder_folder: Path | None = None
    ) -> Engine:
        """Load a bundled model by name, or a folder; ScaleMoGenError tells what is wrong with it.

        ``encoder_folder`` holds the text encoder where it is not bundled (flan-t5-xl).
        """
        chosen = pick_device(device)
        loaded = load(model_folder(model))
        name = loaded.config.transformer.text_encoder
        return cls(loaded, chosen, CachedTextEncoder(name, encoder_folder, str(chosen)))

    @property
    def name(self) -> str:
        return self.model.config.name

    @property
    def device(self) -> str:
        return str(self._device)

    @property
    def fps(self) -> float:
        """Frame rate of the motions, whatever skeleton and rate the model itself works at."""
        return canonical().fps

    @property
    def max_seconds(self) -> float:
        """Length of the longest clip that the model makes in one go."""
        config = self.model.config.tokenizer
        return config.max_latents * config.stride / self.layout.skeleton.fps

    def natural_seconds(self, prompt: str) -> float:
        """How long the prompt's action takes; 4 s where the model cannot tell."""
        durations = self.model.durations
        if durations is None or not prompt.strip():
            return DEFAULT_SECONDS
        return min(durations.seconds(self._encoder.encode([prompt])[0]), self.max_seconds)

    def load_text_encoder(self) -> None:
        """Load now what the first unknown prompt would otherwise wait for."""
        self._encoder.load()

    def generate(
        self,
        prompt: str,
        seconds: float,
        seeds: Sequence[int],
        *,
        guidance: float | None = None,
        temperature: float | None = None,
        cleanup: bool = True,
        on_scale: Callable[[int, int], None] | None = None,
        on_preview: Callable[[int, int, Callable[[], Motion]], None] | None = None,
        on_step: Callable[[], None] | None = None,
    ) -> Generation:
        """One motion per seed, all in one batch; None takes the model's own setting.

        ``cleanup`` takes out jitter and holds standing feet still (core/cleanup); without it the
        motions are what the model made.
        The same prompt, seconds, seed, model and device give the same motion.  ``on_scale(done,
        of)`` is called after each scale, ``on_preview(done, of, coarse)`` likewise: ``coarse()``
        decodes the first variation as it is so far, without clean-up.  ``on_step()`` is called much
        more often: before every block of the transformer, and between the steps after the scales.
        Raising in any of them cancels.  ScaleMoGenError on bad values.
        """
        options = self._options(prompt, seconds, seeds, guidance, temperature)
        frames = max(1, round(seconds * self.layout.skeleton.fps))
        began = time.perf_counter()
        text = self.text_states(prompt)
        marks = [time.perf_counter()]
        scales = len(self.model.tokenizer.quantizer.pyramid)

        def scale_done(scale: int, bits: list[Tensor]) -> None:
            self.wait()
            marks.append(time.perf_counter())
            if on_scale is not None:
                on_scale(scale + 1, scales)
            if on_preview is not None:
                first = [map_[:1] for map_ in bits]
                on_preview(scale + 1, scales, lambda: self._decode(first, frames, False)[0])

        tokenizer = self.model.tokenizer
        with before_each(self.model.transformer.blocks, on_step):
            made = sample(
                self.model.transformer,
                tokenizer.quantizer,
                text,
                tokenizer.latent_count(frames),
                seeds,
                options,
                scale_done,
            )
        motions = self._decode(made.bits, frames, cleanup, on_step)
        end = time.perf_counter()
        steps = [1000 * (b - a) for a, b in zip(marks, marks[1:], strict=False)]
        timings = {
            "text_ms": 1000 * (marks[0] - began),
            "scales_ms": steps,
            "decode_ms": 1000 * (end - marks[-1]),
            "total_ms": 1000 * (end - began),
        }
        return Generation(motions, timings)

    def check_seconds(self, seconds: float) -> None:
        """ScaleMoGenError unless the model can make a clip of that length."""
        if not (math.isfinite(seconds) and MIN_SECONDS <= seconds <= self.max_seconds + 1e-6):
            longest = math.floor(self.max_seconds * 10) / 10
            raise ScaleMoGenError(
                f"{seconds:g} seconds cannot be made; use {MIN_SECONDS:g} to {longest:g} seconds"
            )

    def _options(
        self,
        prompt: str,
        seconds: float,
        seeds: Sequence[int],
        guidance: float | None,
        temperature: float | None,
    ) -> SamplingOptions:
        """Those of a generation; ScaleMoGenError names what is out of range."""
        if not prompt.strip():
            raise ScaleMoGenError("the prompt is empty; say what the character should do")
        self.check_seconds(seconds)
        return self.sampling_options(seeds, guidance, temperature)

    def text_states(self, prompt: str) -> Tensor:
        """States [L, text width] of a prompt on the device."""
        states = torch.from_numpy(self._encoder.encode([prompt])[0]).to(self._device)
        return states[: self.model.config.transformer.max_text]

    def sampling_options(
        self, seeds: Sequence[int], guidance: float | None, temperature: float | None
    ) -> SamplingOptions:
        """The checked sampling options; ScaleMoGenError names what is out of range."""
        if not seeds:
            raise ScaleMoGenError("no seed was given; name at least one")
        config = self.model.config.transformer
        guidance = config.guidance if guidance is None else guidance
        temperature = config.temperature if temperature is None else temperature
        if not (math.isfinite(guidance) and 0 <= guidance <= 50):
            raise ScaleMoGenError(f"guidance {guidance:g} is out of range; use 0 to 50")
        if not (math.isfinite(temperature) and 0 <= temperature <= 10):
            raise ScaleMoGenError(f"temperature {temperature:g} is out of range; use 0 to 10")
        return SamplingOptions(
            guidance,
            temperature,
            ramp=config.guidance_ramp,
            temperature_ramp=config.temperature_ramp,
        )

    def _decode(
        self,
        bits: list[Tensor],
        frames: int,
        cleanup: bool = True,
        on_step: Callable[[], None] | None = None,
    ) -> list[Motion]:
        """The motions of all scales' bits, or of the first scales' only (coarse)."""
        features = self.model.tokenizer.detokenize(bits, frames)
        features = features * self.model.std + self.model.mean
        motions = []
        for decoded in features.float().cpu().numpy():
            if on_step is not None:
                on_step()
            motion = onto_canonical(self.layout.decode(decoded))
            motions.append(clean_up(motion) if cleanup else motion)
        return motions

    def wait(self) -> None:
        """Let queued GPU work finish, so that timings and progress are true."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()


@contextlib.contextmanager
def before_each(blocks: Iterable[nn.Module], call: Callable[[], None] | None) -> Iterator[None]:
    """Have ``call`` called before every run of a block, for a while."""

    def hook(*_: object) -> None:
        if call is not None:
            call()

    hooks = [] if call is None else [block.register_forward_pre_hook(hook) for block in blocks]
    try:
        yield
    finally:
        for handle in hooks:
            handle.remove()
