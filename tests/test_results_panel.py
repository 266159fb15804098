"""What artists see of results, and generating them again; with a session that stands in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.results_scripts import PRELUDE, asker

pytestmark = pytest.mark.blender

_PANEL = """
from tests import panel_fakes
from scalemogen_blender.results.panel import (
    SCALEMOGEN_MT_results, SCALEMOGEN_PT_result_details, SCALEMOGEN_PT_results)
from scalemogen_blender.results.ui_list import SCALEMOGEN_UL_results

def panel(cls=SCALEMOGEN_PT_results):
    return panel_fakes.draw(cls, bpy.context)

def row(index):
    results = listed()
    drawn = panel_fakes.draw_item(SCALEMOGEN_UL_results, bpy.context, results,
                                  results.entries[index])
    return [[d.name, d.icon] if d.name else d.text or d.icon for d in drawn]
"""


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[..., object]:
    return asker(run_in_blender, tmp_path, PRELUDE + _PANEL)


def test_the_panel_from_empty_to_accepted(ask_blender):
    found = ask_blender(
        """
found = {}
rig = mannequin()
found["empty"] = panel_fakes.texts(panel())
found["no details"] = panel(SCALEMOGEN_PT_result_details) == []
land(rig=rig)
found["row"], found["other row"] = row(0), row(1)
found["panel"] = [d.name for d in panel() if d.kind in ("operator", "menu", "prop")]
found["details"] = panel_fakes.texts(panel(SCALEMOGEN_PT_result_details))
found["menu"] = panel_fakes.texts(panel(SCALEMOGEN_MT_results))
ops.result_accept()
found["accepted row"] = row(0)
bpy.context.view_layer.objects.active = rig
bpy.ops.object.mode_set(mode="EDIT")
found["edit"] = [d.text for d in panel() if d.kind == "label"]
answer(found)
"""
    )
    assert found["empty"] == ["Generated motions appear here"] and found["no details"]
    assert found["row"] == [
        ["scalemogen.result_stop", "PAUSE"], "walks", "7", "0.8 s", "BLANK1"
    ]  # fmt: skip
    assert found["other row"][0] == ["scalemogen.result_play", "PLAY"]
    assert found["accepted row"][-1] == "CHECKMARK"
    assert {
        "scalemogen.result_accept",
        "scalemogen.result_reject",
        "SCALEMOGEN_MT_results",
        "accept_as",
    } <= set(found["panel"])
    for word in ("Seed", "7", "24 (30 fps)", "Guidance", "3", "Temperature", "open", "cpu"):
        assert word in found["details"]
    assert found["menu"] == [
        "Accept All as NLA Strips", "Regenerate", "New Variation", "Clear Results"
    ]  # fmt: skip
    assert any("Edit Mode" in text for text in found["edit"])


def test_buttons_that_cannot_be_pressed_say_why(ask_blender):
    found = ask_blender(
        """
mannequin()
answer({name: refusal(getattr(ops, name)) for name in ("result_play", "result_stop",
    "result_accept", "result_reject", "results_accept_all", "results_clear")})
"""
    )
    assert "No result is shown" in found.pop("result_stop")
    for message in found.values():
        assert "There are no results yet" in message


def test_an_index_outside_the_list_is_one_clear_line(ask_blender):
    found = ask_blender(
        """
rig = mannequin()
land(rig=rig, play=False)
answer([refusal(getattr(ops, name), index=9)
        for name in ("result_play", "result_accept", "result_reject")])
"""
    )
    for message in found:
        assert "There is no result number 9" in message


def test_the_same_again_and_another_one_like_it(ask_blender):
    """Settings go back to the engine as they were; from a result, and from its action."""
    found = ask_blender(
        """
from scalemogen_blender.generate import order, ops as generate_ops
from scalemogen_blender import session
asked = []

def submit(wanted, scene, rig, first_frame, play, interactive=True):
    asked.append([wanted.prompt, list(wanted.seeds), wanted.seconds, wanted.guidance,
                  wanted.temperature, wanted.cleanup, rig.name, first_frame, play])

order.submit, session.wait = submit, lambda job: None
generate_ops.problem = lambda context: ""
rig = mannequin()
land(rig=rig)
ops.result_regenerate(index=1)
ops.result_regenerate(new_seed=True)
ops.result_accept()
ops.results_clear()
ops.result_regenerate(from_action=True)
rig.animation_data.action = None
message = refusal(ops.result_regenerate)
answer([asked, message])
"""
    )
    asked, message = found
    same, varied, from_action = asked
    common = [0.8, 3.0, 1.0, True, "Mannequin", 10, True]
    assert same == ["a person walks", [8], *common]
    assert varied[0] == "a person walks" and varied[2:] == common and varied[1] != [7]
    assert from_action == ["a person walks", [7], *common]
    assert "There are no results yet" in message
