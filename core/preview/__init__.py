"""Pictures of motions for eyes, not for instruments: contact sheets and animated GIFs (Pillow)."""

from .gif import animation, save_animation, side_by_side
from .sheet import contact_sheet

__all__ = ["animation", "contact_sheet", "save_animation", "side_by_side"]
