"""Looking at edits: variations are compared where the timeline stands, loops with their seam."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.results_scripts import EDITING, PRELUDE, asker

pytestmark = pytest.mark.blender


@pytest.fixture
def ask_blender(run_in_blender: Callable[..., str], tmp_path: Path) -> Callable[..., object]:
    return asker(run_in_blender, tmp_path, PRELUDE + EDITING)


def test_what_is_played_of_an_edit_and_where_the_timeline_stands(ask_blender):
    found = ask_blender(
        """
rig, scene = walking_rig(120), bpy.context.scene

def now():
    return [scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end,
            scene.frame_current]

found = {}
scene.frame_set(77)
edit(rig, first=50, last=70)
found["made"] = now()
scene.frame_set(60)
listed().active_index = 1
found["clicked"] = now()
poses = [shown([60])]
listed().active_index = 0
poses.append(shown([60]))
found["differ"] = float(abs(poses[1] - poses[0]).max())
ops.result_play(index=1)
found["played"] = now()
ops.result_stop()
found["stopped"] = now()
ops.results_clear()
edit(rig, joints_of_all, 91, 120, 1, operation="LOOP")
found["loop"] = now()
ops.result_reject()
scene.frame_start = 10
rig.animation_data_clear()
edit(rig, first=20, last=40, count=1)
found["nothing moves it"] = now()
answer(found)
""".replace("joints_of_all", '("root", "left_leg", "right_leg", "spine")')
    )
    assert found["made"] == [True, 20, 100, 20], "a second around the range"
    assert found["clicked"] == [True, 20, 100, 60], "both variations at the same frame"
    assert found["differ"] > 1e-4, "metres"
    assert found["played"] == [True, 20, 100, 20], "from the start, where playing is asked for"
    assert found["stopped"][0] is False and found["stopped"][3] == 77
    assert found["loop"] == [True, 1, 120, 61], "all of it, for the seam; what is new comes soon"
    assert found["nothing moves it"] == [True, 10, 70, 10], "not what is before the scene"
