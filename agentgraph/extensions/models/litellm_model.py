"""`LitellmModel`: a model of any vendor that LiteLLM knows (extra `litellm`).

Requests and replies go through the same code as those of `OpenAIChatCompletionsModel`. LiteLLM
would fetch a list of prices when it is imported; here it uses the one that it brings along.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from agentgraph.extensions.models.chunks import Chunks, plain
from agentgraph.extensions.models.packages import require_package
from agentgraph.models.chat_model import ChatModel
from agentgraph.models.gate.quirks import ServerQuirks, quirks_of
from agentgraph.models.gate.server import Server, shown_url

if TYPE_CHECKING:
    from agentgraph.models.reasoning_content_replay import ShouldReplayReasoningContent

__all__ = ["LitellmModel"]

_SIGNATURE: Final = "__thought__"


class LitellmModel(ChatModel):
    """A model that LiteLLM calls.

    Args:
        model: The model's name as LiteLLM knows it, such as `anthropic/claude-sonnet-4-5`.
        base_url: The server's address; None is the vendor's own.
        api_key: The key; None takes the vendor's environment variable.
        should_replay_reasoning_content: Decides which reasoning goes back to the model.

    Raises:
        MissingPackageError: LiteLLM is not installed.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        should_replay_reasoning_content: ShouldReplayReasoningContent | None = None,
    ) -> None:
        require_package(type(self).__name__, "litellm", "litellm")
        super().__init__(model, should_replay_reasoning_content)
        self.base_url = base_url
        self.api_key = api_key

    @property
    def server(self) -> Server:
        """The model and its server, as messages name them."""
        url = None if self.base_url is None else shown_url(self.base_url)
        return Server(self.model, url, self.api_key)

    @property
    def server_quirks(self) -> ServerQuirks:
        """What the server does differently; LiteLLM counts the tokens of streams itself."""
        return replace(quirks_of(self.base_url, self.model), stores=False, usage_in_streams=True)

    @property
    def _url(self) -> str:
        return self.base_url or ""

    async def _ask(self, request: dict[str, Any]) -> Any:
        # The import takes seconds, and must not stop the event loop.
        litellm = await asyncio.to_thread(_litellm)
        if "tools" in request:  # All tools are functions; there are none to look up at a proxy.
            request.setdefault("_skip_mcp_handler", True)
        reply = await litellm.acompletion(**request, base_url=self.base_url, api_key=self.api_key)
        if not request.get("stream"):
            return _plain(reply)

        def check_end() -> None:
            reason = getattr(reply, "received_finish_reason", "")
            # LiteLLM ends a stream that broke off like one that is complete.
            if reason is None and getattr(reply, "intermittent_finish_reason", None) is None:
                raise self.server.fault("broke off its stream before the reply was complete.")

        return Chunks(reply, _plain, check_end)


def _litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    return import_module("litellm")


def _plain(reply: object) -> dict[str, Any]:
    """Return a reply or a chunk in the form of the API; LiteLLM keeps some fields elsewhere."""
    fields: dict[str, Any] = plain(reply)
    for choice in fields.get("choices") or ():
        own = choice.pop("provider_specific_fields", {})
        if own.get("native_finish_reason") == "error":  # for LiteLLM the same as "stop"
            choice["finish_reason"] = "error"
        message = choice.get("delta") or choice.get("message") or {}
        own = {**message.pop("provider_specific_fields", {})}
        message.setdefault("refusal", own.pop("refusal", None))
        # LiteLLM has some fields twice.
        if rest := {name: value for name, value in own.items() if name not in message}:
            message["provider_specific_fields"] = rest
        for call in message.get("tool_calls") or ():
            # LiteLLM also appends the signature of the model's thoughts to the call's id.
            if (call.get("provider_specific_fields") or {}).get("thought_signature"):
                call["id"] = (call.get("id") or "").partition(_SIGNATURE)[0]
    return fields
