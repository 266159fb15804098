"""Edits and sequences in the worker: what is asked, answered and called off, and what fails."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from worker_fakes import LONG
from worker_talk import ENGINE, Talk, save_tiny

from core.editing import Block, Edit, wire
from core.editor import Editor
from core.engine import Engine
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.protocol import Message, ProtocolError, pack_motions, unpack_motions
from core.skeleton import canonical
from core.worker import making
from core.worker.wishes import EditWish, SequenceWish
from scalemogen_blender.client import incoming, outgoing
from scalemogen_blender.client.messages import EditRequest, Request, SequenceRequest

JOINTS = canonical().joint_names
KINDS = ("edit", "sequence")


def source(frames: int = 24) -> Motion:
    """Numbers that single precision cannot hold."""
    generator = np.random.default_rng(3)
    rotations = generator.normal(size=(frames, len(JOINTS), 4))
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    return Motion(canonical(), rotations, generator.normal(size=(frames, 3)), 24.0)


def request(kind: str, prompt: str = "a kick", seeds: tuple[int, ...] = (1,)) -> Request:
    if kind == "edit":
        return EditRequest(source(), Edit(("left_elbow",), 6, 11, prompt), seeds, cleanup=False)
    return SequenceRequest((Block("a walk", 1.0), Block(prompt)), seeds, cleanup=False)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALEMOGEN_CACHE", str(tmp_path / "prompts"))


@pytest.fixture
def talk_to() -> Iterator[Callable[..., Talk]]:
    talks: list[Talk] = []

    def start(*arguments: str, **options: Any) -> Talk:
        talks.append(Talk(*arguments, **options))
        talks[-1].greet()
        return talks[-1]

    yield start
    for made in talks:
        made.process.kill()
        made.end()


@pytest.fixture
def talk(talk_to: Callable[..., Talk]) -> Talk:
    """On an engine that does as it is told."""
    return talk_to("0", source=ENGINE)


def ask(talk: Talk, number: int, wish: Request) -> None:
    message = outgoing.message(number, wish)
    talk.say(message.kind, message.arrays, **message.fields)


def test_edits_and_sequences_are_made_one_after_the_other(talk: Talk) -> None:
    edit, sequence = request("edit", seeds=(1, 2**40)), request("sequence", seeds=(3,))
    ask(talk, 1, edit)
    ask(talk, 2, sequence)
    finished = incoming.finished(1, talk.hear_until("finished", "failed")[-1], edit)
    assert finished.settings["prompt"] == "a kick" and finished.seeds == (1, 2**40)
    assert (finished.settings["guidance"], finished.settings["cleanup"]) == (1.0, False)
    assert wire.edit_of(finished.settings["edit"]) == edit.edit
    assert finished.timings == {"total_ms": 5.0}
    for edited, motion in zip(finished.edited, finished.motions, strict=True):
        assert edited.motion is motion and edited.report.kept_scales == 3
        assert np.array_equal(motion.rotations, edit.source.rotations), "digits were lost"
        expected = edit.source.root_positions.copy()
        expected[6:12, 1] += 0.25
        assert np.array_equal(motion.root_positions, expected)
    finished = incoming.finished(2, talk.hear_until("finished", "failed")[-1], sequence)
    assert finished.settings["blocks"] == [
        {"prompt": "a walk", "first": 0, "last": 29},
        {"prompt": "a kick", "first": 30, "last": 89},
    ]
    assert finished.settings["seconds"] == 3.0
    assert finished.settings["prompt"] == "a walk, then a kick"


@pytest.mark.parametrize("kind", KINDS)
def test_previews_come_and_calling_off_is_heard_everywhere(talk: Talk, kind: str) -> None:
    for number, prompt in enumerate(("long", "decode"), 1):
        wish = request(kind, prompt)
        ask(talk, number, wish)
        first = talk.hear_until("progress")[-1]
        preview = incoming.progress(number, first).preview
        assert preview is not None
        assert preview.frame_count == (24 if kind == "edit" else 90)
        talk.say("cancel", request=number)
        assert talk.hear_until("cancelled")[-1].fields == {"request": number}
    ask(talk, 3, request(kind))
    assert talk.hear_until("finished", "failed")[-1].kind == "finished"


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_wrong_is_explained_and_the_next_one_works(talk: Talk, kind: str) -> None:
    faults = {
        "memory": "not enough memory for this. Ask for fewer variations",
        "torch_memory": "choose the device CPU",
        "bug": "made a mistake (KeyError: 'a mistake of ours')",
        "nan": "computed what is no number. Choose the device CPU",
        "a \udcff kick": "cannot be read. Type it again",
    }
    for number, prompt in enumerate(faults):
        ask(talk, number, request(kind, prompt))
    ask(talk, 99, request(kind))
    *failed, finished = [m for m in talk.hear_until("finished") if m.kind != "progress"]
    assert finished.fields["request"] == 99
    for message, about in zip(failed, faults.values(), strict=True):
        assert message.kind == "failed" and about in message.fields["message"]
    ask(talk, 100, request(kind, "cuda"))
    failed, asleep = talk.hear_until("asleep")
    assert "graphics device stopped working" in failed.fields["message"]
    assert asleep.kind == "asleep" and talk.process.wait(LONG) == 0


def test_what_arrives_is_what_the_editor_makes(
    tmp_path: Path, talk_to: Callable[..., Talk]
) -> None:
    """With a real model, tiny and random, in a real worker."""
    model = save_tiny(tmp_path / "tiny")
    rotations = np.zeros((90, len(JOINTS), 4))
    rotations[..., 0] = 1.0
    roots = np.stack([0 * np.arange(90), 0.95 + 0 * np.arange(90), np.arange(90) / 60], 1)
    still = Motion(canonical(), rotations, roots, 24.0)
    wanted = EditRequest(still, Edit(("left_elbow",), 40, 59, "he waves", blend=2), (4, 5))
    sequence = SequenceRequest((Block("a walk", 1.9), Block("a kick"), Block("a turn", 1.0)), (6,))
    talk = talk_to("--model", str(model), "--device", "cpu", f"--cache-folder={tmp_path / 'c'}")
    ask(talk, 1, wanted)
    ask(talk, 2, sequence)
    first, second = (talk.hear_until("finished", "failed") for _ in range(2))
    assert (first[-1].kind, second[-1].kind) == ("finished", "finished"), (first, second)
    steps = [(message.fields["done"], message.fields["of"]) for message in first[:-1]]
    assert steps == [(1, 3), (2, 3), (3, 3)] and first[0].arrays, "three scales"
    assert {message.fields["of"] for message in second[:-1]} == {len(second) - 1}

    engine = Engine.load(model, "cpu")
    expected = Editor(engine).edit(still, wanted.edit, (4, 5)).edited
    told = incoming.finished(1, first[-1], wanted)
    for made, sent in zip(expected, told.edited, strict=True):
        assert np.array_equal(made.motion.rotations, sent.motion.rotations), "to the last digit"
        assert np.array_equal(made.motion.root_positions, sent.motion.root_positions)
        assert sent.report == made.report and sent.offset.turn == made.offset.turn
    changed = np.any(told.motions[0].rotations != rotations, axis=-1)
    assert np.argwhere(changed)[:, 0].min() >= 40 and np.argwhere(changed)[:, 0].max() <= 59
    assert {JOINTS[joint] for joint in np.argwhere(changed)[:, 1]} == {"left_elbow"}

    expected = Editor(engine).sequence(sequence.blocks, (6,)).motions[0]
    told = incoming.finished(2, second[-1], sequence)
    assert np.array_equal(expected.rotations.astype("f4"), told.motions[0].rotations)
    assert [block["prompt"] for block in told.settings["blocks"]] == ["a walk", "a kick", "a turn"]
    assert told.settings["blocks"][1]["first"] == 57
    natural = engine.natural_seconds("a kick")
    assert told.settings["blocks"][2]["first"] == round((1.9 + natural) * 30)


def test_previews_of_long_motions_do_not_take_the_time_that_making_them_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(making.time, "monotonic", lambda: now)
    sent: list[Message] = []
    wish = SequenceWish(outgoing.message(1, request("sequence")).fields)
    progress = making._Progress(
        Message("sequence", {"request": 1}), wish, sent.append, lambda: None
    )

    def coarse() -> Motion:
        nonlocal now
        now += 0.5
        return source()

    for done in range(100):
        now += 0.1
        progress(done, 100, coarse)
    assert len(sent) == 100 and sent[0].arrays
    previews = sum(bool(message.arrays) for message in sent)
    assert previews >= 3 and previews * 0.5 <= now / 3 + 0.5


# What is asked for.


def edit_message(**changes: Any) -> Message:
    told = outgoing.message(1, request("edit"))
    return Message("edit", {**told.fields, **changes}, told.arrays)


def spoilt_source(change: Callable[[dict[str, np.ndarray]], None]) -> Message:
    told = outgoing.message(1, request("edit"))
    arrays = {name: array.copy() for name, array in told.arrays.items()}
    change(arrays)
    return Message("edit", told.fields, arrays)


def edit_fields(**changes: Any) -> dict[str, Any]:
    return wire.edit_fields(request("edit").edit) | changes


def test_hostile_edits_are_refused_before_anything_is_made() -> None:
    assert EditWish(edit_message()).edit.joints == ("left_elbow",)
    at_the_end = EditWish(edit_message(edit=edit_fields(first=24, last=99)))
    assert at_the_end.edit.frame_count == 76, "an extension"
    table, arrays = pack_motions([source(), source()])
    two = outgoing.message(1, request("edit")).fields | {"motions": table}
    for wrong, about in (
        (edit_message(edit=None), "members"),
        (edit_message(edit=edit_fields(joints=["tail"])), "no joint 'tail'"),
        (edit_message(edit=edit_fields(first=25, last=30)), "24 frames only"),
        (edit_message(edit=edit_fields(last=10**9)), "3600 s at most"),
        (edit_message(edit=edit_fields(source_prompt="\udcff")), "cannot be read"),
        (edit_message(edit=edit_fields(keep=2.0)), "Keep is 2"),
        (edit_message(seeds=[0.5]), "whole number"),
        (edit_message(preview=None), "preview is missing"),
        (edit_message(guidance="2"), "no number"),
        (edit_message(motions=[]), "motion is missing"),
        (Message("edit", two, arrays), "motion is missing"),
        (spoilt_source(lambda a: a.pop("0/rotations")), "missing"),
        (spoilt_source(lambda a: a["0/rotations"].fill(0.0)), "unit quaternions"),
        (spoilt_source(lambda a: a["0/root_positions"].fill(np.inf)), "no number"),
        (spoilt_source(lambda a: a.update({"0/root_positions": np.zeros((3, 3))})), "frames"),
    ):
        with pytest.raises((ScaleMoGenError, ProtocolError), match=about):
            EditWish(wrong)


def test_hostile_sequences_are_refused_before_anything_is_made() -> None:
    fields = dict(outgoing.message(1, request("sequence")).fields)
    block = {"prompt": "a", "seconds": 1.0}
    assert len(SequenceWish(fields).blocks) == 2
    assert SequenceWish(fields | {"blocks": [block] * 900}).blocks[-1].seconds == 1.0
    for blocks, about in (
        (None, "no list"),
        ([], "0 motion blocks"),
        ([block] * 1001, "1001 motion blocks"),
        ([block | {"seconds": 1801.0}] * 2, "3602 s cannot"),
        ([block | {"seconds": "1"}], "no number"),
        ([block | {"prompt": "\udcff"}], "cannot be read"),
        ([block | {"prompt": "a" * 60_000}] * 2, "too long together"),
        ([block | {"prompt": 5}], "no text"),
    ):
        with pytest.raises((ScaleMoGenError, ProtocolError), match=about):
            SequenceWish(fields | {"blocks": blocks})


def test_an_answer_has_the_motion_only_once(talk: Talk) -> None:
    wish = request("edit")
    ask(talk, 1, wish)
    told = talk.hear_until("finished", "failed")[-1]
    assert set(told.arrays) == {"0/rotations", "0/root_positions"}
    assert len(unpack_motions(told)) == len(told.fields["edited"]) == 1
