"""One call of a model, as a value, and the base of models that take it so: a scripted, rehearsed or
human model decides on its basis, and a fallback passes it on.

The fields are the arguments of `Model.get_response`: all that a real model receives.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentgraph.models.interface import Model

if TYPE_CHECKING:
    from openai.types.responses import ResponsePromptParam, ResponseStreamEvent

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import ModelResponse, TResponseInputItem
    from agentgraph.model_settings import ModelSettings
    from agentgraph.models.interface import ModelTracing
    from agentgraph.tool import Tool

__all__ = ["ModelCall", "ModelOfCalls"]


@dataclass(frozen=True, slots=True)
class ModelCall:
    """The request of one model call.

    Attributes:
        system_instructions: The agent's instructions, or None.
        input: The user's text, or the input items so far, oldest first.
        model_settings: The settings resolved for this call.
        tools: The enabled tools.
        output_schema: The output type's schema, or None for plain text.
        handoffs: The enabled handoffs.
        tracing: Whether the call is traced, and with which data.
        previous_response_id: The response that a server-side conversation continues from, or None.
        conversation_id: The stored conversation that the call belongs to, or None.
        prompt: A stored prompt with its variables, or None.
        streamed: Whether the caller reads the reply as a stream of events.
    """

    system_instructions: str | None
    input: Any
    model_settings: ModelSettings
    tools: list[Tool]
    output_schema: AgentOutputSchemaBase | None
    handoffs: list[Handoff[Any, Any]]
    tracing: ModelTracing
    previous_response_id: str | None
    conversation_id: str | None
    prompt: ResponsePromptParam | None
    streamed: bool


class ModelOfCalls(Model):
    """A model that takes each call as one value."""

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> ModelResponse:
        """Reply in one piece."""
        call = ModelCall(
            system_instructions=system_instructions,
            input=input,
            model_settings=model_settings,
            tools=tools,
            output_schema=output_schema,
            handoffs=handoffs,
            tracing=tracing,
            previous_response_id=previous_response_id,
            conversation_id=conversation_id,
            prompt=prompt,
            streamed=False,
        )
        return await self.reply(call)

    def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> AsyncIterator[ResponseStreamEvent]:
        """Reply event by event."""
        call = ModelCall(
            system_instructions=system_instructions,
            input=input,
            model_settings=model_settings,
            tools=tools,
            output_schema=output_schema,
            handoffs=handoffs,
            tracing=tracing,
            previous_response_id=previous_response_id,
            conversation_id=conversation_id,
            prompt=prompt,
            streamed=True,
        )
        return self.events(call)

    @abstractmethod
    async def reply(self, call: ModelCall) -> ModelResponse:
        """Reply in one piece.

        Args:
            call: The request.
        """

    @abstractmethod
    def events(self, call: ModelCall) -> AsyncIterator[ResponseStreamEvent]:
        """Reply event by event.

        Args:
            call: The request.
        """
