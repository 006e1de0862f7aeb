"""The settings of a model call: sampling, tool choice, storage, and extra fields for the provider.

Every setting is optional; `None` means that the request leaves it out. The default model and what
suits a model are found when they are read, since the environment may change.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from agentgraph.authoring.amounts import check_number
from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.retry import ModelRetryBackoffSettings, ModelRetrySettings

if TYPE_CHECKING:
    from openai import Omit as Omit
    from openai.types.responses import ResponseIncludable
    from openai.types.responses.response_create_params import ContextManagement
    from openai.types.shared import Reasoning

    from agentgraph.authoring.setting_types import Headers as Headers
    from agentgraph.authoring.setting_types import Seconds

__all__ = [
    "DefaultModelSettings",
    "Headers",
    "MCPToolChoice",
    "ModelSettings",
    "Omit",
    "ToolChoice",
]

WAITS_FOR_LOCK: Final = (1.0, 2.0, 4.0)
"""Seconds before each repetition of a call whose stored conversation is locked, as in SDK 0.24."""


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

    They can be a field of a pydantic model, which dumps them as JSON and reads them back.

    Attributes:
        temperature: The sampling temperature.
        top_p: The share of probability mass from which the model samples.
        frequency_penalty: The penalty of a token, by how often it occurred.
        presence_penalty: The penalty of a token that occurred at all.
        tool_choice: Whether the model may, must or must not call a tool, or which one it must call.
        parallel_tool_calls: Whether one reply may hold several tool calls.
        truncation: How the provider treats input that is too long.
        max_tokens: The most tokens of one reply.
        reasoning: How a reasoning model reasons. A dictionary is sent unchanged.
        verbosity: How much the model writes.
        metadata: Names and values stored with the response.
        store: Whether the provider keeps the response.
        prompt_cache_retention: How long the provider keeps the prompt's prefix in its cache.
        include_usage: Whether a streamed Chat Completions response reports its usage.
        response_include: Additional parts for the response to contain.
        top_logprobs: The number of alternatives to report for each token.
        extra_query: Query parameters to add to the request.
        extra_body: Body fields to add to the request.
        extra_headers: Headers to add to the request.
        extra_args: Further arguments of the client's call, passed unchanged.
        retry: When and how a failed call is repeated.
        context_management: How the provider shortens a long context.
        prompt_cache_options: How the provider caches the prompt.
        preserve_raw_usage: Whether a reply also keeps the usage as the provider sent it.
        timeout: The longest a call may take, in seconds.
        truncated_text: Whether a text that `max_tokens` cut off is a reply (`keep`) or an error
            (`raise`). By default it is a reply of the Chat Completions API and an error of the
            Responses API, as in the published SDK. A tool call that was cut off is always an error.

    Raises:
        AgentDefinitionError: `timeout` is not a positive number.
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
    truncated_text: Literal["keep", "raise"] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.timeout is not None:
            expected = "a positive number of seconds"
            check_number("ModelSettings.timeout", self.timeout, expected, zero=False)
        retry: object = self.retry
        if isinstance(retry, dict):
            self.retry = _retry_from_dict(retry)

    def resolve(self, override: ModelSettings | dict[str, Any] | None) -> ModelSettings:
        """Lay other settings over these.

        A setting of the override wins over one of these. `extra_args` are merged key by key, and
        `retry` field by field.

        Args:
            override: The settings on top, or a dictionary of them; `None` changes nothing.

        Returns:
            These settings if the override sets nothing, else new ones.

        Raises:
            AgentDefinitionError: The dictionary names a setting that does not exist, or `override`
                is something else.
        """
        if override is None:
            return self
        if isinstance(override, dict):
            override = _from_dict(override)
        elif not isinstance(override, ModelSettings):
            raise AgentDefinitionError(
                f"model_settings must be a ModelSettings or a dict, not {type(override).__name__}."
            )
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
        """Convert the settings into plain JSON values; an unset one is `None`."""
        return {name: _to_json(getattr(self, name)) for name in _FIELD_NAMES}

    def to_traceable_dict(self) -> dict[str, Any]:
        """Convert the settings into the part that a trace may show.

        It leaves out unset values and the `extra_*` settings, which may hold secrets.
        """
        return {
            name: value
            for name, value in self.to_json_dict().items()
            if value is not None and not name.startswith("extra_")
        }


# The modules of names that need the client: importing this module must not import the client.
_FROM = {"Headers": "agentgraph.authoring.setting_types"}
_FIELD_NAMES = tuple(f.name for f in fields(ModelSettings))


def _retry_from_dict(settings: dict[str, Any]) -> ModelRetrySettings:
    unknown = sorted(settings.keys() - {f.name for f in fields(ModelRetrySettings)})
    if unknown:
        raise AgentDefinitionError(
            f"ModelSettings.retry has no setting {', '.join(map(repr, unknown))}."
        )
    return ModelRetrySettings(**settings)


def _from_dict(settings: dict[str, Any]) -> ModelSettings:
    unknown = sorted(settings.keys() - set(_FIELD_NAMES))
    if unknown:
        raise AgentDefinitionError(
            f"ModelSettings has no setting {', '.join(map(repr, unknown))}. "
            "Pass a field that only the provider knows in extra_args or extra_body."
        )
    return ModelSettings(**settings)


def _resolve_retry(base: ModelRetrySettings, override: ModelRetrySettings) -> ModelRetrySettings:
    backoff = override.backoff or base.backoff
    if isinstance(base.backoff, ModelRetryBackoffSettings) and isinstance(
        override.backoff, ModelRetryBackoffSettings
    ):
        changes = {k: v for k, v in override.backoff.to_json_dict().items() if v is not None}
        backoff = replace(base.backoff, **changes)
    return ModelRetrySettings(
        max_retries=base.max_retries if override.max_retries is None else override.max_retries,
        backoff=backoff,
        policy=override.policy or base.policy,
    )


def _to_json(value: object) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case ModelRetrySettings() | ModelRetryBackoffSettings():
            return value.to_json_dict()
        case Mapping():
            return {str(key): _to_json(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_to_json(item) for item in value]
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
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


OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME: Final = "OPENAI_DEFAULT_MODEL"
"""The environment variable that names the default model."""

GPT5DefaultReasoningEffort: TypeAlias = Literal["none", "low", "medium"]

_DEFAULT_MODEL: Final = "gpt-5.6-luna"

# The reasoning effort of the family's members: the first pattern that matches decides. A member
# that is not listed gets the provider's own default.
_EFFORTS: Final[tuple[tuple[str, GPT5DefaultReasoningEffort], ...]] = (
    (r"gpt-5(-\d{4}-\d{2}-\d{2})?", "low"),
    (r"gpt-5\.[245]-pro(-\d{4}-\d{2}-\d{2})?", "medium"),
    (r"gpt-5\.[12456](-(mini|nano|luna|sol|terra))?(-\d{4}-\d{2}-\d{2})?", "none"),
    (r"gpt-5\.3-codex(-\d{4}-\d{2}-\d{2})?", "none"),
)


def get_default_model() -> str:
    """Return the model of agents that name none: `OPENAI_DEFAULT_MODEL` in lower case, or ours."""
    return os.getenv(OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME, _DEFAULT_MODEL).lower()


def gpt_5_reasoning_settings_required(model_name: str) -> bool:
    """Whether a model is of the gpt-5 family and takes settings for reasoning.

    Args:
        model_name: The model's name. The family's chat variants do not reason.
    """
    return model_name.startswith("gpt-5") and "-chat" not in model_name


def is_gpt_5_default() -> bool:
    """Whether the default model is of the gpt-5 family and takes settings for reasoning."""
    return gpt_5_reasoning_settings_required(get_default_model())


def get_default_model_settings(model: str | None = None) -> ModelSettings:
    """Return the settings that suit a model.

    Args:
        model: The model's name; None means the default model.

    Returns:
        For a reasoning model of the gpt-5 family: low verbosity, and the effort of this member if
        this module lists one. For any other model: empty settings.
    """
    name = get_default_model() if model is None else model
    if not gpt_5_reasoning_settings_required(name):
        return ModelSettings()
    for pattern, effort in _EFFORTS:
        if re.fullmatch(pattern, name):
            from openai.types.shared import Reasoning

            return ModelSettings(reasoning=Reasoning(effort=effort), verbosity="low")
    return ModelSettings(verbosity="low")


class _Suiting:
    """A setting that shows what suits the model where the program sets nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, settings: DefaultModelSettings | None, owner: type) -> object:
        if settings is None:
            return None  # the default of the field
        own: object = vars(settings)[self._name]
        if own is not None or not hasattr(settings, "_model"):  # `dataclasses.replace` has read it
            return own
        return vars(get_default_model_settings(settings._model))[self._name]

    def __set__(self, settings: DefaultModelSettings, value: object) -> None:
        vars(settings)[self._name] = value


