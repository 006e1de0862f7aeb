"""The tools, tool choice and output type of a Chat Completions request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.model_settings import MCPToolChoice
from agentgraph.tools.function import FunctionTool

if TYPE_CHECKING:
    from agentgraph.agent_output import AgentOutputSchemaBase
    from agentgraph.handoffs import Handoff
    from agentgraph.model_settings import ToolChoice
    from agentgraph.tool import Tool

__all__ = ["handoff_function", "response_format", "tool_choice_form", "tool_function"]


def tool_function(tool: Tool) -> dict[str, Any]:
    """Convert a tool.

    Raises:
        UserError: The tool is not a function tool; only the Responses API has other tools.
    """
    if not isinstance(tool, FunctionTool):
        raise UserError(
            f"The tool {tool.name!r} ({type(tool).__name__}) needs a model of the Responses "
            "API; the Chat Completions API takes function tools only."
        )
    return _function(tool.name, tool.description, tool.params_json_schema, tool.strict_json_schema)


def handoff_function(handoff: Handoff[Any, Any]) -> dict[str, Any]:
    """Convert a handoff."""
    return _function(
        handoff.tool_name,
        handoff.tool_description,
        handoff.input_json_schema,
        handoff.strict_json_schema,
    )


def tool_choice_form(tool_choice: ToolChoice | None) -> str | dict[str, Any] | None:
    """Convert a tool choice: a mode, or the name of a function.

    Raises:
        UserError: The choice is a tool of a hosted MCP server.
    """
    match tool_choice:
        case None | "auto" | "required" | "none":
            return tool_choice
        case MCPToolChoice():
            raise UserError(
                "tool_choice names a tool of a hosted MCP server, and the Chat Completions API "
                "has none; use a model of the Responses API."
            )
        case name:
            return {"type": "function", "function": {"name": name}}


def response_format(schema: AgentOutputSchemaBase | None) -> dict[str, Any] | None:
    """Convert an output type; None means plain text."""
    if schema is None or schema.is_plain_text():
        return None
    return {
        "type": "json_schema",
        "json_schema": {
            "name": "final_output",
            "strict": schema.is_strict_json_schema(),
            "schema": schema.json_schema(),
        },
    }


def _function(
    name: str, description: str, schema: Mapping[str, Any], strict: bool
) -> dict[str, Any]:
    function = {"name": name, "description": description, "parameters": schema, "strict": strict}
    return {"type": "function", "function": function}
