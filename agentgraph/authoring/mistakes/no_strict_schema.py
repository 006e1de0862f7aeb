"""Arguments of a tool that have no strict schema.

## What it does

Reports function tools in strict mode whose parameters have no strict JSON schema, such as a `dict`
with free keys.

## Why is this bad?

In strict mode the provider holds the model to the schema; it refuses one with free keys.

## Example

```python raises=UserError
from agentgraph import Agent, function_tool


@function_tool
def book(details: dict[str, str]) -> str:
    "Book a flight."
    return str(details)


agent = Agent(name="Flights", tools=[book])
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool(strict_mode=False)
def book(details: dict[str, str]) -> str:
    "Book a flight."
    return str(details)


agent = Agent(name="Flights", tools=[book])
```
"""

from __future__ import annotations

from agentgraph_compiler.diagnostics import Rule, Severity

RULE = Rule(
    "AG905",
    "no-strict-schema",
    Severity.ERROR,
    "Arguments of a tool that have no strict schema.",
)
