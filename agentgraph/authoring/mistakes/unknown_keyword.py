"""A keyword argument that the library does not have.

## What it does

Reports misspelt and foreign keywords in calls of the library: of `Agent`, `Runner.run`,
`function_tool` and every other public name.

## Why is this bad?

Python refuses the call when it comes to it, which may be late.

## Example

```python raises=TypeError
from agentgraph import Agent

agent = Agent(name="Support", instruction="Help.")
```

## Use instead

```python
from agentgraph import Agent

agent = Agent(name="Support", instructions="Help.")
```
"""

from __future__ import annotations

from agentgraph_compiler.diagnostics import Rule, Severity

RULE = Rule(
    "AG906",
    "unknown-keyword",
    Severity.ERROR,
    "A keyword argument that the library does not have.",
)
