"""An edge reads a field that the output of the step does not have.

## What it does

Follows the names in `on=` and in `output_of(step).field` through the declared output type.

## Why is this bad?

Each run that comes there fails.

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
workflow.route(triage, on="sort", cases={"refund": refunds}, default=people)
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
workflow.route(triage, on="kind", cases={"refund": refunds}, default=people)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG224",
    "no-such-field",
    Severity.ERROR,
    "An edge reads a field that the output of the step does not have.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find fields that are not there, in time linear in the edges."""
    graph = analysis.step_graph
    if graph is None:
        return
    for step in analysis.chart.steps:
        if step.id not in graph.reached or step.allows(RULE):
            continue
        faults = [step.fault] if step.fault else []
        faults += [step.branches.fault] if step.branches and step.branches.fault else []
        faults += [fault for case in step.cases for fault in case.unread]
        for fault in faults:
            yield Diagnostic(
                RULE,
                f"an edge of step '{step.name}' reads what is not there: {fault}",
                step.origin,
                notes=(Note("every run that comes there fails"),),
                help="name a field of the output type, or declare the output type of the step",
            )
