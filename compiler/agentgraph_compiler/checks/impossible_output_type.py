"""An output type of which there is no value.

## What it does

Looks for output types that no reply can have: an enumeration without members, limits that
contradict each other (`Field(ge=5, le=3)`), `Never`, a class that requires a value of itself. It
names the field.

## Why is this bad?

The model cannot write an answer that is accepted, so every run of the agent fails after the model
has been paid for, or repeats until the turns are used up.

## Example

```python
from agentgraph import Agent
from pydantic import BaseModel, Field


class Rating(BaseModel):
    stars: int = Field(ge=5, le=1)


agent = Agent(name="Critic", output_type=Rating)
```

## Use instead

```python
from agentgraph import Agent
from pydantic import BaseModel, Field


class Rating(BaseModel):
    stars: int = Field(ge=1, le=5)


agent = Agent(name="Critic", output_type=Rating)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.schemas import impossible_part, parsed
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import is_allowed

RULE = Rule(
    "AG303",
    "impossible-output-type",
    Severity.WARNING,
    "An output type of which there is no value.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find output types without values, in time linear in the schemas."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            if not agent.schema or is_allowed(RULE, agent):
                continue
            path = impossible_part(parsed(agent.schema))
            if path is not None:
                yield Diagnostic(
                    RULE,
                    f"no value is of type '{agent.output.name}', the output_type of agent"
                    f" '{agent.name}'",
                    agent.origin,
                    notes=(
                        Note(
                            f"it requires '{path}', for which no value is allowed"
                            if path
                            else "the type itself allows no value"
                        ),
                    ),
                    help="allow a value there, or make the field optional",
                )
