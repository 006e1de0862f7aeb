"""The function tool: a function that the model may call, as data.

Rule: making a tool refuses whatever is wrong with the tool alone (a timeout that is not a number, a
schema without a strict form), long before a model calls it. `invocation` carries out a call;
`decorator` makes a tool from a Python function.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias, get_args

from typing_extensions import TypedDict

from agentgraph.authoring.function_names import check_function_name
from agentgraph.authoring.guardrail_kinds import check_guardrails
from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.authoring.pydantic_fields import kept_as_is, names_types
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.items.tool_origin import ToolOrigin, ToolOriginType
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.strict import strict_copy
from agentgraph.tool_context import ToolContext
from agentgraph.tools.custom_data import CustomData
from agentgraph.user_code.arity import CONTEXT_AND_AGENT, CONTEXT_AND_ERROR, check_callbacks
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from agentgraph.items.run_items import RunItem, ToolApprovalItem
    from agentgraph.tool_guardrails import ToolInputGuardrail, ToolOutputGuardrail

__all__ = [
    "FunctionTool",
    "FunctionToolCustomDataContext",
    "FunctionToolCustomDataExtractor",
    "FunctionToolResult",
    "OnInterrupted",
    "ToolApproval",
    "ToolCaller",
    "ToolEffects",
    "ToolEnabled",
    "ToolErrorFunction",
    "ToolOrigin",
    "ToolOriginType",
    "ToolTimeoutBehavior",
    "check_callers",
    "get_function_tool_origin",
    "qualified",
    "tool_namespace",
]

ToolErrorFunction: TypeAlias = Callable[[RunContextWrapper[Any], Exception], MaybeAwaitable[str]]
"""Turns an error into the text that the model reads instead of a result."""

# The second argument is the agent. Its class is in a higher layer, so the type is Any here.
ToolEnabled: TypeAlias = bool | Callable[[RunContextWrapper[Any], Any], MaybeAwaitable[bool]]
"""Whether a tool is offered in a turn: a constant, or a function of the context and the agent."""

ToolApproval: TypeAlias = (
    bool | Callable[[RunContextWrapper[Any], dict[str, Any], str], MaybeAwaitable[bool]]
)
"""Whether a person must approve a call: a constant, or a function of context, arguments and id."""

ToolTimeoutBehavior = Literal["error_as_result", "raise_exception"]
"""What a timeout does: tell the model, or end the run with a `ToolTimeoutError`."""

ToolCaller: TypeAlias = Literal["direct", "programmatic"]
"""Who may call a tool: the model itself, or a program that it writes at the provider."""

OnInterrupted: TypeAlias = Literal["retry", "fail", "ask"]
"""What a durable run does about a call that was at work when its process died."""


class ToolEffects(TypedDict, total=False):
    """What a call of a tool changes outside, as `FunctionTool` says it.

    Attributes:
        read_only: Whether a call changes nothing.
        idempotent: Whether a second call with the same arguments changes nothing more.
        on_interrupted: What a durable run does about a call whose process died.
    """

    read_only: bool
    idempotent: bool
    on_interrupted: OnInterrupted | None


_TIMEOUT_BEHAVIORS: Final = get_args(ToolTimeoutBehavior)


@kept_as_is()
@dataclass(eq=False)
class FunctionTool:
    """A tool that runs on this side: a name, a schema for its arguments, and a function.

    Attributes:
        name: What the model calls the tool.
        description: The description that the model reads.
        params_json_schema: The JSON schema of the arguments. In strict mode the tool holds a
            strict copy of it.
        on_invoke_tool: Carries out one call. It receives the context of the call and the arguments
            as the model wrote them, a JSON text, and returns the output: text, anything that has a
            text form, or structured outputs (see `output`). It handles its own errors; an
            exception that it raises ends the run.
        strict_json_schema: Whether the provider holds the model to the schema.
        is_enabled: Whether the tool is offered; decided anew in every turn.
        tool_input_guardrails: Run before each call; they may refuse it.
        tool_output_guardrails: Run after each call; they may replace its output.
        needs_approval: Whether a person must approve a call before it is made.
        timeout_seconds: How long one call may take, in seconds; `None` for no limit.
        timeout_behavior: What happens after that time.
        timeout_error_function: Writes the text that the model reads after a timeout.
        defer_loading: Whether the request leaves the tool out, so that the model must find it by
            tool search.
        custom_data_extractor: Returns data for the program to attach to the output.
        allowed_callers: Who may call the tool. It and `output_json_schema` go out in the request
            to the Responses API, and change nothing on this side.
        output_json_schema: The schema of the output, for programs at the provider.
        read_only: Whether a call changes nothing.
        idempotent: Whether a second call with the same arguments changes nothing more.
        on_interrupted: What a durable run does about a call that its process may or may not have
            carried out before it died: `"retry"` it, `"fail"`, or `"ask"` a person. If left out,
            it retries calls that are read-only or idempotent, and asks about others.

    Raises:
        AgentDefinitionError: When a field has a value of the wrong type, the timeout is not a
            positive number of seconds, the behaviour is unknown, or a function cannot take its
            arguments.
        UserError: When strict mode is on and the schema has no strict form, or that of the output
            has none.
    """

    name: str
    description: str
    params_json_schema: dict[str, Any]
    on_invoke_tool: Callable[[ToolContext[Any], str], Awaitable[Any]]
    strict_json_schema: bool = True
    is_enabled: ToolEnabled = True
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None
    needs_approval: ToolApproval = False
    timeout_seconds: float | None = None
    timeout_behavior: ToolTimeoutBehavior = "error_as_result"
    timeout_error_function: ToolErrorFunction | None = None
    defer_loading: bool = False
    custom_data_extractor: FunctionToolCustomDataExtractor | None = field(
        default=None, kw_only=True
    )
    allowed_callers: list[ToolCaller] | None = field(default=None, kw_only=True)
    output_json_schema: dict[str, Any] | None = field(default=None, kw_only=True)
    read_only: bool = field(default=False, kw_only=True)
    idempotent: bool = field(default=False, kw_only=True)
    on_interrupted: OnInterrupted | None = field(default=None, kw_only=True)
    # The handler that `on_invoke_tool` applies to errors. It also answers a tool that cancels
    # itself.
    _failure_error_function: ToolErrorFunction | None = field(
        default=None, repr=False, kw_only=True
    )
    _origin: SourceLine | None = field(default=None, repr=False, kw_only=True)
    # The strict schema, so that it is not derived a second time.
    _strict_form: dict[str, Any] | None = field(default=None, repr=False, kw_only=True)
    # The Python function behind a tool made by `@function_tool`; the front end reads its types.
    _function: Callable[..., Any] | None = field(default=None, repr=False, kw_only=True)
    # The class of the context that the function declares.
    _context: type[Any] | None = field(default=None, repr=False, kw_only=True)
    # Where the tool comes from, if not from a function, and its title on an MCP server.
    _tool_origin: ToolOrigin | None = field(default=None, repr=False, kw_only=True)
    _mcp_title: str | None = field(default=None, repr=False, kw_only=True)
    # Name and description of its namespace (`tool_namespace`).
    _namespace: tuple[str, str] | None = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        if self._origin is None:
            self._origin = caller_origin()
        self._check_types()
        _check_timeout(self)
        if self.strict_json_schema and self.params_json_schema is not self._strict_form:
            self._strict_form = self._strict("params_json_schema", self.params_json_schema)
            self.params_json_schema = self._strict_form
        if self.output_json_schema is not None:
            self.output_json_schema = self._strict("output_json_schema", self.output_json_schema)

    def _strict(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        try:
            return strict_copy(schema)
        except (UserError, ValueError, TypeError) as error:
            raise UserError(
                f"FunctionTool {self.name!r}: {name} has no strict form: {error}"
            ) from error

    @property
    def qualified_name(self) -> str:
        """The tool's name with its namespace in front, if it has one."""
        return self.name if self._namespace is None else f"{self._namespace[0]}.{self.name}"

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        """The Python function of a tool that `function_tool` made; calling it makes no tool call.

        Raises:
            AttributeError: The tool was made by hand.
        """
        if self._function is None:
            raise AttributeError(f"FunctionTool {self.name!r} wraps no Python function.")
        return self._function

    def _check_types(self) -> None:
        check_function_name(self.name, "FunctionTool")
        _require(self, "description", isinstance(self.description, str), "text")
        _require(
            self, "params_json_schema", isinstance(self.params_json_schema, dict), "a JSON schema"
        )
        _require(self, "on_invoke_tool", callable(self.on_invoke_tool), "an async function")
        for flag in ("read_only", "idempotent"):
            _require(self, flag, isinstance(getattr(self, flag), bool), "a bool")
        answers = (None, *get_args(OnInterrupted))
        fits = self.on_interrupted in answers
        _require(self, "on_interrupted", fits, "'retry', 'fail', 'ask' or None")
        for flag in ("is_enabled", "needs_approval"):
            value = getattr(self, flag)
            _require(self, flag, isinstance(value, bool) or callable(value), "a bool or a function")
        for handler in (
            "timeout_error_function",
            "custom_data_extractor",
            "_failure_error_function",
        ):
            value = getattr(self, handler)
            _require(self, handler.lstrip("_"), value is None or callable(value), "a function")
        place = f"FunctionTool {self.name!r}"
        check_callers(place, self.allowed_callers)
        check_callbacks(place, self, _CALLBACKS)
        inputs, outputs = self.tool_input_guardrails or (), self.tool_output_guardrails or ()
        check_guardrails(f"{place}: tool_input_guardrails", inputs, "ToolInputGuardrail")
        check_guardrails(f"{place}: tool_output_guardrails", outputs, "ToolOutputGuardrail")


