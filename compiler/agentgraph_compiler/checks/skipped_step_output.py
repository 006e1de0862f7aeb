"""An edge needs the output of a step that a run may have skipped.

## What it does

Finds `output_of(step)` where some way through the workflow does not pass that step.

## Why is this bad?

A run that comes that way has no such output and fails.

## Example

```python
from typing import Literal

from pydantic import BaseModel

from agentgraph import Agent, Workflow, output_of


class Ticket(BaseModel):
    kind: Literal["refund", "order", "other"]


triage = Agent(name="Triage", output_type=Ticket)
refunds, orders, people = Agent(name="Refunds"), Agent(name="Orders"), Agent(name="People")
workflow = Workflow("Support", start=triage)
workflow.route(triage, on="kind", cases={"refund": refunds, "order": orders, "other": people})
workflow.then(refunds, people, give=(output_of(orders), output_of(refunds)))
```

## Use instead

```python
from typing import Literal

from pydantic import BaseModel

from agentgraph import Agent, Workflow, output_of


class Ticket(BaseModel):
    kind: Literal["refund", "order", "other"]


triage = Agent(name="Triage", output_type=Ticket)
refunds, orders, people = Agent(name="Refunds"), Agent(name="Orders"), Agent(name="People")
workflow = Workflow("Support", start=triage)
workflow.route(triage, on="kind", cases={"refund": refunds, "order": orders, "other": people})
workflow.then(refunds, people, give=(output_of(triage), output_of(refunds)))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.steps import Step

RULE = Rule(
    "AG225",
    "skipped-step-output",
    Severity.WARNING,
    "An edge needs the output of a step that a run may have skipped.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find outputs that may be missing, by the dominators of the steps."""
    graph = analysis.step_graph
    if graph is None or not any(map(_needs, analysis.chart.steps)):
        return
    for step in analysis.chart.steps:
        if step.id not in graph.reached or step.allows(RULE):
            continue
        for needed in _needs(step):
            if graph.is_passed(step.id, needed):
                continue
            way = " → ".join(graph.way_around(step.id, needed))
            yield Diagnostic(
                RULE,
                f"an edge of step '{step.name}' needs the output of"
                f" '{analysis.chart.step[needed].name}', which a run may skip",
                step.origin,
                notes=(Note(f"a way without it: {way}"),),
                help="give the output of a step that every way passes",
            )


def _needs(step: Step) -> list[str]:
    """The other steps whose outputs the edges of a step read."""
    ids = [step.reads, *(id for case in step.cases for id in case.gives)]
    return [id for id in dict.fromkeys(ids) if id and id != step.id]
