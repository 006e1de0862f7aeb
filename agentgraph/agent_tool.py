"""An agent that serves as a tool: a description, which the front end lowers to a sub-machine.

Nothing here runs an agent. A call of the tool is an invoke of the agent's own machine, so it is
drawn, checked, streamed, cancelled and resumed like any other invoke. Only code that calls
`on_invoke_tool` itself starts a run of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, is_dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, cast

from typing_extensions import TypedDict

from agentgraph.agent_tool_input import (
    TEXT_INPUT_SCHEMA,
    StructuredInputSchemaInfo,
    StructuredToolInputBuilder,
    build_structured_input_schema_info,
    is_agent_tool_input,
    resolve_agent_tool_input,
)
from agentgraph.authoring.amounts import check_count
from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.function_names import function_name_of
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.lifecycle import RunHooks
from agentgraph.run_config import RunConfig
from agentgraph.schemas.arguments import InvalidToolArguments, problems_of, read_arguments
from agentgraph.schemas.strict import ensure_strict_json_schema
from agentgraph.tool_context import ToolContext
from agentgraph.tools.errors import default_tool_error_function
from agentgraph.tools.function import FunctionTool, ToolErrorFunction, ToolOrigin, ToolOriginType
from agentgraph.user_code.arity import check_callbacks
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from openai.types.responses import ResponseFunctionToolCall
    from pydantic import TypeAdapter

    from agentgraph.handoffs import Handoff
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.memory.session import Session
    from agentgraph.stream_events import StreamEvent

__all__ = [
    "AgentTool",
    "AgentToolOutputExtractor",
    "AgentToolStreamEvent",
    "ReturningHandoff",
    "argument_schema",
    "default_tool_error_function",
    "default_tool_name",
    "not_bound",
    "returning",
]


class AgentToolStreamEvent(TypedDict):
    """An event of the run inside an agent tool.

    Attributes:
        event: The event of the inner run.
        agent: The active agent of the inner run.
        tool_call: The call that started the inner run.
    """

    event: StreamEvent
    agent: AnyAgent
    tool_call: ResponseFunctionToolCall | None


AgentToolOutputExtractor: TypeAlias = Callable[[Any], MaybeAwaitable[Any]]
"""Makes the tool's output from the result of the inner run."""


_DIRECT_CALL: Final = "agentgraph.running.direct_call"


async def not_bound(context: ToolContext[Any], arguments: str) -> NoReturn:
    """Stand for the function of an agent tool until the tool is made, which then binds its own."""
    raise AssertionError


_CALLBACKS: Final = {
    "custom_output_extractor": ("the result",),
    "on_stream": ("the event",),
    "input_builder": ("the options",),
}


@dataclass(eq=False)
class AgentTool(FunctionTool):
    """An agent or a workflow that an agent calls as a tool; `as_tool` makes it.

    Attributes:
        agent: The agent, or a workflow.
        custom_output_extractor: Makes the output from the result of the inner run; without it, the
            output is that run's final output.
        on_stream: Called with each event of the inner run.
        run_config: The configuration of the inner run; that of the outer run when left out.
        max_turns: The most model calls of the inner run; the usual number when left out.
        hooks: The hooks of the inner run.
        previous_response_id: The stored response from which the inner run continues.
        conversation_id: The stored conversation that the inner run continues.
        session: Stores the conversation of the inner runs.
        parameters: The type of the arguments; one text when left out.
        input_builder: Makes the agent's input from the arguments.
        include_input_schema: Whether the agent sees the schema of the arguments.
        on_stream_max_pending_events: The most events that may wait for `on_stream`; when so many
            wait, the inner run waits too. `None` means no limit.
    """

    agent: AnyAgent = field(kw_only=True)
    custom_output_extractor: AgentToolOutputExtractor | None = field(default=None, kw_only=True)
    on_stream: Callable[[AgentToolStreamEvent], MaybeAwaitable[None]] | None = field(
        default=None, kw_only=True
    )
    run_config: RunConfig | None = field(default=None, kw_only=True)
    max_turns: int | None = field(default=None, kw_only=True)
    hooks: RunHooks[Any] | None = field(default=None, kw_only=True)
    previous_response_id: str | None = field(default=None, kw_only=True)
    conversation_id: str | None = field(default=None, kw_only=True)
    session: Session | None = field(default=None, kw_only=True)
    parameters: type[Any] | None = field(default=None, kw_only=True)
    input_builder: StructuredToolInputBuilder | None = field(default=None, kw_only=True)
    include_input_schema: bool = field(default=False, kw_only=True)
    on_stream_max_pending_events: int | None = field(default=1024, kw_only=True)

    def __post_init__(self) -> None:
        if self.on_stream is not None and not callable(self.on_stream):
            raise AgentDefinitionError(
                f"Agent tool {self.name!r}: on_stream must be callable, "
                f"not {type(self.on_stream).__name__}. Pass a run configuration as run_config."
            )
        for name, least in (("max_turns", 0), ("on_stream_max_pending_events", 1)):
            limit = getattr(self, name)
            if limit is not None:
                expected = f"a whole number, {least} or more, or None"
                check_count(f"Agent tool {self.name!r}: {name}", limit, expected, least=least)
        check_callbacks(f"Agent tool {self.name!r}", self, _CALLBACKS)
        # A copy has the method of the tool that it is a copy of.
        of_a_tool = getattr(self.on_invoke_tool, "__func__", None) is AgentTool._call_by_hand
        if self.on_invoke_tool is not_bound or of_a_tool:
            self.on_invoke_tool = self._call_by_hand
        if self._tool_origin is None:
            self._tool_origin = ToolOrigin(
                ToolOriginType.AGENT_AS_TOOL, agent_name=self.agent.name, agent_tool_name=self.name
            )
        super().__post_init__()

    async def _call_by_hand(self, context: ToolContext[Any], arguments: str) -> Any:
        """Run the agent for code that calls `on_invoke_tool` itself.

        What runs stands above authoring, so it is looked up by name (docs/decisions/0027).
        """
        return await import_module(_DIRECT_CALL).call_by_hand(self, context, arguments)

    @cached_property
    def _adapter(self) -> TypeAdapter[Any] | None:
        return None if self.parameters is None else adapter_of(self.name, self.parameters)

    @property
    def tool_name(self) -> str:
        """The tool as the model calls it."""
        return self.name

    @property
    def tool_description(self) -> str:
        """The description of the tool for the model."""
        return self.description

    @property
    def failure_error_function(self) -> ToolErrorFunction | None:
        """Makes the message for the model when the inner run fails; `None` raises instead."""
        return self._failure_error_function

    def read_arguments(self, arguments: str) -> Any:
        """Validate the arguments of a call.

        Args:
            arguments: The JSON text that the model wrote.

        Returns:
            The arguments as plain JSON values.

        Raises:
            InvalidToolArguments: The text is not JSON, or does not fit the tool's parameters.
        """
        values = read_arguments(arguments, self.name)
        if self._adapter is None:
            return self._text_input(values)
        from pydantic import ValidationError

        try:
            params = self._adapter.validate_json(arguments or "{}")
            return self._adapter.dump_python(params, mode="json")
        except ValidationError as error:
            raise InvalidToolArguments(self.name, problems_of(error), is_json=True) from None

    def _text_input(self, values: dict[str, Any]) -> dict[str, Any]:
        if not is_agent_tool_input(values):
            raise InvalidToolArguments(self.name, "input: must be a text", is_json=True)
        return {"input": values["input"]}

    async def build_input(self, params: object) -> str | list[TResponseInputItem]:
        """Make the input of the inner run.

        Args:
            params: The arguments, as `read_arguments` returns them.

        Returns:
            The input, as text or as input items.

        Raises:
            UserError: The input builder returned something else.
        """
        schema_info: StructuredInputSchemaInfo | None = None
        if self._adapter is not None:
            schema_info = build_structured_input_schema_info(
                self.params_json_schema, include_json_schema=self.include_input_schema
            )
        return await resolve_agent_tool_input(
            params=params, schema_info=schema_info, input_builder=self.input_builder
        )


