"""Edits, their reports and motion blocks as JSON fields, for messages and for what files remember.

Whatever is read is distrusted: a table has exactly the members that it should, all of their types
and finite; else ProtocolError.  What has the right types but makes no sense is refused where the
dataclasses refuse it, with ScaleMoGenError.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from ..motion import Motion
from ..protocol import ProtocolError
from .blocks import Block
from .edit import Edit, Edited, Later, Offset, Report

#: Frame numbers and counts beyond this nobody means; the sums of two still fit anywhere.
_LARGEST = 2**31 - 1
_EDIT = frozenset(Edit.__dataclass_fields__)
_REPORT = frozenset(Report.__dataclass_fields__)
_OFFSET = frozenset(Offset.__dataclass_fields__)


# --- edits ---------------------------------------------------------------------------------------


def edit_fields(edit: Edit) -> dict[str, Any]:
    """An edit as a table that JSON can hold."""
    return {
        "joints": list(edit.joints),
        "first": int(edit.first),
        "last": int(edit.last),
        "prompt": edit.prompt,
        "keep": float(edit.keep),
        "blend": int(edit.blend),
        "later": edit.later,
        "loop": bool(edit.loop),
        "words_only": bool(edit.words_only),
        "source_prompt": edit.source_prompt,
        "keep_feet": bool(edit.keep_feet),
    }


def edit_of(value: object) -> Edit:
    """The edit of such a table; ProtocolError or ScaleMoGenError unless it is one."""
    table = _table(value, "edit", _EDIT)
    return Edit(
        joints=_names(table, "joints"),
        first=_count(table, "first"),
        last=_count(table, "last"),
        prompt=_text(table, "prompt"),
        keep=_number(table, "keep"),
        blend=_count(table, "blend"),
        later=_later(table),
        loop=_flag(table, "loop"),
        words_only=_flag(table, "words_only"),
        source_prompt=_text(table, "source_prompt"),
        keep_feet=_flag(table, "keep_feet"),
    )


# --- what came of them ---------------------------------------------------------------------------


def report_fields(report: Report) -> dict[str, Any]:
    """A report as a table that JSON can hold."""
    return {
        "edit": edit_fields(report.edit),
        "frames": [int(frame) for frame in report.frames],
        "window": [int(frame) for frame in report.window],
        "adjusted": list(report.adjusted),
        "kept_scales": int(report.kept_scales),
        "scales": int(report.scales),
    }


def report_of(value: object) -> Report:
    """The report of such a table; ProtocolError or ScaleMoGenError unless it is one."""
    table = _table(value, "report", _REPORT)
    return Report(
        edit=edit_of(table["edit"]),
        frames=_pair(table, "frames"),
        window=_pair(table, "window"),
        adjusted=_names(table, "adjusted"),
        kept_scales=_count(table, "kept_scales"),
        scales=_count(table, "scales"),
    )


def offset_fields(offset: Offset) -> dict[str, Any]:
    """An offset as a table that JSON can hold."""
    return {"turn": float(offset.turn), "shift": [float(value) for value in offset.shift]}


def offset_of(value: object) -> Offset:
    """The offset of such a table; ProtocolError unless it is one."""
    table = _table(value, "offset", _OFFSET)
    shift = table["shift"]
    if not isinstance(shift, list) or len(shift) != 3:
        raise ProtocolError("an offset's shift is no point")
    return Offset(_number(table, "turn"), np.array([_as_number(x, "shift") for x in shift]))


def edited_fields(edited: Edited) -> dict[str, Any]:
    """All of an edited motion but the motion itself, as a table that JSON can hold."""
    return {"report": report_fields(edited.report), "offset": offset_fields(edited.offset)}


def edited_of(value: object, motion: Motion) -> Edited:
    """The edited motion of such a table; ProtocolError or ScaleMoGenError unless it is one."""
    table = _table(value, "edited motion", frozenset({"report", "offset"}))
    return Edited(motion, report_of(table["report"]), offset_of(table["offset"]))


# --- blocks --------------------------------------------------------------------------------------


def blocks_fields(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Motion blocks as a list that JSON can hold."""
    return [{"prompt": block.prompt, "seconds": block.seconds} for block in blocks]


def blocks_of(value: object) -> tuple[Block, ...]:
    """The blocks of such a list; ProtocolError or ScaleMoGenError unless it is one."""
    if not isinstance(value, list):
        raise ProtocolError("the field blocks is no list")
    return tuple(_block(entry) for entry in value)


def _block(value: object) -> Block:
    table = _table(value, "block", frozenset({"prompt", "seconds"}))
    seconds = None if table["seconds"] is None else _number(table, "seconds")
    return Block(_text(table, "prompt"), seconds)


# --- values --------------------------------------------------------------------------------------


def _table(value: object, what: str, members: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != members:
        raise ProtocolError(f"the {what} has not the members that it should")
    return value


def _names(table: dict[str, Any], name: str) -> tuple[str, ...]:
    value = table[name]
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ProtocolError(f"the field {name} is no list of names")
    return tuple(value)


def _text(table: dict[str, Any], name: str) -> str:
    value = table[name]
    if not isinstance(value, str):
        raise ProtocolError(f"the field {name} is no text")
    return value


def _flag(table: dict[str, Any], name: str) -> bool:
    value = table[name]
    if not isinstance(value, bool):
        raise ProtocolError(f"the field {name} is neither true nor false")
    return value


def _count(table: dict[str, Any], name: str) -> int:
    value = table[name]
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise ProtocolError(f"the field {name} is no whole number from 0 on")
    return value


def _number(table: dict[str, Any], name: str) -> float:
    return _as_number(table[name], name)


def _as_number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST:
        raise ProtocolError(f"the field {name} is no number")
    if not math.isfinite(value):
        raise ProtocolError(f"the field {name} is no number")
    return float(value)


def _pair(table: dict[str, Any], name: str) -> tuple[int, int]:
    value = table[name]
    if not isinstance(value, list) or len(value) != 2:
        raise ProtocolError(f"the field {name} is no range of frames")
    first, last = value
    if not all(type(frame) is int and abs(frame) <= _LARGEST for frame in value):
        raise ProtocolError(f"the field {name} is no range of frames")
    return first, last


def _later(table: dict[str, Any]) -> Later:
    value = table["later"]
    if value not in get_args(Later):
        raise ProtocolError("the field later is neither PATH nor OFFSET")
    return value
