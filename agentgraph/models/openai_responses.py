"""`OpenAIResponsesModel`: the Responses API, through the `openai` client.

The client does retries, timeouts and connections. No text of a conversation reaches a log.

The client compares every input item and tool of a request with each type of the API that it might
be. This takes half a millisecond an item and blocks the event loop. The requests made here are
plain data already, so they have a form that the client passes on without a look: the input is a
tuple, and the tools are in the body's extra fields.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from agentgraph.models.fake_id import PLACEHOLDER_IDS
from agentgraph.models.interface import Model
from agentgraph.models.openai_retry import retry_advice
from agentgraph.models.request_arguments import request_arguments
from agentgraph.models.responses_converter import ConvertedTools, Converter
from agentgraph.models.streamed_response import event_failure, model_response, response_failure

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.responses import Response, ResponsePromptParam, ResponseStreamEvent

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import ModelResponse, TResponseInputItem
    from agentgraph.model_settings import ModelSettings
    from agentgraph.models.interface import ModelTracing
    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest
    from agentgraph.tool import Tool

__all__ = ["ConvertedTools", "Converter", "OpenAIResponsesModel"]


class OpenAIResponsesModel(Model):
    """A model behind the Responses API.

    Args:
        model: The model's name as the API knows it.
        openai_client: The client to call it with.
        model_is_explicit: Whether the program chose this name. If it is only the default, the model
            that a stored prompt names takes precedence.
    """

    def __init__(
        self, model: str, openai_client: AsyncOpenAI, *, model_is_explicit: bool = True
    ) -> None:
        self.model = model
        self._client = openai_client
        self._model_is_explicit = model_is_explicit

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Advise whether to repeat a failed call, by the client's own rules."""
        return retry_advice(request)

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: ResponsePromptParam | None = None,
    ) -> ModelResponse:
        """Reply in one piece.

        Raises:
            ModelBehaviorError: The provider failed, or stopped before the reply was complete.
            UserError: The settings contradict each other.
            openai.OpenAIError: The request failed, after the client's retries.
        """
        request = self._request(
            system_instructions,
            input,
            model_settings,
            tools,
            output_schema,
            handoffs,
            previous_response_id,
            conversation_id,
            prompt,
        )
        response = cast("Response", await self._client.responses.create(**request))
        if (failure := response_failure(response)) is not None:
            raise failure
        keep = bool(model_settings.preserve_raw_usage)
        return model_response(response, preserve_raw_usage=keep)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: ResponsePromptParam | None = None,
    ) -> AsyncIterator[ResponseStreamEvent]:
        """Reply event by event; the events are the client's own.

        Leaving the iteration closes the connection.

        Raises:
            ModelBehaviorError: The provider failed, or stopped before the reply was complete. The
                event that says so comes first.
            UserError: The settings contradict each other.
            openai.OpenAIError: The request failed, after the client's retries.
        """
        request = self._request(
            system_instructions,
            input,
            model_settings,
            tools,
            output_schema,
            handoffs,
            previous_response_id,
            conversation_id,
            prompt,
        )
        stream = await self._client.responses.create(**request, stream=True)
        async with stream:
            async for event in stream:
                if event.type == "response.completed":
                    # The client sets the request's id only on responses in one piece.
                    event.response._request_id = stream.response.headers.get("x-request-id")
                yield event
                if (failure := event_failure(event)) is not None:
                    raise failure

    def _request(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> dict[str, Any]:
        """Return the arguments of `responses.create`, without those that have no value."""
        model = self.model if prompt is None or self._model_is_explicit else None
        choice = settings.tool_choice
        converted = Converter.convert_tools(tools, handoffs, model=model, tool_choice=choice)
        parallel = settings.parallel_tool_calls
        fields: dict[str, Any] = {
            "model": model,
            "input": _request_input(input),
            "instructions": system_instructions,
            "previous_response_id": previous_response_id,
            "conversation": conversation_id,
            "prompt": prompt,
            "include": _includes(converted, settings) or None,
            "tool_choice": Converter.convert_tool_choice(
                choice, tools=tools, handoffs=handoffs, model=model
            ),
            # The API refuses `true` in a request without tools.
            "parallel_tool_calls": parallel if converted.tools or not parallel else None,
            "text": _text(output_schema, settings),
            "max_output_tokens": settings.max_tokens,
            **{name: getattr(settings, name) for name in _PASSED_ON},
        }
        request = request_arguments(fields, settings.extra_args)
        body = settings.extra_body
        if converted.tools:
            if body is None or isinstance(body, Mapping):
                body = {"tools": converted.tools, **(body or {})}
            else:
                request["tools"] = converted.tools
        return {**request, "extra_body": body}


_PASSED_ON = (
    "context_management",
    "extra_headers",
    "extra_query",
    "metadata",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "store",
    "temperature",
    "top_logprobs",
    "top_p",
    "truncation",
)
"""The settings that are arguments of the client's call under the same name."""


def _request_input(input: str | list[TResponseInputItem]) -> tuple[Any, ...]:
    """Return the input items without the fields and items of other providers and this package."""
    if isinstance(input, str):
        return ({"role": "user", "content": input},)
    items = cast("list[Any]", input)
    return tuple(
        _without_foreign_fields(item)
        if "provider_data" in item or _has_placeholder_id(item)
        else item
        for item in items
        if not _is_foreign_reasoning(item)
    )


def _has_placeholder_id(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("id") in PLACEHOLDER_IDS


def _is_foreign_reasoning(item: Any) -> bool:
    """Whether an item is the reasoning of another provider's model, which this API cannot read."""
    return (
        isinstance(item, Mapping)
        and item.get("type") == "reasoning"
        and bool(item.get("provider_data"))
    )


def _without_foreign_fields(item: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in item.items() if name != "provider_data"}
    if fields.get("id") in PLACEHOLDER_IDS:
        del fields["id"]
    return fields


def _includes(converted: ConvertedTools, settings: ModelSettings) -> list[str]:
    includes = [*converted.includes, *(settings.response_include or ())]
    if settings.top_logprobs is not None:
        includes.append("message.output_text.logprobs")
    return list(dict.fromkeys(includes))


def _text(
    output_schema: AgentOutputSchemaBase | None, settings: ModelSettings
) -> dict[str, Any] | None:
    form = Converter.get_response_format(output_schema)
    if settings.verbosity is None:
        return form
    return {**(form or {}), "verbosity": settings.verbosity}
