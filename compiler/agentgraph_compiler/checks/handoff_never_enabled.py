"""A handoff that is disabled for good.

## What it does

Finds handoffs with `is_enabled=False`. One that a function decides about on each turn is not
reported.

## Why is this bad?

The model is never shown the handoff, so whatever stands behind it is never asked. Often it is a
switch that somebody meant to turn on again.

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

from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, is_allowed

RULE = Rule(
    "AG204",
    "handoff-never-enabled",
    Severity.WARNING,
    "A handoff that is disabled for good.",
)


def check(chart: Chart) -> Iterator[Diagnostic]:
    """Find handoffs that are never on offer."""
    for part in chart.walk():
        for agent in part.agents:
            for handoff in agent.handoffs:
                if handoff.enabled is Enabled.NEVER and not is_allowed(RULE, agent, handoff):
                    yield _disabled(agent, handoff)


def _disabled(agent: Agent, handoff: Handoff) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"the handoff from '{agent.name}' to '{handoff.target_name}' is disabled for good",
        handoff.origin,
        (Note("with is_enabled=False the model is never shown it"),),
        "remove the handoff, or let a function decide on each turn: is_enabled=…",
    )
