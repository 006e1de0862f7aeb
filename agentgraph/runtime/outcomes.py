"""Outcomes: what a driver reports about a command, with the control data that guards read.

The payload (a response, a tool's return value, an exception) belongs to the record and to the
driver.
"""

from __future__ import annotations

from typing import NamedTuple

from agentgraph.runtime.commands import CommandId
from agentgraph_compiler.machine import Event, Verdict


class Call(NamedTuple):
    """A call of local work that a reply asks for.

    Args:
        symbol: The offer of the machine's table that it asks for.
        name: The name the model used.
        position: Position of the call among the reply's output items.
    """

    symbol: str
    name: str
    position: int


class Request(NamedTuple):
    """A handoff that a reply asks for: its symbol, and its position among the output items."""

    symbol: str
    position: int


class Reply(NamedTuple):
    """What a model's reply amounts to, as control data.

    Args:
        calls: Local work asked for, in the order in which the outputs will stand.
        requests: Handoffs asked for; the first counts.
        verdict: What the reply is once these are set aside.
        active: Whether a tool was used that is neither of these, such as a hosted one.
    """

    calls: tuple[Call, ...] = ()
    requests: tuple[Request, ...] = ()
    verdict: Verdict = Verdict.FINAL
    active: bool = False


class Outcome(NamedTuple):
    """The outcome of the command ``id``.

    Args:
        id: The command it answers; for ``STOPPED``, ``CANCELLED`` and ``EXPIRED`` the reserved id
            ``(sequence, RESERVED[event], 0)``.
        event: How the work ended; one of ``OUTCOMES`` for the kind of the phase.
        payload: What it brought, for the record; not read by ``step``.
        reply: For ``REPLIED``, the control data of the reply.
    """

    id: CommandId
    event: Event
    payload: object = None
    reply: Reply | None = None
