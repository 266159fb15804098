"""An editor that the command line can drive without a model."""

import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from core.editing import Edit, Edited, Report
from core.motion import Motion
from core.rotations import quaternion_multiply, rotation_vector_to_quaternion
from core.skeleton import canonical

#: Radians about z that the fake editor turns every asked joint away, and more by each seed.
AWAY, BY_SEED = 0.3, 0.01


@dataclass
class EditGeneration:
    edited: list[Edited]
    timings: dict[str, Any]


@dataclass
class SequenceGeneration:
    motions: list[Motion]
    timings: dict[str, Any]
    starts: list[list[int]]


TIMINGS = {"encode_ms": 1.0, "text_ms": 2.0, "scales_ms": [3.0], "decode_ms": 4.0, "total_ms": 10.0}


@dataclass
class FakeEditor:
    """Turns the asked joints inside the range; remembers what it was asked."""

    requests: list[tuple[Motion, Edit, list[int], dict[str, Any]]] = field(default_factory=list)
    blocks: list[tuple[list[tuple[str, float | None]], list[int]]] = field(default_factory=list)
    fail: Exception | None = None

    def __call__(self, engine: object) -> "FakeEditor":
        return self

    def edit(
        self, source: Motion, edit: Edit, seeds: Sequence[int], *, on_scale: Any, **options: Any
    ) -> EditGeneration:
        self.requests.append((source, edit, list(seeds), options))
        if self.fail is not None:
            raise self.fail
        on_scale(1, 1)
        return EditGeneration([turned(source, edit, AWAY + BY_SEED * s) for s in seeds], TIMINGS)

    def sequence(
        self, blocks: Sequence[Any], seeds: Sequence[int], *, on_scale: Any, **_: Any
    ) -> SequenceGeneration:
        self.blocks.append(([(block.prompt, block.seconds) for block in blocks], list(seeds)))
        rotations = np.tile([1.0, 0.0, 0.0, 0.0], (60, 22, 1))
        root = np.linspace([0.0, 0.9, 0.0], [0.0, 0.9, 2.0], 60)
        motion = Motion(canonical(), rotations, root, 30.0)
        starts = [[30 * n for n in range(len(blocks))] for _ in seeds]
        return SequenceGeneration([motion for _ in seeds], TIMINGS, starts)


def turned(source: Motion, edit: Edit, angle: float) -> Edited:
    """The source with the edit's joints turned in its frames, held where it is extended."""
    count = max(source.frame_count, edit.last + 1)
    motion = source.at_frames(np.minimum(np.arange(count), source.frame_count - 1))
    rotations, part = motion.rotations.copy(), slice(edit.first, edit.last + 1)
    away = rotation_vector_to_quaternion(np.array([0.0, 0.0, angle]))
    for joint in map(canonical().index, edit.joints):
        rotations[part, joint] = quaternion_multiply(rotations[part, joint], away)
    report = Report(edit, (edit.first, edit.last), (0, count - 1), kept_scales=0, scales=1)
    return Edited(replace(motion, rotations=rotations), report)


def install_editor(monkeypatch: pytest.MonkeyPatch) -> FakeEditor:
    editor = FakeEditor()
    module = types.ModuleType("core.editor")
    module.Editor = editor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "core.editor", module)
    return editor
