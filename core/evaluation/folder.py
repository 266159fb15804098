"""Motions of other systems: a folder of BVH files with their prompts, for a row of the table."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..bvh import motion_from_bvh, read_bvh
from ..errors import ScaleMoGenError
from ..features.heading import facing_forward
from ..import_motion import canonical_motion, on_floor
from ..motion import Motion
from ..motion_folder import find_captions
from ..skeleton import canonical
from .physics import bone_change

#: Fewer frames say nothing.
_FEWEST_FRAMES = 8


@dataclass
class FolderMotions:
    """Motions on the canonical skeleton, their captions, and how their own bones change (%).

    left_out: (file, why) of those that cannot be used.
    """

    motions: list[Motion] = field(default_factory=list)
    captions: list[tuple[str, ...]] = field(default_factory=list)
    bones: list[float] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def read_folder(
    folder: Path, progress: Callable[[int], object] = lambda count: None
) -> FolderMotions:
    """Every BVH file of a folder with the prompts beside it (see core.motion_folder).

    Files with the canonical joints (``batch --bvh``) are taken as they are.  Others are
    retargeted, scaled by leg length and put on the floor, because their own floor is unknown:
    their floor penetration says little.  Bone lengths are measured in the file itself.
    Raises ScaleMoGenError when there are no files, no prompts, or nothing can be used.
    """
    if not folder.is_dir():
        raise ScaleMoGenError(f"there is no folder {folder}; name one with BVH files and prompts")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".bvh")
    if not files:
        raise ScaleMoGenError(f"there are no .bvh files in {folder}; name a folder that has some")
    captions = find_captions(folder, files)
    result = FolderMotions()
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            clip = read_bvh(path)
            own = motion_from_bvh(clip)
            motion = own or canonical_motion(clip, path.name)
        except ScaleMoGenError as error:
            result.left_out.append((name, str(error)))
            continue
        motion = motion.resampled(canonical().fps)
        if motion.frame_count < _FEWEST_FRAMES:
            result.left_out.append((name, "it is shorter than a third of a second"))
            continue
        if own is None:
            motion = on_floor(motion)
        result.motions.append(facing_forward(replace(motion, contacts=None)))
        result.captions.append(tuple(captions[path]))
        result.bones.append(bone_change(clip.globals()[1], clip.parents))
        progress(1)
    if not result.motions:
        name, reason = result.left_out[0]
        raise ScaleMoGenError(f"no motion in {folder} can be used; the first, {name}: {reason}")
    return result
