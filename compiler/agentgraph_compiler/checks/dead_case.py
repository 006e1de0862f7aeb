"""No value takes a case of a route.

## What it does

Finds cases whose values the declared type excludes, or that earlier cases take all.

## Why is this bad?

The step behind the case looks reachable and is not; mostly a value is misspelt.

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
workflow.route(triage, on="kind", cases={"refunds": refunds, "order": orders}, default=people)
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
workflow.route(triage, on="kind", cases={"refund": refunds, "order": orders}, default=people)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.edges import never_taken
from agentgraph_compiler.analysis.value_sets import ValueSet, listed
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG222",
    "dead-case",
    Severity.WARNING,
    "No value takes a case of a route.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find cases without a value, in time quadratic in the cases of one route."""
    for step in analysis.chart.steps:
        if step.domain is None or step.allows(RULE):
            continue
        never, domain = never_taken(step), ValueSet.of(step.domain)
        for case in step.cases:
            if case.takes is not None and case.label in never:
                yield Diagnostic(
                    RULE,
                    f"no run takes case '{case.label}' of the route on {step.on} after step"
                    f" '{step.name}'",
                    step.origin,
                    notes=(Note(f"{never[case.label]}: it may be {listed(domain.words())}"),),
                    help="name a value that comes, or remove the case",
                )
