"""Blocks as results and actions remember them; no bpy, and nothing in a file can be relied on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._core import skeleton
from ..generate import prompt as prompts
from ..results import remembered
from . import lengths

_MOST = 1000
_LONGEST = 2**20


@dataclass(frozen=True)
class Remembered:
    """A block of a motion: the frames that it fills, which follow those of the one before."""

    prompt: str
    first: int
    last: int

    @property
    def frame_count(self) -> int:
        return self.last - self.first + 1


def of_settings(settings: Mapping[str, Any]) -> list[Remembered]:
    """Blocks of a result's settings, or of an action's; empty without any, or if damaged."""
    value = settings.get("blocks")
    if isinstance(value, str):
        value = remembered.read(f'{{"blocks": {value}}}').get("blocks")
    if not isinstance(value, list) or not 0 < len(value) <= _MOST:
        return []
    found: list[Remembered] = []
    for entry in value:
        block = _block(entry)
        if block is None or block.first != (found[-1].last + 1 if found else 0):
            return []
        found.append(block)
    return found


def for_action(settings: Mapping[str, Any], motion_fps: float, fps: float) -> dict[str, str]:
    """Blocks of a result as custom properties of its action; empty if it has none.

    Their frames are the scene's then, counted from the first of the action.
    """
    blocks = of_settings(settings)
    if not blocks:
        return {}
    counts = lengths.frame_counts([(b.first, b.last) for b in blocks], motion_fps, fps)
    moved = _laid([block.prompt for block in blocks], counts)
    seconds = [block.frame_count / motion_fps for block in blocks]
    table = [
        {"prompt": b.prompt, "first": b.first, "last": b.last, "seconds": s}
        for b, s in zip(moved, seconds, strict=True)
    ]
    return {"blocks": json.dumps(table, ensure_ascii=False)}


def after_edits(blocks: Sequence[Remembered], start: int, edits: object) -> list[Remembered]:
    """The blocks of an action that begins at frame ``start``, with what they were edited to.

    edits: what the action remembers of edits; one of a whole block gives it another prompt.
    """
    if isinstance(edits, str):
        edits = remembered.read(f'{{"edits": {edits}}}').get("edits")
    found = list(blocks)
    for edit in edits if isinstance(edits, list) else []:
        if not isinstance(edit, dict) or edit.get("parts") != list(skeleton.BODY_PARTS):
            continue
        words = edit.get("prompt")
        for number, block in enumerate(found):
            whole = (edit.get("first"), edit.get("last")) == (
                start + block.first,
                start + block.last,
            )
            if whole and isinstance(words, str) and words.strip():
                found[number] = replace(block, prompt=prompts.clean(words)[: prompts.MAX_LENGTH])
    return found


def to_make_again(settings: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Prompts and lengths of a result's or an action's blocks, to make them once more."""
    value = settings.get("blocks")
    if isinstance(value, str):
        value = remembered.read(f'{{"blocks": {value}}}').get("blocks")
    blocks = of_settings(settings)
    known = [entry.get("seconds") for entry in value] if blocks else []
    return [
        (
            block.prompt,
            float(seconds)
            if isinstance(seconds, int | float) and 0 < seconds < lengths.LONGEST_SECONDS
            else block.frame_count / lengths.ENGINE_FPS,
        )
        for block, seconds in zip(blocks, known, strict=True)
    ]


def _block(entry: object) -> Remembered | None:
    if not isinstance(entry, dict):
        return None
    prompt, first, last = entry.get("prompt"), entry.get("first"), entry.get("last")
    if not isinstance(prompt, str) or type(first) is not int or type(last) is not int:
        return None
    if not 0 <= first <= last < _LONGEST:
        return None
    return Remembered(prompt[: prompts.MAX_LENGTH], first, last)


def _laid(names: Sequence[str], counts: Sequence[int]) -> list[Remembered]:
    """Blocks of so many frames, one after the other."""
    found: list[Remembered] = []
    first = 0
    for name, count in zip(names, counts, strict=True):
        found.append(Remembered(name, first, first + count - 1))
        first += count
    return found
