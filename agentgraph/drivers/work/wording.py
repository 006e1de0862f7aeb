"""The text that the model gets instead of a result, from the caller's formatter."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from agentgraph.drivers.workbench import Workbench
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.run_config import ToolErrorFormatterArgs
from agentgraph.user_code.callbacks import resolve

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
    try:
        text = await resolve(formatter(arguments))
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        log_tool_action_error(
            logger, "tool_error_formatter failed; the model gets the default text", error
        )
        return default
    return text if isinstance(text, str) else default
