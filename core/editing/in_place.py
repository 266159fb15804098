"""The way is taken out of a range of a motion, without any model; numpy only."""

from dataclasses import replace

import numpy as np

from ..errors import ScaleMoGenError
from ..motion import Motion
from ..retarget.pose import JointPose
from ..retarget.root_motion import way_of
from .edit import DEFAULT_BLEND, Edit, Edited, Later, Offset, Report


def in_place(
    motion: Motion,
    first: int,
    last: int,
    *,
    later: Later = "OFFSET",
    blend: int = DEFAULT_BLEND,
) -> Edited:
    """The motion without its way over the floor in a range; sway, height and heading stay.

    What comes after goes on from there (OFFSET), or stays where it is in the world (PATH), where
    the body is then at once.  At borders that have a neighbour the way comes to rest, and sets out
    again, over ``blend`` frames.  All but the root's place is the motion's own, to the bit.
    ScaleMoGenError for a range beyond the motion.
    """
    edit = Edit(("pelvis",), first, last, blend=blend, later=later)
    count = motion.frame_count
    if last >= count:
        raise ScaleMoGenError(
            f"Frames {first} to {last} are not all there: the motion ends at frame {count - 1}."
        )
    pose = JointPose(motion.rotations, motion.root_positions, motion.fps)
    places = way_of(pose).places
    steps = np.diff(places, axis=0, prepend=places[:1])
    gone = np.cumsum(_rate(count, edit)[:, None] * steps, axis=0)
    root = motion.root_positions.copy()
    part = slice(first, last + 1)
    root[part] -= gone[part]
    offset = Offset()
    if later == "OFFSET" and last < count - 1:
        offset = Offset(0.0, -gone[last])
        root[last + 1 :] += offset.shift
    report = Report(edit, (first, last), (first, last))
    return Edited(replace(motion, root_positions=root), report, offset)


def _rate(count: int, edit: Edit) -> np.ndarray:
    """How much [T] of the step into each frame is taken away."""
    frames = np.arange(count)
    rate = ((frames >= max(edit.first, 1)) & (frames <= edit.last)).astype(float)
    blend = min(edit.blend, edit.frame_count // 2)
    if edit.first > 0:
        rate *= _eased((frames - edit.first + 0.5) / max(blend, 0.5))
    if edit.last < count - 1 and edit.later == "OFFSET":
        rate *= _eased((edit.last - frames + 0.5) / max(blend, 0.5))
    return rate


def _eased(share: np.ndarray) -> np.ndarray:
    clipped = np.clip(share, 0.0, 1.0)
    eased: np.ndarray = clipped * clipped * (3.0 - 2.0 * clipped)
    return eased
