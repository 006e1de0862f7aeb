"""The default of a route can never be taken.

## What it does

Finds routes whose cases take every value of the declared type and that have a default beside.

## Why is this bad?

The step behind the default looks reachable and is not. And a value that joins the type later would
fall into the default, where a missing case would be reported.

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
workflow.route(
    triage,
    on="kind",
    cases={"refund": refunds, "order": orders, "other": people},
    default=people,
)
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
from agentgraph_compiler.analysis.edges import never_taken
from agentgraph_compiler.analysis.value_sets import ValueSet, listed
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG223",
    "default-never-taken",
    Severity.WARNING,
    "The default of a route can never be taken.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find defaults without a value, in time linear in the cases."""
    for step in analysis.chart.steps:
        default = next((case for case in step.cases if case.takes is None), None)
        if default is None or step.domain is None or step.allows(RULE):
            continue
        if default.label in never_taken(step):
            domain = ValueSet.of(step.domain)
            yield Diagnostic(
                RULE,
                f"the default of the route on {step.on} after step '{step.name}' is never taken",
                step.origin,
                notes=(Note(f"the cases take every value: {listed(domain.words())}"),),
                help="remove the default: a missing case is reported (AG220)",
            )
