"""Whether a call may be made: what a person decided, who is asked now, and what the model is told
of a rejection (BEHAVIOUR.md, section 11)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from agentgraph.approvals import Decision
from agentgraph.callbacks import MaybeAwaitable, resolve
from agentgraph.drivers.run import Run
from agentgraph.exceptions import UserError
from agentgraph.items import ToolApprovalItem
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.run_config import ToolErrorFormatterArgs
from agentgraph.tool_errors import failures_named

REJECTED = "Tool execution was not approved."

ToolType = Literal["function", "computer", "shell", "apply_patch", "custom"]
Answer = Callable[[Any, ToolApprovalItem], MaybeAwaitable[Any]]


async def decision_on(
    run: Run,
    pending: ToolApprovalItem,
    tool_type: ToolType,
    needed: Callable[[], Awaitable[bool]],
    answer: Answer | None = None,
) -> Decision | None:
    """Find out whether a call may be made.

    Args:
        run: The run.
        pending: The call, as a person would be asked about it.
        tool_type: The kind of tool, for the caller's formatter of messages.
        needed: Says whether the call must be approved; asked only if nothing was decided yet.
        answer: Answers in the person's place.

    Returns:
        The decision, a rejection with what the model is told; ``None`` if the call has to wait.

    Raises:
        UserError: ``answer`` gave something that is no answer, or the user's code raised something.
        AgentsException: As the user's code raised it.
    """
    name, call_id = pending.name or "", pending.call_id or ""
    known = run.context._approvals.find(pending.qualified_name or name, call_id)
    if known is None:
        # What a person was asked about already is not let through by another answer of a rule.
        what = f"Error running tool {name} of agent {pending.agent.name}"
        with failures_named(what):
            if call_id not in run.asked and not await needed():
                return Decision(approved=True)
        if answer is None:
            return None
        with failures_named(what):
            given = await resolve(answer(run.context, pending))
        known = read_answer(given, f"on_approval of tool '{name}' of agent '{pending.agent.name}'")
        run.context._approvals.decide(pending, known, sticky=False)
    if known.approved or known.message is not None:
        return known
    message = await worded(run, "approval_rejected", tool_type, name, call_id, REJECTED)
    return replace(known, message=message)


def read_answer(given: Any, asked: str) -> Decision:
    """Read what the user's code answers in a person's place.

    Args:
        given: The answer: a dictionary with ``approve`` and, if wished, ``reason``.
        asked: What was asked, for the message.

    Raises:
        UserError: It is something else.
    """
    if not isinstance(given, Mapping) or "approve" not in given:
        raise UserError(f"{asked} must return a dictionary with 'approve'.")
    return Decision(bool(given["approve"]), given.get("reason"))


async def worded(
    run: Run,
    kind: Literal["approval_rejected", "tool_not_found"],
    tool_type: ToolType,
    name: str,
    call_id: str,
    default: str,
) -> str:
    """What the model is told instead of a result, as the caller's formatter words it.

    Args:
        run: The run, whose configuration has the formatter.
        kind: Why there is no result.
        tool_type: The kind of tool.
        name: The tool as the model called it.
        call_id: The id of the call.
        default: What the model is told if nobody words it otherwise, or whoever should fails.
    """
    formatter = run.config.tool_error_formatter
    if formatter is None:
        return default
    asked = ToolErrorFormatterArgs(
        kind=kind,
        tool_type=tool_type,
        tool_name=name,
        call_id=call_id,
        default_message=default,
        run_context=run.context,
    )
    try:
        given = await resolve(formatter(asked))
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        log_tool_action_error(
            logger, "tool_error_formatter failed; the model is told the usual words", error
        )
        return default
    return given if isinstance(given, str) else default