class DefaultModelSettings(ModelSettings):
    """The settings of an agent that is given none: what suits its model, and what is set later.

    What suits the model is found when it is read, since that may import the client's types.
    """

    __slots__ = ("_model",)

    _model: str | None
    if not TYPE_CHECKING:
        reasoning = _Suiting("reasoning")
        verbosity = _Suiting("verbosity")

    @classmethod
    def unset(cls, model: str | None = None) -> DefaultModelSettings:
        """Make the settings of an agent.

        Args:
            model: The name of its model; `None` stands for the default model.
        """
        settings = object.__new__(cls)
        settings.__dict__.update(_UNSET)
        settings._model = model
        return settings

    @property
    def changes(self) -> ModelSettings:
        """What the program has set, without what suits the model."""
        return ModelSettings(**vars(self))

    @property
    def is_changed(self) -> bool:
        """Whether the program has set anything."""
        return vars(self) != _UNSET

    def of_model(self, model: str) -> DefaultModelSettings:
        """These settings for an agent with another model; the same object if it is this model."""
        if self._model == model:
            return self
        settings = self.unset(model)
        settings.__dict__.update(vars(self))
        return settings

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ModelSettings):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _UNSET)


def settings_of_call(own: ModelSettings, model: str | None) -> ModelSettings:
    """Return the settings of a call. Those that the program passed to the agent stay as they are;
    default settings become those of the model that is called, which the run may have chosen.

    Args:
        own: The settings of the agent.
        model: The name of the model, if it has one.
    """
    if not isinstance(own, DefaultModelSettings) or not hasattr(own, "_model"):
        return own
    changes = own.changes
    return changes if model is None else get_default_model_settings(model).resolve(changes)


_UNSET: Final = vars(ModelSettings())
