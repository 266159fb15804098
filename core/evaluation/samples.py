"""A quick look at a trained model: a few figures and a picture, without an evaluator."""

from collections.abc import Sequence

from PIL.Image import Image

from ..engine import Engine
from ..preview import contact_sheet
from ..training.corpus import Clip
from ..training.transformer_task import SHEET_PROMPTS
from .many import Setting
from .physics import clip_physics, mean_physics
from .rows import Watch, model_row, unwatched


def sample_figures(
    engine: Engine,
    clips: Sequence[Clip],
    seed: int,
    setting: Setting,
    batch: int = 32,
    watch: Watch = unwatched,
) -> dict[str, float]:
    """Jitter and sliding of motions made for the clips' captions and lengths, beside the clips'."""
    made = model_row(engine, clips, setting, seed, batch, watch).make(0)
    figures = mean_physics(clip_physics(motion) for motion in made)
    real = mean_physics(clip_physics(clip.motion) for clip in clips)
    return {
        "sliding_cm_s": figures["sliding_low"],
        "sliding_cm_s_real": real["sliding_low"],
        "acceleration_m_s2": figures["acceleration"],
        "acceleration_m_s2_real": real["acceleration"],
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