_CALLBACKS: Final = {
    "on_invoke_tool": ("the context", "the arguments"),
    "is_enabled": CONTEXT_AND_AGENT,
    "needs_approval": ("the context", "the arguments", "the id of the call"),
    "timeout_error_function": CONTEXT_AND_ERROR,
    "_failure_error_function": CONTEXT_AND_ERROR,
    "custom_data_extractor": ("the call",),
}


_CALLERS: Final = [
    list(callers) for count in (1, 2) for callers in permutations(get_args(ToolCaller), count)
]


def check_callers(place: str, callers: object) -> None:
    """Refuse callers that the API does not know.

    Args:
        place: The tool, for the message.
        callers: Its `allowed_callers`.

    Raises:
        AgentDefinitionError: They are not a list of one or two callers.
    """
    if callers is not None and callers not in _CALLERS:
        raise AgentDefinitionError(
            f"{place}: allowed_callers must be 'direct', 'programmatic' or both, in a list."
        )


_OF_A_FUNCTION: Final = ToolOrigin(ToolOriginType.FUNCTION)


def get_function_tool_origin(function_tool: FunctionTool) -> ToolOrigin | None:
    """Return where a function tool comes from.

    Args:
        function_tool: The tool: of a function, of an agent or of an MCP server.
    """
    return function_tool._tool_origin or _OF_A_FUNCTION


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def qualified(tool: _Named) -> str:
    """The name of a tool of any kind, with its namespace in front if it has one."""
    return tool.qualified_name if isinstance(tool, FunctionTool) else tool.name


