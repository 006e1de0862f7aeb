"""How a model is asked: sampling, tool choice, storage, and what is passed on to the provider.

Every setting is optional, and `None` means that nothing is sent. Settings never change: `resolve`
lays one set over another and returns a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agentgraph.authoring.amounts import check_number
from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.exceptions import UserError
from agentgraph.retry import ModelRetryBackoffSettings, ModelRetrySettings

if TYPE_CHECKING:
    from openai import Omit as Omit
    from openai.types.responses import ResponseIncludable
    from openai.types.responses.response_create_params import ContextManagement
    from openai.types.shared import Reasoning

    from agentgraph.authoring.setting_types import Headers as Headers
    from agentgraph.authoring.setting_types import Seconds

__all__ = ["Headers", "MCPToolChoice", "ModelSettings", "Omit", "ToolChoice"]


@dataclass
class MCPToolChoice:
    """Makes the model call one tool of one hosted MCP server.

    Attributes:
        server_label: The server's label.
        name: The tool's name on that server.
    """

    server_label: str
    name: str


ToolChoice: TypeAlias = Literal["auto", "required", "none"] | str | MCPToolChoice | None
"""Whether the model may, must or must not call a tool, or the name of the tool it must call."""


@names_types(
    ContextManagement="openai.types.responses.response_create_params:ContextManagement",
    Headers="agentgraph.authoring.setting_types:Headers",
    Reasoning="openai.types.shared:Reasoning",
    ResponseIncludable="openai.types.responses:ResponseIncludable",
    Seconds="agentgraph.authoring.setting_types:Seconds",
)
@dataclass
class ModelSettings:
    """The settings of a model call.

    They can be a field of a pydantic model, and are written as JSON and read back there.

    Attributes:
        temperature: How freely the model samples.
        top_p: The share of probability mass it samples from.
        frequency_penalty: How much repeated tokens are held back.
        presence_penalty: How much tokens that already occurred are held back.
        tool_choice: Whether the model may, must or must not call a tool, or which one it must call.
        parallel_tool_calls: Whether one reply may hold several tool calls.
        truncation: What the provider does with input that is too long.
        max_tokens: The most tokens of one reply.
        reasoning: How a reasoning model reasons. A dictionary is passed on as it is.
        verbosity: How much the model writes.
        metadata: Names and values stored with the response.
        store: Whether the provider keeps the response.
        prompt_cache_retention: How long the provider keeps the prompt's prefix in its cache.
        include_usage: Whether a streamed Chat Completions response reports its usage.
        response_include: What the response shall contain besides the usual.
        top_logprobs: How many alternatives are reported for each token.
        extra_query: Query parameters to add to the request.
        extra_body: Body fields to add to the request.
        extra_headers: Headers to add to the request.
        extra_args: Further arguments of the client's call, passed on as they are.
        retry: How failed calls are repeated.
        context_management: How the provider shortens a long context.
        prompt_cache_options: How the provider caches the prompt.
        preserve_raw_usage: Whether the provider's usage is kept as it came, beside the counted one.
        timeout: The longest a call may take, in seconds.

    Raises:
        UserError: `timeout` is not a positive number.
    """

    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    truncation: Literal["auto", "disabled"] | None = None
    max_tokens: int | None = None
    reasoning: Reasoning | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    include_usage: bool | None = None
    response_include: list[ResponseIncludable | str] | None = None
    top_logprobs: int | None = None
    extra_query: Mapping[str, object] | None = None
    extra_body: object | None = None
    extra_headers: Headers | None = None
    extra_args: dict[str, Any] | None = None
    retry: ModelRetrySettings | None = None
    context_management: list[ContextManagement] | None = None
    prompt_cache_options: Mapping[str, Any] | None = None
    preserve_raw_usage: bool | None = None
    timeout: Seconds | None = field(default=None)

    def __post_init__(self) -> None:
        if self.timeout is not None:
            expected = "a positive number of seconds"
            check_number("ModelSettings.timeout", self.timeout, expected, zero=False)
        retry: object = self.retry
        if isinstance(retry, dict):
            self.retry = _retry_from_dict(retry)

    def resolve(self, override: ModelSettings | dict[str, Any] | None) -> ModelSettings:
        """Lay other settings over these.

        Whatever the override sets wins; `extra_args` are merged key by key, and `retry` field by
        field.

        Args:
            override: The settings on top, or a dictionary of them; `None` changes nothing.

        Returns:
            These settings when nothing is overridden, else new ones.

        Raises:
            UserError: The dictionary names a setting that does not exist.
        """
        if override is None:
            return self
        if isinstance(override, dict):
            override = _from_dict(override)
        changes: dict[str, Any] = {
            name: value for name in _FIELD_NAMES if (value := getattr(override, name)) is not None
        }
        if not changes:
            return self
        if self.extra_args is not None and override.extra_args is not None:
            changes["extra_args"] = {**self.extra_args, **override.extra_args}
        if self.retry and override.retry:
            changes["retry"] = _resolve_retry(self.retry, override.retry)
        return replace(self, **changes)

    def to_json_dict(self) -> dict[str, Any]:
        """Turn the settings into plain JSON values, unset ones included as `None`."""
        return {name: _to_json(getattr(self, name)) for name in _FIELD_NAMES}

    def to_traceable_dict(self) -> dict[str, Any]:
        """Turn the settings into what a trace may show.

        What is passed on to the provider unseen (`extra_*`) may hold secrets and is left out, as
        are unset values.
        """
        return {
            name: value
            for name, value in self.to_json_dict().items()
            if value is not None and not name.startswith("extra_")
        }


# The module of each name that needs the client, which importing this one shall not load.
_FROM = {"Headers": "agentgraph.authoring.setting_types"}
_FIELD_NAMES = tuple(f.name for f in fields(ModelSettings))


def _retry_from_dict(settings: dict[str, Any]) -> ModelRetrySettings:
    unknown = sorted(settings.keys() - {f.name for f in fields(ModelRetrySettings)})
    if unknown:
        raise UserError(f"ModelSettings.retry has no setting {', '.join(map(repr, unknown))}.")
    return ModelRetrySettings(**settings)


def _from_dict(settings: dict[str, Any]) -> ModelSettings:
    unknown = sorted(settings.keys() - set(_FIELD_NAMES))
    if unknown:
        raise UserError(
            f"ModelSettings has no setting {', '.join(map(repr, unknown))}. "
            "Pass what only the provider knows in extra_args or extra_body."
        )
    return ModelSettings(**settings)


def _resolve_retry(base: ModelRetrySettings, override: ModelRetrySettings) -> ModelRetrySettings:
    backoff = override.backoff or base.backoff
    if isinstance(base.backoff, ModelRetryBackoffSettings) and isinstance(
        override.backoff, ModelRetryBackoffSettings
    ):
        laid = {k: v for k, v in override.backoff.to_json_dict().items() if v is not None}
        backoff = replace(base.backoff, **laid)
    return ModelRetrySettings(
        max_retries=base.max_retries if override.max_retries is None else override.max_retries,
        backoff=backoff,
        policy=override.policy or base.policy,
    )


def _to_json(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case ModelRetrySettings() | ModelRetryBackoffSettings():
            return value.to_json_dict()
        case Mapping():
            return {str(key): _to_json(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_to_json(item) for item in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _to_json(getattr(value, f.name)) for f in fields(value)}
    return str(value)


def __getattr__(name: str) -> Any:
    if name == "Omit":
        from openai import Omit

        return Omit
    if name in _FROM:
        return getattr(import_module(_FROM[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
