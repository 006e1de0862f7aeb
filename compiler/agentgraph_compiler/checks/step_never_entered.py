"""No way leads to a step.

## What it does

Finds steps to which no edge and no handoff leads from the start. What comes after the last round of
a limited way counts only if some run makes so many rounds.

## Why is this bad?

What is declared about the step never happens; mostly an edge is missing.

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
workflow.route(triage, on="kind", cases={"refund": refunds}, default=people)
workflow.then(orders, people)
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
workflow.then(orders, people)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.steps import StepKind

RULE = Rule(
    "AG227",
    "step-never-entered",
    Severity.WARNING,
    "No way leads to a step.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find steps that no run enters, in time linear in the edges."""
    graph = analysis.step_graph
    if graph is None:
        return
    for step in analysis.chart.steps:
        unentered = step.kind is not StepKind.END and step.id not in graph.reached
        if unentered and not step.allows(RULE):
            yield Diagnostic(
                RULE,
                f"no way leads to step '{step.name}'",
                step.origin,
                notes=(Note(f"runs begin with step '{analysis.chart.steps[0].name}'"),),
                help="let an edge lead there, or remove the step",
            )