def tool_namespace(
    *, name: str, description: str | None, tools: list[FunctionTool]
) -> list[FunctionTool]:
    """Put function tools into a namespace, which the model can search (`ToolSearchTool`).

    Args:
        name: The name of the namespace.
        description: What the model reads about it.
        tools: The tools.

    Returns:
        Copies of the tools.

    Raises:
        UserError: The name or the description is empty, or an element is not a function tool.
    """
    for argument, value in (("name", name), ("description", description)):
        if not isinstance(value, str) or not value.strip():
            raise UserError(f"tool_namespace needs a {argument} that is not empty.")
    elements: list[object] = [*tools]
    for element in elements:
        if not isinstance(element, FunctionTool):
            kind = type(element).__name__
            raise UserError(f"tool_namespace takes function tools only, not {kind}.")
    return [replace(tool, _namespace=(name.strip(), (description or "").strip())) for tool in tools]


@dataclass(frozen=True)
class FunctionToolCustomDataContext:
    """A call whose output is about to become an item of the run.

    Attributes:
        tool_context: The context of the call.
        tool: The tool that was called.
        output: What it returned, or what its failure function or a guardrail put in its place.
        raw_item: A copy of the output in the form that the provider receives.
    """

    tool_context: ToolContext[Any]
    tool: FunctionTool
    output: Any
    raw_item: Mapping[str, Any]


FunctionToolCustomDataExtractor: TypeAlias = Callable[[FunctionToolCustomDataContext], CustomData]
"""Returns data for the program to attach to the output of a call; no model sees it."""


@names_types(
    RunItem="agentgraph.items.run_items:RunItem",
    ToolApprovalItem="agentgraph.items.run_items:ToolApprovalItem",
)
@dataclass
class FunctionToolResult:
    """The outcome of one call, as a `tool_use_behavior` function receives it.

    Attributes:
        tool: The tool that was called.
        output: What it returned.
        run_item: The item of the run that holds the output; `None` while the call waits for
            approval.
        interruptions: The approvals that a nested run inside the tool waits for.
        agent_run_result: The result of the nested run, when the tool is an agent.
    """

    tool: FunctionTool
    output: Any
    run_item: RunItem | None
    interruptions: list[ToolApprovalItem] = field(default_factory=list)
    agent_run_result: object = None


def _require(tool: FunctionTool, name: str, holds: bool, expected: str) -> None:
    if not holds:
        raise AgentDefinitionError(f"FunctionTool {tool.name!r}: {name} must be {expected}.")


def _is_number(value: object) -> bool:
    # To Python a bool is a number, but `timeout=True` is a mistake.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_timeout(tool: FunctionTool) -> None:
    seconds = tool.timeout_seconds
    if tool.timeout_behavior not in _TIMEOUT_BEHAVIORS:
        raise AgentDefinitionError(
            f"FunctionTool {tool.name!r}: timeout_behavior must be one of "
            f"{', '.join(_TIMEOUT_BEHAVIORS)}."
        )
    if seconds is None:
        return
    _require(tool, "timeout_seconds", _is_number(seconds), "a number of seconds or None")
    if not math.isfinite(seconds) or seconds <= 0:
        raise AgentDefinitionError(
            f"FunctionTool {tool.name!r}: timeout_seconds must be finite and greater than 0."
        )
