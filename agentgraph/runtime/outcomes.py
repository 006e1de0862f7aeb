"""Outcomes: what a driver reports about a command, with the control data that guards read.

The payload (a response, a tool's return value, an exception) is for the record and the driver.
"""

from __future__ import annotations

from typing import NamedTuple

from agentgraph.runtime.commands import CommandId
from agentgraph_compiler.machine import Event, Verdict


class Call(NamedTuple):
    """A call of a local tool that a reply asks for.

    Args:
        symbol: The symbol of the offer in the machine's table.
        name: The name the model used.
        position: Position of the call among the reply's output items.
    """

    symbol: str
    name: str
    position: int


class Request(NamedTuple):
    """A handoff that a reply asks for: its symbol and its position among the output items."""

    symbol: str
    position: int


class Reply(NamedTuple):
    """A model's reply as control data.

    Args:
        calls: The calls of local tools, in the order in which their outputs will stand.
        requests: The handoffs it asks for; only the first is taken.
        verdict: What the reply is apart from calls and handoffs.
        active: Whether the model used any other tool, such as a hosted one.
        case: For ``CHOSEN``, the case that a step's output chose.
    """

    calls: tuple[Call, ...] = ()
    requests: tuple[Request, ...] = ()
    verdict: Verdict = Verdict.FINAL
    active: bool = False
    case: str = ""


class Outcome(NamedTuple):
    """The outcome of the command ``id``.

    Args:
        id: The command it answers; for ``STOPPED``, ``CANCELLED`` and ``EXPIRED``, the reserved id
            ``(sequence, RESERVED[event], 0)``.
        event: How the work ended; one of ``OUTCOMES`` for the kind of the phase.
        payload: The result of the work, for the record; ``step`` does not read it.
        reply: For ``REPLIED`` and ``CHOSEN``, the control data of the reply or of the choice.
    """

    id: CommandId
    event: Event
    payload: object = None
    reply: Reply | None = None
