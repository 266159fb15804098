"""Edits and motion blocks as messages: what is sent arrives, and what is wrong is refused."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.editing import Block, Edit, Edited, Offset, Report, wire
from core.errors import ScaleMoGenError
from core.motion import Motion
from core.protocol import Message, ProtocolError, decode, pack_motions, unpack_motions
from core.skeleton import canonical
from scalemogen_blender.client import incoming, outgoing
from scalemogen_blender.client.messages import EditRequest, GenerateRequest, SequenceRequest

JOINTS = canonical().joint_names
LARGE = 2**31 - 1
EDIT = Edit(("left_wrist",) if "left_wrist" in JOINTS else JOINTS[-1:], 3, 9, "he waves")

texts = st.text(max_size=20)
frames = st.integers(0, LARGE)
edits = st.builds(
    lambda first, more, **rest: Edit(first=first, last=min(first + more, LARGE), **rest),
    joints=st.lists(st.sampled_from(JOINTS), min_size=1, unique=True).map(tuple),
    first=frames,
    more=frames,
    prompt=texts,
    keep=st.floats(0, 1),
    blend=st.integers(0, 99),
    later=st.sampled_from(["PATH", "OFFSET"]),
    loop=st.booleans(),
    words_only=st.booleans(),
    source_prompt=texts,
    keep_feet=st.booleans(),
)
pairs = st.tuples(st.integers(-99, LARGE), frames)
reports = st.builds(
    Report,
    edit=edits,
    frames=pairs,
    window=pairs,
    adjusted=st.lists(st.sampled_from(JOINTS), unique=True).map(tuple),
    kept_scales=frames,
    scales=frames,
)


def motion(frame_count: int = 12, fps: float = 24.0, seed: int = 0) -> Motion:
    """Numbers that single precision cannot hold."""
    generator = np.random.default_rng(seed)
    rotations = generator.normal(size=(frame_count, len(JOINTS), 4))
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    return Motion(canonical(), rotations, generator.normal(size=(frame_count, 3)), fps)


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


# What is sent arrives.


@given(edits)
def test_an_edit_is_the_same_after_its_journey(edit: Edit) -> None:
    assert wire.edit_of(as_json(wire.edit_fields(edit))) == edit


@given(reports, st.floats(-4, 4), st.lists(st.floats(-99, 99), min_size=3, max_size=3))
def test_so_is_what_came_of_it(report: Report, turn: float, shift: list[float]) -> None:
    sent = Edited(motion(1), report, Offset(turn, np.array(shift)))
    told = wire.edited_of(as_json(wire.edited_fields(sent)), sent.motion)
    assert told.report == report and told.motion is sent.motion
    assert told.offset.turn == turn and told.offset.shift.tolist() == shift


@given(st.lists(st.builds(Block, texts, st.none() | st.floats(0.5, 99)), max_size=5))
def test_so_are_blocks(blocks: list[Block]) -> None:
    assert wire.blocks_of(as_json(wire.blocks_fields(blocks))) == tuple(blocks)


def test_numbers_of_numpy_are_numbers() -> None:
    edit = Edit(EDIT.joints, np.int64(3), np.int64(9), keep=np.float32(0.3), blend=np.int32(2))
    assert wire.edit_of(as_json(wire.edit_fields(edit))) == edit


def test_the_artists_motion_is_sent_with_all_its_digits() -> None:
    request = EditRequest(replace(motion(), contacts=np.full((12, 4), 0.1)), EDIT, (1,))
    arrived = unpack_motions(decode(outgoing.encode(4, request)))[0]
    for name in ("rotations", "root_positions", "contacts"):
        assert np.array_equal(getattr(arrived, name), getattr(request.source, name))
    assert arrived.fps == 24.0
    in_short = unpack_motions(
        Message("x", {"motions": [{"fps": 24.0}]}, pack_motions([motion()])[1])
    )
    assert not np.array_equal(in_short[0].rotations, request.source.rotations)


def test_every_request_has_its_kind_and_how_to_sample() -> None:
    sampling = {"guidance": 2.0, "temperature": None, "cleanup": False, "preview": True}
    requests = {
        "generate": GenerateRequest("a kick", (1, 2), None, 2.0, None, False),
        "edit": EditRequest(motion(), EDIT, (1, 2), 2.0, None, False),
        "sequence": SequenceRequest((Block("a", 2.0), Block("b")), (1, 2), 2.0, None, False),
    }
    for kind, request in requests.items():
        told = decode(outgoing.encode(7, request))
        assert told.kind == kind
        assert told.fields.items() >= ({"request": 7, "seeds": [1, 2]} | sampling).items()
    assert requests["sequence"].prompt == "a, then b" and requests["edit"].prompt == "he waves"


def test_what_cannot_be_sent_is_told() -> None:
    with pytest.raises(ProtocolError):
        outgoing.encode(1, SequenceRequest((Block("a", float("nan")),), (1,)))


# What is wrong is refused.


def spoilt(fields: Any) -> list[Any]:
    """Everything that is nearly right: each member missing, of other types, and one too many."""
    others = [None, True, -1, 1.5, 10**30, "x", [1], ["x"], {}, [[]], 1e300, "\udcff"]
    made: list[Any] = [None, 5, "x", [], [fields], {}, fields | {"more": 1}]
    for name, value in fields.items():
        made.append({key: kept for key, kept in fields.items() if key != name})
        made += [fields | {name: other} for other in others if type(other) is not type(value)]
    return made


def refused(read: Any, value: Any) -> bool:
    try:
        read(value)
    except (ProtocolError, ScaleMoGenError):
        return True
    return False


def test_hostile_edits_and_reports_are_refused() -> None:
    fields = as_json(wire.edit_fields(EDIT))
    allowed = [fields | {"keep": value} for value in (0, 1)]
    for value in spoilt(fields):
        assert refused(wire.edit_of, value), value
    assert not any(refused(wire.edit_of, value) for value in allowed)
    assert refused(wire.edit_of, fields | {"first": 12}), "the last frame before the first"
    assert refused(wire.edit_of, fields | {"joints": ["tail"]})
    report = Report(EDIT, (0, 9), (0, 11), ("left_knee",), 2, 7)
    for value in spoilt(as_json(wire.report_fields(report))):
        assert refused(wire.report_of, value), value
    edited = wire.edited_fields(Edited(motion(), report))
    for value in spoilt(as_json(edited)):
        assert refused(lambda told: wire.edited_of(told, motion()), value), value
    for offset in spoilt({"turn": 0.5, "shift": [0.0, 1.0, 2.0]}):
        if not isinstance(offset, dict) or type(offset.get("turn")) is not int:
            assert refused(wire.offset_of, offset), offset
    assert refused(wire.offset_of, {"turn": 0.0, "shift": [0.0, 1.0, "2"]})
    for blocks in ([None], [{"prompt": "a"}], [{"prompt": 1, "seconds": 1.0}], {}, "a"):
        assert refused(wire.blocks_of, blocks), blocks


def answer(request: EditRequest, **changes: Any) -> Message:
    """What a worker says when the edit is done."""
    made = [request.source.at_frames(np.arange(12)) for _ in request.seeds]
    report = Report(changes.pop("edit", request.edit), (0, 9), (0, 11))
    table, arrays = pack_motions(changes.pop("made", made), exact=True)
    told = wire.edited_fields(Edited(request.source, report))
    fields = {
        "seeds": list(request.seeds),
        "settings": {"prompt": request.prompt},
        "timings": {},
        "motions": table,
        "edited": [told] * len(request.seeds),
    }
    return Message("finished", as_json(fields | changes), arrays)


def test_an_edit_is_believed_only_if_it_is_the_one_that_was_asked_for() -> None:
    request = EditRequest(motion(), EDIT, (5, 6))
    finished = incoming.finished(1, answer(request), request)
    assert [edited.motion for edited in finished.edited] == list(finished.motions)
    assert np.array_equal(finished.motions[1].rotations, request.source.rotations)
    other = replace(EDIT, last=11)
    for wrong in (
        {"edit": other},
        {"made": [motion(11)] * 2},
        {"made": [motion(fps=30.0)] * 2},
        {"edited": []},
        {"edited": None},
        {"edited": [5, 6]},
    ):
        with pytest.raises(ProtocolError):
            incoming.finished(1, answer(request, **wrong), request)
    longer = replace(request, edit=replace(EDIT, last=15))
    with pytest.raises(ProtocolError, match="another length"):
        incoming.finished(1, answer(longer), longer)


def test_blocks_must_fill_the_motion_in_their_order() -> None:
    request = SequenceRequest((Block("a"), Block("b", 1.0)), (5,))
    table, arrays = pack_motions([motion(12)])
    blocks = [{"prompt": "a", "first": 0, "last": 4}, {"prompt": "b", "first": 5, "last": 11}]

    def told(blocks: Any) -> Message:
        fields = {"seeds": [5], "settings": {"blocks": blocks}, "timings": {}, "motions": table}
        return Message("finished", fields, arrays)

    assert incoming.finished(1, told(blocks), request).settings["blocks"] == blocks
    first, second = blocks
    for wrong in (
        None,
        [],
        [first],
        [second, first],
        [first, 5],
        [first, second | {"prompt": "c"}],
        [first, second | {"first": 4}],
        [first, second | {"first": 6}],
        [first, second | {"last": 12}],
        [first | {"last": -1}, second | {"first": 0}],
        [first | {"last": "4"}, second],
        [first | {"first": False}, second],
    ):
        with pytest.raises(ProtocolError):
            incoming.finished(1, told(wrong), request)
