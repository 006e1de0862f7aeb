"""The agents of a step always hand over or call, so its edges are never taken.

## What it does

Finds steps that a run enters but never leaves by their edges, because no agent at work in them can
answer: its tool choice demands a handoff or a call on every turn.

## Why is this bad?

What the edges promise does not happen, and a model that answers all the same is disregarded.

## Example

```python
from agentgraph import Agent, ModelSettings, Workflow

orders, people = Agent(name="Orders"), Agent(name="People")
triage = Agent(
    name="Triage", handoffs=[orders], model_settings=ModelSettings(tool_choice="required")
)
workflow = Workflow("Support", start=triage)
workflow.then(triage, people)
workflow.then(orders, people)
```

## Use instead

```python
from agentgraph import Agent, Workflow

orders, people = Agent(name="Orders"), Agent(name="People")
triage = Agent(name="Triage", handoffs=[orders])
workflow = Workflow("Support", start=triage)
workflow.then(triage, people)
workflow.then(orders, people)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.steps import StepKind

RULE = Rule(
    "AG228",
    "edge-never-taken",
    Severity.WARNING,
    "The agents of a step always hand over or call, so its edges are never taken.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find edges that no run takes, in time linear in the states."""
    graph = analysis.step_graph
    if graph is None:
        return
    reached = {graph.flow.places[number].state.id for number in graph.flow.reached}
    for step in analysis.chart.steps:
        if step.kind is not StepKind.AGENT or not step.cases or step.allows(RULE):
            continue
        if step.agents[0] in graph.flow.agents and f"{step.id}.leaving" not in reached:
            yield Diagnostic(
                RULE,
                f"no run takes the edges of step '{step.name}'",
                step.origin,
                notes=(Note("no agent that can be at work in it can give an output"),),
                help="let the agent answer (tool_choice), or remove the edges",
            )
