"""One HTML file that plays motions: no network, no other files, works from a disk."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...motion import Motion
from .clips import body_table, drawn_clip, encode

_HERE = Path(__file__).parent
_SCRIPTS = ("data", "camera", "shapes", "figure", "ground", "viewport", "timeline", "list", "app")
_SLOT = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class PlayedPrompt:
    """One prompt and its motions: ``motions[model][seed]``, in the order of the page's models."""

    id: str
    seconds: float
    text: str
    motions: Sequence[Sequence[Motion]]


def page_data(
    models: Sequence[str], seeds: Sequence[int], prompts: Sequence[PlayedPrompt], notes: str = ""
) -> dict[str, Any]:
    """All that a page embeds, as JSON; ValueError unless every prompt has models x seeds motions.

    ``notes``: one line about how the motions were made, shown below the title.
    """
    for prompt in prompts:
        if len(prompt.motions) != len(models) or any(len(m) != len(seeds) for m in prompt.motions):
            raise ValueError(f"{prompt.id}: {len(models)} models x {len(seeds)} seeds are needed")
    return {
        "models": list(models),
        "seeds": list(seeds),
        "notes": notes,
        "body": body_table(),
        "prompts": [
            {
                "id": prompt.id,
                "seconds": prompt.seconds,
                "text": prompt.text,
                "clips": [[encode(drawn_clip(m)) for m in each] for each in prompt.motions],
            }
            for prompt in prompts
        ],
    }


def player_page(
    models: Sequence[str], seeds: Sequence[int], prompts: Sequence[PlayedPrompt], notes: str = ""
) -> str:
    """The page's HTML; arguments as in :func:`page_data`."""
    script = script_source()
    style = _part("page.css")
    fills = {
        "title": html.escape(" and ".join(models) + ": prompts to judge"),
        "policy": _policy(script, style),
        "style": style,
        "script": script,
        "data": _harmless_json(page_data(models, seeds, prompts, notes)),
    }
    # One pass: what is filled in is never searched for slots again.
    return _SLOT.sub(lambda slot: fills[slot[1]], _part("page.html"))


def script_source() -> str:
    """The page's whole script, as it stands in the page."""
    return "\n".join(['"use strict";', *(_part(f"{name}.js") for name in _SCRIPTS)])


def _part(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _policy(script: str, style: str) -> str:
    """A content security policy that allows this script and style and no request at all."""

    def source(text: str) -> str:
        digest = hashlib.sha256(text.encode("utf-8")).digest()
        return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"

    return (
        f"default-src 'none'; script-src {source(script)}; style-src {source(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _harmless_json(data: dict[str, Any]) -> str:
    """JSON in ASCII that cannot end a script element, whatever the texts in it are."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
