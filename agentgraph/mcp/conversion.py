"""Convert a server's tool to a function tool of an agent.

Rule: the server's own schema is never changed. An unchanged tool keeps its function tool, so that
a turn converts only new tools.
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
from agentgraph.tools.function import FunctionTool, ToolErrorFunction, ToolOrigin, ToolOriginType

if TYPE_CHECKING:
    from mcp.types import Tool as MCPTool

    from agentgraph.agent import AgentBase

__all__ = ["Conversions", "ConvertingServer", "ToolSettings", "Unset", "to_function_tool"]

_PARTS: Final = ("items", "prefixItems", "anyOf", "oneOf", "allOf")
_NAMED_PARTS: Final = ("properties", "$defs", "definitions")
# Keywords that may define the keys of an object in place of its own `properties`.
_KEY_SOURCES: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "enum", "const"})


class Unset:
    """Stands for a failure function that is not set; `None` means to raise the error."""


class ConvertingServer(ToolCaller, Protocol):
    """The part of a server's interface that the conversion of its tools needs."""

    approval: ApprovalPolicy
    failure_error_function: ToolErrorFunction | Unset | None
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None

    @property
    def origin(self) -> SourceLine: ...


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """An agent's settings for the conversion of tools.

    Args:
        strict: Whether to convert schemas to the strict subset where possible.
        failure_error_function: Writes the text that the model reads when a call fails; `None`
            raises the error. The server's own function takes precedence.
    """

    strict: bool
    failure_error_function: ToolErrorFunction | None


def to_function_tool(
    tool: MCPTool,
    server: ConvertingServer,
    settings: ToolSettings,
    *,
    agent: AgentBase[Any] | None = None,
    name: str | None = None,
) -> FunctionTool:
    """Make a function tool that calls the server.

    Args:
        tool: The tool, as the server lists it.
        server: The server.
        settings: The agent's settings.
        agent: The agent, for approvals; `None` means the agent of each call.
        name: The name by which the model calls it; the default is the tool's own.
    """
    handler = server.failure_error_function
    if isinstance(handler, Unset):
        handler = settings.failure_error_function
    display_name = name or tool.name
    schema, is_strict = _schema(tool.input_schema, strict=settings.strict)

    async def on_invoke_tool(context: ToolContext[Any], input_json: str) -> Any:
        try:
            return await call_server_tool(
                server, tool, context, input_json, display_name=display_name
            )
        except Exception as error:
            if handler is None:
                raise
            return await failure_message(handler, context, error, display_name)

    return FunctionTool(
        name=display_name,
        description=tool.description or tool.title or "",
        params_json_schema=schema,
        on_invoke_tool=on_invoke_tool,
        strict_json_schema=is_strict,
        tool_input_guardrails=server.tool_input_guardrails,
        tool_output_guardrails=server.tool_output_guardrails,
        needs_approval=server.approval.for_tool(tool, agent),
        read_only=getattr(tool.annotations, "read_only_hint", None) is True,
        idempotent=getattr(tool.annotations, "idempotent_hint", None) is True,
        _failure_error_function=handler,
        _origin=server.origin,
        _tool_origin=ToolOrigin(ToolOriginType.MCP, mcp_server_name=server.name),
        _mcp_title=tool.title or getattr(tool.annotations, "title", None) or None,
    )


def _schema(original: dict[str, Any], *, strict: bool) -> tuple[dict[str, Any], bool]:
    """Return a copy of a schema with the keywords that the API requires, and whether it is strict.

    It is strict if `strict` is set and the schema has a strict form.
    """
    if strict and not _is_open(original):
        try:
            result = strict_copy(original)
        except (UserError, ValueError, TypeError):
            # Free-form objects and outside references have no strict form, but are valid.
            pass
        else:
            if result.get("type") == "object" and "properties" in result:
                return result, True
    return {"type": "object", "properties": {}, **deepcopy(original)}, False


def _is_open(schema: object) -> bool:
    """Whether any part of a schema describes an object without naming its keys, so that it accepts
    any key.

    The strict form would close such an object, so that it accepts no key at all. The server did not
    mean that.
    """
    if isinstance(schema, list):
        return any(map(_is_open, schema))
    if not isinstance(schema, dict):
        return False
    kind = schema.get("type")
    is_object = kind == "object" or (isinstance(kind, list) and "object" in kind)
    has_keys = schema.get("properties") or schema.keys() & _KEY_SOURCES
    closed = schema.get("additionalProperties") is False
    if is_object and not has_keys and not closed:
        return True
    mappings = [schema.get(keyword) for keyword in _NAMED_PARTS]
    parts = [list(members.values()) for members in mappings if isinstance(members, dict)]
    return any(map(_is_open, (*parts, *(schema.get(keyword) for keyword in _PARTS))))


@dataclass(frozen=True, slots=True)
class _Conversion:
    """A conversion: its input and its result."""

    tool: MCPTool
    settings: ToolSettings
    result: FunctionTool


class Conversions:
    """A cache of the function tools of one server."""

    # The entries of agents that no longer exist stay in the cache until it has this many more
    # entries than twice the number of tools; then it is emptied.
    _SPARE: Final = 512

    def __init__(self) -> None:
        self._cache: dict[tuple[str, bool, int], _Conversion] = {}

    def clear(self) -> None:
        """Empty the cache."""
        self._cache.clear()

    def convert(
        self,
        tools: Sequence[MCPTool],
        names: Sequence[str],
        server: ConvertingServer,
        settings: ToolSettings,
    ) -> list[FunctionTool]:
        """Convert tools; unchanged tools come from the cache.

        Args:
            tools: The tools, as the server lists them now.
            names: The names by which the model calls them.
            server: The server.
            settings: The agent's settings.
        """
        if len(self._cache) > self._SPARE + 2 * len(tools):
            self._cache.clear()
        return [
            self._convert(tool, name, server, settings)
            for tool, name in zip(tools, names, strict=True)
        ]

    def _convert(
        self, tool: MCPTool, name: str, server: ConvertingServer, settings: ToolSettings
    ) -> FunctionTool:
        # The id stays valid because the entry references the function.
        key = (name, settings.strict, id(settings.failure_error_function))
        entry = self._cache.get(key)
        if entry is not None and (entry.tool is tool or entry.tool == tool):
            return entry.result
        result = to_function_tool(tool, server, settings, name=name)
        self._cache[key] = _Conversion(tool, settings, result)
        return result
