"""A file that cannot be imported, so that its agents were read from the source instead.

## What it does

Reports a file whose import fails or ends the process: a package is not installed, a key is read at
import, a connection is refused. The checker then reads the `Agent(...)` calls of the source and
checks the names, handoffs, tools and guardrails that stand in the file itself. An import of what
agentgraph does not have is AG919.

## Why is this bad?

It need not be. But what other modules contribute, and what is computed, was not checked.

## Example

```python raises=ModuleNotFoundError
from agentgraph import Agent
from a_package_that_is_not_installed import search

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
    "AG901",
    "file-not-loadable",
    Severity.NOTE,
    "A file that cannot be imported, so that its agents were read from the source instead.",
)
