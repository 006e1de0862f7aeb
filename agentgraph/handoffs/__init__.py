"""Handing the conversation over to another agent.

To the model, a handoff is a tool: calling it makes the target agent the current one. The objects
here only describe handoffs; the compiled machine decides when a handoff is taken.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeAlias, overload

from typing_extensions import TypeVar

from agentgraph.authoring.function_names import OF_HANDOFFS, check_function_name, function_name_of
from agentgraph.authoring.origin import UNKNOWN_ORIGIN, SourceLine, caller_origin
from agentgraph.authoring.pydantic_fields import kept_as_is
from agentgraph.exceptions import AgentDefinitionError, ModelBehaviorError, UserError
from agentgraph.handoffs.history import (
    default_handoff_history_mapper,
    get_conversation_history_wrappers,
    nest_handoff_history,
    reset_conversation_history_wrappers,
    set_conversation_history_wrappers,
)
from agentgraph.handoffs.input_data import (
    HandoffHistoryMapper,
    HandoffInputData,
    HandoffInputFilter,
)
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.schemas.arguments import not_strict, problems_of
from agentgraph.schemas.strict import ensure_strict_json_schema
from agentgraph.user_code.arity import CONTEXT_AND_AGENT, accepts, check_callbacks
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = [
    "Handoff",
    "HandoffHistoryMapper",
    "HandoffInputData",
    "HandoffInputFilter",
    "default_handoff_history_mapper",
    "get_conversation_history_wrappers",
    "handoff",
    "nest_handoff_history",
    "reset_conversation_history_wrappers",
    "set_conversation_history_wrappers",
]


class HandoffTarget(Protocol):
    """The part of an agent that a handoff to it needs."""

    @property
    def name(self) -> str: ...

    @property
    def handoff_description(self) -> str | None: ...


TAgent = TypeVar("TAgent", default=Any)
THandoffInput = TypeVar("THandoffInput", default=Any)
TTarget = TypeVar("TTarget", bound=HandoffTarget)

OnHandoffWithInput: TypeAlias = Callable[[RunContextWrapper[Any], THandoffInput], Any]
"""Called when the handoff is taken, with the input that the model wrote."""

OnHandoffWithoutInput: TypeAlias = Callable[[RunContextWrapper[Any]], Any]
"""Called when the handoff is taken."""


@kept_as_is()
@dataclass
class Handoff(Generic[TContext, TAgent]):
    """One way out of an agent; `handoff()` makes it.

    Attributes:
        tool_name: The name by which the model calls it.
        tool_description: The description that the model sees.
        input_json_schema: The schema of the input that the model writes.
        on_invoke_handoff: Receives the run's context and the model's JSON, and returns the next
            agent.
        agent_name: The name of the target agent.
        input_filter: Chooses the input of the target; `None` leaves it to the run's configuration.
        nest_handoff_history: Whether the target receives a summary of the conversation; `None`
            leaves it to the run's configuration.
        strict_json_schema: Whether the schema is in the strict subset that models follow exactly.
        is_enabled: Whether the model can take the handoff; a callable decides again on each turn.
        returns: Whether the target answers the call and the agent goes on, instead of the target
            becoming the current agent.
    """

    tool_name: str
    tool_description: str
    input_json_schema: dict[str, Any]
    on_invoke_handoff: Callable[[RunContextWrapper[Any], str], Awaitable[TAgent]]
    agent_name: str
    input_filter: HandoffInputFilter | None = None
    nest_handoff_history: bool | None = None
    strict_json_schema: bool = True
    is_enabled: bool | Callable[[RunContextWrapper[Any], Any], MaybeAwaitable[bool]] = True
    returns: bool = field(default=False, kw_only=True)
    _agent_ref: weakref.ReferenceType[Any] | None = field(default=None, init=False, repr=False)
    _on_handoff: Callable[..., Any] | None = field(
        default=None, init=False, repr=False, compare=False
    )
    # The type of the input, if `handoff()` made it; the front end compares it with `_on_handoff`.
    _input_type: object = field(default=None, init=False, repr=False, compare=False)
    _origin: SourceLine = field(default=UNKNOWN_ORIGIN, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._origin = caller_origin()
        check_function_name(self.tool_name, "Handoff", "tool_name")
        check_callbacks(f"Handoff {self.tool_name!r}", self, _CALLBACKS)

    @property
    def target(self) -> TAgent | None:
        """The target agent, or `None` if only `on_invoke_handoff` has it."""
        return None if self._agent_ref is None else self._agent_ref()

    def get_transfer_message(self, agent: HandoffTarget) -> str:
        """Write the message that tells the model which agent takes over.

        Args:
            agent: The agent that takes over.

        Returns:
            A JSON object with the agent's name.
        """
        return f'{{"assistant": {json.dumps(agent.name)}}}'

    @classmethod
    def default_tool_name(cls, agent: HandoffTarget) -> str:
        """Derive the tool name by which a model hands over to an agent.

        Args:
            agent: The target.

        Returns:
            `transfer_to_` and the agent's name in lower case, with `_` in place of every character
            that a function name cannot contain.
        """
        return function_name_of(
            agent.name, OF_HANDOFFS, what="the handoff to it", setting="tool_name_override"
        )

    @classmethod
    def default_tool_description(cls, agent: HandoffTarget) -> str:
        """Derive the description of a handoff to an agent, for the model."""
        description = agent.handoff_description or ""
        return f"Handoff to the {agent.name} agent to handle the request. {description}"


_CALLBACKS: Final = {
    "on_invoke_handoff": ("the context", "the input"),
    "input_filter": ("the data of the handoff",),
    "is_enabled": CONTEXT_AND_AGENT,
}


@overload
def handoff(
    agent: TTarget,
    tool_name_override: str | None = None,
    tool_description_override: str | None = None,
    *,
    input_filter: HandoffInputFilter | None = None,
    nest_handoff_history: bool | None = None,
    is_enabled: bool | Callable[[RunContextWrapper[Any], Any], MaybeAwaitable[bool]] = True,
    returns: bool = False,
) -> Handoff[Any, TTarget]: ...


@overload
def handoff(
    agent: TTarget,
    tool_name_override: str | None = None,
    tool_description_override: str | None = None,
    *,
    on_handoff: OnHandoffWithInput[THandoffInput],
    input_type: type[THandoffInput],
    input_filter: HandoffInputFilter | None = None,
    nest_handoff_history: bool | None = None,
    is_enabled: bool | Callable[[RunContextWrapper[Any], Any], MaybeAwaitable[bool]] = True,
    returns: bool = False,
) -> Handoff[Any, TTarget]: ...


@overload
def handoff(
    agent: TTarget,
    tool_name_override: str | None = None,
    tool_description_override: str | None = None,
    *,
    on_handoff: OnHandoffWithoutInput,
    input_filter: HandoffInputFilter | None = None,
    nest_handoff_history: bool | None = None,
    is_enabled: bool | Callable[[RunContextWrapper[Any], Any], MaybeAwaitable[bool]] = True,
    returns: bool = False,
) -> Handoff[Any, TTarget]: ...


def handoff(
    agent: TTarget,
    tool_name_override: str | None = None,
    tool_description_override: str | None = None,
    on_handoff: Callable[..., Any] | None = None,
    input_type: type[Any] | None = None,
    input_filter: HandoffInputFilter | None = None,
    nest_handoff_history: bool | None = None,
    is_enabled: bool | Callable[[RunContextWrapper[Any], Any], MaybeAwaitable[bool]] = True,
    *,
    returns: bool = False,
) -> Handoff[Any, TTarget]:
    """Describe a handoff to an agent.

    Args:
        agent: The target: an agent or a workflow.
        tool_name_override: The name by which the model calls it, in place of the derived name.
        tool_description_override: The description for the model, in place of the derived text.
        on_handoff: Called when the handoff is taken: with the run's context and, if `input_type` is
            set, with the model's input. It may be async.
        input_type: The type of the input that the model writes.
        input_filter: Chooses the input of the target.
        nest_handoff_history: Whether the target receives a summary of the conversation.
        is_enabled: Whether the model can take the handoff; a callable receives the run's context
            and the agent.
        returns: Whether the agent goes on after it. The target then works in a run of its own, is
            shown the conversation, and its final output is the output of the call.

    Returns:
        The handoff, for an agent's `handoffs`.

    Raises:
        UserError: `input_type` is set without `on_handoff`, or `input_type` has no strict schema.
        AgentDefinitionError: `agent` is not an agent, or a function cannot be called with its
            arguments.
    """
    if not isinstance(getattr(agent, "name", None), str):
        raise AgentDefinitionError(
            f"handoff() needs an Agent or a Workflow, not {type(agent).__name__}."
        )
    _check_on_handoff(agent.name, on_handoff, input_type)
    adapter, schema = _describe_input(agent.name, input_type)
    tool_name = tool_name_override or Handoff.default_tool_name(agent)

    new_handoff: Handoff[Any, TTarget] = Handoff(
        tool_name=tool_name,
        tool_description=tool_description_override or Handoff.default_tool_description(agent),
        input_json_schema=schema,
        on_invoke_handoff=_invocation(agent, tool_name, on_handoff, adapter),
        agent_name=agent.name,
        input_filter=input_filter,
        nest_handoff_history=nest_handoff_history,
        is_enabled=is_enabled,
        returns=returns,
    )
    new_handoff._agent_ref = weakref.ref(agent)
    new_handoff._on_handoff = on_handoff
    new_handoff._input_type = input_type
    return new_handoff


def handoff_by_itself(agent: TTarget, tool_name: str) -> Handoff[Any, TTarget]:
    """Describe the handoff to an agent that stands in `handoffs` itself, without `handoff()`.

    Args:
        agent: The target.
        tool_name: The name by which the model calls it.

    Returns:
        A handoff like that of `handoff(agent, tool_name)`, but with an unknown origin.
    """
    # The constructor would walk up the stack for the origin, and the stack is deep during a run.
    new_handoff: Handoff[Any, TTarget] = object.__new__(Handoff)
    new_handoff.__dict__.update(
        tool_name=tool_name,
        tool_description=Handoff.default_tool_description(agent),
        input_json_schema=ensure_strict_json_schema({}),
        on_invoke_handoff=_invocation(agent, tool_name),
        agent_name=agent.name,
        input_filter=None,
        nest_handoff_history=None,
        strict_json_schema=True,
        is_enabled=True,
        returns=False,
        _agent_ref=weakref.ref(agent),
        _on_handoff=None,
        _input_type=None,
        _origin=UNKNOWN_ORIGIN,
    )
    return new_handoff


def _invocation(
    agent: TTarget,
    tool_name: str,
    on_handoff: Callable[..., Any] | None = None,
    adapter: TypeAdapter[Any] | None = None,
) -> Callable[[RunContextWrapper[Any], str], Awaitable[TTarget]]:
    """What a run calls when the handoff is taken."""

    async def invoke(ctx: RunContextWrapper[Any], input_json: str | None = None) -> TTarget:
        if on_handoff is not None:
            arguments = () if adapter is None else (_read_input(adapter, input_json, tool_name),)
            await resolve(on_handoff(ctx, *arguments))
        return agent

    return invoke


def _check_on_handoff(
    agent_name: str, on_handoff: Callable[..., Any] | None, input_type: type[Any] | None
) -> None:
    if on_handoff is None:
        if input_type is not None:
            raise UserError(
                f"The handoff to agent {agent_name!r} has an input_type but no on_handoff "
                "to receive the input. Pass both or neither."
            )
        return
    if not callable(on_handoff):
        raise AgentDefinitionError(
            f"on_handoff of the handoff to agent {agent_name!r} must be callable, "
            f"not {type(on_handoff).__name__}."
        )
    arguments = ("context",) if input_type is None else ("context", "input")
    if not accepts(on_handoff, len(arguments)):
        raise AgentDefinitionError(
            f"on_handoff of the handoff to agent {agent_name!r} must take "
            f"{len(arguments)} argument(s): {', '.join(arguments)}."
        )


def _describe_input(
    agent_name: str, input_type: type[Any] | None
) -> tuple[TypeAdapter[Any] | None, dict[str, Any]]:
    if input_type is None:
        return None, ensure_strict_json_schema({})
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(input_type)
    try:
        return adapter, ensure_strict_json_schema(adapter.json_schema())
    except (UserError, ValueError) as error:
        raise UserError(
            f"No strict schema for the input_type of the handoff to agent {agent_name!r}: {error}"
        ) from error


def _read_input(adapter: TypeAdapter[Any], input_json: str | None, tool_name: str) -> Any:
    from pydantic import ValidationError

    if not input_json:
        raise ModelBehaviorError(f"Handoff {tool_name!r} needs an input, but the model wrote none.")
    problem = not_strict(input_json)
    if problem is not None:
        raise ModelBehaviorError(
            f"Invalid JSON when parsing the input of handoff {tool_name!r}: {problem}"
        )
    try:
        return adapter.validate_json(input_json, strict=True)
    except ValidationError as error:
        raise ModelBehaviorError(
            f"Invalid JSON when parsing the input of handoff {tool_name!r}:"
            f" {problems_of(error, 'input')}"
        ) from None
