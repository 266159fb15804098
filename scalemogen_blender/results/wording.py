"""Prompts in little space; no bpy."""

import re

#: What nearly every prompt begins with, and what tells it from no other.
_SUBJECT = re.compile(
    r"^(?:a|an|the|one)\s+(?:person|man|woman|human|character|figure)\s+(?:is\s+)?", re.IGNORECASE
)


def without_subject(prompt: str) -> str:
    """``a person walks forward`` as ``walks forward``: what is done comes first in narrow lists."""
    words = " ".join(prompt.split())
    return _SUBJECT.sub("", words) or words
