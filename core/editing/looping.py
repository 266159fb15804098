"""A loop as an ordinary edit in the middle: after the clip comes its beginning again; numpy only.

What follows the range is then the clip's beginning, carried on in place and heading, and what meets
it without a seam meets the beginning without a seam when the clip is played again.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ScaleMoGenError
from ..motion import Motion
from ..rotations import quaternion_rotate, slerp
from .alignment import extended, half_turns, heading, held_until, turned_and_moved, yaw
from .borders import path_through, rotations_through
from .edit import Edit, Edited, Offset

#: A clip that ends this near to where it began (m), and faces as it did (radians), stays in place.
_IN_PLACE, _SAME_HEADING = 0.3, np.radians(45.0)
#: The beginning has at least so many frames before the range: its pose and its speed.
_LEAST = 2
#: The old end is led to the beginning over about this many seconds, for the model to look at.
_LEAD_SECONDS = 0.4
_GROUND = np.array([1.0, 0.0, 1.0])


@dataclass(frozen=True)
class Looped:
    """A clip with its beginning after it, and the edit of it that makes the clip a loop.

    source: the clip up to the range's end, and then its frames before the range again.
    edit: the same frames and joints; what comes after them is there now.
    """

    source: Motion
    edit: Edit
    asked: Edit

    def back(self, edited: Edited) -> Edited:
        """What came of the edit, as a loop: the clip alone."""
        last = self.asked.last
        report = edited.report
        return Edited(
            edited.motion.at_frames(slice(0, last + 1)),
            replace(
                report,
                edit=self.asked,
                frames=(report.frames[0], min(report.frames[1], last)),
                window=(report.window[0], min(report.window[1], last)),
            ),
            Offset(),
        )


def looped_source(source: Motion, edit: Edit) -> Looped:
    """The clip and the ordinary edit for an edit with ``loop``; ``Looped.back`` is the way back.

    A clip that goes somewhere goes on from where it ends, one that stays comes back to its place.
    The range ends the clip, or goes on beyond it.  ScaleMoGenError where it does not.
    """
    if edit.last < source.frame_count - 1:
        raise ScaleMoGenError(
            f"A loop is made at the end of a motion, but frames {edit.last + 1} to "
            f"{source.frame_count - 1} come after the range; let it end at the last frame."
        )
    if not _LEAST <= edit.first <= source.frame_count:
        raise ScaleMoGenError(
            f"A loop needs at least {_LEAST} frames before the range to come back to; it begins at "
            f"frame {edit.first} of {source.frame_count}."
        )
    frames = edit.last + 1
    turn, shift = again(source, frames - source.frame_count)
    beginning = turned_and_moved(source.at_frames(slice(0, edit.first)), turn, shift)
    travels = bool(turn or shift.any())
    clip = _led(source, beginning, frames, edit.first)
    ordinary = replace(edit, loop=False, later="OFFSET" if travels else "PATH")
    return Looped(_joined(clip, beginning), ordinary, edit)


def played_on(motion: Motion) -> Motion:
    """A loop played twice, the second time carried on in place and heading."""
    return _joined(motion, turned_and_moved(motion, *again(motion)))


def again(motion: Motion, gap: int = 0) -> tuple[float, np.ndarray]:
    """Turn about the vertical and shift [3] of a clip that is played again after its end.

    gap: frames in between.  Nothing for a clip that ends where it began.
    """
    ended = motion.frame_count - 1
    facing, root = heading(motion), motion.root_positions
    turn = float(half_turns(facing[ended] - facing[0]))
    away = np.linalg.norm((root[ended] - root[0]) * _GROUND)
    if abs(turn) < _SAME_HEADING and away < _IN_PLACE:
        return 0.0, np.zeros(3)
    beside = max(1, round(motion.fps / 15))
    beside = min(beside, max(ended, 1))
    leaving = (root[ended] - root[max(ended - beside, 0)]) / beside
    setting_out = quaternion_rotate(yaw(turn), (root[min(beside, ended)] - root[0]) / beside)
    place = root[ended] + (gap + 1) * 0.5 * (leaving + setting_out)
    return turn, (place - quaternion_rotate(yaw(turn), root[0])) * _GROUND


def _led(source: Motion, beginning: Motion, frames: int, first: int) -> Motion:
    """The clip in so many frames, its end from the range's first frame on led to the beginning."""
    clip = held_until(source, frames)
    count, gap = source.frame_count, frames - source.frame_count
    if gap:
        share = (np.arange(gap) + 1.0) / (gap + 1.0)
        rotations, root = clip.rotations.copy(), clip.root_positions.copy()
        rotations[count:] = slerp(
            np.broadcast_to(source.rotations[-1], rotations[count:].shape),
            np.broadcast_to(beginning.rotations[0], rotations[count:].shape),
            share[:, None],
        )
        way = beginning.root_positions[0] - source.root_positions[-1]
        root[count:] = source.root_positions[-1] + share[:, None] * way
        return replace(clip, rotations=rotations, root_positions=root)
    new = extended(clip, 0, _LEAST)
    old = _joined(clip, beginning.at_frames(slice(0, _LEAST)))
    lead = min(round(_LEAD_SECONDS * source.fps), frames - first)
    rotations = rotations_through(
        old.rotations, new.rotations, frames - lead, frames - 1, (lead, lead), (False, True)
    )
    root = path_through(
        old.root_positions,
        new.root_positions,
        frames - lead,
        frames - 1,
        (lead, lead),
        (False, True),
    )
    return replace(clip, rotations=rotations[:frames], root_positions=root[:frames])


def _joined(before: Motion, after: Motion) -> Motion:
    contacts = None
    if before.contacts is not None and after.contacts is not None:
        contacts = np.concatenate([before.contacts, after.contacts])
    return replace(
        before,
        rotations=np.concatenate([before.rotations, after.rotations]),
        root_positions=np.concatenate([before.root_positions, after.root_positions]),
        contacts=contacts,
    )
