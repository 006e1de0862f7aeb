"""The models of a simulation, and replies that carry out decisions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from agentgraph.items.responses import ModelResponse
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.model_call import ModelCall, ModelOfCalls
from agentgraph.models.response_events import response_events
from agentgraph.testing.model import assistant_message, function_call
from agentgraph.testing.routes import Decision
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import ResponseStreamEvent

__all__ = ["SimulatedFault", "SimulatedModel", "arguments_text", "response_of"]

_Reply: TypeAlias = Callable[[str, ModelCall], Awaitable[ModelResponse]]


class SimulatedFault(Exception):
    """A fault that a simulation decided on: of a model, a tool or a guardrail."""


class SimulatedModel(ModelOfCalls):
    """The model of one agent of a simulation.

    Args:
        reply: Makes the reply to a request of an agent.
        agent: The agent's name.
    """

    def __init__(self, reply: _Reply, agent: str) -> None:
        self._reply, self._agent = reply, agent

    async def reply(self, call: ModelCall) -> ModelResponse:
        """Let the simulation decide."""
        return await self._reply(self._agent, call)

    async def events(self, call: ModelCall) -> AsyncIterator[ResponseStreamEvent]:
        """The same reply as a stream."""
        response = await self.reply(call)
        for event in response_events(
            response.output, usage=response.usage, response_id=response.response_id
        ):
            yield event


def response_of(decided: Sequence[Decision], number: int, ids: list[str]) -> ModelResponse:
    """The reply that carries out decisions.

    Args:
        decided: The decisions of one reply.
        number: The number of the model call, from 1.
        ids: The call ids of the run so far; those of the reply are added.

    Raises:
        SimulatedFault: The decision is that the model fails.
    """
    output: list[Any] = []
    for place, one in enumerate(decided):
        match one.kind:
            case "answer":
                output.append(assistant_message(_text(one.value)))
            case "refuse":
                output.append(_refusal())
            case "empty":
                pass
            case "cut" | "raise":
                raise SimulatedFault(f"model of {one.agent}: {one.kind}")
            case kind:
                id = ids[-1] if kind == "reused_id" and ids else f"call_{number}_{place}"
                ids.append(id)
                output.append(function_call(one.name, arguments_text(one), call_id=id))
    return ModelResponse(output, Usage(requests=1), f"resp_{number}")


def arguments_text(decision: Decision) -> str:
    """The arguments of a call as a model writes them."""
    arguments = decision.arguments
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments or {}, ensure_ascii=False)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _refusal() -> Any:
    from openai.types.responses import ResponseOutputMessage, ResponseOutputRefusal

    part = ResponseOutputRefusal(type="refusal", refusal="I cannot help with that.")
    return ResponseOutputMessage(
        id=FAKE_RESPONSES_ID,
        type="message",
        role="assistant",
        status="completed",
        content=[part],
    )
