"""A handoff of a declared workflow leads to an agent outside it.

## What it does

Finds handoffs whose target is not among the agents that the `Workflow` declares. It accepts
handoffs that are never enabled.

## Why is this bad?

A declared workflow is closed: the compiled machine has states only for its agents. The model would
see a handoff that no run can take, and no other check would cover the agent behind it.

## Example

```python
from agentgraph import Agent, Workflow

billing = Agent(name="Billing", handoff_description="Invoices")
refunds = Agent(name="Refunds", handoff_description="Money back")
triage = Agent(name="Triage", handoffs=[billing, refunds])

workflow = Workflow("Support", start=triage, agents=[triage, billing])
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

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Enabled, is_allowed

RULE = Rule(
    "AG103",
    "unknown-handoff-target",
    Severity.ERROR,
    "A handoff of a declared workflow leads to an agent outside it.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find handoffs that lead outside, in time linear in the number of handoffs."""
    for part in analysis.chart.walk():
        if not part.declared:
            continue
        for agent in part.agents:
            for handoff in agent.handoffs:
                outside = not handoff.target and handoff.enabled is not Enabled.NEVER
                if not outside or is_allowed(RULE, agent, handoff):
                    continue
                if identity(agent) in analysis.reached:
                    yield Diagnostic(
                        RULE,
                        f"agent '{agent.name}' hands off to '{handoff.target_name}',"
                        f" which workflow '{part.name}' does not declare",
                        handoff.origin,
                        notes=(Note(f"workflow '{part.name}' is declared here", part.origin),),
                        help=f"add '{handoff.target_name}' to the workflow's agents or drop the"
                        " handoff",
                    )
