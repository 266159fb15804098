"""Edits by text, judged: every judge knows its action; exactness, borders, seams, the report."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluation_fakes import Encoder
from model_fakes import OURS, random_model
from synthetic import walking

from cli.benchmark import editing as edit_benchmark
from cli.dispatch import main
from core.editing.edit import Edit, Edited, Offset, Report, joints_of
from core.evaluation.edits import running, sources
from core.evaluation.edits.probes import PROBES, Probe
from core.evaluation.edits.report import EditReport
from core.evaluation.edits.running import EDIT, WAYS, Outcome
from core.evaluation.edits.seams import SEQUENCES, Seam
from core.evaluation.edits.smoothness import (
    border_jumps,
    changed_outside,
    distance_inside,
    loop_jumps,
    seam_jumps,
    velocity_jumps,
)
from core.evaluation.edits.view import View
from core.features.heading import yaw_quaternion
from core.motion import Motion
from core.rotations import quaternion_multiply, quaternion_rotate, rotation_vector_to_quaternion
from core.skeleton import canonical

FRAMES = 60
TIME = np.arange(FRAMES) / 30.0
HANGING = 1.4


def pose(turns: dict[str, tuple] | None = None, root: tuple = (0.0, 0.98, 0.0)) -> Motion:
    """Standing with hanging arms but for rotation vectors (numbers or [T]) of some joints."""
    skeleton = canonical()
    angles = np.zeros((FRAMES, skeleton.joint_count, 3))
    angles[:, skeleton.index("left_shoulder"), 2] = -HANGING
    angles[:, skeleton.index("right_shoulder"), 2] = HANGING
    for joint, vector in (turns or {}).items():
        for axis, value in enumerate(vector):
            angles[:, skeleton.index(joint), axis] = value
    path = np.stack([np.broadcast_to(np.asarray(v, dtype=float), FRAMES) for v in root], axis=-1)
    return Motion(skeleton, rotation_vector_to_quaternion(angles), path, 30.0)


def arms(left: tuple, right: tuple, **more: tuple) -> Motion:
    return pose({"left_shoulder": left, "right_shoulder": right, **more})


MIDDLE = np.exp(-(((TIME - 1.0) / 0.4) ** 2))  # comes and goes
REACH = np.radians(90)
CLAP = np.radians(92 + 22 * np.sin(2 * np.pi * 2 * TIME))
LIFT = np.sin(2 * np.pi * TIME)

#: What the judges are named -> a motion that does just that.
DOES = {
    "left hand up": pose({"left_shoulder": (0, 0, 0.8)}),
    "right hand up": pose({"right_shoulder": (0, 0, -0.8)}),
    "hands up": arms((0, 0, 0.9), (0, 0, -0.9)),
    "left wave": pose(
        {
            "left_shoulder": (0, 0, 0),
            "left_elbow": (0, 0, 1.4 + 0.4 * np.sin(2 * np.pi * 2 * TIME)),
        }
    ),
    "right wave": pose(
        {
            "right_shoulder": (0, 0, 0),
            "right_elbow": (0, 0, -1.4 + 0.4 * np.sin(2 * np.pi * 2 * TIME)),
        }
    ),
    "right punch": pose({"right_shoulder": (0, REACH, 0)}),
    "right arm points": pose({"right_shoulder": (0, REACH, 0)}),
    "left hand at the head": pose({"left_shoulder": (0, 0, 0.3), "left_elbow": (0, 0, 2.6)}),
    "right hand at the head": pose({"right_shoulder": (0, 0, -0.3), "right_elbow": (0, 0, -2.6)}),
    "claps": arms((0, -CLAP, 0), (0, CLAP, 0)),
    "hands on hips": arms(
        (0, 0, -0.9), (0, 0, 0.9), left_elbow=(0, 0, -1.6), right_elbow=(0, 0, 1.6)
    ),
    "arms spread": arms((0, 0, 0), (0, 0, 0)),
    "reaches down": pose(root=(0.0, 0.98 - 0.55 * MIDDLE, 0.0)),
    "looks left": pose({"head": (0, 0.8 * MIDDLE, 0)}),
    "nods": pose({"head": (0.3 * np.sin(2 * np.pi * 1.5 * TIME), 0, 0)}),
    "bows": pose({"spine1": (1.1 * MIDDLE, 0, 0)}),
    "kicks": pose({"left_hip": (-1.5 * MIDDLE, 0, 0)}),
    "right knee up": pose({"right_hip": (-1.7 * MIDDLE, 0, 0), "right_knee": (1.7 * MIDDLE, 0, 0)}),
    "squats": pose(root=(0.0, 0.98 - 0.4 * MIDDLE, 0.0)),
    "sits at the end": pose(root=(0.0, np.minimum(0.98, 1.5 - 0.6 * TIME).clip(0.5), 0.0)),
    "crouches": pose(root=(0.0, 0.75, 0.9 * TIME)),
    "lies down": pose(root=(0.0, 0.2, 0.0)),
    "jumps": pose(root=(0.0, 0.98 + 0.4 * MIDDLE, 0.0)),
    "turns around": pose({"pelvis": (0, np.pi * (TIME / 2.0), 0)}),
    "steps left": pose(root=(np.minimum(0.4, TIME * 0.5), 0.98, 0.0)),
    "marches": pose(
        {
            "left_hip": (-1.3 * LIFT.clip(0), 0, 0),
            "right_hip": (-1.3 * (-LIFT).clip(0), 0, 0),
        }
    ),
    "stops": pose(root=(0.0, 0.98, np.minimum(TIME, 1.0) * 2.0)),
    "runs": pose(root=(0.0, 0.98, 3.0 * TIME)),
}


def unedited(probe: Probe) -> Motion:
    return pose() if probe.source == "stand" else walking(FRAMES)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_judge_knows_its_action_and_only_it(probe):
    judge = probe.judge
    assert judge.passes(View(DOES[judge.name])), judge.measure(View(DOES[judge.name]))
    assert not judge.passes(View(unedited(probe))), judge.measure(View(unedited(probe)))


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_judge_cares_neither_for_place_heading_nor_frame_rate(probe):
    turn = yaw_quaternion(np.array(2.2))
    motion = DOES[probe.judge.name]
    rotations = motion.rotations.copy()
    rotations[:, 0] = quaternion_multiply(turn, rotations[:, 0])
    root = quaternion_rotate(turn, motion.root_positions) + np.array([3.0, 0.0, -7.0])
    elsewhere = replace(motion, rotations=rotations, root_positions=root)
    value = probe.judge.measure(View(motion))
    assert probe.judge.measure(View(elsewhere)) == pytest.approx(value, abs=1e-6)
    assert probe.judge.passes(View(motion.resampled(60.0)))


def test_what_happens_outside_the_range_does_not_count():
    early = pose({"left_shoulder": (0, 0, np.where(TIME < 1.0, 0.8, -HANGING))})
    judge = next(p.judge for p in PROBES if p.judge.name == "left hand up")
    assert judge.measure(View(early, 0, 29)) == 1.0
    assert judge.measure(View(early, 30, 59)) == 0.0
    assert judge.best(View(early), 30) == 1.0


def test_there_are_enough_probes_of_every_kind():
    assert len(PROBES) >= 24
    assert len({p.name for p in PROBES}) == len(PROBES)
    kinds = [p.kind for p in PROBES]
    assert min(kinds.count(k) for k in ("single part", "several parts", "whole body")) >= 8
    spans = [p.end - p.start for p in PROBES if p.end is not None and not p.extend]
    assert min(spans) < 0.8 and max(spans) >= 4.0
    assert {p.fps for p in PROBES} >= {24.0, 30.0, 60.0}


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_probe_is_an_edit_within_its_source(probe):
    count = round(probe.of.seconds * probe.fps)
    source = replace(pose().at_frames(np.zeros(count, dtype=int)), fps=probe.fps)
    edit = probe.edit_of(source, 0.4, "words")
    assert (edit.keep, edit.prompt, edit.parts) == (0.4, "words", _ordered(probe.parts))
    assert edit.last == count + round(probe.extend * probe.fps) - 1 or edit.last < count
    assert edit.frame_count >= 0.7 * probe.fps - 1


def _ordered(parts):
    return Edit(joints_of(parts), 0, 1).parts


def made_of(source: Motion, edited: Motion, edit: Edit, offset: Offset | None = None) -> Edited:
    report = Report(edit, (edit.first, edit.last), (0, source.frame_count - 1))
    return Edited(edited, report, offset or Offset())


def test_any_change_outside_is_found():
    source = walking(FRAMES)
    edit = Edit(joints_of(("left_arm",)), 20, 40)
    rotations = source.rotations.copy()
    rotations[20:41, source.skeleton.index("left_elbow")] = [1.0, 0.0, 0.0, 0.0]
    good = replace(source, rotations=rotations)
    assert changed_outside(source, made_of(source, good, edit)) == 0.0
    assert distance_inside(source, made_of(source, good, edit)) > 1.0
    for frame, joint in ((19, "left_elbow"), (30, "right_elbow"), (41, "left_wrist")):
        other = rotations.copy()
        other[frame, source.skeleton.index(joint), 1] += 1e-12
        bad = made_of(source, replace(source, rotations=other), edit)
        assert changed_outside(source, bad) > 0.0
    root = source.root_positions.copy()
    root[30, 0] += 1e-12
    assert changed_outside(source, made_of(source, replace(good, root_positions=root), edit)) > 0.0


def test_a_later_path_may_be_carried_on_but_only_as_it_says():
    source = walking(FRAMES)
    edit = Edit(joints_of(("root",)), 20, 40, later="OFFSET")
    offset = Offset(0.7, np.array([0.5, 0.0, -1.0]))
    turn = yaw_quaternion(np.array(offset.turn))
    rotations, root = source.rotations.copy(), source.root_positions.copy()
    rotations[41:, 0] = quaternion_multiply(turn, rotations[41:, 0])
    root[41:] = quaternion_rotate(turn, root[41:]) + offset.shift
    moved = replace(source, rotations=rotations, root_positions=root)
    assert changed_outside(source, made_of(source, moved, edit, offset)) == 0.0
    assert changed_outside(source, made_of(source, moved, edit)) > 0.1


def test_a_jump_at_a_border_is_measured_there():
    source = pose(root=(0.0, 0.98, TIME))
    edit = Edit(joints_of(("root",)), 20, 40, blend=2)
    root = source.root_positions.copy()
    root[20:41, 0] += 0.1  # from one frame to the next and back
    jumps, own = border_jumps(made_of(source, replace(source, root_positions=root), edit), FRAMES)
    assert jumps.max() == pytest.approx(0.1 * 30.0)
    assert own.max() == pytest.approx(0.0, abs=1e-9)
    assert velocity_jumps(source.positions(), 30.0).max() == pytest.approx(0.0, abs=1e-9)


def test_seams_of_sequences_and_loops():
    walk = walking(60)  # two whole periods
    near, own = seam_jumps(walk, [0, 30])
    assert near.max() < 1.5 * own.max()
    jump, usual = loop_jumps(walk)
    assert jump < 1.5 * usual.max()
    assert loop_jumps(walk.at_frames(slice(0, 45)))[0] > 3 * usual.max()
    assert loop_jumps(walking(61))[0] == pytest.approx(jump, rel=0.2)  # the first frame once more
    assert all(29 <= sum(block.seconds for block in blocks) <= 31 for blocks in SEQUENCES)


def test_the_report_tells_rates_rules_and_probes_that_are_no_good():
    left, jog = PROBES[0], next(p for p in PROBES if p.source == "jog")
    ones, none = np.array([0.9, 0.8]), np.array([0.0, 0.9])

    def outcome(probe, way, values, source=0.0, distance=5.0):
        passed = values >= 0.3
        return Outcome(
            probe, "generated", way, source, values, passed, distance=np.full(2, distance),
            jumps=np.array([0.1, 0.2]), own=np.array([0.1, 0.3]), above=[0.25],
            slid=np.array([2.0, 4.0]), slid_before=1.0,
        )  # fmt: skip

    outcomes = [
        outcome(left, EDIT.name, ones),
        outcome(left, WAYS[1].name, none, distance=1.0),
        outcome(jog, EDIT.name, none, source=4.0),
    ]
    scratch = [(outcome(left, "from scratch", ones), np.array([True, False]))]
    report = EditReport({"model": "m"}, outcomes, scratch, [Seam("a", 0.2, 0.5)], [])
    text = report.text()
    assert "2/2" in text and "1/2" in text and "(passes!)" in text
    assert "5.0" in text and "1.0" in text
    assert report.text(as_markdown=True).count("\n## ") == 6
    told = json.loads(json.dumps(report.as_json()))
    assert told["scratch"][0]["goes_on"] == [True, False]


@pytest.fixture
def tiny_engine(monkeypatch):
    """A small random model that makes and edits clips of six seconds."""
    import torch

    from core.engine import Engine

    config = replace(OURS, tokenizer=replace(OURS.tokenizer, max_latents=30))
    engine = Engine(random_model(config), torch.device("cpu"), Encoder())
    monkeypatch.setattr(Engine, "load", lambda *_, **__: engine)
    return engine


def test_the_command_edits_judges_and_draws(tiny_engine, monkeypatch, tmp_path, capsys):
    from core.evaluation.embedding import Embedder

    class Same:
        def texts(self, sentences):
            return np.ones((len(sentences), 2))

        motions = texts

    monkeypatch.setattr(Embedder, "load", lambda *_: Same())
    monkeypatch.setattr(sources, "captured", lambda folder: {})
    folder = tmp_path / "report"
    words = ["evaluate", "--edits", "--probe", "raise left arm, walking", "--out", str(folder)]
    assert main([*words, "--seeds", "2", "--way-seeds", "1", "--without-seams"]) == 0
    assert "raise left arm, walking" in capsys.readouterr().out
    told = json.loads((folder / "report.json").read_text())
    assert [o["way"] for o in told["outcomes"]] == [way.name for way in WAYS]
    assert len(told["outcomes"][0]["values"]) == 2
    assert (folder / "sheets" / "raise_left_arm_walking_generated.png").stat().st_size > 5000
    assert main([*words[:3], "nothing", *words[4:]]) == 2
    assert "no probe" in capsys.readouterr().err


def test_an_editor_that_leaks_is_caught(tiny_engine):
    from core.editor import Editor
    from core.errors import ScaleMoGenError

    editor = Editor(tiny_engine)
    honest = editor.edit

    def leaks(*arguments, **options):
        made = honest(*arguments, **options)
        rotations = made.edited[0].motion.rotations
        rotations[0, 5, 0] += 1e-9
        return made

    editor.edit = leaks
    motions = {"walk": walking(180)}
    with pytest.raises(ScaleMoGenError, match="outside"):
        running.edit_probes(editor, PROBES[:1], motions, "generated", [EDIT], [1])


def test_the_benchmark_of_edits(tiny_engine, tmp_path):
    request = {
        "task": "edit", "model": "m", "text_encoder": None, "device": "cpu", "threads": 1,
        "repeats": 1, "source": str(tmp_path / "source.npz"),
    }  # fmt: skip
    np.savez(tmp_path / "source.npz", rotations=walking(180).rotations,
             root=walking(180).root_positions)  # fmt: skip
    tiny_engine.load_text_encoder = lambda: None
    row = edit_benchmark.measure({**request, "case": "edit 1 s, left arm"})
    assert row["best_ms"] > 0 and row["scales_ms"] > 0
    base = {**row, "case": "generate 10 s", "best_ms": 2 * row["best_ms"]}
    table = edit_benchmark.table({"rows": [base, row]})
    assert table.rows[1][4] == "0.50"
