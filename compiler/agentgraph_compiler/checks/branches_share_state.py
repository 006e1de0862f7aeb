"""Branches that work side by side write one session or one field of the context.

## What it does

Compares the branches of a step: the sessions of agents used as tools in them, and the attributes of
the context that plain functions in them assign. `each` is compared with itself, unless
`concurrency=1` lets one item work at a time.

## Why is this bad?

What is written last stays, and which branch is last depends on timing.

## Example

```python
from agentgraph import Agent, RunContextWrapper, Workflow


class Desk:
    note = ""


def legal(context: RunContextWrapper[Desk], text: str) -> None:
    context.context.note = "legal: " + text


def finance(context: RunContextWrapper[Desk], text: str) -> None:
    context.context.note = "finance: " + text


draft = Agent(name="Draft")
workflow = Workflow("Board", start=draft)
workflow.then(draft, workflow.parallel("board", [legal, finance]))
```

## Use instead

```python
from agentgraph import Agent, Workflow


def legal(text: str) -> str:
    return "legal: " + text


def finance(text: str) -> str:
    return "finance: " + text


draft = Agent(name="Draft")
workflow = Workflow("Board", start=draft)
workflow.then(draft, workflow.parallel("board", [legal, finance]))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.steps import Step, StepKind

RULE = Rule(
    "AG230",
    "branches-share-state",
    Severity.WARNING,
    "Branches that work side by side write one session or one field of the context.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find what several branches of a step write, in time linear in the branches."""
    for step in analysis.chart.steps:
        branches = step.branches
        if branches is None or step.allows(RULE):
            continue
        writers: dict[str, list[str]] = {}
        for branch in branches.branches:
            names = [f"'{branch.name}'"]
            if step.kind is StepKind.EACH and branches.places != 1:
                names *= 2
            for field in branch.writes:
                writers.setdefault(f"the field '{field}' of the context", []).extend(names)
            for session in branch.sessions:
                writers.setdefault(f"session {session}", []).extend(names)
        for what, names in writers.items():
            if len(names) > 1:
                yield _finding(step, what, names)


def _finding(step: Step, what: str, names: list[str]) -> Diagnostic:
    several = list(dict.fromkeys(names))
    who = f"branches {' and '.join(several)}" if len(several) > 1 else f"runs of {several[0]}"
    written = "one session" if what.startswith("session") else what
    return Diagnostic(
        RULE,
        f"{who} of step '{step.name}' write {written} side by side",
        step.origin,
        notes=(Note("which of them writes last depends on timing"),),
        help="return it as the output, and let a later step write it",
    )
