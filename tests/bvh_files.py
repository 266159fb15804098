"""BVH files as other programs write them: other joints, axes, units, orders, spaces, line ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.motion import Motion
from core.retarget import RestRig, Retargeter, map_bones
from core.rotations import continuous_euler, quaternion_to_matrix
from core.skeleton import canonical
from rig_library import build


@dataclass(frozen=True)
class Style:
    """How a program writes its files.

    scheme, rest_pose: of rig_library.  order: of the angles.  unit: metres of one of the file's.
    all_places: every joint has position channels, as in Bandai's files.
    """

    scheme: str = "mixamo"
    rest_pose: str = "T"
    order: str = "ZXY"
    unit: float = 0.01
    decimals: int = 6
    end: str = "\n"
    space: str = " "
    tail: str = ""
    all_places: bool = False
    bom: bool = False
    last_line_ends: bool = True


STYLES = {
    "mixamo": Style(end="\r\n", tail=" "),
    "cmu": Style("cmu", unit=0.0254 / 0.45, order="ZYX", decimals=4, space="\t"),
    "bandai": Style("bandai", order="ZYX", all_places=True, bom=True, last_line_ends=False),
    "lafan": Style("mixamo_plain", "A", order="ZYX", decimals=5, space="  "),
    "metres": Style("biped", "A", order="XYZ", unit=1.0, decimals=3),
}


def bvh_of(style: Style, motion: Motion, seed: int = 0) -> bytes:
    """A file that shows the motion; fingers and other joints of no canonical one move, too."""
    rig = world_rig(style)
    bone_map = map_bones(rig.bone_names, rig.parents, "file", rig.heads)
    retargeter = Retargeter.build(rig, bone_map, canonical())
    channels = retargeter.transfer(motion, start_at_rig=False)
    rng = np.random.default_rng(seed)
    wobble = 0.2 * rng.normal(size=(1, rig.bone_count, 3))
    wobble = wobble * np.sin(np.arange(motion.frame_count) / 9.0)[:, None, None]
    turns = continuous_euler(quaternion_to_matrix(channels.rotations), style.order)
    angles = wobble  # of those that nothing drives
    angles[:, [rig.index(name) for name in channels.bones]] = turns
    places = np.repeat(_offsets(rig)[None], motion.frame_count, axis=0)
    for bone, shift in channels.locations.items():
        # Only roots travel in most files; those above the hips do not turn here.
        at = rig.index(bone)
        while not style.all_places and rig.parents[at] >= 0:
            at = rig.parents[at]
        places[:, at] += shift
    columns, lines = _hierarchy(rig, style)
    values = np.concatenate(
        [
            (places if kind == "position" else np.degrees(angles))[:, joint, axes]
            for joint, kind, axes in columns
        ],
        axis=1,
    )
    lines += ["MOTION", f"Frames: {motion.frame_count}", f"Frame Time: {1 / motion.fps:.7f}"]
    for row in values:
        words = [f"{value:.{style.decimals}f}" for value in row]
        lines.append(style.space.join(words) + style.tail)
    text = style.end.join(lines) + (style.end if style.last_line_ends else "")
    return ("\ufeff" if style.bom else "").encode() + text.encode()


def world_rig(style: Style) -> RestRig:
    """The style's skeleton at rest in the canonical world, its joints' axes the world's."""
    built = build(style.scheme, style.rest_pose)
    rest = np.tile(np.eye(4), (built.bone_count, 1, 1))
    rest[:, :3, 3] = built.heads / style.unit
    return RestRig(
        name="file",
        bone_names=built.bone_names,
        parents=built.parents,
        rest=rest,
        to_world=np.diag([style.unit] * 3 + [1.0]),
        tails=built.world_tails / style.unit,
        connected=np.zeros(built.bone_count, dtype=bool),
        inherits_rotation=np.ones(built.bone_count, dtype=bool),
        local_location=np.ones(built.bone_count, dtype=bool),
    )


def _offsets(rig: RestRig) -> np.ndarray:
    heads = rig.rest[:, :3, 3]
    above = [heads[parent] if parent >= 0 else np.zeros(3) for parent in rig.parents]
    offsets: np.ndarray = heads - np.array(above)
    return offsets


def _hierarchy(rig: RestRig, style: Style) -> tuple[list[tuple[int, str, list[int]]], list[str]]:
    """(joint, kind, axes) of the columns, and the lines of the file's head."""
    offsets, columns = _offsets(rig), list[tuple[int, str, list[int]]]()
    lines = ["HIERARCHY"]

    def add(joint: int, depth: int) -> None:
        indent = "\t" * depth
        travels = depth == 0 or style.all_places
        kinds = ["Xposition Yposition Zposition"] if travels else []
        kinds.append(" ".join(f"{axis}rotation" for axis in style.order))
        if travels:
            columns.append((joint, "position", [0, 1, 2]))
        columns.append((joint, "rotation", [0, 1, 2]))
        lines.append(f"{indent}{'JOINT' if depth else 'ROOT'} {rig.bone_names[joint]}")
        lines.append(f"{indent}{{")
        lines.append(f"{indent}\tOFFSET {_words(offsets[joint])}")
        lines.append(f"{indent}\tCHANNELS {6 if travels else 3} {' '.join(kinds)}")
        children = rig.children(joint)
        for child in children:
            add(child, depth + 1)
        if not children:
            end = _words(rig.tails[joint] - rig.rest[joint, :3, 3])
            lines.extend([f"{indent}\tEnd Site", f"{indent}\t{{"])
            lines.extend([f"{indent}\t\tOFFSET {end}", f"{indent}\t}}"])
        lines.append(f"{indent}}}")

    roots = [joint for joint, parent in enumerate(rig.parents) if parent < 0]
    assert len(roots) == 1, "a BVH file has one root"
    add(roots[0], 0)
    return columns, lines


def _words(values: Sequence[float] | np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values)
