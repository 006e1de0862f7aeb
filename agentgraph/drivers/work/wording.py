"""What the model is told instead of a result, in the words of the caller's formatter."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from agentgraph.drivers.workbench import Workbench
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.run_config import ToolErrorFormatterArgs
from agentgraph.user_code.callbacks import resolve

REJECTED: Final = "Tool execution was not approved."

ToolType: TypeAlias = Literal["function", "computer", "shell", "apply_patch", "custom"]


async def worded(
    bench: Workbench,
    kind: Literal["approval_rejected", "tool_not_found"],
    tool_type: ToolType,
    name: str,
    call_id: str,
    default: str,
) -> str:
    """What the model is told instead of a result, as the caller's formatter words it.

    Args:
        bench: The run, whose configuration has the formatter.
        kind: Why there is no result.
        tool_type: The kind of tool.
        name: The tool as the model called it.
        call_id: The id of the call.
        default: What the model is told without a formatter, or if it fails.
    """
    formatter = bench.facts.config.tool_error_formatter
    if formatter is None:
        return default
    asked = ToolErrorFormatterArgs(
        kind=kind,
        tool_type=tool_type,
        tool_name=name,
        call_id=call_id,
        default_message=default,
        run_context=bench.context,
    )
    try:
        text = await resolve(formatter(asked))
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        log_tool_action_error(
            logger, "tool_error_formatter failed; the model is told the usual words", error
        )
        return default
    return text if isinstance(text, str) else default
