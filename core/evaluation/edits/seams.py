"""Long sequences of motion blocks, and loops: how smooth they are where one meets the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...editing.blocks import Block
from ...editing.edit import Edit, joints_of
from ...editor import Editor
from ...motion import Motion
from ...skeleton import BODY_PARTS
from .smoothness import loop_jumps, seam_jumps

#: About 30 s each.
SEQUENCES: tuple[tuple[Block, ...], ...] = (
    (
        Block("a person walks forward", 5.0),
        Block("a person waves with the right hand", 4.0),
        Block("a person walks forward", 5.0),
        Block("a person jumps forward", 3.0),
        Block("a person jogs forward", 5.0),
        Block("a person stands still", 4.0),
        Block("a person sits down", 4.0),
    ),
    (
        Block("a person stands still", 4.0),
        Block("a person kicks forward with the left foot", 3.0),
        Block("a person walks forward and turns around to the left", 6.0),
        Block("a person crouches and walks forward", 5.0),
        Block("a person walks forward", 5.0),
        Block("a person bows", 4.0),
        Block("a person raises the left hand", 3.0),
    ),
    (
        Block("a person jogs forward", 6.0),
        Block("a person walks forward", 5.0),
        Block("a person does a squat", 4.0),
        Block("a person walks in a circle to the left", 7.0),
        Block("a person picks something up from the floor", 4.0),
        Block("a person runs forward", 4.0),
    ),
)
#: Seconds at the end of a motion that are made anew for a loop.
LOOP_SECONDS = 1.5


@dataclass(frozen=True)
class Seam:
    """Velocity jumps in m/s: at the seam, and the 99th percentile of the motion elsewhere.

    before: the same seam without the edit, for loops.
    """

    name: str
    jump: float
    own: float
    before: float = float("nan")


def sequence_seams(editor: Editor, seeds: Sequence[int]) -> tuple[list[Seam], list[Motion]]:
    """A seam for every border between blocks of every sequence, and the motions."""
    seams, motions = [], []
    for number, blocks in enumerate(SEQUENCES, start=1):
        made = editor.sequence(blocks, seeds)
        for motion, starts in zip(made.motions, made.starts, strict=True):
            motions.append(motion)
            for block, start in zip(blocks[1:], starts[1:], strict=True):
                near, own = seam_jumps(motion, [start])
                usual = float(np.percentile(own, 99))
                seams.append(Seam(f"{number}: {block.prompt}", float(near.max()), usual))
    return seams, motions


def loop_seams(editor: Editor, motions: Mapping[str, Motion], seeds: Sequence[int]) -> list[Seam]:
    """A seam for every motion made a loop: its last second and a half, the whole body."""
    seams = []
    for name, motion in motions.items():
        last = motion.frame_count - 1
        first = last + 1 - round(LOOP_SECONDS * motion.fps)
        edit = Edit(joints_of(BODY_PARTS), first, last, loop=True)
        before = loop_jumps(motion)[0]
        for edited in editor.edit(motion, edit, seeds).edited:
            jump, own = loop_jumps(edited.motion)
            seams.append(Seam(name, jump, float(np.percentile(own, 99)), before))
    return seams
