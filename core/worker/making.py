"""From a request's fields to the message that answers it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import ScaleMoGenError
from ..protocol import Message, pack_motions
from .loading import Service
from .wishes import ClipWish, EditWish, SequenceWish, Wish

if TYPE_CHECKING:
    from ..motion import Motion

#: More coarse motions than this nobody sees.
_PREVIEWS_PER_SECOND = 15.0
#: Making them is to take a third of the time at most: a minute of motion is no trifle to decode.
_PAUSE_PER_PREVIEW = 2.0

Send = Callable[[Message], None]
GoOn = Callable[[], None]


def generate(service: Service, message: Message, send: Send, go_on: GoOn) -> Message:
    """Answer ``generate``; ``go_on`` is called often, and raises to stop."""
    wish = ClipWish(message.fields)
    engine = service.engine
    seconds = engine.natural_seconds(wish.prompt) if wish.seconds is None else wish.seconds
    made = engine.generate(
        wish.prompt,
        seconds,
        wish.seeds,
        **_sampling(wish),
        on_preview=_Progress(message, wish, send, go_on),
        on_step=go_on,
    )
    settings = _settings(service, wish) | {"prompt": wish.prompt, "seconds": seconds}
    return _finished(service, message, wish, settings, made.timings, made.motions)


def edit(service: Service, message: Message, send: Send, go_on: GoOn) -> Message:
    """Answer ``edit``; like :func:`generate`, but motions come back with all their digits."""
    wish = EditWish(message)
    from ..editing import wire

    made = service.editor.edit(
        wish.source,
        wish.edit,
        wish.seeds,
        **_sampling(wish),
        on_preview=_Progress(message, wish, send, go_on),
        on_step=go_on,
    )
    settings = _settings(service, wish) | {
        "prompt": wish.edit.prompt,
        "edit": wire.edit_fields(wish.edit),
    }
    motions = [edited.motion for edited in made.edited]
    answer = _finished(service, message, wish, settings, made.timings, motions, exact=True)
    edited = [wire.edited_fields(edited) for edited in made.edited]
    return Message(answer.kind, {**answer.fields, "edited": edited}, answer.arrays)


def sequence(service: Service, message: Message, send: Send, go_on: GoOn) -> Message:
    """Answer ``sequence``; like :func:`generate`."""
    wish = SequenceWish(message.fields)
    from ..editing import Block

    engine = service.engine
    seconds = [
        engine.natural_seconds(block.prompt) if block.seconds is None else block.seconds
        for block in wish.blocks
    ]
    prompts = [block.prompt for block in wish.blocks]
    made = service.editor.sequence(
        [Block(prompt, length) for prompt, length in zip(prompts, seconds, strict=True)],
        wish.seeds,
        **_sampling(wish),
        on_preview=_Progress(message, wish, send, go_on),
        on_step=go_on,
    )
    motion = made.motions[0]
    settings = _settings(service, wish) | {
        "prompt": ", then ".join(prompts),
        "seconds": motion.seconds,
        "blocks": [
            {"prompt": prompt, "first": first, "last": last}
            for prompt, (first, last) in zip(prompts, _filled(seconds, motion), strict=True)
        ],
    }
    return _finished(service, message, wish, settings, made.timings, made.motions)


def _filled(seconds: Sequence[float], motion: Motion) -> list[tuple[int, int]]:
    """First and last frame of each block, as they were asked for.

    What joins two blocks lies on both sides of their border; where exactly the cells of the model
    have it is nothing that an artist could see.
    """
    ends = [round(end * motion.fps) for end in accumulate(seconds)]
    ends[-1] = motion.frame_count
    return [(first, end - 1) for first, end in zip([0, *ends[:-1]], ends, strict=True)]


class _Progress:
    """Tells of every scale, now and then with the motion as it is so far."""

    def __init__(self, message: Message, wish: Wish, send: Send, go_on: GoOn) -> None:
        self._request, self._preview = message.fields["request"], wish.preview
        self._send, self._go_on = send, go_on
        self._next = -math.inf

    def __call__(self, done: int, of: int, coarse: Callable[[], Any]) -> None:
        self._go_on()
        fields: dict[str, Any] = {"request": self._request, "done": done, "of": of}
        now = time.monotonic()
        if not self._preview or now < self._next:
            self._send(Message("progress", fields))
            return
        table, arrays = pack_motions([coarse()])
        made = time.monotonic()
        pause = _PAUSE_PER_PREVIEW * (made - now)
        self._next = max(now + 1 / _PREVIEWS_PER_SECOND, made + pause)
        self._send(Message("progress", {**fields, "motions": table}, arrays))


def _sampling(wish: Wish) -> dict[str, Any]:
    return {
        "guidance": wish.guidance,
        "temperature": wish.temperature,
        "cleanup": wish.cleanup,
    }


def _settings(service: Service, wish: Wish) -> dict[str, Any]:
    """What a motion is really made with, whatever it is."""
    engine = service.engine
    own = engine.model.config.transformer
    return {
        "guidance": own.guidance if wish.guidance is None else wish.guidance,
        "temperature": own.temperature if wish.temperature is None else wish.temperature,
        "cleanup": wish.cleanup,
        "model": engine.name,
        "device": engine.device,
        "engine": __version__,
    }


def _finished(
    service: Service,
    message: Message,
    wish: Wish,
    settings: Mapping[str, Any],
    timings: Mapping[str, Any],
    motions: Iterable[Motion],
    exact: bool = False,
) -> Message:
    """The answer; ScaleMoGenError if the device has computed what is no number."""
    import numpy as np

    table, arrays = pack_motions(motions, exact)
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ScaleMoGenError(
            f"The device {service.engine.device} computed what is no number. Choose the device CPU "
            "in the preferences."
        )
    fields = {
        "request": message.fields["request"],
        "seeds": wish.seeds,
        "settings": dict(settings),
        "timings": dict(timings),
        "motions": table,
    }
    return Message("finished", fields, arrays)
