"""The JSON form of a run's control data: its state and outcomes; payloads are the driver's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import RunState
from agentgraph_compiler.machine import Event, Verdict

VERSION = 1


class CodecError(ValueError):
    """The data is not a run state or an outcome of a version this code reads."""


def encode_state(state: RunState) -> dict[str, Any]:
    """A run state as JSON-compatible data."""
    return {
        "version": VERSION,
        "state": state.state,
        "sequence": state.sequence,
        "turn": state.turn,
        "limit": state.limit,
        "pending": sorted(state.pending),
        "order": list(state.order),
        "awaiting": list(state.awaiting),
        "performed": list(state.performed),
        "reply": None if state.reply is None else _encode_reply(state.reply),
        "replied": None if state.replied is None else list(state.replied),
        "output": None if state.output is None else list(state.output),
    }


def decode_state(data: Mapping[str, Any]) -> RunState:
    """Read what :func:`encode_state` wrote.

    Raises:
        CodecError: Another version, or not a run state.
    """
    _require_version(data)
    try:
        return RunState(
            data["state"],
            data["sequence"],
            data["turn"],
            data["limit"],
            frozenset(data["pending"]),
            tuple(data["order"]),
            tuple(data["awaiting"]),
            tuple(data["performed"]),
            None if data["reply"] is None else _decode_reply(data["reply"]),
            None if data["replied"] is None else CommandId(*data["replied"]),
            None if data["output"] is None else CommandId(*data["output"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"not a run state: {error!r}") from error


def encode_outcome(outcome: Outcome) -> dict[str, Any]:
    """The control data of an outcome as JSON-compatible data, without its payload."""
    return {
        "version": VERSION,
        "id": list(outcome.id),
        "event": outcome.event.value,
        "reply": None if outcome.reply is None else _encode_reply(outcome.reply),
    }


def decode_outcome(data: Mapping[str, Any], payload: object = None) -> Outcome:
    """Read what :func:`encode_outcome` wrote, with the payload put back.

    Raises:
        CodecError: Another version, or not an outcome.
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
    }


def _decode_reply(data: Mapping[str, Any]) -> Reply:
    return Reply(
        tuple(Call(*row) for row in data["calls"]),
        tuple(Request(*row) for row in data["requests"]),
        Verdict(data["verdict"]),
    )
