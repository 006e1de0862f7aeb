"""`MultiProvider`: the prefix of a model's name selects the provider.

`openai/gpt-4.1` and `gpt-4.1` are the same OpenAI model; `litellm/...` and `any-llm/...` are models
of these libraries, `ollama/...` is one of the servers of `CHAT_SERVERS`. An unknown prefix is an
error, because a misspelt name must not reach a paid API.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.models.chat_servers import CHAT_SERVERS, ChatServerProvider
from agentgraph.models.default_models import rehearsal_is_asked_for
from agentgraph.models.gate.stream import close_all
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.models.openai_provider import OpenAIProvider

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agentgraph.models.openai_responses import OpenAIResponsesWebSocketOptions

__all__ = [
    "MultiProvider",
    "MultiProviderMap",
    "MultiProviderOpenAIPrefixMode",
    "MultiProviderUnknownPrefixMode",
    "default_provider",
]

MultiProviderOpenAIPrefixMode: TypeAlias = Literal["alias", "model_id"]
"""Whether `openai/` names the provider, or is part of the model's name."""

MultiProviderUnknownPrefixMode: TypeAlias = Literal["error", "model_id"]
"""Whether an unknown prefix is an error, or part of the name of an OpenAI model."""

_EXTENSIONS: Final = {
    "any-llm": ("agentgraph.extensions.models.any_llm_provider", "AnyLLMProvider"),
    "litellm": ("agentgraph.extensions.models.litellm_provider", "LitellmProvider"),
}


class MultiProviderMap:
    """The providers that a program adds, by prefix."""

    def __init__(self) -> None:
        self._mapping: dict[str, ModelProvider] = {}

    def has_prefix(self, prefix: str) -> bool:
        """Whether a provider has this prefix."""
        return prefix in self._mapping

    def get_mapping(self) -> dict[str, ModelProvider]:
        """Return a copy of the providers by prefix."""
        return dict(self._mapping)

    def set_mapping(self, mapping: dict[str, ModelProvider]) -> None:
        """Replace all providers.

        Args:
            mapping: The providers by prefix.
        """
        self._mapping = mapping

    def get_provider(self, prefix: str) -> ModelProvider | None:
        """Return the provider of a prefix, or None."""
        return self._mapping.get(prefix)

    def add_provider(self, prefix: str, provider: ModelProvider) -> None:
        """Add a provider, in place of one with the same prefix.

        Args:
            prefix: The text before the first slash of a model's name.
            provider: The provider.
        """
        self._mapping[prefix] = provider

    def remove_provider(self, prefix: str) -> None:
        """Remove the provider of a prefix.

        Raises:
            KeyError: There is none.
        """
        del self._mapping[prefix]


