"""Two cases of a route take the same value.

## What it does

Finds values that two cases of one route take. The first of them gets the value; a case of which
nothing is left is reported as a dead case instead (AG222).

## Why is this bad?

The order of the cases then decides, which a reader does not expect of cases.

## Example

```python
from pydantic import BaseModel

from agentgraph import Agent, Workflow, at_least, below


class Claim(BaseModel):
    euros: int


clerk, small, large = Agent(name="Clerk", output_type=Claim), Agent(name="A"), Agent(name="B")
workflow = Workflow("Claims", start=clerk)
workflow.route(clerk, on="euros", cases={below(1_001): small, at_least(1_000): large})
```

## Use instead

```python
from pydantic import BaseModel

from agentgraph import Agent, Workflow, at_least, below


class Claim(BaseModel):
    euros: int


clerk, small, large = Agent(name="Clerk", output_type=Claim), Agent(name="A"), Agent(name="B")
workflow = Workflow("Claims", start=clerk)
workflow.route(clerk, on="euros", cases={below(1_000): small, at_least(1_000): large})
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.value_sets import ValueSet, listed
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity

RULE = Rule(
    "AG221",
    "overlapping-cases",
    Severity.WARNING,
    "Two cases of a route take the same value.",
)
OF_EACH_CHART = True


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find values with two cases, in time quadratic in the cases of one route."""
    for step in analysis.chart.steps:
        if step.allows(RULE):
            continue
        earlier: list[tuple[str, ValueSet]] = []
        for case in step.cases:
            if case.takes is None:
                continue
            values = left = ValueSet.of(case.takes)
            for _, taken in earlier:
                left = left.without(taken)
            for label, taken in earlier if left else ():
                both = values.within(taken)
                if both:
                    yield Diagnostic(
                        RULE,
                        f"the cases '{label}' and '{case.label}' of the route on {step.on} after"
                        f" step '{step.name}' both take {listed(both.words())}",
                        step.origin,
                        notes=(Note(f"the first one, '{label}', gets it"),),
                        help="let each value stand in one case",
                    )
            earlier.append((case.label, values))
