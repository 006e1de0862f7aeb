"""An edge needs the output of a step that may have failed before.

## What it does

Finds `output_of(step)` where a way through the workflow takes an edge of `on_error` out of that
step.

## Why is this bad?

A step that fails has no output. A run that comes that way fails at the edge that needs it.

## Example

```python
from agentgraph import Agent, Workflow, output_of


def pay(order: str) -> int:
    return 7


order, letter = Agent(name="Order"), Agent(name="Letter")
workflow = Workflow("Shop", start=order)
workflow.then(order, pay)
workflow.then(pay, letter)
workflow.on_error(pay, letter, give=(output_of(order), output_of(pay)))
```

## Use instead

```python
from agentgraph import Agent, Workflow, output_of


def pay(order: str) -> int:
    return 7


order, letter = Agent(name="Order"), Agent(name="Letter")
workflow = Workflow("Shop", start=order)
workflow.then(order, pay)
workflow.then(pay, letter)
workflow.on_error(pay, letter, give=output_of(order))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.steps import Step

RULE = Rule(
    "AG233",
    "output-of-failed-step",
    Severity.WARNING,
    "An edge needs the output of a step that may have failed before.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find outputs that are missing after a failure, by the dominators of the steps."""
    graph, steps = analysis.step_graph, analysis.chart.steps
    if graph is None or not any(step.errors for step in steps):
        return
    for step in steps:
        if step.id not in graph.reached or step.allows(RULE):
            continue
        for needed, failed in _needs(step):
            if graph.is_left(step.id, needed, failed=failed):
                continue
            if not graph.is_passed(step.id, needed) and not failed:
                continue  # a run may skip that step although nothing fails (AG225)
            yield Diagnostic(
                RULE,
                f"an edge of step '{step.name}' needs the output of"
                f" '{analysis.chart.step[needed].name}', which may have failed",
                step.origin,
                notes=(Note("a step that fails has no output"),),
                help="give the output of a step that every way leaves with one",
            )


def _needs(step: Step) -> Iterator[tuple[str, bool]]:
    """The steps whose outputs the edges of a step read, and whether after a failure of the step."""
    after = [step.reads, *(id for case in step.cases for id in case.gives)]
    yield from ((id, False) for id in dict.fromkeys(after) if id and id != step.id)
    failed = (id for case in step.errors for id in case.gives)
    yield from ((id, True) for id in dict.fromkeys(failed) if id)
