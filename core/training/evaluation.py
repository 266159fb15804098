"""Figures and pictures of a trained model."""

from collections.abc import Sequence

from PIL.Image import Image

from ..engine import Engine
from ..model.weights import Model
from ..preview import contact_sheet
from .corpus import Clip
from .feature_math import canonical_layout
from .tokenizer_task import reconstruction_figures
from .transformer_task import SHEET_PROMPTS


def reconstruction_of_folder(model: Model, clips: Sequence[Clip]) -> dict[str, float]:
    """See :func:`core.training.tokenizer_task.reconstruction_figures`; every clip counts."""
    layout = canonical_layout(model.config.tokenizer.layout)
    features = [layout.encode(clip.motion) for clip in clips]
    return reconstruction_figures(model.tokenizer, features, model.mean, model.std, layout)


def sample_sheet(
    engine: Engine, seed: int, guidance: float | None = None, temperature: float | None = None
) -> Image:
    """A contact sheet of the prompts that training draws, one row each."""
    rows = []
    for prompt, seconds in SHEET_PROMPTS:
        made = engine.generate(prompt, seconds, [seed], guidance=guidance, temperature=temperature)
        rows.append((prompt, made.motions[0]))
    return contact_sheet(rows)
