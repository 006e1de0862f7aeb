"""The function tool: a function that the model may call, as data.

Rule: making a tool refuses whatever is wrong with the tool alone (a timeout that is not a number, a
schema without a strict form), long before a model calls it. `invocation` carries out a call;
`decorator` makes a tool from a Python function.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.authoring.pydantic_fields import kept_as_is, names_types
from agentgraph.exceptions import AgentDefinitionError, UserError
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.strict import strict_copy
from agentgraph.tool_context import ToolContext
from agentgraph.tools.custom_data import CustomData
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from agentgraph.items.run_items import RunItem, ToolApprovalItem
    from agentgraph.tool_guardrails import ToolInputGuardrail, ToolOutputGuardrail

__all__ = [
    "FunctionTool",
    "FunctionToolCustomDataContext",
    "FunctionToolCustomDataExtractor",
    "FunctionToolResult",
    "ToolApproval",
    "ToolEnabled",
    "ToolErrorFunction",
    "ToolTimeoutBehavior",
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

    Raises:
        AgentDefinitionError: When a field has a value of the wrong type.
        ValueError: When the timeout is not a positive number of seconds, or the behaviour unknown.
        UserError: When strict mode is on and the schema has no strict form.
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

    def __post_init__(self) -> None:
        if self._origin is None:
            self._origin = caller_origin()
        self._check_types()
        _check_timeout(self)
        if self.strict_json_schema and self.params_json_schema is not self._strict_form:
            try:
                self._strict_form = strict_copy(self.params_json_schema)
            except (UserError, ValueError, TypeError) as error:
                raise UserError(
                    f"FunctionTool {self.name!r}: params_json_schema has no strict form: {error}"
                ) from error
            self.params_json_schema = self._strict_form

    @property
    def qualified_name(self) -> str:
        """The name that distinguishes this tool from all others of an agent."""
        return self.name

    def _check_types(self) -> None:
        _require(self, "name", _is_name(self.name), "non-empty text")
        _require(self, "description", isinstance(self.description, str), "text")
        _require(
            self, "params_json_schema", isinstance(self.params_json_schema, dict), "a JSON schema"
        )
        _require(self, "on_invoke_tool", callable(self.on_invoke_tool), "an async function")
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
    agent_run_result: Any = None


def _require(tool: FunctionTool, name: str, holds: bool, expected: str) -> None:
    if not holds:
        raise AgentDefinitionError(f"FunctionTool {tool.name!r}: {name} must be {expected}.")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: object) -> bool:
    # To Python a bool is a number, but `timeout=True` is a mistake.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_timeout(tool: FunctionTool) -> None:
    seconds = tool.timeout_seconds
    if tool.timeout_behavior not in _TIMEOUT_BEHAVIORS:
        raise ValueError(
            f"FunctionTool {tool.name!r}: timeout_behavior must be one of "
            f"{', '.join(_TIMEOUT_BEHAVIORS)}."
        )
    if seconds is None:
        return
    _require(tool, "timeout_seconds", _is_number(seconds), "a number of seconds or None")
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(
            f"FunctionTool {tool.name!r}: timeout_seconds must be finite and greater than 0."
        )
