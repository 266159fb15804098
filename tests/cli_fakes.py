"""A model and a Blender that the command line can drive without having either."""

import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ScaleMoGenError
from core.motion import Motion
from core.retarget import map_bones
from core.skeleton import canonical


@dataclass
class Generation:
    motions: list[Motion]
    timings: dict[str, Any]


@dataclass
class FakeEngine:
    """Makes motions whose height is the seed in millimetres; remembers what it was asked."""

    name: str = "fake"
    device: str = "cpu"
    max_seconds: float = 10.0
    fps: float = 30.0
    loads: list[tuple[Any, ...]] = field(default_factory=list)
    requests: list[tuple[str, float, list[int], dict[str, Any]]] = field(default_factory=list)

    def load(self, *arguments: Any) -> "FakeEngine":
        self.loads.append(arguments)
        return self

    def natural_seconds(self, prompt: str) -> float:
        return 2.5

    def check_seconds(self, seconds: float) -> None:
        if not 0.5 <= seconds <= self.max_seconds:
            raise ScaleMoGenError(f"{seconds:g} seconds cannot be made; use 0.5 to 10 seconds")

    def generate(
        self,
        prompt: str,
        seconds: float,
        seeds: Sequence[int],
        *,
        on_scale: Callable[[int, int], None] | None = None,
        **options: Any,
    ) -> Generation:
        self.requests.append((prompt, seconds, list(seeds), options))
        for scale in range(3):
            if on_scale is not None:
                on_scale(scale + 1, 3)
        frames = round(seconds * self.fps)
        motions = []
        for seed in seeds:
            root = np.zeros((frames, 3))
            root[:, 1] = 0.9 + seed / 1000
            rotations = np.tile([1.0, 0, 0, 0], (frames, 22, 1))
            motions.append(Motion(canonical(), rotations, root, self.fps))
        scales_ms = [1.0 * seconds, 2.0 * seconds, 3.0 * seconds]
        timings = {"text_ms": 4.0, "scales_ms": scales_ms, "decode_ms": 5.0, "total_ms": 20.0}
        return Generation(motions, timings)


@dataclass
class FakePipeline:
    """Stands for scalemogen_blender.pipeline: prints like Blender, exports the action's name."""

    rigs: list[str] = field(default_factory=list)
    actions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    settings: list[dict[str, Any]] = field(default_factory=list)
    exported_for: list[str] = field(default_factory=list)
    fail_open: Exception | None = None
    fail_check: Exception | None = None
    fail_export: Exception | None = None

    def open_rig(self, rig: str, reference: str = "rest") -> object:
        print("Blender says something")
        if self.fail_open is not None:
            raise self.fail_open
        self.rigs.append(rig)
        self.settings.append({"reference": reference})
        return object()

    def check_rig(self, armature: object, options: Any, bone_map: Any = None) -> Any:
        if self.fail_check is not None:
            raise self.fail_check
        names = [f"{name}" for name in canonical().joint_names]
        return map_bones(names, canonical().parents)

    def open_motion(self, path: Path, bone_map: Any = None) -> Any:
        frames = np.tile([1.0, 0, 0, 0], (20, 22, 1))
        root = np.tile([0.0, 0.9, 0.0], (20, 1))
        return Motion(canonical(), frames, root, 60.0), self.check_rig(None, None)

    def retarget_onto(
        self,
        armature: object,
        motion: Motion,
        name: str,
        properties: dict[str, Any],
        **settings: Any,
    ) -> None:
        self.actions.append((name, properties))
        self.settings[-1] |= {"motion": motion, **settings}

    def export(self, path: Path, fbx_for: str = "plain") -> None:
        self.exported_for.append(fbx_for)
        if self.fail_export is not None:
            raise self.fail_export
        Path(path).write_text(f"{path.suffix} {self.actions[-1][1].get('seed')}")


def install_engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    engine = FakeEngine()
    module = types.ModuleType("core.engine")
    module.Engine = engine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "core.engine", module)
    return engine


def install_pipeline(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    pipeline = FakePipeline()
    module = types.ModuleType("scalemogen_blender.pipeline")
    for name in ("open_rig", "check_rig", "open_motion", "retarget_onto", "export"):
        setattr(module, name, getattr(pipeline, name))
    package = types.ModuleType("scalemogen_blender")
    package.pipeline = module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "scalemogen_blender", package)
    monkeypatch.setitem(sys.modules, "scalemogen_blender.pipeline", module)
    return pipeline


def refuse_engine(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    engine = install_engine(monkeypatch)

    def load(*_: Any) -> None:
        raise ScaleMoGenError(message)

    monkeypatch.setattr(engine, "load", load)
