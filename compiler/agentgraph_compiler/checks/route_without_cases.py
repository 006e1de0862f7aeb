"""A route has no cases.

## What it does

Finds calls of `route(step, on=...)` that no `.cases({...})` completes.

## Why is this bad?

The run would not know where to go after the step, so the workflow does not compile.

## Example

```python
from typing import Literal

from pydantic import BaseModel

from agentgraph import Agent, Workflow


class Ticket(BaseModel):
    kind: Literal["refund", "order"]


triage = Agent(name="Triage", output_type=Ticket)
workflow = Workflow("Support", start=triage)
workflow.route(triage, on=lambda ticket: ticket.kind)
```

## Use instead

```python
from typing import Literal

from pydantic import BaseModel

from agentgraph import Agent, Workflow


class Ticket(BaseModel):
    kind: Literal["refund", "order"]


triage = Agent(name="Triage", output_type=Ticket)
refunds, orders = Agent(name="Refunds"), Agent(name="Orders")
workflow = Workflow("Support", start=triage)
workflow.route(triage, on=lambda ticket: ticket.kind).cases({"refund": refunds, "order": orders})
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule("AG239", "route-without-cases", Severity.ERROR, "A route has no cases.")
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find routes without cases, in time linear in the steps."""
    for step in analysis.chart.steps:
        if step.on and not step.cases and not step.allows(RULE):
            yield Diagnostic(
                RULE,
                f"the route on {step.on} of step '{step.name}' has no cases",
                step.origin,
                notes=(Note("a run would not know where to go after the step"),),
                help="complete it: route(...).cases({value: step, ...})",
            )
