"""Motion blocks: prompts that follow one another in one continuous motion."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """One action of a sequence.

    seconds: how long it takes; None leaves that to the model.
    """

    prompt: str
    seconds: float | None = None
