"""From a worker's messages to events, with every field checked: what is wrong raises."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .._core import errors, protocol
from .messages import (
    Device,
    EditRequest,
    Failed,
    Finished,
    Progress,
    Request,
    SequenceRequest,
    WorkerInfo,
)

if TYPE_CHECKING:
    from .._core import editing, motion

_LONGEST_MESSAGE = 500
_LONGEST_DETAILS = 20_000

Value = TypeVar("Value")


def worker_info(fields: Mapping[str, Any]) -> WorkerInfo:
    """What ``ready`` says; ProtocolError when that is not what it should be."""
    devices = _field(fields, "devices", list)
    if not all(isinstance(device, dict) for device in devices):
        raise protocol.ProtocolError("a device is no table")
    return WorkerInfo(
        engine_version=_field(fields, "engine_version", str),
        python_version=_field(fields, "python_version", str),
        torch_version=_field(fields, "torch_version", str),
        device=_field(fields, "device", str),
        devices=tuple(_device(device) for device in devices[:64]),
        model=_field(fields, "model", str),
        min_seconds=_number(fields, "min_seconds"),
        max_seconds=_number(fields, "max_seconds"),
    )


def _device(fields: Mapping[str, Any]) -> Device:
    memory = fields.get("memory_mb")
    return Device(
        _field(fields, "id", str),
        _field(fields, "name", str),
        None if memory is None else _field(fields, "memory_mb", int),
    )


def progress(request: int, message: protocol.Message) -> Progress:
    """What ``progress`` says; ProtocolError also for a preview that is no motion."""
    done, of = _field(message.fields, "done", int), _field(message.fields, "of", int)
    if not 0 <= done <= of:
        raise protocol.ProtocolError(f"{done} of {of} scales cannot be done")
    motions = protocol.unpack_motions(message)
    return Progress(request, done, of, motions[0] if motions else None)


def finished(number: int, message: protocol.Message, wish: Request) -> Finished:
    """What ``finished`` says; ProtocolError unless it is what was wished for."""
    fields = message.fields
    motions = protocol.unpack_motions(message)
    seeds = tuple(_field(fields, "seeds", list))
    if seeds != tuple(wish.seeds) or len(motions) != len(seeds):
        raise protocol.ProtocolError("these are not the motions that were asked for")
    settings = dict(_field(fields, "settings", dict))
    try:
        json.dumps(settings, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, which Blender can neither show nor keep
        raise protocol.ProtocolError("its settings are no text") from None
    edited: tuple[editing.Edited, ...] = ()
    if isinstance(wish, EditRequest):
        edited = _edited(_field(fields, "edited", list), motions, wish)
    elif isinstance(wish, SequenceRequest):
        _check_blocks(settings, motions, wish)
    return Finished(number, motions, seeds, settings, dict(_field(fields, "timings", dict)), edited)


def _edited(
    table: list[object], motions: Sequence[motion.Motion], wish: EditRequest
) -> tuple[editing.Edited, ...]:
    """What an edit has made; it is the edit of the wish, and as long as that makes it."""
    from .._core import editing

    if len(table) != len(motions):
        raise protocol.ProtocolError("not every motion tells how it was edited")
    try:
        edited = tuple(
            editing.wire.edited_of(entry, made) for entry, made in zip(table, motions, strict=True)
        )
    except errors.ScaleMoGenError as error:
        raise protocol.ProtocolError(str(error)) from None
    frames = max(wish.source.frame_count, wish.edit.last + 1)
    for entry in edited:
        if entry.report.edit != wish.edit:
            raise protocol.ProtocolError("this is not the edit that was asked for")
        if entry.motion.frame_count != frames or entry.motion.fps != wish.source.fps:
            raise protocol.ProtocolError("an edited motion has another length than it should")
    return edited


def _check_blocks(
    settings: Mapping[str, Any], motions: Sequence[motion.Motion], wish: SequenceRequest
) -> None:
    """The blocks are those of the wish, and fill all frames of the motions one after the other."""
    blocks = _field(settings, "blocks", list)
    if not all(isinstance(block, dict) for block in blocks):
        raise protocol.ProtocolError("a block is no table")
    if [block.get("prompt") for block in blocks] != [block.prompt for block in wish.blocks]:
        raise protocol.ProtocolError("these are not the blocks that were asked for")
    after = 0
    for block in blocks:
        first, last = _field(block, "first", int), _field(block, "last", int)
        if first != after or last < first:
            raise protocol.ProtocolError("the blocks do not follow each other")
        after = last + 1
    if any(made.frame_count != after for made in motions):
        raise protocol.ProtocolError("the blocks do not fill the motion")


def failed(number: int, fields: Mapping[str, Any]) -> Failed:
    """What ``failed`` says, the message in one line."""
    return Failed(
        number,
        one_line(_field(fields, "message", str)),
        _field(fields, "details", str)[-_LONGEST_DETAILS:],
    )


def cannot_start(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Reason (runtime, setup, version, fault) and message of a worker that cannot start."""
    return _field(fields, "reason", str), one_line(_field(fields, "message", str))


def one_line(text: str) -> str:
    """Any text as one line that fits into a report."""
    return " ".join(text.split())[:_LONGEST_MESSAGE].encode(errors="replace").decode()


def _field(fields: Mapping[str, Any], name: str, kind: type[Value]) -> Value:
    value = fields.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise protocol.ProtocolError(f"the field {name} is missing or no {kind.__name__}")
    # Half a character can neither be shown nor written down.
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _number(fields: Mapping[str, Any], name: str) -> float:
    value = fields.get(name)
    try:
        return float(value) if type(value) is int else _field(fields, name, float)
    except OverflowError:
        raise protocol.ProtocolError(f"the field {name} is too large") from None
