"""The context of one tool call, as the tool, its guardrails and its hooks receive it.

Rule: a `ToolContext` is a view of the run's context plus one call. It shares all mutable parts with
the run (context object, usage, approvals), so the run sees everything that a tool writes there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from agentgraph.approvals import ApprovalLedger, content_digest
from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.pydantic_fields import kept_as_is
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import ResponseFunctionToolCall, ResponseInputItemParam

__all__ = ["ToolContext"]

_T = TypeVar("_T")
_MISSING: Final[Any] = object()
# Imported only to convert a dictionary. An import at the top would be a cycle, because the hooks of
# a configuration refer to tools.
_CONFIGURATIONS: Final = "agentgraph.run_config"


@kept_as_is()
@dataclass(eq=False, init=False)
class ToolContext(RunContextWrapper[TContext]):
    """The run's context during one tool call.

    Args:
        context: The object that the caller passed to the runner.
        usage: The run's usage; a new one when left out.
        tool_name: The tool as the model called it.
        tool_call_id: The call's id, which the model chose.
        tool_arguments: The JSON text of the arguments, as the model wrote it.
        tool_call: The model's call item.
        tool_namespace: The namespace of the tool, if it has one.
        agent: The agent whose model made the call.
        run_config: The configuration of the run, or a dictionary of its fields.
        turn_input: The input of the active agent.
        tool_input: The validated arguments, if the tool is an agent with typed parameters.

    Raises:
        ValueError: The name, the id or the arguments of the call are left out.
        UserError: `run_config` names a setting that does not exist.
    """

    # These are required; they have a default only because they follow fields with a default.
    tool_name: str = _MISSING
    tool_call_id: str = _MISSING
    tool_arguments: str = _MISSING
    tool_call: ResponseFunctionToolCall | None = None
    tool_namespace: str | None = None
    agent: AnyAgent | None = field(default=None, repr=False)
    run_config: Any | None = field(default=None, repr=False)
    # Data that a tool, such as one of an MCP server, attaches to its output.
    _custom_data: dict[str, Any] | None = field(default=None, repr=False)
    _failed: bool = field(default=False, repr=False)
    # The run and the identity of the call in it.
    _identity: tuple[object, ...] = field(default=(), repr=False)

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
        agent: AnyAgent | None = None,
        run_config: object = None,
        turn_input: list[ResponseInputItemParam] | None = None,
        _approvals: ApprovalLedger | None = None,
        tool_input: Any | None = None,
    ) -> None:
        # Compare with `is None`: a ledger without decisions may be falsy, and must still be shared.
        super().__init__(
            context,
            usage=Usage() if usage is _MISSING else usage,
            turn_input=[] if turn_input is None else turn_input,
            _approvals=ApprovalLedger() if _approvals is None else _approvals,
            tool_input=tool_input,
        )
        self.tool_name = _required(tool_name, "tool_name")
        self.tool_call_id = _required(tool_call_id, "tool_call_id")
        self.tool_arguments = _required(tool_arguments, "tool_arguments")
        self.tool_call = tool_call
        self.tool_namespace = tool_namespace
        self.agent = agent
        self.run_config = _config(run_config)

    @property
    def idempotency_key(self) -> str:
        """A key of the call, the same in every retry and after every resume of the run.

        Pass it to a service that does nothing twice for one key. It is a digest without words of
        the model; of a context that was made by hand, of the id of the call.
        """
        return content_digest(*(self._identity or ("by hand", self.tool_call_id)))

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
        agent: AnyAgent | None = None,
        *,
        tool_name: str | None = None,
        tool_arguments: str | None = None,
        tool_namespace: str | None = None,
        run_config: object = None,
    ) -> ToolContext[TContext]:
        """Make the context of one call from the context of the run.

        Every tool call uses this method, so it copies references and nothing else.

        Args:
            context: The run's context; its mutable parts are shared, not copied.
            tool_call_id: The call's id, which the model chose.
            tool_call: The model's call item; it supplies the name, the arguments and the namespace
                if they are left out.
            agent: The agent whose model made the call; that of `context` when left out.
            tool_name: The tool as the model called it.
            tool_arguments: The JSON text of the arguments, as the model wrote it.
            tool_namespace: The namespace of the tool, if it has one.
            run_config: The configuration of the run; that of `context` when left out.

        Raises:
            ValueError: Neither the call item nor an argument has the tool's name or its arguments.
        """
        if tool_call is not None:
            if tool_name is None:
                tool_name = tool_call.name
            if tool_arguments is None:
                tool_arguments = tool_call.arguments
            if tool_namespace is None:
                tool_namespace = getattr(tool_call, "namespace", None)
        if tool_name is None or tool_arguments is None:
            raise _missing("tool_name" if tool_name is None else "tool_arguments")
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
        call.tool_name = tool_name
        call.tool_call_id = tool_call_id
        call.tool_arguments = tool_arguments
        call.tool_call = tool_call
        call.tool_namespace = tool_namespace
        call.agent = agent
        call.run_config = _config(run_config)
        return call

    def _for_another_run(self, own: RunContextWrapper[Any]) -> Self:
        other = super()._for_another_run(own)
        other._custom_data = None  # the data belongs to the output of this call only
        other._failed = False
        return other


def _config(config: object) -> Any:
    if isinstance(config, dict):
        return import_module(_CONFIGURATIONS).coerce_run_config(config)
    return config


def _required(value: _T | None, name: str) -> _T:
    if value is None or value is _MISSING:
        raise _missing(name)
    return value


def _missing(name: str) -> ValueError:
    return ValueError(f"A ToolContext needs {name}.")
