"""A server's tool as a function tool of an agent.

Rule: the server's own schema is never changed, and a tool that stayed the same stays the same
function tool, so that a turn converts only what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from agentgraph.authoring.origin import SourceLine
from agentgraph.exceptions import UserError
from agentgraph.mcp.approval import ApprovalPolicy
from agentgraph.mcp.call import ToolCaller, call_server_tool
from agentgraph.schemas.strict import strict_copy
from agentgraph.tool_context import ToolContext
from agentgraph.tool_guardrails import ToolInputGuardrail, ToolOutputGuardrail
from agentgraph.tools.errors import failure_message
from agentgraph.tools.function import FunctionTool, ToolErrorFunction

if TYPE_CHECKING:
    from mcp.types import Tool as MCPTool

__all__ = ["Conversions", "ConvertingServer", "ToolSettings", "Unset", "to_function_tool"]


class Unset:
    """Stands for a failure function that was not given; `None` is one that raises."""


class ConvertingServer(ToolCaller, Protocol):
    """A server, as far as converting its tools has to know it."""

    approval: ApprovalPolicy
    failure_error_function: ToolErrorFunction | Unset | None
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None

    @property
    def origin(self) -> SourceLine: ...


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """How an agent wants tools converted.

    Args:
        strict: Whether schemas are brought into the strict subset where they can be.
        failure_error_function: Writes what the model is told of a failed call; `None` raises. The
            server's own comes first.
    """

    strict: bool
    failure_error_function: ToolErrorFunction | None


def to_function_tool(
    tool: MCPTool,
    server: ConvertingServer,
    settings: ToolSettings,
    *,
    agent: Any | None = None,
    name: str | None = None,
) -> FunctionTool:
    """Make a function tool that calls the server.

    Args:
        tool: The tool, as the server lists it.
        server: The server.
        settings: How the agent wants it.
        agent: The agent, for approvals; `None` takes the agent of each call.
        name: The name towards the model; the tool's own when left out.
    """
    handler = server.failure_error_function
    if isinstance(handler, Unset):
        handler = settings.failure_error_function
    shown_name = name or tool.name
    schema, is_strict = _schema(tool.input_schema, strict=settings.strict)

    async def on_invoke_tool(context: ToolContext[Any], input_json: str) -> Any:
        try:
            return await call_server_tool(
                server, tool, context, input_json, display_name=shown_name
            )
        except Exception as error:
            if handler is None:
                raise
            return await failure_message(handler, context, error, shown_name)

    return FunctionTool(
        name=shown_name,
        description=tool.description or tool.title or "",
        params_json_schema=schema,
        on_invoke_tool=on_invoke_tool,
        strict_json_schema=is_strict,
        tool_input_guardrails=server.tool_input_guardrails,
        tool_output_guardrails=server.tool_output_guardrails,
        needs_approval=server.approval.for_tool(tool, agent),
        _failure_error_function=handler,
        _origin=server.origin,
    )


def _schema(given: dict[str, Any], *, strict: bool) -> tuple[dict[str, Any], bool]:
    """A copy of a schema with what the API asks for, and whether it could be made strict."""
    if strict and not (given and _is_open(given)):
        try:
            made = strict_copy(given)
        except (UserError, ValueError, TypeError):
            # Free-form objects and outside references have no strict form; the schema is good.
            pass
        else:
            if made.get("type") == "object" and "properties" in made:
                return made, True
    return {"type": "object", "properties": {}, **deepcopy(given)}, False


def _is_open(schema: object) -> bool:
    """Whether a schema describes an object somewhere whose keys it does not say, and so takes any.

    Closed, such an object could hold nothing, which the server did not mean.
    """
    if isinstance(schema, list):
        return any(map(_is_open, schema))
    if not isinstance(schema, dict):
        return False
    kind = schema.get("type")
    takes_objects = kind == "object" or (isinstance(kind, list) and "object" in kind)
    says_keys = schema.get("properties") or schema.keys() & _OTHERWISE_SAID
    closed = schema.get("additionalProperties") is False
    if takes_objects and not says_keys and not closed:
        return True
    named = [schema.get(keyword) for keyword in _NAMED_PARTS]
    parts = [list(members.values()) for members in named if isinstance(members, dict)]
    return any(map(_is_open, (*parts, *(schema.get(keyword) for keyword in _PARTS))))


_PARTS: Final = ("items", "prefixItems", "anyOf", "oneOf", "allOf")
_NAMED_PARTS: Final = ("properties", "$defs", "definitions")
# Keywords that may say the keys of an object in place of its own `properties`.
_OTHERWISE_SAID: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "enum", "const"})


@dataclass(frozen=True, slots=True)
class _Conversion:
    """A conversion, with what it was made from."""

    tool: MCPTool
    settings: ToolSettings
    result: FunctionTool


class Conversions:
    """The function tools that were made for one server, to be used again."""

    # Agents may come and go with settings of their own; what they left behind is dropped in bulk.
    _SPARE: Final = 512

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool, int], _Conversion] = {}

    def clear(self) -> None:
        """Forget all of them."""
        self._made.clear()

    def convert(
        self,
        tools: Sequence[MCPTool],
        names: Sequence[str],
        server: ConvertingServer,
        settings: ToolSettings,
    ) -> list[FunctionTool]:
        """Convert tools, or find what they were converted to before.

        Args:
            tools: The tools, as the server lists them now.
            names: Their names towards the model.
            server: The server.
            settings: How the agent wants them.
        """
        if len(self._made) > self._SPARE + 2 * len(tools):
            self._made.clear()
        return [
            self._convert(tool, name, server, settings)
            for tool, name in zip(tools, names, strict=True)
        ]

    def _convert(
        self, tool: MCPTool, name: str, server: ConvertingServer, settings: ToolSettings
    ) -> FunctionTool:
        # The id holds because the entry holds the function that it belongs to.
        key = (name, settings.strict, id(settings.failure_error_function))
        known = self._made.get(key)
        if known is not None and (known.tool is tool or known.tool == tool):
            return known.result
        result = to_function_tool(tool, server, settings, name=name)
        self._made[key] = _Conversion(tool, settings, result)
        return result
