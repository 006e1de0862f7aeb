"""A step cancels branches whose tools may change something.

## What it does

Finds steps with `first_of` or `quorum` whose branches have tools that are not `read_only`.

## Why is this bad?

Once enough branches are over, the others are cancelled, wherever they are. What such a tool has
done by then stays done, and nothing in the run says so.

## Example

```python
from agentgraph import Agent, Workflow, first_of, function_tool


@function_tool
def book(room: str) -> str:
    "Book a room."
    return room


north, south = Agent(name="North", tools=[book]), Agent(name="South", tools=[book])
draft = Agent(name="Draft")
workflow = Workflow("Rooms", start=draft)
workflow.then(draft, workflow.parallel("race", [north, south], join=first_of()))
```

## Use instead

```python
from agentgraph import Agent, Workflow, all_of, function_tool


@function_tool
def book(room: str) -> str:
    "Book a room."
    return room


north, south = Agent(name="North", tools=[book]), Agent(name="South", tools=[book])
draft = Agent(name="Draft")
workflow = Workflow("Rooms", start=draft)
workflow.then(draft, workflow.parallel("both", [north, south], join=all_of()))
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG231",
    "cancelled-branch-acts",
    Severity.WARNING,
    "A step cancels branches whose tools may change something.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find steps that do not wait for branches with such tools, in time linear in the branches."""
    for step in analysis.chart.steps:
        branches = step.branches
        if branches is None or step.allows(RULE):
            continue
        if not 0 < branches.needs < len(branches.branches):
            continue
        acting = [branch for branch in branches.branches if branch.acts]
        if not acting:
            continue
        calls = "; ".join(f"'{one.name}' calls {_named(one.acts)}" for one in acting)
        yield Diagnostic(
            RULE,
            f"step '{step.name}' waits for {branches.needs} of {len(branches.branches)}"
            " branches and cancels the others, whose tools may have acted by then",
            step.origin,
            notes=(Note(f"branch {calls}"),),
            help="wait for all of them (all_of), or mark tools that only read: read_only=True",
        )


def _named(tools: tuple[str, ...]) -> str:
    more = len(tools) - _MOST
    names = ", ".join(f"'{name}'" for name in tools[:_MOST])
    return f"{names} and {more} more" if more > 0 else names


_MOST = 3
"""The most tools of a branch that a finding names."""
