"""Prompts in narrow lists."""

import pytest

from scalemogen_blender.results.wording import without_subject


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("a person walks forward", "walks forward"),
        ("The man is  running", "running"),
        ("A Character jumps", "jumps"),
        ("someone waves", "someone waves"),
        ("a personal dance", "a personal dance"),
        ("a person", "a person"),
        ("", ""),
    ],
)
def test_what_is_done_comes_first(prompt: str, shown: str) -> None:
    assert without_subject(prompt) == shown
