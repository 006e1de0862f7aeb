"""`AnyLLMModel`: a model of any vendor that any-llm knows (extra `any-llm`).

Where the vendor has the Responses API, that is the one it is called through; otherwise Chat
Completions. Requests and replies go through the same code as those of the `openai` client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from agentgraph.exceptions import UserError
from agentgraph.extensions.models.chunks import Chunks, plain
from agentgraph.extensions.models.packages import require_package
from agentgraph.models.chat_model import ChatModel
from agentgraph.models.event_loops import LoopValues
from agentgraph.models.gate.quirks import ServerQuirks, quirks_of
from agentgraph.models.gate.server import Server, shown_url
from agentgraph.models.gate.stream import close_all, closed
from agentgraph.models.interface import Model
from agentgraph.models.openai_retry import retry_advice
from agentgraph.models.responses_model import ResponsesModel

if TYPE_CHECKING:
    from openai.types.responses import ResponsePromptParam, ResponseStreamEvent

    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import ModelResponse, TResponseInputItem
    from agentgraph.model_settings import ModelSettings
    from agentgraph.models.interface import ModelTracing
    from agentgraph.openai_defaults import OpenAIApi
    from agentgraph.retry import ModelRetryAdvice, ModelRetryAdviceRequest
    from agentgraph.tool import Tool

__all__ = ["AnyLLMModel"]

_APIS: Final = (None, "responses", "chat_completions")
_GOOGLE: Final = ("gemini", "vertexai")
# The library raises these for an answer that it cannot read.
_UNREADABLE: Final = (AttributeError, LookupError, TypeError)


class AnyLLMModel(Model):
    """A model that any-llm calls.

    Args:
        model: The vendor and the model's name, such as `mistral/mistral-small-latest`; a name
            without a vendor is a model of OpenAI.
        base_url: The server's address; None is the vendor's own.
        api_key: The key; None takes the vendor's environment variable.
        api: The API through which the model is called; None takes the Responses API where the
            vendor has it.

    Raises:
        MissingPackageError: any-llm is not installed.
        UserError: The name names no vendor or no model, or there is no such API.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        api: OpenAIApi | None = None,
    ) -> None:
        require_package(type(self).__name__, "any_llm", "any-llm")
        if api not in _APIS:
            raise UserError(f"There is no API {api!r}; use 'responses' or 'chat_completions'.")
        vendor, slash, name = model.partition("/")
        if not vendor or (slash and not name):
            raise UserError(
                f"A model of any-llm is named 'vendor/model', for instance 'openai/gpt-5', got "
                f"{model!r}."
            )
        self.model = model
        self.base_url = base_url
        self.api_key = api_key
        self.api: OpenAIApi | None = api
        self._vendor = _Vendor(vendor if slash else "openai", base_url, api_key)
        self._chat = _Chat(model, name or model, self._vendor)
        self._responses = _Responses(model, name or model, self._vendor)

    @property
    def server(self) -> Server:
        """The model and its server, as messages name them."""
        return self._vendor.server(self.model)

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        await self._vendor.close()

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """Advise whether to repeat a failed call, by the rules of the `openai` client."""
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
            UserError: The call needs a feature that the vendor or any-llm does not have.
            Exception: The request failed, after the retries of the vendor's client.
        """
        model = await self._by_api(prompt)
        return await model.get_response(
            system_instructions,
            input,
            model_settings,
            tools,
            output_schema,
            handoffs,
            tracing,
            previous_response_id,
            conversation_id,
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
        """Reply as a stream of the Responses API's events.

        Raises:
            ModelBehaviorError: The server sent no reply, or one that is cut off.
            UserError: The call needs a feature that the vendor or any-llm does not have.
            Exception: The request failed, after the retries of the vendor's client.
        """
        model = await self._by_api(prompt)
        stream = model.stream_response(
            system_instructions,
            input,
            model_settings,
            tools,
            output_schema,
            handoffs,
            tracing,
            previous_response_id,
            conversation_id,
        )
        try:
            async for event in stream:
                yield event
        finally:
            await closed(stream)

    async def _by_api(self, prompt: object) -> ChatModel | ResponsesModel:
        if prompt is not None:
            raise UserError("any-llm has no stored prompts; leave out the prompt of the agent.")
        responds = getattr(await self._vendor.client(), "SUPPORTS_RESPONSES", False)
        if self.api == "responses" and not responds:
            raise UserError(f"{self._vendor.name} has no Responses API; use 'chat_completions'.")
        return self._responses if responds and self.api != "chat_completions" else self._chat


class _Vendor:
    """The clients of any-llm for one vendor: one for each event loop."""

    def __init__(self, name: str, base_url: str | None, api_key: str | None) -> None:
        self.name = name
        self._base_url = base_url
        self._api_key = api_key
        self._clients: LoopValues[str, Any] = LoopValues()

    @property
    def url(self) -> str | None:
        """The address of the server, if the program or the vendor's client says it."""
        first = next(iter(self._clients), None)
        own = getattr(getattr(first, "client", None), "base_url", None)
        return self._base_url or (str(own) if own is not None else None)

    def server(self, model: str) -> Server:
        """The model and its server, as messages name them."""
        url = self.url
        return Server(model, None if url is None else shown_url(url), self._api_key)

    async def client(self) -> Any:
        """Return the client of the running loop; make it on first use.

        Raises:
            UserError: There is no key, or no such vendor.
            ImportError: The vendor needs a package that is not installed.
        """
        clients = self._clients.here()
        if self.name not in clients:
            # The import takes a second, and must not stop the event loop.
            made = await asyncio.to_thread(self._make)
            clients.setdefault(self.name, made)
        return clients[self.name]

    @contextmanager
    def in_our_words(self, server: Server) -> Iterator[None]:
        """Turn errors of any-llm into ours; leave those of a vendor's client as they are."""
        errors = import_module("any_llm.exceptions")
        try:
            yield
        except errors.UnsupportedParameterError as error:
            raise UserError(str(error)) from error
        except errors.ProviderError as error:
            raise server.fault(f"sent no reply: {error}") from error

    async def close(self) -> None:
        """Close the client of the running loop."""
        await close_all([getattr(client, "client", None) for client in self._clients.take()])

    def _make(self) -> Any:
        any_llm = import_module("any_llm")
        errors = import_module("any_llm.exceptions")
        try:
            return any_llm.AnyLLM.create(
                self.name,
                api_key=self._api_key,
                api_base=self._base_url,
                unified_exceptions=False,  # a program sees the exceptions of the vendor's client
            )
        except (errors.MissingApiKeyError, errors.UnsupportedProviderError) as error:
            raise UserError(str(error)) from error


