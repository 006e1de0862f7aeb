"""A branch gives another type than its step is declared to join.

## What it does

Compares the type in `all_of(…)`, `first_of(…)` or `quorum(n, …)` with what the branches give.
Agents that hand over may give another output, so they are not compared.

## Why is this bad?

What reads the output of the step expects that type, and fails, or reads what is not there.

## Example

```python
from pydantic import BaseModel

from agentgraph import Agent, Workflow, all_of


class Verdict(BaseModel):
    ok: bool


legal, finance = Agent(name="Legal", output_type=Verdict), Agent(name="Finance")
draft = Agent(name="Draft")
workflow = Workflow("Board", start=draft)
workflow.then(draft, workflow.parallel("board", [legal, finance], join=all_of(Verdict)))
```

## Use instead

```python
from pydantic import BaseModel

from agentgraph import Agent, Workflow, all_of


class Verdict(BaseModel):
    ok: bool


legal = Agent(name="Legal", output_type=Verdict)
finance = Agent(name="Finance", output_type=Verdict)
draft = Agent(name="Draft")
workflow = Workflow("Board", start=draft)
workflow.then(draft, workflow.parallel("board", [legal, finance], join=all_of(Verdict)))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.checks.edge_type_mismatch import fits
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG308",
    "join-type-mismatch",
    Severity.WARNING,
    "A branch gives another type than its step is declared to join.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find branches whose type does not fit, in time linear in the branches."""
    for step in analysis.chart.steps:
        if step.branches is None or step.allows(RULE):
            continue
        of = step.branches.of
        for branch in step.branches.branches:
            if not fits(branch.output, of):
                yield Diagnostic(
                    RULE,
                    f"step '{step.name}' joins {of.name}, but its branch '{branch.name}' gives"
                    f" {branch.output.name}",
                    step.origin,
                    notes=(Note(f"the step is declared as {step.branches.join}(…)"),),
                    help="change the type in the join, or what the branch gives",
                )
