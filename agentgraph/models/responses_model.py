"""`ResponsesModel`: a model that is called through the Responses API, by any library.

A subclass sends a request (`_ask`). No text of a conversation reaches a log.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from agentgraph.items.model_input import conversion
from agentgraph.models.fake_id import has_placeholder_id
from agentgraph.models.gate.responses import ANSWERS, complete_output, event_failure
from agentgraph.models.gate.server import Server
from agentgraph.models.gate.stream import answer, closed, pieces, unstreamed
from agentgraph.models.interface import Model
from agentgraph.models.openai_retry import retry_advice
from agentgraph.models.request_arguments import request_arguments
from agentgraph.models.responses_converter import ConvertedTools, Converter
from agentgraph.models.streamed_response import model_response

if TYPE_CHECKING:
    from openai.types.responses import Response, ResponsePromptParam, ResponseStreamEvent

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import ModelResponse, TResponseInputItem
    from agentgraph.model_settings import ModelSettings
    from agentgraph.models.interface import ModelTracing
    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest
    from agentgraph.tool import Tool

__all__ = ["ResponsesModel"]


class ResponsesModel(Model):
    """A model behind the Responses API.

    Args:
        model: The model's name as the API knows it.
        model_is_explicit: Whether the program chose this name. If it is only the default, the model
            that a stored prompt names takes precedence.
    """

    def __init__(self, model: str, *, model_is_explicit: bool = True) -> None:
        self.model = model
        self._model_is_explicit = model_is_explicit

    @property
    @abstractmethod
    def server(self) -> Server:
        """The model and its server, as messages name them."""

    @abstractmethod
    async def _ask(self, request: dict[str, Any]) -> Any:
        """Send a request.

        Args:
            request: The arguments of `responses.create`.

        Returns:
            The response, or a stream of events if the request asks for one.
        """

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
        server = self.server
        response = cast("Response", await answer(self._ask(request), server))
        return model_response(
            response,
            server,
            preserve_raw_usage=bool(model_settings.preserve_raw_usage),
            keep_cut_text=model_settings.truncated_text == "keep",
        )

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
        server, keep = self.server, model_settings.truncated_text == "keep"
        stream = await answer(self._ask({**request, "stream": True}), server)
        try:
            if await unstreamed(stream, server) is not None:
                raise server.fault("answered a JSON object in place of a stream.")
            async for event in pieces(stream, server):
                kind = getattr(event, "type", None)
                if kind in ANSWERS:
                    response = cast("Response", getattr(event, "response", None))
                    headers = getattr(getattr(stream, "response", None), "headers", None)
                    if headers is not None and isinstance(getattr(response, "id", None), str):
                        # The client sets the request's id only on responses in one piece.
                        response._request_id = headers.get("x-request-id")
                    yield event
                    complete_output(response, server, keep_cut_text=keep, event=kind)
                    return  # The server may keep the connection open.
                yield event
                if (failure := event_failure(event, server)) is not None:
                    raise failure
        finally:
            await closed(stream)
        raise server.fault("broke off its stream before the response was complete.")

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
            "tools": converted.tools or None,
            "extra_body": settings.extra_body,
        }
        return request_arguments(fields, settings.extra_args)


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

_NOT_TAKEN = frozenset(("provider_data", "created_by", "parsed_arguments"))
"""Fields of items that requests do not have."""


def _request_input(input: str | list[TResponseInputItem]) -> list[Any]:
    """Return the input items without what the API does not take back: fields and items of other
    providers and this package, fields that exist in replies only, and nulls."""
    if isinstance(input, str):
        return [{"role": "user", "content": input}]
    accepted: list[Any] = conversion(input, _request_input, list, _add_accepted)
    return accepted.copy()


def _add_accepted(accepted: list[Any], items: list[Any]) -> None:
    accepted += [
        _accepted(item) if _needs_a_change(item) else item
        for item in items
        if not _is_foreign_reasoning(item)
    ]


def _needs_a_change(item: object) -> bool:
    return isinstance(item, Mapping) and (
        not _NOT_TAKEN.isdisjoint(item) or None in item.values() or has_placeholder_id(item)
    )


def _is_foreign_reasoning(item: object) -> bool:
    """Whether an item is the reasoning of another provider's model, which this API cannot read."""
    return (
        isinstance(item, Mapping)
        and item.get("type") == "reasoning"
        and bool(item.get("provider_data"))
    )


def _accepted(item: Mapping[str, Any]) -> dict[str, Any]:
    fields = {
        name: value for name, value in item.items() if value is not None and name not in _NOT_TAKEN
    }
    if has_placeholder_id(fields):
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