class _Chat(ChatModel):
    """The model through Chat Completions."""

    def __init__(self, model: str, name: str, vendor: _Vendor) -> None:
        super().__init__(model)
        self._name = name
        self._vendor = vendor

    @property
    def server(self) -> Server:
        return self._vendor.server(self.model)

    @property
    def server_quirks(self) -> ServerQuirks:
        return quirks_of(self._vendor.url, self.model)

    @property
    def _url(self) -> str:
        return self._vendor.url or ""

    def _sends_back(self, item: Mapping[str, Any]) -> bool:
        # Signed thoughts go back with their text.
        data = item.get("provider_data") or {}
        signed = data.get("model") == self.model and "extra_content" in data.get("message", {})
        return signed or super()._sends_back(item)

    async def _ask(self, request: dict[str, Any]) -> Any:
        headers = request.get("extra_headers")
        if headers and self._vendor.name in _GOOGLE:
            del request["extra_headers"]
            request.setdefault("http_options", {"headers": dict(headers)})
        client = await self._vendor.client()
        try:
            with self._vendor.in_our_words(self.server):
                reply = await client.acompletion(**{**request, "model": self._name})
        except _UNREADABLE as error:
            if "keyword argument" in str(error):  # of the call, which the program added
                raise
            kind = type(error).__name__
            raise self.server.fault(f"sent an answer that cannot be read ({kind}).") from error
        return Chunks(reply) if request.get("stream") else plain(reply)


class _Responses(ResponsesModel):
    """The model through the Responses API."""

    def __init__(self, model: str, name: str, vendor: _Vendor) -> None:
        super().__init__(model)
        self._name = name
        self._vendor = vendor

    @property
    def server(self) -> Server:
        return self._vendor.server(self.model)

    async def _ask(self, request: dict[str, Any]) -> Any:
        client = await self._vendor.client()
        names = {"extra_headers", "extra_query", "extra_body", "input", "model", "timeout"}
        names |= import_module("any_llm.types.responses").ResponsesParams.model_fields.keys()
        more = {name: request.pop(name) for name in request.keys() - names}
        if more:
            request["extra_body"] = {**more, **(request.get("extra_body") or {})}
        if "reasoning" in request:
            request["reasoning"] = plain(request["reasoning"])
        request["input_data"] = list(request.pop("input"))
        with self._vendor.in_our_words(self.server):
            reply = await client.aresponses(**{**request, "model": self._name})
        return reply if request.get("stream") else _response(reply)


def _response(reply: object) -> Any:
    """Return a reply as an object of the `openai` client; any-llm has a type of its own too."""
    from openai.types.responses import Response

    fields = reply if isinstance(reply, Response) else plain(reply)
    return Response.construct(**fields) if isinstance(fields, dict) else fields
