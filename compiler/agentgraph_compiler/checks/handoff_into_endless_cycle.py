"""A handoff into a cycle in which no run can end.

## What it does

Finds agents that hand off to each other in a cycle where no agent can give a final output and no
handoff leads out. Runs of the workflow that do not get there end well; if none does, it is
`handoff-cycle-without-exit`.

## Why is this bad?

A run that gets into the cycle uses up its turns and fails with `MaxTurnsExceeded`, after you have
paid for all of them. An agent used as a tool returns an error after that.

## Example

```python
from agentgraph import Agent, ModelSettings

always_call = ModelSettings(tool_choice="required")
planner = Agent(name="Planner", model_settings=always_call, reset_tool_choice=False)
critic = Agent(
    name="Critic", handoffs=[planner], model_settings=always_call, reset_tool_choice=False
)
planner.handoffs.append(critic)
desk = Agent(name="Desk", handoffs=[planner])
```

## Use instead

```python
from agentgraph import Agent, ModelSettings

always_call = ModelSettings(tool_choice="required")
planner = Agent(name="Planner", model_settings=always_call, reset_tool_choice=False)
critic = Agent(name="Critic", handoffs=[planner])
planner.handoffs.append(critic)
desk = Agent(name="Desk", handoffs=[planner])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.checks.handoff_cycle_without_exit import without_exit
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity

RULE = Rule(
    "AG207",
    "handoff-into-endless-cycle",
    Severity.WARNING,
    "A handoff into a cycle in which no run can end.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find circles without exit that a run can reach but avoid."""
    for circle in analysis.circles:
        if not circle.certain:
            yield from without_exit(RULE, circle)
