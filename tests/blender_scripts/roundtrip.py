"""Motion -> rig -> FBX -> fresh import: how far the limbs' directions are off.

    python3 run.py --blender 5.0 python tests/blender_scripts/roundtrip.py [MOTION.bvh ...]

Prints, for rigs in A-pose and in T-pose, the largest angle between a limb of the motion and the
same limb of the re-imported FBX, over all frames. Without files: a walk, random turning of all
joints, and clips of the motion data set where that is at hand (SCALEMOGEN_DATA).
"""

import os
import sys
import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "blender_scripts")]

import bpy
import numpy as np
from make_rigs import STYLES, write_rig_file

from core import bvh, dataset_format
from core.coordinates import vectors_to_canonical
from core.motion import Motion
from core.retarget import map_bones
from core.rotations import normalize
from scalemogen_blender import pipeline
from scalemogen_blender.armature import names_and_parents
from tests.synthetic import heading_free, tumbling, walking

LIMBS = {
    "thigh": ("hip", "knee"),
    "shin": ("knee", "ankle"),
    "clavicle": ("collar", "shoulder"),
    "upper arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
}
#: Clavicles keep how far they point back: that is the build of a rig, not its pose.
BY_BUILD = {("rigify", "clavicle")}
RIGS = ("mannequin", "rigify", *STYLES)


def heads_over_time(rig: bpy.types.Object, frames: int, first: int) -> dict[str, np.ndarray]:
    """Heads [T, 3] of the mapped bones in the canonical world, by slot (spine1 … if three)."""
    bone_map = map_bones(*names_and_parents(rig))
    bones = {slot: chain[0] for slot, chain in bone_map.bones.items()}
    if len(bone_map.bones["spine"]) == 3:
        bones |= {f"spine{i + 1}": bone for i, bone in enumerate(bone_map.bones["spine"])}
    heads: dict[str, list] = {slot: [] for slot in bones}
    for frame in range(first, first + frames):
        bpy.context.scene.frame_set(frame)
        evaluated = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for slot, bone in bones.items():
            head = evaluated.matrix_world @ evaluated.pose.bones[bone].head
            heads[slot].append(np.array(head))
    return {slot: vectors_to_canonical(np.array(points)) for slot, points in heads.items()}


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """Largest angle in degrees between the directions a and b [T, 3]."""
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(a - b, axis=-1),
                                           np.linalg.norm(a + b, axis=-1))).max())  # fmt: skip


def limb_errors(heads: dict[str, np.ndarray], motion: Motion, heading: float) -> dict[str, float]:
    """Largest angle per kind of limb, both sides; also neck, and spine where joints match."""
    positions, skeleton = motion.positions(), motion.skeleton
    pairs = {
        kind: [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right")]
        for kind, (a, b) in LIMBS.items()
    }
    pairs["neck"] = [("neck", "head")]
    if "spine3" in heads:  # with another number of bones the spine has no joint of its own
        pairs["spine"] = [("spine1", "spine2"), ("spine2", "spine3"), ("spine3", "neck")]
    errors = {}
    for kind, of_kind in pairs.items():
        worst = 0.0
        for a, b in of_kind:
            wanted = positions[:, skeleton.index(b)] - positions[:, skeleton.index(a)]
            got = heading_free(heads[b] - heads[a], heading)
            worst = max(worst, angle(normalize(got), normalize(wanted)))
        errors[kind] = worst
    return errors


def import_animated_fbx(path: Path) -> bpy.types.Object:
    """The armature of an FBX file with its animation, in an empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.fbx(filepath=str(path))
    return next(o for o in bpy.data.objects if o.type == "ARMATURE")


def round_trip(rig_name: str, motion: Motion, folder: Path) -> tuple[dict[str, float], ...]:
    """Limb errors right after baking, and after export and re-import."""
    rig_file = rig_name
    heading = 0.0
    if rig_name in STYLES:
        rig_file = str(folder / f"{rig_name}.fbx")
        heading = STYLES[rig_name].recipe.heading
        write_rig_file(Path(rig_file), rig_name)
    rig = pipeline.open_rig(rig_file)
    pipeline.retarget_onto(rig, motion, "clip", {"prompt": "round trip"})
    baked = limb_errors(heads_over_time(rig, motion.frame_count, 1), motion, heading)
    target = folder / "animated.fbx"
    pipeline.export(target)
    again = import_animated_fbx(target)
    first = round(again.animation_data.action.frame_range[0])
    imported = limb_errors(heads_over_time(again, motion.frame_count, first), motion, heading)
    return baked, imported


def motions(arguments: list[str]) -> dict[str, Motion]:
    """Motions to try, by name."""
    if arguments:
        return {Path(name).stem: bvh_motion(name) for name in arguments}
    found = {"walk (synthetic)": walking(30), "all joints random": tumbling(5, 20)}
    data = Path(os.environ.get("SCALEMOGEN_DATA", ROOT.parent / "shared" / "data" / "motion"))
    for source in ("cmu", "quaternius"):
        if (data / f"{source}.npz.xz").is_file():
            found[f"{source} clip"] = liveliest_clip(data / f"{source}.npz.xz")
    return found


def bvh_motion(path: str) -> Motion:
    """The motion of a BVH file with the canonical joints."""
    motion = bvh.motion_from_bvh(bvh.read_bvh(path))
    if motion is None:
        raise SystemExit(f"{path} is not on the canonical skeleton")
    return motion


def liveliest_clip(path: Path, frames: int = 60) -> Motion:
    """Of the first clips of a packed file the one whose rotations vary most, cut short."""
    clips = [clip.motion() for clip in islice(dataset_format.read_pack(path), 80)]
    motion = max(clips, key=lambda m: m.rotations.std(axis=0).sum())
    return replace(
        motion, rotations=motion.rotations[:frames], root_positions=motion.root_positions[:frames]
    )


def main() -> None:
    """Print the table."""
    kinds = [*LIMBS, "neck", "spine"]
    print(f"Blender {bpy.app.version_string}; largest angle in degrees, FBX re-imported")
    print("| rig | motion | " + " | ".join(kinds) + " | baked, worst |")
    print("|" + " --- |" * (len(kinds) + 3))
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for rig_name in RIGS:
            for name, motion in motions(sys.argv[1:]).items():
                baked, imported = round_trip(rig_name, motion, Path(folder))
                cells = " | ".join(
                    f"{imported[kind]:.4f}" if kind in imported else "-" for kind in kinds
                )
                exact = [kind for kind in imported if (rig_name, kind) not in BY_BUILD]
                baked_worst = max(baked[kind] for kind in exact)
                print(f"| {rig_name} | {name} | {cells} | {baked_worst:.4f} |", flush=True)
                worst = max(worst, *(imported[kind] for kind in exact))
    print("Rigify's clavicles point 28 degrees back by build and keep that; not in the worst.")
    print(f"worst: {worst:.4f} degrees")


if __name__ == "__main__":
    code = 1
    try:
        main()
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)
