"""What ``run.py`` does before the project's own environment exists. Standard library only."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SetupError(Exception):
    """Something on this machine is missing. The message says what, and how to get it."""
