"""The JSON form of the control data of outcomes; their payloads are the driver's.

A state has no form of its own: it is the fold of the outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph_compiler.machine import Event, Verdict

VERSION = 2


class CodecError(ValueError):
    """The data is not an outcome of a version that this code reads."""


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """The control data of an outcome as JSON-compatible data, without its payload."""
    return {
        "version": VERSION,
        "id": list(outcome.id),
        "event": outcome.event.value,
        "reply": None if outcome.reply is None else _encode_reply(outcome.reply),
    }


def decode_outcome(data: Mapping[str, Any], payload: object = None) -> Outcome:
    """Read what :func:`encode_outcome` wrote, and add the payload.

    Raises:
        CodecError: The data has another version or is not an outcome.
    """
    _require_version(data)
    try:
        reply = None if data["reply"] is None else _decode_reply(data["reply"])
        return Outcome(CommandId(*data["id"]), Event(data["event"]), payload, reply)
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"not an outcome: {error!r}") from error


def _require_version(data: object) -> None:
    if not isinstance(data, Mapping) or data.get("version") != VERSION:
        raise CodecError(f"this version reads run data of version {VERSION} only")


def _encode_reply(reply: Reply) -> dict[str, Any]:
    return {
        "calls": [[call.symbol, call.name, call.position] for call in reply.calls],
        "requests": [[request.symbol, request.position] for request in reply.requests],
        "verdict": reply.verdict.value,
        "active": reply.active,
        **({"case": reply.case} if reply.case else {}),
    }


def _decode_reply(data: Mapping[str, Any]) -> Reply:
    return Reply(
        tuple(Call(*row) for row in data["calls"]),
        tuple(Request(*row) for row in data["requests"]),
        Verdict(data["verdict"]),
        active=data["active"],
        case=data.get("case", ""),
    )
