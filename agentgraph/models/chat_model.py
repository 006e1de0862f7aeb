"""`ChatModel`: a model that is called with the messages of Chat Completions, through any library.

Requests, the reading of replies and streams stand here once, for the `openai` client and for
libraries that speak to many vendors. A subclass sends a request (`_ask`). The API stores no
conversation and runs no tools. A request leaves out settings that the API does not have.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from agentgraph.exceptions import UserError
from agentgraph.items.responses import ModelResponse
from agentgraph.items.run_items import raw_field
from agentgraph.logger import warn_once
from agentgraph.models.chat_functions import (
    handoff_function,
    response_format,
    tool_choice_form,
    tool_function,
)
from agentgraph.models.chat_items import output_items
from agentgraph.models.chat_messages import chat_messages
from agentgraph.models.chat_parameters import store_parameter, stream_options
from agentgraph.models.chat_stream import chat_events
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.gate.body import check_body
from agentgraph.models.gate.chat import ChatReading
from agentgraph.models.gate.counts import raw_usage, usage_of
from agentgraph.models.gate.quirks import ServerQuirks
from agentgraph.models.gate.server import Server
from agentgraph.models.gate.stream import answer, closed, pieces, unstreamed
from agentgraph.models.interface import Model
from agentgraph.models.openai_retry import retry_advice
from agentgraph.models.reasoning_content_replay import (
    ReasoningContentReplayContext,
    ReasoningContentSource,
    ShouldReplayReasoningContent,
    default_should_replay_reasoning_content,
)
from agentgraph.models.request_arguments import request_arguments
from agentgraph.models.response_events import in_progress_response, varied

if TYPE_CHECKING:
    from openai.types.responses import ResponsePromptParam, ResponseStreamEvent
    from openai.types.shared import Reasoning

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.model_settings import ModelSettings
    from agentgraph.models.interface import ModelTracing
    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest
    from agentgraph.tool import Tool

__all__ = ["ChatModel"]


class ChatModel(Model):
    """A model behind an API with the messages of Chat Completions.

    Args:
        model: The model's name as the API knows it.
        should_replay_reasoning_content: Decides which reasoning goes back to the model. By default
            it is that of models which refuse a tool's output without it.
        strict_feature_validation: Whether a stored prompt or a server-side conversation is an
            error. Otherwise the request leaves it out with a warning.
        buffer_streamed_tool_calls: Whether a streamed reply announces its tool calls only when they
            are complete.
    """

    def __init__(
        self,
        model: str,
        should_replay_reasoning_content: ShouldReplayReasoningContent | None = None,
        strict_feature_validation: bool = False,
        buffer_streamed_tool_calls: bool = False,
    ) -> None:
        self.model = model
        self._replays = should_replay_reasoning_content or default_should_replay_reasoning_content
        self._strict = strict_feature_validation
        self._buffer_calls = buffer_streamed_tool_calls

    @property
    @abstractmethod
    def server(self) -> Server:
        """The model and its server, as messages name them."""

    @property
    @abstractmethod
    def server_quirks(self) -> ServerQuirks:
        """What the server does differently."""

    @property
    @abstractmethod
    def _url(self) -> str:
        """The address of the server, as the rule on reasoning receives it."""

    @abstractmethod
    async def _ask(self, request: dict[str, Any]) -> Any:
        """Send a request.

        Args:
            request: The arguments of `completions.create`.

        Returns:
            The reply, or a stream of chunks if the request asks for one.
        """

    def _watch_end(self, stream: object) -> Callable[[], bool]:
        """Return a function that says, after the last chunk, whether the server marked the end of
        its stream. Without such a mark only a `finish_reason` does."""
        return lambda: False

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
            ModelBehaviorError: The server sent no reply, or one that is cut off.
            UserError: The call needs a feature that this API does not have.
            openai.OpenAIError: The request failed, after the client's retries.
        """
        self._require_stateless(previous_response_id, conversation_id, prompt)
        request = self._request(
            system_instructions, input, model_settings, tools, output_schema, handoffs, stream=False
        )
        server = self.server
        reply = await answer(self._ask(request), server)
        check_body(reply, server)
        reading = ChatReading(server, self.server_quirks)
        reading.read_whole(reply, keep_cut_text=_keeps_cut_text(model_settings))
        source = {"model": self.model, "response_id": raw_field(reply, "id")}
        usage = raw_field(reply, "usage")
        response = ModelResponse(
            output=list(output_items(reading.message, source)),
            usage=usage_of(usage),
            response_id=None,
            request_id=getattr(reply, "_request_id", None),
        )
        if model_settings.preserve_raw_usage:
            response.raw_usage = raw_usage(usage)
        return response

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
        """Reply as a stream of the Responses API's events.

        Leaving the iteration closes the connection.

        Raises:
            ModelBehaviorError: The server sent no reply, or one that is cut off.
            UserError: The call needs a feature that this API does not have.
            openai.OpenAIError: The request failed, after the client's retries.
        """
        self._require_stateless(previous_response_id, conversation_id, prompt)
        request = self._request(
            system_instructions, input, model_settings, tools, output_schema, handoffs, stream=True
        )
        opening = varied(
            in_progress_response(self.model), id=FAKE_RESPONSES_ID, created_at=time.time()
        )
        server = self.server
        stream = await answer(self._ask(request), server)
        try:
            whole = await unstreamed(stream, server)
            async for event in chat_events(
                opening,
                pieces(stream, server) if whole is None else _one_chunk(whole),
                ChatReading(server, self.server_quirks),
                has_ended=self._watch_end(stream) if whole is None else lambda: True,
                keep_cut_text=_keeps_cut_text(model_settings),
                buffer_tool_calls=self._buffer_calls,
            ):
                yield event
        finally:
            await closed(stream)

    def _request(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff[Any, Any]],
        *,
        stream: bool,
    ) -> dict[str, Any]:
        """Return the arguments of `completions.create`, without those that have no value."""
        messages = chat_messages(input, model=self.model, sends_back=self._sends_back)
        if system_instructions:
            messages.insert(0, {"role": "system", "content": system_instructions})
        functions = [tool_function(tool) for tool in tools]
        functions += [handoff_function(handoff) for handoff in handoffs]
        quirks = self.server_quirks
        reasoning = settings.reasoning
        fields: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "tools": functions or None,
            "tool_choice": tool_choice_form(settings.tool_choice),
            # The API refuses the field in a request without tools.
            "parallel_tool_calls": settings.parallel_tool_calls if functions else None,
            "response_format": response_format(output_schema),
            "max_tokens": settings.max_tokens,
            "reasoning_effort": _effort(reasoning),
            "logprobs": True if settings.top_logprobs is not None else None,
            "store": store_parameter(quirks, settings),
            "stream": stream or None,
            "stream_options": stream_options(quirks, settings) if stream else None,
            **{name: getattr(settings, name) for name in _PASSED_ON},
        }
        return request_arguments(fields, settings.extra_args)

    def _sends_back(self, item: Mapping[str, Any]) -> bool:
        """Whether an item of reasoning goes back to the model."""
        data = item.get("provider_data") or {}
        source = ReasoningContentSource(item, data.get("model"), data)
        return self._replays(ReasoningContentReplayContext(self.model, self._url, source))

    def _require_stateless(self, *stored: object) -> None:
        """Refuse state that only the Responses API stores, or warn that it is left out."""
        if all(value is None for value in stored):
            return
        fault = (
            "The Chat Completions API has no stored prompts and no conversations on the server; "
            "use a model of the Responses API for previous_response_id, conversation_id and prompt."
        )
        if self._strict:
            raise UserError(fault)
        warn_once("%s They are left out.", fault)


_PASSED_ON = (
    "extra_body",
    "extra_headers",
    "extra_query",
    "frequency_penalty",
    "metadata",
    "presence_penalty",
    "prompt_cache_options",
    "prompt_cache_retention",
    "temperature",
    "top_logprobs",
    "top_p",
    "verbosity",
)
"""The settings that are arguments of the client's call under the same name."""


def _effort(reasoning: Reasoning | dict[str, Any] | None) -> str | None:
    if reasoning is None:
        return None
    effort = reasoning.get("effort") if isinstance(reasoning, dict) else reasoning.effort
    return cast("str | None", effort)


def _keeps_cut_text(settings: ModelSettings) -> bool:
    return settings.truncated_text != "raise"


async def _one_chunk(reply: object) -> AsyncIterator[Any]:
    """Stream a whole reply: some servers do not stream, or not beside tools."""
    yield reply
