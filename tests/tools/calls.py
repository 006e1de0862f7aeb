"""Calls of tools as the driver makes them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from agentgraph.tool_context import ToolContext
from agentgraph.tools.function import FunctionTool
from agentgraph.tools.invocation import invoke_function_tool


def context_of(tool_name: str, arguments: str = "{}", *, context: Any = None) -> ToolContext[Any]:
    """The context of one call by an agent called Desk."""
    return ToolContext(
        context,
        tool_name=tool_name,
        tool_call_id="call-1",
        tool_arguments=arguments,
        agent=SimpleNamespace(name="Desk"),
    )


async def invoke(tool: FunctionTool, arguments: str | dict[str, Any] = "{}", **context: Any) -> Any:
    """Call a tool with JSON, or with a value to be written as JSON."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return await invoke_function_tool(
        function_tool=tool, context=context_of(tool.name, text, **context), arguments=text
    )
