"""The add-on in Blender's real window: from the zip to an exported file, by mouse and keyboard."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.window.artist import Artist
from tests.window.screen import Screen

pytestmark = [pytest.mark.window, pytest.mark.slow]


def test_from_the_prompt_to_a_motion(artist: Artist, note: Callable[..., None]) -> None:
    screen = artist.screen
    artist.start_stopwatch()
    screen.shot("installed")
    artist.use_python()
    screen.click("scalemogen.add_mannequin")
    screen.wait_for("any(o.type == 'ARMATURE' for o in bpy.data.objects)", 10)
    screen.shot("mannequin")
    pressed = artist.generate("a person walks forward and waves")
    screen.wait_for("times.get('first preview')", 120)
    screen.shot("refining")
    times = artist.wait_for_result()
    screen.shot("result")
    note(times={name: at - pressed for name, at in times.items() if isinstance(at, float)})
    assert times["state"] == "DELIVERED"


def test_install_from_disk(screen: Screen, built_zip: Path) -> None:
    artist = Artist(screen)
    artist.install_from_disk(built_zip)
    screen.shot("installed")
    artist.open_tab()
    screen.find("scalemogen.add_mannequin")
    screen.shot("tab")
