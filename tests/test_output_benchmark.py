"""``benchmark --bake``: what it measures in bpy, and the table that it makes."""

from collections.abc import Callable

import pytest

from cli.benchmark import baking
from cli.benchmark.report import markdown_table, text_table


def test_the_table_tells_rig_frames_way_and_times() -> None:
    row = {"rig": "mannequin", "bones": 22, "keyed": 22, "frames": 300, "way": "overwrite"}
    row |= {"keys": 27300, "best_ms": 61.4, "median_ms": 70.0}
    report = {"machine": "X", "cpu_count": 2, "blender": "5.0.1", "load_average": 1.5}
    report |= {"rows": [row]}
    assert baking.headline(report) == "X, 2 processors; Blender 5.0.1; load average before: 1.5"
    made = baking.table(report)
    assert (
        "| mannequin | 22 | 22 | 300 | overwrite | 27,300 | 61 | 70 |" in markdown_table(made)[-1]
    )
    assert text_table(made).splitlines()[-1].split()[-3:] == ["27,300", "61", "70"]


@pytest.mark.blender
def test_every_way_is_measured_on_every_rig(run_in_blender: Callable[..., str]) -> None:
    run_in_blender(
        """
import contextlib, io
import scalemogen_blender
from cli.benchmark import baking
scalemogen_blender.register()
keys = {}
for rig in baking.RIGS:
    for way, settings in baking.WAYS.items():
        with contextlib.redirect_stdout(io.StringIO()):
            found = baking._measured(rig, 40, settings, 2)
        assert found["best_ms"] <= found["median_ms"] and found["keyed"] >= 20
        keys[rig, way] = found["keys"]
    assert keys[rig, "new action, simplified"] < 0.5 * keys[rig, "new action"]
    assert keys[rig, "overwrite"] >= keys[rig, "new action"]
assert found["bones"] > 700
""",
        timeout=300,
    )
