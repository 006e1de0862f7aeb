"""An agent that the workflow declares, but that no run can reach.

## What it does

Follows handoffs and agents used as tools from the start agent, and reports the agents of a
declared `Workflow` that no run reaches. Handoffs and tools that are disabled for good lead nowhere:
where one of these handoffs is the cause, AG204 names it instead. Agents that only an unreachable
agent leads to have the same cause, and stand in its finding. An agent that the code of a tool or a
guardrail runs (`Runner.run(judge, …)`) is used.

## Why is this bad?

A forgotten handoff looks exactly like this: the specialist exists, the code looks right, and no run
ever asks the specialist.

## Example

```python
from agentgraph import Agent, Workflow

billing = Agent(name="Billing", handoff_description="Invoices")
refunds = Agent(name="Refunds", handoff_description="Money back")
triage = Agent(name="Triage", handoffs=[billing])

workflow = Workflow("Support", start=triage, agents=[triage, billing, refunds])
```

## Use instead

```python
from agentgraph import Agent, Workflow

billing = Agent(name="Billing", handoff_description="Invoices")
refunds = Agent(name="Refunds", handoff_description="Money back")
triage = Agent(name="Triage", handoffs=[billing, refunds])

workflow = Workflow("Support", start=triage, agents=[triage, billing, refunds])
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agentgraph_compiler.analysis.analysis import Analysis, Identity, identity
from agentgraph_compiler.analysis.flow import reached_from
from agentgraph_compiler.analysis.knots import knots
from agentgraph_compiler.checks.handoff_never_enabled import behind_disabled_handoffs
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, is_allowed

RULE = Rule(
    "AG201",
    "unreachable-agent",
    Severity.WARNING,
    "An agent that the workflow declares, but that no run can reach.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find declared agents that no run reaches. Undeclared agents are in the chart only because a
    run can reach them. Where a disabled handoff is the cause, ``handoff_never_enabled`` says so."""
    if not analysis.chart.declared:
        return
    unreached = [
        agent for agent in analysis.chart.agents if identity(agent) not in analysis.reached
    ]
    if not unreached:
        return
    explained = behind_disabled_handoffs(analysis) | _run_by_code(analysis)
    in_steps = {id for step in analysis.chart.steps for id in step.agents}  # AG227 reports these
    unreached = [
        agent
        for agent in unreached
        if identity(agent) not in explained and agent.id not in in_steps
    ]
    leading_to: dict[str, list[Note]] = {}
    for source in analysis.chart.agents:
        for handoff in source.handoffs:
            reason = "is disabled" if handoff.enabled is Enabled.NEVER else "is as unreachable"
            note = Note(f"the handoff from '{source.name}' {reason}", handoff.origin)
            leading_to.setdefault(handoff.target, []).append(note)
    for agent, others in _by_cause(analysis.chart, unreached):
        if not is_allowed(RULE, agent):
            yield _unreached(analysis.chart, agent, others, leading_to.get(agent.id, []))


def _by_cause(chart: Chart, unreached: Sequence[Agent]) -> Iterator[tuple[Agent, list[Agent]]]:
    """The agents to which no other unreached agent leads, each with those to which it leads. Of
    agents that lead to each other, the first stands for them."""
    number = {identity(agent): place for place, agent in enumerate(unreached)}
    targets = [
        [number[key] for key in _led_to(chart, agent) if key in number] for agent in unreached
    ]
    knot_of = knots(targets)
    entered = {
        knot_of[target]
        for place, row in enumerate(targets)
        for target in row
        if knot_of[target] != knot_of[place]
    }
    seen: set[int] = set()
    for place, agent in enumerate(unreached):
        if place not in seen and knot_of[place] not in entered:
            others = reached_from([place], targets.__getitem__) - seen
            seen |= others
            yield agent, [unreached[one] for one in sorted(others - {place})]


def _led_to(chart: Chart, agent: Agent) -> Iterator[Identity]:
    """The agents to which an agent hands over, and those of its agent tools."""
    for handoff in agent.handoffs:
        if handoff.target in chart.agent:
            yield identity(chart.agent[handoff.target])
    for tool in agent.tools:
        if tool.machine in chart.subchart:
            yield from map(identity, chart.subchart[tool.machine].agents)


def _run_by_code(analysis: Analysis) -> frozenset[Identity]:
    """The declared agents that the code of a tool or guardrail runs, and those to which they hand
    over."""
    chart = analysis.chart
    runs = {(run.name, run.origin) for _, agent in analysis.agents() for run in agent.inner}
    waiting = [agent for agent in chart.agents if (agent.name, agent.origin) in runs]
    reached = {identity(agent): agent for agent in waiting}
    while waiting:
        for handoff in waiting.pop().handoffs:
            target = chart.agent.get(handoff.target)
            if target is None or handoff.enabled is Enabled.NEVER or identity(target) in reached:
                continue
            reached[identity(target)] = target
            waiting.append(target)
    return frozenset(reached)


def _unreached(
    chart: Chart, agent: Agent, others: Sequence[Agent], notes: Sequence[Note]
) -> Diagnostic:
    start = chart.agent[chart.start]
    first = Note(f"runs of the workflow start with '{start.name}'", start.origin)
    behind = tuple(Note(f"so no run can reach '{one.name}' either", one.origin) for one in others)
    return Diagnostic(
        RULE,
        f"agent '{agent.name}' is declared in workflow '{chart.name}', but no run can reach it",
        agent.origin,
        notes=(first, *notes, *behind),
        help=f"add '{agent.name}' to the handoffs of an agent that runs reach, use it as a tool,"
        " or remove it from the workflow",
    )
