"""`OpenAIChatCompletionsModel`: the Chat Completions API of OpenAI, or of a server that imitates
it.

The API stores no conversation and runs no tools. A request leaves out settings that the API does
not have; with `strict_feature_validation` such a setting is an error.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

from agentgraph.exceptions import ModelBehaviorError, UserError
from agentgraph.items.responses import ModelResponse
from agentgraph.logger import logger
from agentgraph.models.chat_messages import ChatConverter
from agentgraph.models.chat_parameters import store_parameter, stream_options
from agentgraph.models.chat_stream import chat_events, response_usage_of
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.interface import Model
from agentgraph.models.openai_retry import retry_advice
from agentgraph.models.request_arguments import request_arguments
from agentgraph.models.response_events import in_progress_response, varied
from agentgraph.models.streamed_response import usage_from

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion
    from openai.types.responses import ResponsePromptParam, ResponseStreamEvent

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.model_settings import ModelSettings
    from agentgraph.models.interface import ModelTracing
    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest
    from agentgraph.tool import Tool

__all__ = ["OpenAIChatCompletionsModel"]


class OpenAIChatCompletionsModel(Model):
    """A model behind the Chat Completions API.

    Args:
        model: The model's name as the API knows it.
        openai_client: The client to call it with.
        should_replay_reasoning_content: Not supported; reasoning is never sent back.
        strict_feature_validation: Whether a stored prompt or a server-side conversation is an
            error. Otherwise the request leaves it out with a warning.
        buffer_streamed_tool_calls: Whether a streamed reply announces its tool calls only when they
            are complete.

    Raises:
        UserError: The arguments ask for an unsupported feature.
    """

    def __init__(
        self,
        model: str,
        openai_client: AsyncOpenAI,
        should_replay_reasoning_content: Any = None,
        strict_feature_validation: bool = False,
        buffer_streamed_tool_calls: bool = False,
    ) -> None:
        if should_replay_reasoning_content is not None:
            raise UserError(
                "OpenAIChatCompletionsModel cannot send reasoning back to a model; leave out "
                "should_replay_reasoning_content."
            )
        self.model = model
        self._client = openai_client
        self._strict = strict_feature_validation
        self._buffer_calls = buffer_streamed_tool_calls

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
            ModelBehaviorError: The server sent a reply without choices.
            UserError: The call needs a feature that this API does not have.
            openai.OpenAIError: The request failed, after the client's retries.
        """
        self._require_stateless(previous_response_id, conversation_id, prompt)
        request = self._request(
            system_instructions, input, model_settings, tools, output_schema, handoffs, stream=False
        )
        reply = cast("ChatCompletion", await self._client.chat.completions.create(**request))
        if not reply.choices:
            raise ModelBehaviorError(f"The model {self.model!r} sent a reply without choices.")
        source = {"model": self.model, "response_id": reply.id}
        response = ModelResponse(
            output=ChatConverter.output_items(reply.choices[0].message, source),
            usage=usage_from(response_usage_of(reply.usage)),
            response_id=None,
            request_id=getattr(reply, "_request_id", None),
        )
        if model_settings.preserve_raw_usage and reply.usage is not None:
            response.raw_usage = reply.usage.model_dump(exclude_unset=True)
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
        stream = await self._client.chat.completions.create(**request)
        async with stream:
            async for event in chat_events(opening, stream, buffer_tool_calls=self._buffer_calls):
                yield event

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
        messages = ChatConverter.messages(input)
        if system_instructions:
            messages.insert(0, {"role": "system", "content": system_instructions})
        functions = [ChatConverter.tool(tool) for tool in tools]
        functions += [ChatConverter.handoff(handoff) for handoff in handoffs]
        parallel = settings.parallel_tool_calls
        reasoning = settings.reasoning
        fields: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "tools": functions or None,
            "tool_choice": ChatConverter.tool_choice(settings.tool_choice),
            "parallel_tool_calls": parallel if functions or not parallel else None,
            "response_format": ChatConverter.response_format(output_schema),
            "max_tokens": settings.max_tokens,
            "reasoning_effort": _effort(reasoning),
            "logprobs": True if settings.top_logprobs is not None else None,
            "store": store_parameter(self._client, settings),
            "stream": stream or None,
            "stream_options": stream_options(self._client, settings) if stream else None,
            **{name: getattr(settings, name) for name in _PASSED_ON},
        }
        return request_arguments(fields, settings.extra_args)

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
        logger.warning("%s They are left out.", fault)


_PASSED_ON = (
    "extra_body",
    "extra_headers",
    "extra_query",
    "frequency_penalty",
    "metadata",
    "presence_penalty",
    "prompt_cache_retention",
    "temperature",
    "top_logprobs",
    "top_p",
    "verbosity",
)
"""The settings that are arguments of the client's call under the same name."""


def _effort(reasoning: Any) -> str | None:
    if reasoning is None:
        return None
    effort = reasoning.get("effort") if isinstance(reasoning, dict) else reasoning.effort
    return cast("str | None", effort)
