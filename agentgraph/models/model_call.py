"""One call of a model, as a value: a scripted, rehearsed or human model decides on its basis.

The fields are the arguments of `Model.get_response`: all that a real model receives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai.types.responses import ResponsePromptParam

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.model_settings import ModelSettings
    from agentgraph.models.interface import ModelTracing
    from agentgraph.tool import Tool

__all__ = ["ModelCall"]


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
