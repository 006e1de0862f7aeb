"""A loop of steps has no limit.

## What it does

Finds steps that lead back to each other without an edge that is taken `at_most` a number of times.
A loop in which a person answers a question in each round is none of them. Neither is one that a
budget of the workflow ends: `seconds` ends any loop, `model_calls` and `tokens` one in which an
agent gives an output in each round. A spent budget holds no longer, so it does not end a loop to
which `on_exhausted` leads.

## Why is this bad?

Only what models answer ends the loop, so a run may spend any number of tokens in it.

## Example

```python
from pydantic import BaseModel

from agentgraph import Agent, End, Workflow


class Review(BaseModel):
    ok: bool


draft, review = Agent(name="Draft"), Agent(name="Review", output_type=Review)
workflow = Workflow("Writing", start=draft)
workflow.then(draft, review)
workflow.route(review, on="ok", cases={True: End(), False: draft})
```

## Use instead

```python
from pydantic import BaseModel

from agentgraph import Agent, End, Workflow


class Review(BaseModel):
    ok: bool


draft, review = Agent(name="Draft"), Agent(name="Review", output_type=Review)
workflow = Workflow("Writing", start=draft)
workflow.then(draft, review)
workflow.route(
    review, on="ok", cases={True: End(), False: draft}, at_most={False: 3}, exhausted=End()
)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG226",
    "loop-without-bound",
    Severity.WARNING,
    "A loop of steps has no limit.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find loops without a counted edge, in time linear in the edges."""
    graph = analysis.step_graph
    if graph is None:
        return
    for loop in graph.uncounted_loops():
        if any(step.allows(RULE) for step in loop):
            continue
        *_, last = loop
        names = ", ".join(f"'{step.name}'" for step in loop)
        yield Diagnostic(
            RULE,
            f"the loop of step{'s' if len(loop) > 1 else ''} {names} has no limit",
            last.origin,
            notes=(Note("a run may go round in it for ever"),),
            help="limit the way back: at_most=…, exhausted=…",
        )
