"""Calling the caller's hooks: those of the run and those of the agent, side by side."""

from __future__ import annotations

from typing import Any

from agentgraph.drivers.run import Run
from agentgraph.drivers.work.together import together


async def call_hooks(
    run: Run,
    agent: Any,
    names: str | tuple[str, str],
    *arguments: Any,
    own: tuple[Any, ...] | None = None,
    context: Any = None,
) -> None:
    """Call one hook on the run's hooks object and on the agent's, together.

    Args:
        run: The run.
        agent: The agent whose hooks are called.
        names: Name of the hook, or its name on run hooks and its name on agent hooks.
        arguments: What the hook gets after the context.
        own: What the agent's hook gets instead, where the two differ.
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
        calls.append(getattr(agent.hooks, personal)(given, *(arguments if own is None else own)))
    if len(calls) == 1:
        await calls[0]
    else:
        await together(*calls)
