"""The budget of a workflow has fewer model calls than its shortest way to an end.

## What it does

Counts the model calls on the cheapest way from the start of a workflow to an end, those of agent
tools and branches included, and compares them with `model_calls` of its budget.

## Why is this bad?

Every run spends its budget. None comes to an end by itself.

## Example

```python
from agentgraph import Agent, End, Workflow

draft, review, letter = Agent(name="Draft"), Agent(name="Review"), Agent(name="Letter")
workflow = Workflow("Letters", start=draft)
workflow.then(draft, review)
workflow.then(review, letter)
workflow.budget(model_calls=2, on_exhausted=End("Please call us."))
```

## Use instead

```python
from agentgraph import Agent, End, Workflow

draft, review, letter = Agent(name="Draft"), Agent(name="Review"), Agent(name="Letter")
workflow = Workflow("Letters", start=draft)
workflow.then(draft, review)
workflow.then(review, letter)
workflow.budget(model_calls=12, on_exhausted=End("Please call us."))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.bounds import bounds
from agentgraph_compiler.analysis.walks import in_words
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG603",
    "budget-below-shortest-way",
    Severity.WARNING,
    "The budget of a workflow has fewer model calls than its shortest way to an end.",
)
OF_EACH_CHART = True
_MODEL_CALLS = "model_calls"


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Compare the budget with the least that a run needs."""
    steps = analysis.chart.steps
    for step in steps:
        limits = dict(part.split("=") for part in step.limits.split(", ") if part)
        if _MODEL_CALLS not in limits or steps[0].allows(RULE):
            continue
        most, calls = int(limits[_MODEL_CALLS]), bounds(analysis, turns=None)[0].model_calls
        if calls.least is None or calls.least <= most:
            continue
        yield Diagnostic(
            RULE,
            f"the budget of workflow '{analysis.chart.name}' has {most} model"
            f" call{'s' if most != 1 else ''}, and its shortest way to an end takes {calls.least}",
            step.origin,
            notes=(Note(f"the way: {in_words(calls.least_path)}"),),
            help=f"give it model_calls={calls.least} or more",
        )
