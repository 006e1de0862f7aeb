"""The JSON form of a run's control data: its state and outcomes; payloads are the driver's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.lanes import count, mask, members, read, record
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import Facts, RunState
from agentgraph_compiler.machine import Event, Verdict

VERSION = 2


class CodecError(ValueError):
    """The data is not a run state or an outcome of a version this code reads."""


def encode_state(state: RunState) -> dict[str, Any]:
    """A run state as JSON-compatible data: masks as lists of lanes, lanes as lists of their phase,
    the commands given and the result."""
    return {"version": VERSION, **_encode_state(state)}


def decode_state(data: Mapping[str, Any]) -> RunState:
    """Read what :func:`encode_state` wrote.

    Raises:
        CodecError: Another version, or not a run state.
    """
    _require_version(data)
    try:
        return _decode_state(data)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
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


def _encode_state(state: RunState) -> dict[str, Any]:
    written = state._asdict()
    for name in _MASKS:
        written[name] = list(members(written[name]))
    for name in _IDS:
        written[name] = None if written[name] is None else list(written[name])
    return written | {
        "facts": state.facts._asdict(),
        "lanes": [list(read(state.lanes, lane)) for lane in range(count(state.lanes))],
        "joined": sorted(state.joined),
        "reply": None if state.reply is None else _encode_reply(state.reply),
        "acted": sorted(state.acted),
        "kept": None if state.kept is None else _encode_state(state.kept),
    }


def _decode_state(data: Mapping[str, Any]) -> RunState:
    fields = {name: data[name] for name in RunState._fields}
    for name in _MASKS:
        fields[name] = mask(fields[name])
    for name in _IDS:
        fields[name] = None if fields[name] is None else CommandId(*fields[name])
    read_back = {
        "facts": Facts(**data["facts"]),
        "lanes": b"".join([record(phase, given, result) for phase, given, result in data["lanes"]]),
        "joined": frozenset(map(Event, data["joined"])),
        "reply": None if data["reply"] is None else _decode_reply(data["reply"]),
        "acted": frozenset(data["acted"]),
        "kept": None if data["kept"] is None else _decode_state(data["kept"]),
    }
    return RunState(**(fields | read_back))


_MASKS = ("owed", "held", "queued", "shown")
_IDS = ("replied", "output", "cause", "tripped")


def _encode_reply(reply: Reply) -> dict[str, Any]:
    return {
        "calls": [[call.symbol, call.name, call.position] for call in reply.calls],
        "requests": [[request.symbol, request.position] for request in reply.requests],
        "verdict": reply.verdict.value,
        "active": reply.active,
    }


def _decode_reply(data: Mapping[str, Any]) -> Reply:
    return Reply(
        tuple(Call(*row) for row in data["calls"]),
        tuple(Request(*row) for row in data["requests"]),
        Verdict(data["verdict"]),
        data["active"],
    )