@dataclass(eq=False)
class ReturningHandoff(AgentTool):
    """A handoff that returns (`handoff(agent, returns=True)`), as the tool that the model calls.

    The target works in a nested run, like an agent used as a tool. It differs in what the nested
    run is shown (the conversation), in the hooks (`on_handoff`), and in the input guardrails of the
    target, which a handoff skips.

    Attributes:
        handoff: The handoff.
    """

    handoff: Handoff[Any, Any] = field(kw_only=True)


def returning(handoff: Handoff[Any, Any], target: object) -> ReturningHandoff:
    """Make the tool of a handoff that returns.

    Args:
        handoff: The handoff, as it is now.
        target: The agent or workflow that it leads to.
    """
    return ReturningHandoff(
        name=handoff.tool_name,
        description=handoff.tool_description,
        params_json_schema=handoff.input_json_schema,
        on_invoke_tool=not_bound,
        strict_json_schema=handoff.strict_json_schema,
        is_enabled=handoff.is_enabled,
        agent=cast("AnyAgent", target),
        handoff=handoff,
        _origin=handoff._origin,
    )


def default_tool_name(agent_name: str) -> str:
    """Make a function name from an agent's name: in lower case, with `_` for other characters."""
    return function_name_of(agent_name, "", what="its tool", setting="tool_name")


def adapter_of(owner: str, parameters: type[Any]) -> TypeAdapter[Any]:
    """Make the validator for the arguments of an agent tool.

    Args:
        owner: The tool or agent, for the message.
        parameters: The type of the arguments.

    Returns:
        The validator.

    Raises:
        AgentDefinitionError: The type is neither a dataclass nor a pydantic model.
    """
    from pydantic import BaseModel, TypeAdapter

    kind: object = parameters
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, BaseModel)):
        return TypeAdapter(kind)
    raise AgentDefinitionError(
        f"parameters of agent tool {owner!r} must be a dataclass or a pydantic model, "
        f"not {parameters!r}."
    )


def argument_schema(owner: str, parameters: type[Any] | None) -> dict[str, Any]:
    """Derive the schema of an agent tool's arguments.

    Args:
        owner: The tool or agent, for the message.
        parameters: The type of the arguments; `None` stands for one text.

    Returns:
        A new strict schema.

    Raises:
        AgentDefinitionError: The type is neither a dataclass nor a pydantic model.
        UserError: The type has no strict schema.
    """
    if parameters is None:
        return copy.deepcopy(dict(TEXT_INPUT_SCHEMA))
    adapter = adapter_of(owner, parameters)
    try:
        return ensure_strict_json_schema(adapter.json_schema())
    except (UserError, ValueError) as error:
        raise UserError(
            f"parameters of agent tool {owner!r} have no strict JSON schema: {error}"
        ) from error
