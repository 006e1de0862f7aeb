"""Agents in one line, for tests of the interpreter: names in a string, symbols made the way a front
end makes them.

The symbol of anything that agent ``a`` declares is ``a/<its name>``, and a handoff to ``b`` is
named ``to_b``.
"""

from __future__ import annotations

from collections.abc import Iterable

from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.builder import DEFAULT_POLICY, Policy, build
from agentgraph_compiler.ir.chart import Agent, Chart, Guardrail, Handoff, Stop, StopKind, Tool
from agentgraph_compiler.machine import InvokeKind, Machine
from agentgraph_compiler.verify import verify

SUBCHART = "assistant"
"""Name of the sub-chart of every agent used as a tool; the interpreter does not enter it."""

NEVER_STOP = Stop()
STOP_ON_FIRST = Stop(StopKind.FIRST)


def stop_at(names: str) -> Stop:
    """A stop rule for the tools named."""
    return Stop(StopKind.NAMED, tuple(names.split()))


def ask(agent: str) -> Stop:
    """A stop rule that asks a callable of the agent."""
    return Stop(StopKind.ASKED, symbol=f"{agent}/decide")


def agent(
    id: str,
    *,
    functions: str = "",
    actions: str = "",
    agents: str = "",
    handoffs: str = "",
    blocking: str = "",
    parallel: str = "",
    checks: str = "",
    stop: Stop = NEVER_STOP,
) -> Agent:
    """Declare an agent; every argument but the stop rule is a list of names in one string.

    Args:
        id: Its id and name.
        functions: Function tools.
        actions: Other local tools (shell, computer): they never count for a stop rule.
        agents: Agents used as tools.
        handoffs: Ids of the agents it can hand off to.
        blocking: Input guardrails that run before the first model call.
        parallel: Input guardrails that run beside it.
        checks: Output guardrails.
        stop: Whether outputs of tools end the run.
    """
    return Agent(
        id,
        id,
        tools=(
            *_tools(id, functions, InvokeKind.FUNCTION),
            *_tools(id, actions, InvokeKind.ACTION),
            *_tools(id, agents, InvokeKind.AGENT),
        ),
        handoffs=tuple(
            Handoff(f"{id}/to_{target}", f"to_{target}", target, target)
            for target in handoffs.split()
        ),
        input_guardrails=(
            *(Guardrail(f"{id}/{name}", name, parallel=False) for name in blocking.split()),
            *(Guardrail(f"{id}/{name}", name) for name in parallel.split()),
        ),
        output_guardrails=tuple(Guardrail(f"{id}/{name}", name) for name in checks.split()),
        stop=stop,
    )


def machine_of(*agents: Agent, policy: Policy = DEFAULT_POLICY) -> Machine:
    """The machine of a workflow that starts with the first agent."""
    return emit(chart_of(agents, policy))


def chart_of(agents: Iterable[Agent], policy: Policy) -> Chart:
    """The chart of a workflow that starts with the first agent; it must be well-formed."""
    known = tuple(agents)
    assistant = build(SUBCHART, "assistant", [agent("assistant")])
    chart = build("workflow", known[0].id, known, policy=policy, charts=(assistant,))
    faults = verify(chart)
    assert not faults, faults
    return chart


def _tools(id: str, names: str, kind: InvokeKind) -> Iterable[Tool]:
    machine = SUBCHART if kind is InvokeKind.AGENT else ""
    return (Tool(f"{id}/{name}", name, kind, machine=machine) for name in names.split())
