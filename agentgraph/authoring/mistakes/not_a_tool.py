"""An entry of `tools` that is no tool.

## What it does

Reports functions without `@function_tool`, agents, and other objects in the `tools` of an agent.

## Why is this bad?

A model calls a tool by its name and schema. A plain function has neither, and an agent in `tools`
may be meant as a handoff or as a tool.

## Example

```python raises=AgentDefinitionError
from agentgraph import Agent


def search(query: str) -> str:
    "Search the orders."
    return query


agent = Agent(name="Support", tools=[search])
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool
def search(query: str) -> str:
    "Search the orders."
    return query


agent = Agent(name="Support", tools=[search])
```
"""

from __future__ import annotations

from agentgraph_compiler.diagnostics import Rule, Severity

RULE = Rule(
    "AG902",
    "not-a-tool",
    Severity.ERROR,
    "An entry of `tools` that is no tool.",
)
