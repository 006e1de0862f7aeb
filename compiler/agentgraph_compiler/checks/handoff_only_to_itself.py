"""The only handoff of an agent leads to the agent itself.

## What it does

Finds agents that have handoffs, all of which lead back to the agent itself. A handoff that filters
the conversation or that calls a function (`input_filter`, `on_handoff`) does something even so, and
does not count.

## Why is this bad?

The handoff leads nowhere. A model that takes it answers the same conversation with the same
instructions, and has spent a turn. Mostly another agent was meant.

## Example

```python
from agentgraph import Agent

billing = Agent(name="Billing", instructions="Explain invoices.")
billing.handoffs = [billing]
triage = Agent(name="Triage", handoffs=[billing])
```

## Use instead

```python
from agentgraph import Agent

refunds = Agent(name="Refunds", instructions="Pay money back.")
billing = Agent(name="Billing", instructions="Explain invoices.", handoffs=[refunds])
triage = Agent(name="Triage", handoffs=[billing])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Enabled, Handoff, is_allowed
from agentgraph_compiler.ir.obedience import Obedience

RULE = Rule(
    "AG216",
    "handoff-only-to-itself",
    Severity.WARNING,
    "The only handoff of an agent leads to the agent itself.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find agents that can hand off to themselves only, in time linear in the handoffs."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            # A forced one is a cycle without exit, which is a rule of its own.
            offered = [row for row in agent.handoffs if row.enabled is not Enabled.NEVER]
            if not offered or not all(_only_repeats(agent, row) for row in offered):
                continue
            if not Obedience(agent).can_answer or is_allowed(RULE, agent, *offered):
                continue
            yield Diagnostic(
                RULE,
                f"the only handoff of agent '{agent.name}' leads to '{agent.name}' itself",
                offered[0].origin,
                notes=(Note("the model would answer the same conversation again, a turn later"),),
                help="name the agent that is meant, or remove the handoff",
            )


def _only_repeats(agent: Agent, handoff: Handoff) -> bool:
    return handoff.target == agent.id and not (handoff.filters or handoff.acts)
