"""A handoff that is disabled for good.

## What it does

Finds handoffs with `is_enabled=False`. It does not report a handoff that a function enables or
disables on each turn.

## Why is this bad?

The model never sees the handoff, so no run asks the agents behind it. Often the author meant to
enable it again.

## Example

```python
from agentgraph import Agent, handoff

billing = Agent(name="Billing")
triage = Agent(name="Triage", handoffs=[handoff(billing, is_enabled=False)])
```

## Use instead

```python
from agentgraph import Agent

billing = Agent(name="Billing")
triage = Agent(name="Triage", handoffs=[billing])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis, Identity, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Enabled, Handoff, is_allowed

RULE = Rule(
    "AG204",
    "handoff-never-enabled",
    Severity.WARNING,
    "A handoff that is disabled for good.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find handoffs that are never on offer."""
    unreached = behind_disabled_handoffs(analysis) if analysis.chart.declared else frozenset()
    for part in analysis.chart.walk():
        for agent in part.agents:
            for handoff in agent.handoffs:
                if handoff.enabled is Enabled.NEVER and not is_allowed(RULE, agent, handoff):
                    target = part.agent.get(handoff.target)
                    is_cut_off = target is not None and identity(target) in unreached
                    yield _disabled(agent, handoff, is_cut_off)


def behind_disabled_handoffs(analysis: Analysis) -> frozenset[Identity]:
    """The agents of the root chart that a run would reach if no handoff were disabled."""
    chart = analysis.chart
    behind: set[Identity] = set()
    waiting = [
        handoff.target
        for agent in chart.agents
        if identity(agent) in analysis.reached
        for handoff in agent.handoffs
        if handoff.enabled is Enabled.NEVER
    ]
    while waiting:
        agent = chart.agent.get(waiting.pop())
        if agent is None or identity(agent) in analysis.reached or identity(agent) in behind:
            continue
        behind.add(identity(agent))
        waiting += [handoff.target for handoff in agent.handoffs]
    return frozenset(behind)


def _disabled(agent: Agent, handoff: Handoff, is_cut_off: bool) -> Diagnostic:
    hidden = Note("with is_enabled=False the model is never shown it")
    cut_off = Note(f"so no run can reach '{handoff.target_name}'")
    return Diagnostic(
        RULE,
        f"the handoff from '{agent.name}' to '{handoff.target_name}' is disabled for good",
        handoff.origin,
        notes=(hidden, cut_off) if is_cut_off else (hidden,),
        help="remove the handoff, or let a function decide on each turn: is_enabled=…",
    )
