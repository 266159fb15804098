"""Figures and pictures of a trained model."""

from collections.abc import Sequence

from PIL.Image import Image

from ..engine import MIN_SECONDS, Engine
from ..preview import contact_sheet
from .corpus import Clip
from .physics import foot_sliding, mean_acceleration
from .transformer_task import SHEET_PROMPTS


def sample_figures(
    engine: Engine,
    clips: Sequence[Clip],
    seed: int,
    guidance: float | None = None,
    temperature: float | None = None,
) -> dict[str, float]:
    """Jitter and sliding of motions made for the clips' captions and lengths, beside the clips'."""
    made = []
    for clip in clips:
        seconds = min(max(clip.motion.seconds, MIN_SECONDS), engine.max_seconds)
        generation = engine.generate(
            clip.captions[0], seconds, [seed], guidance=guidance, temperature=temperature
        )
        made += generation.motions
    real = [clip.motion for clip in clips]
    return {
        "sliding_cm_s": foot_sliding(made),
        "sliding_cm_s_real": foot_sliding(real),
        "acceleration_m_s2": mean_acceleration(made),
        "acceleration_m_s2_real": mean_acceleration(real),
    }


def sample_sheet(
    engine: Engine, seed: int, guidance: float | None = None, temperature: float | None = None
) -> Image:
    """A contact sheet of the prompts that training draws, one row each."""
    rows = []
    for prompt, seconds in SHEET_PROMPTS:
        made = engine.generate(prompt, seconds, [seed], guidance=guidance, temperature=temperature)
        rows.append((prompt, made.motions[0]))
    return contact_sheet(rows)
