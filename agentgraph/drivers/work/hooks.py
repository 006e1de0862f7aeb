"""Calling hooks: those of the run and those of the agent, concurrently."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agentgraph.drivers.workbench import Workbench
from agentgraph.lifecycle import AgentHooksBase, RunHooksBase
from agentgraph.run_context import AgentHookContext
from agentgraph.user_code.callbacks import gather_or_cancel
from agentgraph.user_code.cancellation import take_back

if TYPE_CHECKING:
    from agentgraph.agent import Agent


def context_of(bench: Workbench) -> AgentHookContext[Any]:
    """The context of a hook on the start or the end of an agent."""
    of_run = bench.context
    return AgentHookContext(
        context=of_run.context,
        usage=of_run.usage,
        turn_input=of_run.turn_input,
        _approvals=of_run._approvals,
        tool_input=of_run.tool_input,
    )


def overridden(bench: Workbench, agent: Agent[Any], name: str) -> bool:
    """Whether the run's or the agent's hooks override a hook, which has the same name on both."""
    for hooks in (bench.facts.hooks, agent.hooks):
        if hooks is not None:
            hook = getattr(hooks, name)
            if getattr(hook, "__func__", hook) not in _DEFAULTS[name]:
                return True
    return False


_DEFAULTS = {"on_llm_start": (RunHooksBase.on_llm_start, AgentHooksBase.on_llm_start)}


async def call_hooks(
    bench: Workbench,
    agent: Agent[Any],
    names: str | tuple[str, str],
    *arguments: object,
    context: object = None,
) -> None:
    """Call one hook on the run's hooks object and on the agent's, concurrently.

    Args:
        bench: The run.
        agent: The agent whose hooks are called.
        names: Name of the hook, or its name on run hooks and its name on agent hooks.
        arguments: The arguments of the hook after the context.
        context: The context for the hook; the run's own by default.
    """
    of_run, of_agent = bench.facts.hooks, agent.hooks
    if of_run is None and of_agent is None:
        return
    shared, personal = (names, names) if isinstance(names, str) else names
    of_call = bench.context if context is None else context
    take_back()
    if of_agent is None:
        await getattr(of_run, shared)(of_call, *arguments)
    elif of_run is None:
        await getattr(of_agent, personal)(of_call, *arguments)
    else:
        await gather_or_cancel(
            partial(getattr(of_run, shared), of_call, *arguments),
            partial(getattr(of_agent, personal), of_call, *arguments),
        )
