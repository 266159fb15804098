"""Editing a BVH file of any humanoid: only edited joints' numbers in edited frames are written.

What the file shows is recovered on the canonical skeleton, edited there, and the difference is put
on the file's own joints: a joint that the edit does not turn keeps its numbers.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .bvh_numbers import BvhText
from .bvh_region import BvhRegion, carrier, region_of
from .bvh_shown import ShownPose, edited_pose
from .bvh_writing import with_pose
from .editing import Edited
from .editing.alignment import turned_and_moved
from .editing.asked import asked
from .errors import ScaleMoGenError
from .files import write_bytes
from .import_motion import mapped, on_floor
from .motion import Motion
from .retarget import BoneMap, Retargeter, corrections, recover_motion
from .skeleton import canonical


@dataclass(frozen=True)
class BvhSeen:
    """Frames from ``first`` on, as the file shows them and on the canonical skeleton."""

    first: int
    pose: ShownPose
    motion: Motion


@dataclass(frozen=True)
class BvhSubject:
    """An opened file; its frames are counted from 0."""

    name: str
    text: BvhText
    retargeter: Retargeter

    @classmethod
    def open(cls, path: Path | str, bone_map: BoneMap | None = None) -> "BvhSubject":
        """Read and measure a file; ``bone_map`` goes before what is recognised.

        ScaleMoGenError for a damaged file, one without frames or without hips and legs.
        """
        name = Path(path).name
        text = BvhText.read(path)
        if not text.frame_count:
            raise ScaleMoGenError(f"{name} has no frames. Export the motion again.")
        rig, found = mapped(text.clip, name)
        if bone_map is not None:
            fit = corrections.fitted(bone_map, rig.bone_names)
            if not fit.bones:
                raise ScaleMoGenError(
                    f"{name} has none of the bone map's bones; name a map that was saved for this "
                    "kind of skeleton."
                )
            found = corrections.merged(found, fit.bones)
            corrections.check(found, rig.bone_names, rig.parents, name)
        return cls(name, text, Retargeter.build(rig, found, canonical()))

    @property
    def first(self) -> int:
        return 0

    @property
    def last(self) -> int:
        return self.text.frame_count - 1

    @property
    def fps(self) -> float:
        return self.text.clip.fps

    def region(self, words: Sequence[str], first: int = 0, last: int = 0) -> BvhRegion:
        """Joints and bones that words stand for; ScaleMoGenError if they stand for none."""
        meant = asked(words, self.text.clip.joint_names, self.name)
        return region_of(meant, self.retargeter, self.text, self.name)

    def read(self, first: int, last: int) -> BvhSeen:
        """Frames ``first`` to ``last``, both included."""
        clip = self.text.clip
        part = slice(first, last + 1)
        pose = ShownPose.of(
            replace(clip, rotations=clip.rotations[part], translations=clip.translations[part])
        )
        hips = pose.hip_middle(self.retargeter) * self.retargeter.rig.scale
        motion = recover_motion(self.retargeter, pose.turns, hips, clip.fps)
        # Rest poses of files often have their hips, not their floor, at height zero.
        return BvhSeen(first, pose, on_floor(motion))

    def edited_text(self, seen: BvhSeen, edited: Edited, region: BvhRegion) -> BvhText:
        """The file's text after an edit of what was read."""
        edit, offset = edited.report.edit, edited.offset
        bones = region.with_joints(edited.report.adjusted)
        moves = "pelvis" in edit.joints
        carried = carrier(self.text, self.retargeter) if moves else None
        frames = np.arange(edited.motion.frame_count)
        shown = seen.pose.at(frames)
        new = edited_pose(
            self.retargeter,
            shown,
            seen.motion.at_frames(np.minimum(frames, seen.motion.frame_count - 1)),
            edited.motion,
            bones,
            _legs({*edit.joints, *edited.report.adjusted}),
            carried,
        )
        part = slice(edit.first, edit.last + 1)
        text = with_pose(self.text, seen.first + edit.first, shown.at(frames[part]), new.at(part))
        begin = seen.first + edit.last + 1
        if carried is None or begin > self.last or not (offset.turn or np.any(offset.shift)):
            return text
        later = self.read(begin, self.last)
        moved = turned_and_moved(later.motion, offset.turn, offset.shift)
        hips = [bone for bone in bones if bone in region.followers["pelvis"]]
        further = edited_pose(self.retargeter, later.pose, later.motion, moved, hips, (), carried)
        return with_pose(text, begin, later.pose, further)

    def write(
        self,
        seen: BvhSeen,
        edited: Edited,
        region: BvhRegion,
        path: Path,
        about: dict[str, Any] | None = None,
    ) -> None:
        """Write the file with an edit, atomically; such files have no room for ``about``."""
        write_bytes(path, self.edited_text(seen, edited, region).to_bytes())


def _legs(joints: Collection[str]) -> tuple[str, ...]:
    """Sides of the legs that change."""
    return tuple(s for s in ("left", "right") if {f"{s}_hip", f"{s}_knee"} <= set(joints))
