"""What a tool, its guardrails and its hooks see of the call that they take part in.

Rule: a `ToolContext` is a view of the run's context plus one call. It shares everything mutable
with the run (context object, usage, approvals), so what a tool writes there is seen by the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from agentgraph.approvals import ApprovalLedger
from agentgraph.authoring.pydantic_fields import kept_as_is
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import ResponseFunctionToolCall, ResponseInputItemParam

__all__ = ["ToolContext"]

_T = TypeVar("_T")
_MISSING: Final[Any] = object()
# It stands above this module: its hooks hear of tools. Only a dictionary needs it.
_CONFIGURATIONS: Final = "agentgraph.run_config"


@kept_as_is()
@dataclass(eq=False, init=False)
class ToolContext(RunContextWrapper[TContext]):
    """The run's context during one tool call.

    Args:
        context: The object that the caller passed to the runner.
        usage: The run's usage; a new account when left out.
        tool_name: The tool as the model called it.
        tool_call_id: The id that the model gave to the call.
        tool_arguments: The arguments as the model wrote them, a JSON text.
        tool_call: The model's call item.
        tool_namespace: The namespace of the tool, if it has one.
        agent: The agent whose model made the call.
        run_config: The configuration of the run, or a dictionary of its fields.
        turn_input: The items that the agent at work was given.
        tool_input: The validated arguments when the tool is an agent with typed parameters.

    Raises:
        ValueError: When the name, the id or the arguments of the call are left out.
        UserError: `run_config` names a setting that does not exist.
    """

    # Required all the same; a field that follows one with a default has to have one itself.
    tool_name: str = _MISSING
    tool_call_id: str = _MISSING
    tool_arguments: str = _MISSING
    tool_call: ResponseFunctionToolCall | None = None
    tool_namespace: str | None = None
    agent: Any | None = field(default=None, repr=False)
    run_config: Any | None = field(default=None, repr=False)
    # What a tool that knows more than its output attaches to it, such as one of an MCP server.
    _custom_data: dict[str, Any] | None = field(default=None, repr=False)

    def __init__(
        self,
        context: TContext,
        usage: Usage = _MISSING,
        tool_name: str = _MISSING,
        tool_call_id: str = _MISSING,
        tool_arguments: str = _MISSING,
        tool_call: ResponseFunctionToolCall | None = None,
        *,
        tool_namespace: str | None = None,
        agent: Any | None = None,
        run_config: Any | None = None,
        turn_input: list[ResponseInputItemParam] | None = None,
        _approvals: ApprovalLedger | None = None,
        tool_input: Any | None = None,
    ) -> None:
        # `is None` throughout: a ledger without decisions may be falsy and must be shared still.
        super().__init__(
            context,
            usage=Usage() if usage is _MISSING else usage,
            turn_input=[] if turn_input is None else turn_input,
            _approvals=ApprovalLedger() if _approvals is None else _approvals,
            tool_input=tool_input,
        )
        self.tool_name = _given(tool_name, "tool_name")
        self.tool_call_id = _given(tool_call_id, "tool_call_id")
        self.tool_arguments = _given(tool_arguments, "tool_arguments")
        self.tool_call = tool_call
        self.tool_namespace = tool_namespace
        self.agent = agent
        self.run_config = _config(run_config)

    @property
    def qualified_tool_name(self) -> str:
        """The tool's name with its namespace in front, if it has one."""
        if self.tool_namespace is None:
            return self.tool_name
        return f"{self.tool_namespace}.{self.tool_name}"

    @classmethod
    def from_agent_context(
        cls,
        context: RunContextWrapper[TContext],
        tool_call_id: str,
        tool_call: ResponseFunctionToolCall | None = None,
        agent: Any | None = None,
        *,
        tool_name: str | None = None,
        tool_arguments: str | None = None,
        tool_namespace: str | None = None,
        run_config: Any | None = None,
    ) -> ToolContext[TContext]:
        """Make the context of one call from the context of the run.

        This stands on the path of every tool call, so it copies references and nothing else.

        Args:
            context: The run's context; its mutable parts are shared, not copied.
            tool_call_id: The id that the model gave to the call.
            tool_call: The model's call item; name, arguments and namespace are read from it where
                they are not given.
            agent: The agent whose model made the call; kept from `context` when left out.
            tool_name: The tool as the model called it.
            tool_arguments: The arguments as the model wrote them.
            tool_namespace: The namespace of the tool, if it has one.
            run_config: The configuration of the run; kept from `context` when left out.

        Raises:
            ValueError: When neither the call item nor an argument says what the tool's name or its
                arguments are.
        """
        if tool_call is not None:
            if tool_name is None:
                tool_name = tool_call.name
            if tool_arguments is None:
                tool_arguments = tool_call.arguments
            if tool_namespace is None:
                tool_namespace = getattr(tool_call, "namespace", None)
        call = object.__new__(cls)
        if type(context) is RunContextWrapper:
            call.context = context.context
            call.usage = context.usage
            call.turn_input = context.turn_input
            call._approvals = context._approvals
            call.tool_input = context.tool_input
        else:
            call.__dict__.update(context.__dict__)
            agent = call.__dict__.get("agent") if agent is None else agent
            run_config = call.__dict__.get("run_config") if run_config is None else run_config
        call.tool_name = _given(tool_name, "tool_name")
        call.tool_call_id = tool_call_id
        call.tool_arguments = _given(tool_arguments, "tool_arguments")
        call.tool_call = tool_call
        call.tool_namespace = tool_namespace
        call.agent = agent
        call.run_config = _config(run_config)
        return call

    def _for_another_run(self, own: RunContextWrapper[Any]) -> Self:
        other = super()._for_another_run(own)
        other._custom_data = None  # it belongs to the output of this call
        return other


def _config(config: Any) -> Any:
    if isinstance(config, dict):
        return import_module(_CONFIGURATIONS).coerce_run_config(config)
    return config


def _given(value: _T | None, name: str) -> _T:
    if value is None or value is _MISSING:
        raise ValueError(f"A ToolContext needs {name}.")
    return value
