"""How a recorded run ended, in the words of the runner: an output, an exception, waiting calls."""

from __future__ import annotations

from typing import NamedTuple

from agentgraph.exceptions import UserError
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.record.payloads import Failure, GuardrailVerdict, ModelReply, ToolReturn
from agentgraph.record.step_payloads import FinalOutput
from agentgraph.running.recorded import Recording
from agentgraph_compiler.machine import StateKind

__all__ = ["RecordedEnd", "end_of"]


class RecordedEnd(NamedTuple):
    """The end of a recorded run.

    Args:
        agent: The agent at work at the end.
        output: The final output if it is a text.
        error: The path of the class of the exception that the run raised.
        waits: Whether calls wait for a decision.
    """

    agent: str
    output: str | None = None
    error: str | None = None
    waits: bool = False


def end_of(recording: Recording) -> RecordedEnd:
    """How a recorded run ended.

    Raises:
        UserError: The recording holds no run, or ends in the middle of one.
    """
    rest, machine = recording.rest, recording.machine
    if rest is None or machine is None:
        raise UserError(
            f"{recording.name} holds no run that came to rest, so there is no end to test."
        )
    entry = next((one for one in machine.agents if one.id == rest.agent), None)
    agent = rest.agent if entry is None else entry.name
    cause = recording.cause
    match rest.kind:
        case StateKind.SUSPENDED:
            return RecordedEnd(agent, waits=True)
        case StateKind.EXHAUSTED:
            return RecordedEnd(agent, error="agentgraph.exceptions.MaxTurnsExceeded")
        case StateKind.BLOCKED if isinstance(cause, GuardrailVerdict):
            side = "Output" if cause.about_output else "Input"
            return RecordedEnd(
                agent, error=f"agentgraph.exceptions.{side}GuardrailTripwireTriggered"
            )
        case _ if isinstance(cause, Failure):
            return RecordedEnd(agent, error=cause.fault.name)
        case _ if entry is not None and entry.output.name == "text":
            return RecordedEnd(agent, output=_text_of(cause))
        case _:
            return RecordedEnd(agent)


def _text_of(cause: object) -> str | None:
    match cause:
        case ModelReply():
            return _answer(cause)
        case FinalOutput() | ToolReturn() if isinstance(cause.output, str):
            return cause.output
        case _:
            return None


def _answer(reply: ModelReply) -> str | None:
    """The text of the last message of a reply."""
    for item in reversed(reply.response.output):
        if getattr(item, "type", None) == "message":
            return ItemHelpers.extract_last_text(item)
    return None
