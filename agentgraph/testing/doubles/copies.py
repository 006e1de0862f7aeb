"""Copies of requests: what a double has recorded stays as it was when the call was made."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from agentgraph.models.copies import copied
from agentgraph.models.model_call import ModelCall

if TYPE_CHECKING:
    from agentgraph.model_settings import ModelSettings

__all__ = ["copied_call"]


def copied_call(call: ModelCall) -> ModelCall:
    """Return a copy of a call; its tools, handoffs and schema are the program's own objects."""
    return ModelCall(
        system_instructions=call.system_instructions,
        input=copied(call.input),
        model_settings=_copied_settings(call.model_settings),
        tools=list(call.tools),
        output_schema=call.output_schema,
        handoffs=list(call.handoffs),
        tracing=call.tracing,
        previous_response_id=call.previous_response_id,
        conversation_id=call.conversation_id,
        prompt=copied(call.prompt),
        streamed=call.streamed,
    )


def _copied_settings(settings: ModelSettings) -> ModelSettings:
    twin = copy(settings)
    vars(twin).update({name: copied(value) for name, value in vars(settings).items()})
    return twin
