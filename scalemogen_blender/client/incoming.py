"""From a worker's messages to events, with every field checked: what is wrong raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from .._core import protocol
from .messages import Device, Failed, Finished, GenerateRequest, Progress, WorkerInfo

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


def finished(number: int, message: protocol.Message, wish: GenerateRequest) -> Finished:
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
    return Finished(number, motions, seeds, settings, dict(_field(fields, "timings", dict)))


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
