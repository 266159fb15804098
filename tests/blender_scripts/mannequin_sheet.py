"""A picture of the mannequin to look at: the T-pose from four sides, and frames of a motion.

python3 run.py --blender 5.0 python tests/blender_scripts/mannequin_sheet.py OUT.png [RIG]
"""

import math
import os
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import bpy
from mathutils import Euler

from scalemogen_blender import bake, mannequin, pipeline
from tests.synthetic import walking


def main(target: Path) -> None:
    """Render four turned T-poses above, six frames of a walk below."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for i, turn in enumerate((0.0, 50.0, 90.0, 180.0)):
        rig = mannequin.build()
        rig.location = (1.75 * (i - 1.5), 0.0, 2.2)
        rig.rotation_euler = (0.0, 0.0, math.radians(turn))
    clip = walking(31)
    for i in range(6):
        rig = mannequin.build()
        rig.location = (1.1 * (i - 2.5), 0.0, 0.0)
        rig.rotation_euler = (0.0, 0.0, math.radians(60.0))
        frames = slice(5 * i, 5 * i + 1)
        still = replace(
            clip, rotations=clip.rotations[frames], root_positions=clip.root_positions[frames]
        )
        pipeline.retarget_onto(rig, still, f"still {i}")
    bake.set_scene_time(bpy.context.scene, 1, 30.0)
    render(
        target,
        centre=(0.0, 0.0, 2.05),
        height=4.4,
        size=tuple(int(v) for v in os.environ.get("SHEET", "1280x800").split("x")),
    )


def render(
    target: Path, centre: tuple[float, float, float], height: float, size: tuple[int, int]
) -> None:
    """Workbench from the front, with cavity shading; armatures do not render."""
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.type = "ORTHO"
    camera.data.ortho_scale = height * size[0] / size[1]
    camera.location = (centre[0], centre[1] - 20.0, centre[2])
    camera.rotation_euler = Euler((math.radians(90.0), 0.0, 0.0))
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.display.shading.light = "STUDIO"
    scene.display.shading.color_type = "MATERIAL"
    scene.display.shading.show_cavity = True
    scene.display.shading.show_shadows = True
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.film_transparent = False
    scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.55, 0.57, 0.6)
    scene.render.filepath = str(target.resolve())
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    code = 1
    try:
        main(Path(sys.argv[1]))
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)
