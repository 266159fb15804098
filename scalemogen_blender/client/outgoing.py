"""From requests to messages for the worker."""

from __future__ import annotations

from typing import Any

from .._core import protocol
from .messages import EditRequest, Request, SequenceRequest


def encode(number: int, request: Request) -> bytes:
    """A request as bytes; ProtocolError when it holds what cannot be sent."""
    return protocol.encode(message(number, request))


def message(number: int, request: Request) -> protocol.Message:
    """The message that asks for it; ProtocolError when it holds what cannot be sent."""
    fields: dict[str, Any] = {
        "request": number,
        "seeds": list(request.seeds),
        "guidance": request.guidance,
        "temperature": request.temperature,
        "cleanup": request.cleanup,
        "preview": request.preview,
    }
    if isinstance(request, EditRequest):
        from .._core import editing

        # What the artist has animated comes back as it was, to the last digit.
        table, arrays = protocol.pack_motions([request.source], exact=True)
        fields |= {"edit": editing.wire.edit_fields(request.edit), "motions": table}
        return protocol.Message("edit", fields, arrays)
    if isinstance(request, SequenceRequest):
        from .._core import editing

        fields["blocks"] = editing.wire.blocks_fields(request.blocks)
        return protocol.Message("sequence", fields)
    fields |= {"prompt": request.prompt, "seconds": request.seconds}
    return protocol.Message("generate", fields)
