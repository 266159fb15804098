"""The same again, or another one like it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import bpy

from .._core import errors
from ..client.messages import GenerateRequest
from . import remembered

if TYPE_CHECKING:
    from .properties import ResultItem

_SEED_LIMIT = 10**6


def request_of(settings: Mapping[str, Any], new_seed: bool) -> GenerateRequest:
    """What to ask of the engine; ScaleMoGenError if the settings have no prompt or seed."""
    try:
        seed = secrets.randbelow(_SEED_LIMIT) if new_seed else int(settings["seed"])
        return GenerateRequest(
            prompt=str(settings["prompt"]),
            seeds=(seed,),
            seconds=_number(settings, "seconds"),
            guidance=_number(settings, "guidance"),
            temperature=_number(settings, "temperature"),
            cleanup=settings.get("cleanup", True) not in (False, 0, "off"),
            preview=not bpy.app.background,
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise errors.ScaleMoGenError(
            "This motion does not say how it was made; type a prompt and press Generate."
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