class MultiProvider(ModelProvider):
    """Finds models by a name with or without a prefix.

    Args:
        provider_map: Providers for further prefixes; they win over the built-in ones.
        openai_api_key: As `api_key` of `OpenAIProvider`.
        openai_base_url: As `base_url` of `OpenAIProvider`.
        openai_client: As `openai_client` of `OpenAIProvider`.
        openai_organization: As `organization` of `OpenAIProvider`.
        openai_project: As `project` of `OpenAIProvider`.
        openai_use_responses: As `use_responses` of `OpenAIProvider`.
        openai_use_responses_websocket: As `use_responses_websocket` of `OpenAIProvider`.
        openai_strict_feature_validation: As `strict_feature_validation` of `OpenAIProvider`.
        openai_websocket_base_url: As `websocket_base_url` of `OpenAIProvider`.
        openai_prefix_mode: What the prefix `openai/` means.
        unknown_prefix_mode: What a prefix means that the published SDK does not know: `error`
            selects a server of `CHAT_SERVERS` or is an error; `model_id` leaves it in the name of
            an OpenAI model.
        openai_agent_registration: Not supported.
        openai_responses_websocket_options: As `responses_websocket_options` of `OpenAIProvider`.
        openai_buffer_streamed_tool_calls: As `buffer_streamed_tool_calls` of `OpenAIProvider`.

    Raises:
        UserError: A mode does not exist, or `OpenAIProvider` refuses its arguments.
    """

    def __init__(
        self,
        *,
        provider_map: MultiProviderMap | None = None,
        openai_api_key: str | None = None,
        openai_base_url: str | None = None,
        openai_client: AsyncOpenAI | None = None,
        openai_organization: str | None = None,
        openai_project: str | None = None,
        openai_use_responses: bool | None = None,
        openai_use_responses_websocket: bool | None = None,
        openai_strict_feature_validation: bool = False,
        openai_websocket_base_url: str | None = None,
        openai_prefix_mode: MultiProviderOpenAIPrefixMode = "alias",
        unknown_prefix_mode: MultiProviderUnknownPrefixMode = "error",
        openai_agent_registration: object = None,
        openai_responses_websocket_options: OpenAIResponsesWebSocketOptions | None = None,
        openai_buffer_streamed_tool_calls: bool = False,
    ) -> None:
        _require_mode("openai_prefix_mode", openai_prefix_mode, ("alias", "model_id"))
        _require_mode("unknown_prefix_mode", unknown_prefix_mode, ("error", "model_id"))
        self.provider_map = provider_map
        self.openai_provider = OpenAIProvider(
            api_key=openai_api_key,
            base_url=openai_base_url,
            websocket_base_url=openai_websocket_base_url,
            openai_client=openai_client,
            organization=openai_organization,
            project=openai_project,
            use_responses=openai_use_responses,
            use_responses_websocket=openai_use_responses_websocket,
            strict_feature_validation=openai_strict_feature_validation,
            agent_registration=openai_agent_registration,
            responses_websocket_options=openai_responses_websocket_options,
            buffer_streamed_tool_calls=openai_buffer_streamed_tool_calls,
        )
        self._openai_prefix_is_name = openai_prefix_mode == "model_id"
        self._unknown_prefix_is_name = unknown_prefix_mode == "model_id"
        self._built_ins: dict[str, ModelProvider] = {}

    def get_model(self, model_name: str | None) -> Model:
        """Return a model.

        Args:
            model_name: A name, with or without a provider's prefix and a slash in front; None
                means the default model.

        Returns:
            The provider's model; a `RehearsalModel` if `AGENTGRAPH_MODEL` asks for it.

        Raises:
            UserError: No provider has the prefix, or the provider's package is not installed.
        """
        prefix, slash, rest = (model_name or "").partition("/")
        if not slash or rehearsal_is_asked_for():
            return self.openai_provider.get_model(model_name)
        if self.provider_map is not None:
            provider = self.provider_map.get_provider(prefix)
            if provider is not None:
                return provider.get_model(rest)
        if prefix == "openai":
            name = model_name if self._openai_prefix_is_name else rest
            return self.openai_provider.get_model(name)
        if prefix in _EXTENSIONS:
            return self._built_in(prefix).get_model(rest)
        if self._unknown_prefix_is_name:
            return self.openai_provider.get_model(model_name)
        if prefix in CHAT_SERVERS:
            return self._built_in(prefix).get_model(rest)
        added = (self.provider_map or _NO_MAP).get_mapping()
        prefixes = sorted({"openai", *_EXTENSIONS, *CHAT_SERVERS, *added})
        raise UserError(
            f"The model name {model_name!r} begins with the unknown prefix {prefix!r}. The known "
            f"prefixes are {', '.join(prefixes)}. Add a provider for it to a MultiProviderMap, or "
            "set unknown_prefix_mode='model_id' if it is part of the model's name."
        )

    async def aclose(self) -> None:
        """Close the resources of all providers, including those of the map.

        Raises:
            Exception: A provider could not be closed; the others are. The first such error counts.
        """
        own = self.provider_map.get_mapping() if self.provider_map is not None else {}
        providers = (self.openai_provider, *self._built_ins.values(), *own.values())
        await close_all(provider for provider in providers if provider is not self)

    def _built_in(self, prefix: str) -> ModelProvider:
        if prefix not in self._built_ins:
            self._built_ins[prefix] = (
                ChatServerProvider(prefix) if prefix in CHAT_SERVERS else _extension(prefix)
            )
        return self._built_ins[prefix]


@cache
def default_provider() -> MultiProvider:
    """Return the provider of all runs that set none. There is one in a process.

    It reads the environment and the process's defaults each time it makes a model.
    """
    return MultiProvider()


_NO_MAP: Final = MultiProviderMap()


def _extension(prefix: str) -> ModelProvider:
    module, name = _EXTENSIONS[prefix]
    provider: ModelProvider = getattr(import_module(module), name)()
    return provider


def _require_mode(argument: str, mode: str, modes: tuple[str, ...]) -> None:
    if mode not in modes:
        raise UserError(
            f"MultiProvider has no {argument} {mode!r}; use {' or '.join(map(repr, modes))}."
        )
