"""An import of a part of the published SDK that agentgraph does not have.

## What it does

Finds imports at the top of a file, under either name of the library, of what only the published SDK
has: sandboxes, realtime and voice agents, its experiments. It reports the first import of each
part, and passes over imports under `try` or `if`.

## Why is this bad?

The import fails, whatever is installed. So the program does not start with agentgraph.

## Example

```python raises=ModuleNotFoundError
from agents import Agent
from agents.realtime import RealtimeAgent

agent = Agent(name="Support")
```

## Use instead

```python
from agentgraph import Agent

agent = Agent(name="Support")
```
"""

from __future__ import annotations

from agentgraph_compiler.diagnostics import Rule, Severity

RULE = Rule(
    "AG919",
    "not-in-agentgraph",
    Severity.WARNING,
    "An import of a part of the published SDK that agentgraph does not have.",
)
