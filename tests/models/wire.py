"""Objects as the Responses API sends them."""

from __future__ import annotations

from typing import Any

MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "hi", "annotations": []}],
}

USAGE: dict[str, Any] = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 50,
}

RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-x",
    "output": [MESSAGE],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "status": "completed",
    "usage": USAGE,
}


def response(**changes: Any) -> dict[str, Any]:
    """Return a response with some fields changed."""
    return {**RESPONSE, **changes}


def event(kind: str, **fields: Any) -> dict[str, Any]:
    """Return an event of a stream."""
    return {"type": kind, "sequence_number": 0, **fields}


CREATED = event("response.created", response=response(output=[], status="in_progress", usage=None))
