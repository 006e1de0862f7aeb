"""Calling the caller's hooks: those of the run and those of the agent, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.drivers.run import Run
from agentgraph.drivers.work.together import together
from agentgraph.run_context import AgentHookContext

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem


def context_of(run: Run, shown: list[TResponseInputItem]) -> AgentHookContext[Any]:
    """The context of a hook on the start or the end of an agent.

    Args:
        run: The run.
        shown: What the agent is given.
    """
    of_run = run.context
    return AgentHookContext(
        of_run.context, of_run.usage, shown, of_run._approvals, of_run.tool_input
    )


async def call_hooks(
    run: Run,
    agent: Any,
    names: str | tuple[str, str],
    *arguments: Any,
    context: Any = None,
) -> None:
    """Call one hook on the run's hooks object and on the agent's, together.

    Args:
        run: The run.
        agent: The agent whose hooks are called.
        names: Name of the hook, or its name on run hooks and its name on agent hooks.
        arguments: What the hook gets after the context.
        context: What the hook gets as context, the run's own by default.
    """
    if run.hooks is None and agent.hooks is None:
        return
    shared, personal = (names, names) if isinstance(names, str) else names
    given = run.context if context is None else context
    calls = []
    if run.hooks is not None:
        calls.append(getattr(run.hooks, shared)(given, *arguments))
    if agent.hooks is not None:
        calls.append(getattr(agent.hooks, personal)(given, *arguments))
    if len(calls) == 1:
        await calls[0]
    else:
        await together(*calls)
