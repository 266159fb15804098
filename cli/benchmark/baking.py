"""``benchmark --bake``: how long a motion takes onto a rig's curves in Blender, by rig and way."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ScaleMoGenError
from core.motion import Motion
from core.rotations import make_continuous, rotation_vector_to_quaternion
from core.skeleton import canonical

from .report import Table

if TYPE_CHECKING:
    import bpy

FRAMES = (300, 1500)
#: Rigs by the words that the table has for them.
RIGS = ("mannequin", "Rigify metarig", "generated Rigify rig")
#: Settings of the panel, by what the table calls them.
WAYS: dict[str, dict[str, Any]] = {
    "new action": {"target": "NEW"},
    "overwrite": {"target": "OVERWRITE"},
    "additive layer": {"target": "ADDITIVE"},
    "new action, simplified": {"target": "NEW", "simplify": True},
}
_FPS = 30.0


def measure(repeats: int) -> dict[str, Any]:
    """Milliseconds of the panel's Bake, the best and the median of some times."""
    try:
        import bpy

        import scalemogen_blender
    except ImportError as error:
        raise ScaleMoGenError(
            f"baking needs Blender's Python module, which does not load here ({error}); start the "
            "command with python3 run.py"
        ) from error
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    scalemogen_blender.register()
    rows = []
    for name in RIGS:
        for frames in FRAMES:
            for way, settings in WAYS.items():
                rows.append({"rig": name, "frames": frames, "way": way})
                rows[-1] |= _measured(name, frames, settings, repeats)
    scalemogen_blender.unregister()
    return {
        "machine": f"{platform.system()} {platform.machine()}",
        "cpu_count": os.cpu_count(),
        "blender": bpy.app.version_string,
        "load_average": load,
        "rows": rows,
    }


def headline(report: dict[str, Any]) -> str:
    """Where this was measured, and whether the machine was idle."""
    load = report["load_average"]
    busy = "" if load is None else f"; load average before: {load:.1f}"
    return (
        f"{report['machine']}, {report['cpu_count']} processors; Blender {report['blender']}{busy}"
    )


def table(report: dict[str, Any]) -> Table:
    """The numbers, ready to print."""
    header = ("rig", "bones", "keyed", "frames", "way", "keys", "best ms", "median ms")
    lines = [
        (
            row["rig"],
            str(row["bones"]),
            str(row["keyed"]),
            str(row["frames"]),
            row["way"],
            f"{row['keys']:,}",
            f"{row['best_ms']:.0f}",
            f"{row['median_ms']:.0f}",
        )
        for row in report["rows"]
    ]
    note = (
        "milliseconds from the press of Bake to its report, with retargeting; keyed: "
        "bones with keys"
    )
    return Table("Baking", note, header, lines)


def _measured(name: str, frames: int, settings: dict[str, Any], repeats: int) -> dict[str, Any]:
    import bpy

    from scalemogen_blender import results
    from scalemogen_blender.client.messages import Finished

    bpy.ops.wm.read_factory_settings(use_empty=True)
    rig = _rig(name)
    scene = bpy.context.scene
    scene.render.fps = round(_FPS)
    motion = _motion(frames)
    results.land(scene, rig, Finished(1, (motion,), (1,), {"prompt": "benchmark"}), 1, False)
    output = scene.scalemogen.output
    output.target = "NEW"
    bpy.ops.scalemogen.bake()  # what the other ways change
    for key, value in settings.items():
        setattr(output, key, value)
    times = list(_times(repeats))
    curves = _curves(rig)
    return {
        "bones": len(rig.pose.bones),
        "keyed": len({c.data_path.rpartition(".")[0] for c in curves if "[" in c.data_path}),
        "keys": sum(len(c.keyframe_points) for c in curves),
        "best_ms": 1000.0 * min(times),
        "median_ms": 1000.0 * statistics.median(times),
    }


def _times(repeats: int) -> Iterator[float]:
    """Seconds of each pass."""
    import bpy

    for _ in range(repeats):
        began = time.perf_counter()
        bpy.ops.scalemogen.bake()
        yield time.perf_counter() - began


def _curves(rig: bpy.types.Object) -> list[bpy.types.FCurve]:
    from scalemogen_blender import compat

    animation = rig.animation_data
    if animation.action is not None:
        return compat.active_curves(rig)
    strip = animation.nla_tracks[-1].strips[0]
    return compat.action_curves(strip.action, compat.slot_handle(strip))


def _rig(name: str) -> bpy.types.Object:
    import bpy

    makers: dict[str, Callable[[], bpy.types.Object]] = {
        "mannequin": _mannequin,
        "Rigify metarig": _metarig,
        "generated Rigify rig": _generated,
    }
    rig = makers[name]()
    bpy.context.view_layer.objects.active = rig
    bpy.context.view_layer.update()
    return rig


def _mannequin() -> bpy.types.Object:
    from scalemogen_blender import mannequin

    return mannequin.build()


def _metarig() -> bpy.types.Object:
    from scalemogen_blender import rigify_rig

    return rigify_rig.build()


def _generated() -> bpy.types.Object:
    import bpy

    metarig = _metarig()
    before = set(bpy.data.objects)
    bpy.ops.pose.rigify_generate()
    made = [o for o in bpy.data.objects if o not in before and o.type == "ARMATURE"]
    metarig.hide_viewport = True
    return made[0]


def _motion(frames: int) -> Motion:
    """Every joint turns smoothly, in a rhythm of its own; the pelvis sways over the floor."""
    skeleton = canonical()
    time_ = np.arange(frames)[:, None, None] / _FPS
    rhythm = 1.5 + np.linspace(0.0, 2.0, 3 * skeleton.joint_count).reshape(-1, 3)
    angles = 0.3 * np.sin(time_ * rhythm)
    root = 0.1 * np.sin(time_[:, 0] * np.array([1.0, 2.0, 0.7])) + np.array([0.0, 0.95, 0.0])
    rotations = make_continuous(rotation_vector_to_quaternion(angles))
    return Motion(skeleton, rotations, root, _FPS)
