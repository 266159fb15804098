"""Pictures of motions for eyes, not for instruments: contact sheets and animated GIFs (Pillow)."""

from .comparison import before_and_after
from .gif import animation, save_animation, side_by_side
from .sheet import contact_sheet

__all__ = ["animation", "before_and_after", "contact_sheet", "save_animation", "side_by_side"]
