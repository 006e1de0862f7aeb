"""Agents in one line, for tests of the interpreter: names in a string, symbols made the way a front
end makes them.

The symbol of anything that agent ``a`` declares is ``a/<its name>``, and a handoff to ``b`` is
named ``to_b``.
"""

from __future__ import annotations

from collections.abc import Iterable

from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import (
    Agent,
    Approval,
    Chart,
    Guardrail,
    Handoff,
    Stop,
    StopKind,
    Tool,
)
from agentgraph_compiler.ir.policy import DEFAULT_POLICY, Policy
from agentgraph_compiler.machine import Machine, WorkKind
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
    approved: str = "",
    asked: str = "",
    screened: str = "",
    judged: str = "",
    tries: int = 0,
) -> Agent:
    """Declare an agent; an argument that is a string is a list of names.

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
        approved: Which of the tools a person decides on.
        asked: Which of them a person may have to decide on.
        screened: Which of them have guardrails for their arguments.
        judged: Which of them have guardrails for their output.
        tries: How often a model call is made again.
    """

    def approval(name: str) -> Approval:
        if name in approved.split():
            return Approval.ALWAYS
        return Approval.ASKED if name in asked.split() else Approval.NEVER

    def tools(names: str, kind: WorkKind) -> Iterable[Tool]:
        machine = SUBCHART if kind is WorkKind.AGENT else ""
        for name in names.split():
            yield Tool(
                f"{id}/{name}",
                name,
                kind,
                machine=machine,
                approval=approval(name),
                screened=name in screened.split(),
                judged=name in judged.split(),
            )

    return Agent(
        id,
        id,
        tools=(
            *tools(functions, WorkKind.FUNCTION),
            *tools(actions, WorkKind.ACTION),
            *tools(agents, WorkKind.AGENT),
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
        tries=tries,
    )


def machine_of(*agents: Agent, policy: Policy = DEFAULT_POLICY) -> Machine:
    """The machine of a workflow that starts with the first agent."""
    return emit(chart_of(agents, policy))


def chart_of(agents: Iterable[Agent], policy: Policy) -> Chart:
    """The chart of a workflow that starts with the first agent; it must be well-formed."""
    declared = tuple(agents)
    assistant = build(SUBCHART, "assistant", [agent("assistant")])
    chart = build("workflow", declared[0].id, declared, policy=policy, charts=(assistant,))
    faults = verify(chart)
    assert not faults, faults
    return chart
