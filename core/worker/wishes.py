"""What requests ask for: the types of their fields are checked here, values by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ScaleMoGenError
from ..protocol import Message, unpack_motions

if TYPE_CHECKING:
    from ..editing import Edit
    from ..editing.blocks import Block
    from ..motion import Motion

#: Nothing that is longer can be kept in a file.
LONGEST_SECONDS = 3600.0
#: Every block is one at least partly new clip; more are a mistake.
MOST_BLOCKS = 1000
#: Bytes of their prompts together: the answer has them twice, and messages have an end.
_LONGEST_PROMPTS = 100_000


class Wish:
    """What all requests have: one motion per seed, and how they are sampled."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.seeds: list[int] = _typed(fields, "seeds", list)
        if not all(type(seed) is int for seed in self.seeds):
            raise ScaleMoGenError("a seed is a whole number")
        self.guidance = _number(fields, "guidance")
        self.temperature = _number(fields, "temperature")
        self.cleanup: bool = _typed(fields, "cleanup", bool)
        self.preview: bool = _typed(fields, "preview", bool)


class ClipWish(Wish):
    """Request ``generate``: a prompt as one clip."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.prompt = readable(_typed(fields, "prompt", str))
        self.seconds = _number(fields, "seconds")


class EditWish(Wish):
    """Request ``edit``: another motion for some joints in some frames of ``source``."""

    def __init__(self, message: Message) -> None:
        from ..editing import wire

        super().__init__(message.fields)
        sources = unpack_motions(message)
        if len(sources) != 1:
            raise ScaleMoGenError("the request's motion is missing; update the add-on")
        self.source: Motion = sources[0]
        self.edit: Edit = wire.edit_of(message.fields.get("edit"))
        readable(self.edit.prompt)
        readable(self.edit.source_prompt)
        if self.edit.first > self.source.frame_count:
            raise ScaleMoGenError(
                f"The range begins at frame {self.edit.first}, but the motion has "
                f"{self.source.frame_count} frames only."
            )
        _check_length((self.edit.last + 1) / self.source.fps)


class SequenceWish(Wish):
    """Request ``sequence``: prompts one after the other, as one motion of any length."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        from ..editing import wire

        super().__init__(fields)
        self.blocks: tuple[Block, ...] = wire.blocks_of(fields.get("blocks"))
        if not 0 < len(self.blocks) <= MOST_BLOCKS:
            raise ScaleMoGenError(
                f"{len(self.blocks)} motion blocks cannot be made; use 1 to {MOST_BLOCKS}."
            )
        if sum(len(readable(block.prompt).encode()) for block in self.blocks) > _LONGEST_PROMPTS:
            raise ScaleMoGenError("The blocks' prompts are too long together; shorten them.")
        _check_length(sum(block.seconds or 0.0 for block in self.blocks))


def readable(prompt: str) -> str:
    """The prompt, if it can be written down: half a character, pasted from somewhere, cannot."""
    try:
        prompt.encode()
    except UnicodeEncodeError:
        raise ScaleMoGenError("The prompt holds what cannot be read. Type it again.") from None
    return prompt


def _check_length(seconds: float) -> None:
    if seconds > LONGEST_SECONDS:
        raise ScaleMoGenError(
            f"A motion of {seconds:.0f} s cannot be made; use {LONGEST_SECONDS:.0f} s at most."
        )


def _typed(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    if not isinstance(value, kind):
        raise ScaleMoGenError(f"the request's {name} is missing; update the add-on")
    return value


def _number(fields: Mapping[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ScaleMoGenError(f"the request's {name} is no number; update the add-on")
    try:
        return float(value)
    except OverflowError:
        raise ScaleMoGenError(f"the request's {name} is too large; use less") from None
