"""What holds for a whole run, whichever agent is active.

A setting that an agent or a handoff has as well says in its description which of the two wins.
`None` always means that the setting changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NotRequired, TypeAlias, get_args

from typing_extensions import TypedDict

from agentgraph.authoring.amounts import check_count
from agentgraph.authoring.pydantic_fields import kept_as_is, names_types
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.guardrail import InputGuardrail, OutputGuardrail
from agentgraph.handoffs import HandoffHistoryMapper, HandoffInputFilter
from agentgraph.lifecycle import RunHooks
from agentgraph.memory.session_settings import SessionSettings, coerce_session_settings
from agentgraph.model_settings import ModelSettings
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.run_error_handlers import RunErrorHandlers
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.memory.session import Session
    from agentgraph.memory.util import SessionInputCallback

__all__ = [
    "DEFAULT_MAX_TURNS",
    "CallModelData",
    "CallModelInputFilter",
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
"""How many model calls a run may make when nobody says otherwise."""

ToolNotFoundBehavior: TypeAlias = Literal["raise_error", "return_error_to_model"]
"""What follows when the model calls a tool that nobody has."""

ToolNameCollisionPolicy: TypeAlias = Literal["warn", "error"]
"""What follows when two tools of an agent have one name at run time."""

ReasoningItemIdPolicy: TypeAlias = Literal["preserve", "omit"]
"""Whether reasoning items are sent back to the model with their ids."""


@names_types(TResponseInputItem="openai.types.responses:ResponseInputItemParam")
@dataclass
class ModelInputData:
    """What a model is about to be given.

    Attributes:
        input: The conversation as input items.
        instructions: The agent's instructions for this turn.
    """

    input: list[TResponseInputItem]
    instructions: str | None


@dataclass
class CallModelData(Generic[TContext]):
    """What a `call_model_input_filter` decides on.

    Attributes:
        model_data: What the model is about to be given; a copy, which may be changed.
        agent: The agent whose turn it is.
        context: The object that the caller passed as context.
    """

    model_data: ModelInputData
    agent: Any
    context: TContext | None


CallModelInputFilter: TypeAlias = Callable[[CallModelData[Any]], MaybeAwaitable[ModelInputData]]
"""Decides what the model is given in place of what it was about to be given."""


@dataclass
class ToolErrorFormatterArgs(Generic[TContext]):
    """A failure of which the model is about to be told.

    Attributes:
        kind: What went wrong.
        tool_type: The kind of tool.
        tool_name: The tool as the model called it.
        call_id: The id of the call.
        default_message: What the model is told when the formatter has nothing better.
        run_context: The run's context.
        error: What was raised, if anything.
    """

    kind: Literal["approval_rejected", "tool_not_found", "tool_exception"]
    tool_type: Literal["function", "computer", "shell", "apply_patch", "custom"]
    tool_name: str
    call_id: str
    default_message: str
    run_context: RunContextWrapper[TContext]
    error: Exception | None = None


ToolErrorFormatter: TypeAlias = Callable[[ToolErrorFormatterArgs[Any]], MaybeAwaitable[str | None]]
"""Decides what the model is told of a failure; `None` keeps the default message."""


@dataclass(frozen=True)
class OutputGuardrailBlockedMessageArgs(Generic[TContext]):
    """An output that a guardrail has blocked, without the output.

    Attributes:
        default_message: What stands in its place when the formatter has nothing better.
        guardrail_name: The guardrail.
        agent: The agent whose output it was.
        run_context: The run's context.
    """

    default_message: str
    guardrail_name: str
    agent: Any
    run_context: RunContextWrapper[TContext]


OutputGuardrailBlockedMessageFormatter: TypeAlias = Callable[
    [OutputGuardrailBlockedMessageArgs[Any]], str | None
]
"""Decides what stands in the place of a blocked output; `None` keeps the default message."""


@dataclass
class ToolExecutionConfig:
    """How the tool calls of one reply are carried out.

    Attributes:
        max_function_tool_concurrency: How many function tools run at a time; `None` means all.
        pre_approval_tool_input_guardrails: Whether tool input guardrails judge a call before a
            person is asked to approve it, and not only after.

    Raises:
        UserError: The number is less than one.
    """

    max_function_tool_concurrency: int | None = None
    pre_approval_tool_input_guardrails: bool = False

    def __post_init__(self) -> None:
        limit, setting = self.max_function_tool_concurrency, "max_function_tool_concurrency"
        if limit is not None:
            check_count(f"ToolExecutionConfig.{setting}", limit, "1 or more", least=1)


def _trace_sensitive_data_by_default() -> bool:
    # The SDK's variable, so that a deployment that switched it off keeps it off after moving here.
    value = os.environ.get("OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA", "true")
    return value.strip().lower() in {"1", "true", "yes", "on"}


@kept_as_is(lambda settings: coerce_run_config(settings))
@dataclass
class RunConfig:
    """The configuration of a run.

    There are no traces yet: the settings about them are accepted and change nothing.

    Attributes:
        model: The model for every agent, in place of their own; a name is looked up.
        model_provider: Where names of models are looked up; `None` takes the default providers.
        model_settings: Laid over every agent's own settings.
        handoff_input_filter: For handoffs that have no filter of their own.
        nest_handoff_history: Whether the target of a handoff is given a summary of the
            conversation, for handoffs that do not say.
        handoff_history_mapper: Makes that summary, in place of the usual one.
        input_guardrails: Run beside those of the first agent.
        output_guardrails: Run beside those of the last agent.
        tracing_disabled: Whether the run is not traced.
        tracing: How the run's trace is exported.
        trace_include_sensitive_data: Whether a trace shows what the model, the user and tools said.
        workflow_name: The run's name in traces.
        trace_id: The trace's id, in place of a new one.
        group_id: Ties the traces of one conversation together.
        trace_metadata: Further facts for the trace.
        session_input_callback: Puts a session's history and the new input together.
        call_model_input_filter: Has the last word on what a model is given.
        tool_error_formatter: Has the last word on what a model is told of a failed tool call.
        session_settings: Laid over the session's own settings.
        reasoning_item_id_policy: Whether reasoning items are sent back with their ids.
        tool_execution: How the tool calls of one reply are carried out.
        tool_not_found_behavior: What follows when the model calls a tool that nobody has.
        tool_name_collision_policy: What follows when two tools have one name at run time.
        output_guardrail_blocked_message: What the session keeps in place of what a function
            returned, if that was the output of the run and a guardrail blocked it.

    Raises:
        UserError: A setting has a value that it cannot have.
        AgentDefinitionError: A setting has a value of the wrong type.
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
            raise UserError(
                "RunConfig.output_guardrail_blocked_message must be a text that is not empty or a "
                f"function, not {blocked!r}."
            )
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                known = ", ".join(map(repr, choices))
                raise UserError(f"RunConfig.{name} must be one of {known}, not {value!r}.")


