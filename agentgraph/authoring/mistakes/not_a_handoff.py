"""An entry of `handoffs` that is neither an agent nor a handoff.

## What it does

Reports texts and other objects in the `handoffs` of an agent.

## Why is this bad?

A name does not say which agent is meant. Agents that refer to each other get their handoffs after
both are made.

## Example

```python raises=AgentDefinitionError
from agentgraph import Agent

billing = Agent(name="Billing")
triage = Agent(name="Triage", handoffs=["Billing"])
```

## Use instead

```python
from agentgraph import Agent

billing = Agent(name="Billing")
triage = Agent(name="Triage", handoffs=[billing])
```
"""

from __future__ import annotations

from agentgraph_compiler.diagnostics import Rule, Severity

RULE = Rule(
    "AG903",
    "not-a-handoff",
    Severity.ERROR,
    "An entry of `handoffs` that is neither an agent nor a handoff.",
)
