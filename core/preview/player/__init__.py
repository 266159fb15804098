"""A self-contained web page that plays motions side by side, to judge them by eye."""

from .page import PlayedPrompt, player_page

__all__ = ["PlayedPrompt", "player_page"]
