"""A field of an agent that has a value of the wrong type.

## What it does

Reports the other fields of an agent whose value cannot be meant, such as instructions that are
neither a text nor a function.

## Why is this bad?

The agent could not be run, or not as its author thinks.

## Example

```python raises=AgentDefinitionError
from agentgraph import Agent

agent = Agent(name="Support", instructions=["Help.", "Be brief."])
```

## Use instead

```python
from agentgraph import Agent

agent = Agent(name="Support", instructions="Help. Be brief.")
```
"""

from __future__ import annotations

from agentgraph_compiler.diagnostics import Rule, Severity

RULE = Rule(
    "AG907",
    "wrong-field-type",
    Severity.ERROR,
    "A field of an agent that has a value of the wrong type.",
)
