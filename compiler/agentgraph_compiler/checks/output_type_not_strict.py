"""An output type that strict mode cannot express.

## What it does

Finds output types whose JSON schema has no strict form, mostly because of an object with free keys
(`dict[str, int]`), and names the field.

## Why is this bad?

Output types are strict by default, so that the answer of the model is valid by construction. For
such a type the first run of the agent fails before the model is called.

## Example

```python
from agentgraph import Agent
from pydantic import BaseModel


class Offer(BaseModel):
    title: str
    prices: dict[str, float]


agent = Agent(name="Shop", output_type=Offer)
```

## Use instead

```python
from agentgraph import Agent
from pydantic import BaseModel


class Price(BaseModel):
    product: str
    price: float


class Offer(BaseModel):
    title: str
    prices: list[Price]


agent = Agent(name="Shop", output_type=Offer)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.schemas import open_objects, parsed
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import is_allowed

RULE = Rule(
    "AG304",
    "output-type-not-strict",
    Severity.WARNING,
    "An output type that strict mode cannot express.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find output types without a strict form, in time linear in the schemas."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            if not agent.not_strict or is_allowed(RULE, agent):
                continue
            paths = open_objects(parsed(agent.schema))
            notes = [Note(f"the keys of field '{path}' are not declared") for path in paths if path]
            yield Diagnostic(
                RULE,
                f"strict mode cannot express '{agent.output.name}', the output_type of agent"
                f" '{agent.name}'",
                agent.origin,
                notes=tuple(notes) or (Note(agent.not_strict),),
                help="declare the keys, or pass AgentOutputSchema(…, strict_json_schema=False)",
            )
