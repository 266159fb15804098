"""The same again, or another one like it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import bpy

from .._core import editing, errors
from ..blocks import remembering
from ..client.messages import EditRequest, GenerateRequest, SequenceRequest
from . import remembered

if TYPE_CHECKING:
    from .edits import Stored
    from .properties import ResultItem

_SEED_LIMIT = 10**6


def request_of(settings: Mapping[str, Any], new_seed: bool) -> GenerateRequest | SequenceRequest:
    """What to ask of the engine; ScaleMoGenError if the settings have no prompt or seed."""
    try:
        seed = secrets.randbelow(_SEED_LIMIT) if new_seed else int(settings["seed"])
        sampling = {
            "seeds": (seed,),
            "guidance": _number(settings, "guidance"),
            "temperature": _number(settings, "temperature"),
            "cleanup": settings.get("cleanup", True) not in (False, 0, "off"),
            "preview": not bpy.app.background,
        }
        if blocks := remembering.to_make_again(settings):
            return SequenceRequest(tuple(editing.Block(*block) for block in blocks), **sampling)
        prompt, seconds = str(settings["prompt"]), _number(settings, "seconds")
        return GenerateRequest(prompt=prompt, seconds=seconds, **sampling)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise errors.ScaleMoGenError(
            "This motion does not say how it was made; type a prompt and press Generate."
        ) from error


def edit_request_of(settings: Mapping[str, Any], stored: Stored, new_seed: bool) -> EditRequest:
    """An edit once more, of the same motion; ScaleMoGenError if no engine has made it."""
    if stored.made.operation == "IN_PLACE":
        raise errors.ScaleMoGenError("There is only one way to be in place; press In Place again.")
    try:
        seed = secrets.randbelow(_SEED_LIMIT) if new_seed else int(settings["seed"])
        return EditRequest(
            source=stored.made.source,
            edit=stored.edited.report.edit,
            seeds=(seed,),
            guidance=_number(settings, "guidance"),
            temperature=_number(settings, "temperature"),
            cleanup=settings.get("cleanup", True) not in (False, 0, "off"),
            preview=not bpy.app.background,
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise errors.ScaleMoGenError(
            "This edit does not say how it was made; type a prompt and press Edit."
        ) from error


def settings_of_item(item: ResultItem) -> dict[str, Any]:
    """What a result was made with."""
    return remembered.read(item.settings)


def settings_of_action(action: bpy.types.Action | None) -> dict[str, Any]:
    """What an accepted action was made with; empty if it is none of ours."""
    if action is None or not isinstance(action.get("prompt"), str) or "seed" not in action:
        return {}
    return {key: value for key, value in action.items() if key != "engine_version"}


def _number(settings: Mapping[str, Any], key: str) -> float | None:
    value = settings.get(key)
    return None if value is None else float(value)
