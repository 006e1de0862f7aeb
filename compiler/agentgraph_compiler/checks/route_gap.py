"""A route has no case for some of the values that it may see.

## What it does

Compares the values that a route may see with its cases. The values come from the declared type:
`Literal`, enums, `bool`, whole numbers with their limits, classes of a union, a function that
declares its labels. A type with values that cannot be listed (text) needs a `default`.

## Why is this bad?

A run whose value has no case ends with a `RoutingError`.

## Example

```python
from typing import Literal

from pydantic import BaseModel

from agentgraph import Agent, Workflow


class Ticket(BaseModel):
    kind: Literal["refund", "order", "other"]


triage = Agent(name="Triage", output_type=Ticket)
refunds, orders, people = Agent(name="Refunds"), Agent(name="Orders"), Agent(name="People")
workflow = Workflow("Support", start=triage)
workflow.route(triage, on="kind", cases={"refund": refunds, "order": orders})
```

## Use instead

```python
from typing import Literal

from pydantic import BaseModel

from agentgraph import Agent, Workflow


class Ticket(BaseModel):
    kind: Literal["refund", "order", "other"]


triage = Agent(name="Triage", output_type=Ticket)
refunds, orders, people = Agent(name="Refunds"), Agent(name="Orders"), Agent(name="People")
workflow = Workflow("Support", start=triage)
workflow.route(triage, on="kind", cases={"refund": refunds, "order": orders, "other": people})
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.edges import untaken
from agentgraph_compiler.analysis.value_sets import listed
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG220",
    "route-gap",
    Severity.WARNING,
    "A route has no case for some of the values that it may see.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find values without a case, in time linear in the cases."""
    for step in analysis.chart.steps:
        has_default = any(case.takes is None for case in step.cases)
        complete = has_default or not step.cases  # AG239 reports a route without cases
        if step.domain is None or step.fault or complete or step.allows(RULE):
            continue
        left = untaken(step)
        if left:
            yield Diagnostic(
                RULE,
                f"the route on {step.on} after step '{step.name}' has no case for"
                f" {listed(left.words())}",
                step.origin,
                notes=(Note("a run with such a value ends with a RoutingError"),),
                help="add the cases, or a default=",
            )
