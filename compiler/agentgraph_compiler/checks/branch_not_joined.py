"""A branch of a step does not end where its step waits for it.

## What it does

Finds branches of `parallel` and `each` whose agents hand over to a step of the workflow around
them, and branches that can never give an output.

## Why is this bad?

A branch is a run of its own. The agent that is handed over to works inside the branch, without the
edges of its step, and what it says becomes the output of the branch. A branch without an output
keeps the whole step from its end.

## Example

```python
from agentgraph import Agent, Workflow

orders = Agent(name="Orders")
legal, finance = Agent(name="Legal", handoffs=[orders]), Agent(name="Finance")
draft = Agent(name="Draft")
workflow = Workflow("Board", start=draft)
board = workflow.parallel("board", [legal, finance])
workflow.then(draft, board)
workflow.then(board, orders)
```

## Use instead

```python
from agentgraph import Agent, Workflow

orders = Agent(name="Orders")
legal, finance = Agent(name="Legal"), Agent(name="Finance")
draft = Agent(name="Draft")
workflow = Workflow("Board", start=draft)
board = workflow.parallel("board", [legal, finance])
workflow.then(draft, board)
workflow.then(board, orders)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis, Identity, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import Branch, Step, StepKind

RULE = Rule(
    "AG229",
    "branch-not-joined",
    Severity.WARNING,
    "A branch of a step does not end where its step waits for it.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find branches that leave or never end, in time linear in the branches and their charts."""
    steps = {
        identity(analysis.chart.agent[step.id]): step.name
        for step in analysis.chart.steps
        if step.kind is StepKind.AGENT
    }
    for step in analysis.chart.steps:
        if step.branches is None or step.allows(RULE):
            continue
        for branch in step.branches.branches:
            if branch.machine:
                fault = _fault(analysis, analysis.chart.subchart[branch.machine], steps)
                if fault:
                    yield _finding(step, branch, fault)


def _fault(analysis: Analysis, chart: Chart, steps: dict[Identity, str]) -> str:
    flow = analysis.flow(chart)
    if flow.roots[0] not in flow.ending:
        return "never gives an output"
    for id in sorted(flow.agents - {chart.start}):
        name = steps.get(identity(chart.agent[id]))
        if name is not None and not any(id in step.agents for step in chart.steps):
            return f"hands over to '{name}', which is a step of the workflow around it"
    return ""


def _finding(step: Step, branch: Branch, fault: str) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"branch '{branch.name}' of step '{step.name}' {fault}",
        step.origin,
        notes=(Note("the step waits for the output of the branch"),),
        help="let the branch answer by itself, and lead on with an edge after the step",
    )
