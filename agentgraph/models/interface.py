"""The interface of a model: it replies to input, in one piece or as a stream of events.

The signatures are those of the published SDK, so that a `Model` written for it works here
unchanged.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from openai.types.responses.response_prompt_param import ResponsePromptParam

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import ModelResponse, TResponseInputItem, TResponseStreamEvent
    from agentgraph.model_settings import ModelSettings
    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest
    from agentgraph.tool import Tool

__all__ = ["Model", "ModelProvider", "ModelTracing"]


class ModelTracing(enum.Enum):
    """How much of a model call a trace may show."""

    DISABLED = 0
    """Nothing is traced."""

    ENABLED = 1
    """The call is traced with its input and output."""

    ENABLED_WITHOUT_DATA = 2
    """The call is traced without its input and output."""

    def is_disabled(self) -> bool:
        """Whether nothing is traced."""
        return self is ModelTracing.DISABLED

    def include_data(self) -> bool:
        """Whether input and output are traced."""
        return self is ModelTracing.ENABLED


class Model(abc.ABC):
    """A language model, or anything that replies like one.

    Attributes:
        span_type: The type of the span that a run makes for a call: `generation`, or `response` for
            a model behind the Responses API.
    """

    span_type: ClassVar[str] = "generation"

    async def close(self) -> None:  # noqa: B027 - most models have none
        """Release the model's resources, such as connections; does nothing by default."""

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Advise whether to repeat a failed call.

        Args:
            request: The failed call.

        Returns:
            The model's advice, or `None` if it has none.
        """
        return None

    @abc.abstractmethod
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
        """Reply in one piece.

        Args:
            system_instructions: The agent's instructions for this turn.
            input: The conversation, as text or as input items.
            model_settings: How to ask.
            tools: The tools that the model may call.
            output_schema: The form of the final output; `None` for plain text.
            handoffs: The agents that the model may hand over to.
            tracing: How much a trace may show.
            previous_response_id: The stored response that this call continues, if any.
            conversation_id: The stored conversation that this call belongs to, if any.
            prompt: The stored prompt to use, if any.

        Returns:
            The reply.
        """

    @abc.abstractmethod
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
    ) -> AsyncIterator[TResponseStreamEvent]:
        """Reply piece by piece.

        Args:
            system_instructions: The agent's instructions for this turn.
            input: The conversation, as text or as input items.
            model_settings: How to ask.
            tools: The tools that the model may call.
            output_schema: The form of the final output; `None` for plain text.
            handoffs: The agents that the model may hand over to.
            tracing: How much a trace may show.
            previous_response_id: The stored response that this call continues, if any.
            conversation_id: The stored conversation that this call belongs to, if any.
            prompt: The stored prompt to use, if any.

        Returns:
            Events in the form of the Responses API; the last one carries the whole reply.
        """


class ModelProvider(abc.ABC):
    """Finds models by name."""

    @abc.abstractmethod
    def get_model(self, model_name: str | None) -> Model:
        """Find a model.

        Args:
            model_name: Its name; `None` asks for the provider's default.

        Returns:
            The model.
        """

    async def aclose(self) -> None:  # noqa: B027 - most providers have none
        """Release the provider's resources, such as connections; does nothing by default."""
