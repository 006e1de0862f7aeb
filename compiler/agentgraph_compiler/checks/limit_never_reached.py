"""The budget of a workflow ends a run before the limit of a loop does.

## What it does

Counts the model calls that a run needs at the least to come to the end of the last round of
`at_most`, and compares them with `model_calls` of the budget. A workflow with edges after
exceptions, and a loop to which `on_exhausted` leads, are left out. `max_turns` counts anew in each
visit of a step, so it never ends a loop of steps and is not compared.

## Why is this bad?

No run comes to `exhausted`: the budget ends all of them before, in the midst of a round. The limit
says something that does not happen.

## Example

```python
from agentgraph import Agent, End, Workflow

draft, review = Agent(name="Draft"), Agent(name="Review", output_type=bool)
workflow = Workflow("Letters", start=draft)
workflow.then(draft, review)
workflow.route(
    review,
    cases={True: End(), False: draft},
    at_most={False: 9},
    exhausted=End("Please call us."),
)
workflow.budget(model_calls=10)
```

## Use instead

```python
from agentgraph import Agent, End, Workflow

draft, review = Agent(name="Draft"), Agent(name="Review", output_type=bool)
workflow = Workflow("Letters", start=draft)
workflow.then(draft, review)
workflow.route(
    review,
    cases={True: End(), False: draft},
    at_most={False: 4},
    exhausted=End("Please call us."),
)
workflow.budget(model_calls=10)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.bounds import calls_before
from agentgraph_compiler.analysis.flow import reached_from
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.steps import StepKind

RULE = Rule(
    "AG234",
    "limit-never-reached",
    Severity.WARNING,
    "The budget of a workflow ends a run before the limit of a loop does.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Compare the limits of loops with the budget, by the cheapest walk to the last round."""
    chart, graph = analysis.chart, analysis.step_graph
    budget = next((step for step in chart.steps if step.kind is StepKind.BUDGET), None)
    calls = None if budget is None else budget.spent.get("model_calls")
    if graph is None or budget is None or calls is None:
        return
    if any(step.errors and step is not budget for step in chart.steps):
        return
    later = reached_from(graph.onward[budget.id], graph.onward.__getitem__)
    for step in chart.steps:
        if step.id in later or step.id not in graph.reached or step.allows(RULE):
            continue
        for case in step.cases:
            if not case.at_most:
                continue
            walk = calls_before(analysis, step.case_symbol(case), case.at_most)
            if walk is not None and walk.exact and walk.amount > calls:
                yield Diagnostic(
                    RULE,
                    f"the limit at_most={case.at_most} after step '{step.name}' needs"
                    f" {int(walk.amount)} model calls, and the budget of workflow"
                    f" '{chart.name}' has {calls:g}",
                    step.origin,
                    notes=(Note("the budget ends every run before the last round is over"),),
                    help=f"lower at_most, or give the budget model_calls={int(walk.amount)}",
                )