_CHOICES: Final[Mapping[str, tuple[str | None, ...]]] = {
    "tool_not_found_behavior": get_args(ToolNotFoundBehavior),
    "tool_name_collision_policy": get_args(ToolNameCollisionPolicy),
    "reasoning_item_id_policy": (None, *get_args(ReasoningItemIdPolicy)),
}


def _execution_from_dict(settings: dict[str, Any]) -> ToolExecutionConfig:
    unknown = sorted(settings.keys() - {f.name for f in fields(ToolExecutionConfig)})
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise UserError(f"RunConfig.tool_execution has no setting {names}.")
    return ToolExecutionConfig(**settings)


def coerce_run_config(config: RunConfig | Mapping[str, Any] | None) -> RunConfig:
    """Accept a configuration in every form that the runner takes.

    Args:
        config: A configuration, a dictionary of its fields, or `None` for the defaults.

    Returns:
        The configuration.

    Raises:
        UserError: The dictionary names a setting that does not exist.
        AgentDefinitionError: `config` is something else.
    """
    match config:
        case None:
            return RunConfig()
        case RunConfig():
            return config
        case Mapping():
            unknown = sorted(config.keys() - {f.name for f in fields(RunConfig)})
            if unknown:
                raise UserError(f"RunConfig has no setting {', '.join(map(repr, unknown))}.")
            return RunConfig(**config)
        case _:
            raise AgentDefinitionError(
                f"run_config must be a RunConfig or a dict, not {type(config).__name__}."
            )


class RunOptions(TypedDict, Generic[TContext]):
    """The keyword arguments of a run.

    Attributes:
        context: The object that tools, guardrails and hooks are given.
        max_turns: The most model calls of the run; `None` means no limit.
        hooks: Hear of what the run does.
        run_config: What holds for the whole run.
        previous_response_id: The stored response to go on from.
        auto_previous_response_id: Whether each call goes on from the stored response before it.
        conversation_id: The stored conversation to go on with.
        session: Keeps the conversation between runs.
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
