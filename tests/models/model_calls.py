"""A model call with nothing in it, to which a test adds what it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agentgraph.model_settings import ModelSettings
from agentgraph.models.interface import Model, ModelTracing
from agentgraph.models.model_call import ModelCall
from agentgraph.models.streamed_response import StreamedResponse
from agentgraph.tools.function import FunctionTool

WEATHER_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def call_arguments(**changes: Any) -> dict[str, Any]:
    """Return the arguments of a call, with the given ones in place of the empty ones."""
    return {
        "system_instructions": None,
        "input": "hello",
        "model_settings": ModelSettings(),
        "tools": [],
        "output_schema": None,
        "handoffs": [],
        "tracing": ModelTracing.DISABLED,
        "previous_response_id": None,
        "conversation_id": None,
        "prompt": None,
        **changes,
    }


def model_call(**changes: Any) -> ModelCall:
    """Return a call as a value."""
    return ModelCall(**call_arguments(**changes), streamed=False)


async def get(model: Model, **changes: Any) -> Any:
    """Call a model and wait for the whole reply; untyped, because a test knows which items come."""
    return await model.get_response(**call_arguments(**changes))


async def events(model: Model, **changes: Any) -> list[Any]:
    """Call a model and collect all of its events."""
    return [event async for event in stream(model, **changes)]


def stream(model: Model, **changes: Any) -> AsyncIterator[Any]:
    """Call a model and hand on its stream."""
    return model.stream_response(**call_arguments(**changes))


def finished(seen: list[Any], settings: ModelSettings | None = None) -> Any:
    """Return the reply that events deliver."""
    streamed = StreamedResponse(None)
    for event in seen:
        streamed.see(event)
    keeps = settings is not None and settings.truncated_text == "keep"
    return streamed.finish(keep_cut_text=keeps)


def function_tool(name: str, description: str = "", schema: Any = None) -> FunctionTool:
    """Make a function tool that no model calls."""

    async def never_called(context: Any, arguments: str) -> str:
        raise AssertionError("a model does not run tools")

    return FunctionTool(name, description, schema or dict(WEATHER_SCHEMA), never_called)
