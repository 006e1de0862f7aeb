"""The configuration of a whole run, for all its agents.

If an agent or a handoff has the same setting, the description here says which of the two wins.
`None` always means that the setting changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NotRequired, TypeAlias, get_args

from typing_extensions import TypedDict

from agentgraph.authoring.amounts import check_count
from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.guardrail_kinds import check_guardrails
from agentgraph.authoring.pydantic_fields import kept_as_is, names_types
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.guardrail import InputGuardrail, OutputGuardrail
from agentgraph.handoffs import HandoffHistoryMapper, HandoffInputFilter
from agentgraph.lifecycle import RunHooks
from agentgraph.memory.session_settings import SessionSettings, coerce_session_settings
from agentgraph.model_settings import ModelSettings
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.run_error_handlers import RunErrorHandlers
from agentgraph.tools.errors import ToolErrorFormatter, ToolErrorFormatterArgs
from agentgraph.user_code.arity import check_callbacks
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.memory.journals.store import JournalStore
    from agentgraph.memory.session import Session
    from agentgraph.memory.util import SessionInputCallback

__all__ = [
    "DEFAULT_MAX_TURNS",
    "CallModelData",
    "CallModelInputFilter",
    "DurableOptions",
    "ModelInputData",
    "OutputGuardrailBlockedMessageArgs",
    "OutputGuardrailBlockedMessageFormatter",
    "ReasoningItemIdPolicy",
    "RunConfig",
    "RunOptions",
    "ToolErrorFormatter",
    "ToolErrorFormatterArgs",
    "ToolExecutionConfig",
    "ToolNameCollisionPolicy",
    "ToolNotFoundBehavior",
    "coerce_run_config",
]

DEFAULT_MAX_TURNS: Final = 10
"""The most model calls of a run, unless the caller sets another limit."""

ToolNotFoundBehavior: TypeAlias = Literal["raise_error", "return_error_to_model"]
"""The reaction to a call of a tool that the agent does not have."""

ToolNameCollisionPolicy: TypeAlias = Literal["warn", "error"]
"""The reaction to two tools of one agent with the same name at run time."""

ReasoningItemIdPolicy: TypeAlias = Literal["preserve", "omit"]
"""Whether reasoning items are sent back to the model with their ids."""


@names_types(TResponseInputItem="openai.types.responses:ResponseInputItemParam")
@dataclass
class ModelInputData:
    """The input of a model call that is about to start.

    Attributes:
        input: The conversation as input items.
        instructions: The agent's instructions for this turn.
    """

    input: list[TResponseInputItem]
    instructions: str | None


@dataclass
class CallModelData(Generic[TContext]):
    """The argument of a `call_model_input_filter`.

    Attributes:
        model_data: The model's input; a copy, which the filter may change.
        agent: The agent whose turn it is.
        context: The object that the caller passed as `context`.
    """

    model_data: ModelInputData
    agent: AnyAgent
    context: TContext | None


CallModelInputFilter: TypeAlias = Callable[[CallModelData[Any]], MaybeAwaitable[ModelInputData]]
"""Returns the input that the model receives in place of the original one."""


@dataclass(frozen=True)
class OutputGuardrailBlockedMessageArgs(Generic[TContext]):
    """The circumstances of a blocked output, without the output itself.

    Attributes:
        default_message: The replacement of the output if the formatter returns `None`.
        guardrail_name: The name of the guardrail that blocked it.
        agent: The agent that produced the output.
        run_context: The run's context.
    """

    default_message: str
    guardrail_name: str
    agent: AnyAgent
    run_context: RunContextWrapper[TContext]


OutputGuardrailBlockedMessageFormatter: TypeAlias = Callable[
    [OutputGuardrailBlockedMessageArgs[Any]], str | None
]
"""Returns the replacement of a blocked output; `None` keeps the default message."""


@dataclass
class ToolExecutionConfig:
    """How a run carries out the tool calls of one reply.

    Attributes:
        max_function_tool_concurrency: The most function tools that run at the same time; `None`
            means no limit.
        pre_approval_tool_input_guardrails: Whether tool input guardrails judge a call before the
            run asks a person to approve it, and not only after.

    Raises:
        AgentDefinitionError: The limit is less than one.
    """

    max_function_tool_concurrency: int | None = None
    pre_approval_tool_input_guardrails: bool = False

    def __post_init__(self) -> None:
        limit, setting = self.max_function_tool_concurrency, "max_function_tool_concurrency"
        if limit is not None:
            check_count(f"ToolExecutionConfig.{setting}", limit, "1 or more", least=1)


def _trace_sensitive_data_by_default() -> bool:
    # This is the SDK's variable: a deployment that turned it off keeps it off after moving here.
    value = os.environ.get("OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA", "true")
    return value.strip().lower() in {"1", "true", "yes", "on"}


@kept_as_is(lambda settings: coerce_run_config(settings))
@dataclass
class RunConfig:
    """The configuration of a run.

    Attributes:
        model: The model of every agent, in place of its own; a name is looked up.
        model_provider: Looks names of models up; `None` stands for the default providers.
        model_settings: Settings that are laid over every agent's own.
        handoff_input_filter: The filter of handoffs that have none of their own.
        nest_handoff_history: Whether the target of a handoff receives a summary of the
            conversation; a handoff's own setting wins.
        handoff_history_mapper: Makes that summary, in place of the default mapper.
        input_guardrails: Run together with those of the first agent.
        output_guardrails: Run together with those of the last agent.
        tracing_disabled: Whether tracing of the run is off.
        tracing: How the run's trace is exported.
        trace_include_sensitive_data: Whether a trace contains texts of the model, the user and the
            tools.
        workflow_name: The run's name in traces.
        trace_id: The trace's id, in place of a new one.
        group_id: An id that the traces of one conversation share.
        trace_metadata: Further facts for the trace.
        session_input_callback: Combines a session's history with the new input.
        call_model_input_filter: Returns the final input of every model call.
        tool_error_formatter: Returns the final message to the model about a failed tool call.
        session_settings: Settings that are laid over the session's own.
        reasoning_item_id_policy: Whether reasoning items are sent back with their ids.
        tool_execution: How the run carries out the tool calls of one reply.
        tool_not_found_behavior: The reaction to a call of a tool that the agent does not have.
        tool_name_collision_policy: The reaction to two tools with the same name at run time.
        output_guardrail_blocked_message: The text that the session stores in place of a function's
            return value, if that was the output of the run and a guardrail blocked it.
        journal: Where the run is stored while it works, unless the run names another journal.

    Raises:
        AgentDefinitionError: A setting has a value that cannot work.
    """

    model: str | Model | None = None
    model_provider: ModelProvider | None = None
    model_settings: ModelSettings | None = None
    handoff_input_filter: HandoffInputFilter | None = None
    nest_handoff_history: bool = False
    handoff_history_mapper: HandoffHistoryMapper | None = None
    input_guardrails: list[InputGuardrail[Any]] | None = None
    output_guardrails: list[OutputGuardrail[Any]] | None = None
    tracing_disabled: bool = False
    tracing: Mapping[str, Any] | None = None
    trace_include_sensitive_data: bool = field(default_factory=_trace_sensitive_data_by_default)
    workflow_name: str = "Agent workflow"
    trace_id: str | None = None
    group_id: str | None = None
    trace_metadata: dict[str, Any] | None = None
    session_input_callback: SessionInputCallback | None = None
    call_model_input_filter: CallModelInputFilter | None = None
    tool_error_formatter: ToolErrorFormatter | None = None
    session_settings: SessionSettings | None = None
    reasoning_item_id_policy: ReasoningItemIdPolicy | None = None
    tool_execution: ToolExecutionConfig | None = None
    tool_not_found_behavior: ToolNotFoundBehavior = "raise_error"
    tool_name_collision_policy: ToolNameCollisionPolicy = "warn"
    output_guardrail_blocked_message: str | OutputGuardrailBlockedMessageFormatter | None = None
    journal: JournalStore | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        settings: object = self.model_settings
        if isinstance(settings, dict):
            self.model_settings = ModelSettings().resolve(settings)
        session: object = self.session_settings
        if isinstance(session, dict):
            self.session_settings = coerce_session_settings(session)
        execution: object = self.tool_execution
        if isinstance(execution, dict):
            self.tool_execution = _execution_from_dict(execution)
        elif execution is not None and not isinstance(execution, ToolExecutionConfig):
            raise AgentDefinitionError(
                "RunConfig.tool_execution must be a ToolExecutionConfig or a dict, "
                f"not {type(execution).__name__}."
            )
        blocked: object = self.output_guardrail_blocked_message
        if blocked == "" or not (blocked is None or isinstance(blocked, str) or callable(blocked)):
            raise AgentDefinitionError(
                "RunConfig.output_guardrail_blocked_message must be a text that is not empty or a "
                f"function, not {blocked!r}."
            )
        inputs, outputs = self.input_guardrails or (), self.output_guardrails or ()
        check_guardrails("RunConfig.input_guardrails", inputs, "InputGuardrail")
        check_guardrails("RunConfig.output_guardrails", outputs, "OutputGuardrail")
        check_callbacks("RunConfig", self, _CALLBACKS)
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                options = ", ".join(map(repr, choices))
                raise AgentDefinitionError(
                    f"RunConfig.{name} must be one of {options}, not {value!r}."
                )


_CALLBACKS: Final = {
    "handoff_input_filter": ("the data of the handoff",),
    "handoff_history_mapper": ("the items",),
    "session_input_callback": ("the history", "the new input"),
    "call_model_input_filter": ("the data of the call",),
    "tool_error_formatter": ("the failure",),
    "output_guardrail_blocked_message": ("the data of the guardrail",),
}
_CHOICES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "tool_not_found_behavior": get_args(ToolNotFoundBehavior),
    "tool_name_collision_policy": get_args(ToolNameCollisionPolicy),
    "reasoning_item_id_policy": (None, *get_args(ReasoningItemIdPolicy)),
}


_DEFAULTS: Final = vars(RunConfig())


def _execution_from_dict(settings: dict[str, Any]) -> ToolExecutionConfig:
    unknown = sorted(settings.keys() - {f.name for f in fields(ToolExecutionConfig)})
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise AgentDefinitionError(f"RunConfig.tool_execution has no setting {names}.")
    return ToolExecutionConfig(**settings)


def coerce_run_config(config: RunConfig | Mapping[str, Any] | None) -> RunConfig:
    """Convert every form of a configuration that the runner accepts.

    Args:
        config: A configuration, a dictionary of its fields, or `None` for the defaults.

    Returns:
        The configuration.

    Raises:
        AgentDefinitionError: The dictionary names a setting that does not exist, or `config` is
            something else.
    """
    match config:
        case None:
            # Each run without a configuration makes one: valid values need no second look.
            defaults = object.__new__(RunConfig)
            defaults.__dict__.update(
                _DEFAULTS, trace_include_sensitive_data=_trace_sensitive_data_by_default()
            )
            return defaults
        case RunConfig():
            return config
        case Mapping():
            unknown = sorted(config.keys() - {f.name for f in fields(RunConfig)})
            if unknown:
                raise AgentDefinitionError(
                    f"RunConfig has no setting {', '.join(map(repr, unknown))}."
                )
            return RunConfig(**config)
        case _:
            raise AgentDefinitionError(
                f"run_config must be a RunConfig or a dict, not {type(config).__name__}."
            )


class DurableOptions(TypedDict):
    """The keyword arguments of a durable run (docs/durable.md).

    A run with them may also raise `RunInProgress` and `JournalError`.

    Attributes:
        journal: Where the run is stored while it works, so that it survives its process.
        run_id: The run's id there: a run that exists goes on, or gives its result again.
        if_running: What to do if that run is alive in another place: `"wait"` for it, or `"raise"`
            `RunInProgress`.
        replay_events: Whether a streamed run first shows the events of what it did before.
    """

    journal: NotRequired[JournalStore | None]
    run_id: NotRequired[str | None]
    if_running: NotRequired[Literal["wait", "raise"]]
    replay_events: NotRequired[bool]


class RunOptions(DurableOptions, Generic[TContext]):
    """The keyword arguments of a run, beside those of a durable run.

    Attributes:
        context: The object that tools, guardrails and hooks receive.
        max_turns: The most model calls of the run; `None` means no limit.
        hooks: Called when something happens in the run.
        run_config: The configuration of the whole run.
        previous_response_id: The stored response to continue from.
        auto_previous_response_id: Whether each call continues from the stored response before it.
        conversation_id: The stored conversation to continue.
        session: Stores the conversation between runs.
        error_handlers: Turn failures into final outputs.
    """

    context: NotRequired[TContext | None]
    max_turns: NotRequired[int | None]
    hooks: NotRequired[RunHooks[TContext] | None]
    run_config: NotRequired[RunConfig | dict[str, Any] | None]
    previous_response_id: NotRequired[str | None]
    auto_previous_response_id: NotRequired[bool]
    conversation_id: NotRequired[str | None]
    session: NotRequired[Session | None]
    error_handlers: NotRequired[RunErrorHandlers[TContext] | None]
