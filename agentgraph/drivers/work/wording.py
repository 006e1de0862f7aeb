"""The text that the model gets instead of a result, from the caller's formatter."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from agentgraph.drivers.workbench import Workbench
from agentgraph.tools.errors import ToolErrorFormatterArgs, formatted

REJECTED: Final = "Tool execution was not approved."

ToolType: TypeAlias = Literal["function", "computer", "shell", "apply_patch", "custom"]


async def wording(
    bench: Workbench,
    kind: Literal["approval_rejected", "tool_not_found"],
    tool_type: ToolType,
    name: str,
    call_id: str,
    default: str,
) -> str:
    """The text that the model gets instead of a result.

    Args:
        bench: The run; its configuration has the formatter.
        kind: Why there is no result.
        tool_type: The kind of tool.
        name: The name of the tool in the call.
        call_id: The id of the call.
        default: The text without a formatter, or if it fails.
    """
    formatter = bench.facts.config.tool_error_formatter
    if formatter is None:
        return default
    arguments = ToolErrorFormatterArgs(
        kind=kind,
        tool_type=tool_type,
        tool_name=name,
        call_id=call_id,
        default_message=default,
        run_context=bench.context,
    )
    return await formatted(formatter, arguments)
