"""Something about an agent is only known at run time, so the compiler could not check it.

## What it does

Names what the compiler cannot see: tools that an MCP server lists at run time, functions that
decide whether a tool or handoff is enabled or whether a tool output ends the run. The other rules
assume that each of these may go either way. It also names the agents that a tool or a guardrail
runs in its own code (`Runner.run(reviewer, …)`). `agentgraph check` and `check()` follow those runs
as far as the source says which agent they start with; `compile()` does not.

## Why is this bad?

It is not. But a clean result says less about such an agent, and you should know where: two tools
may still have the same name, and a handoff that a function always disables looks like a way out.
The run itself checks names again on every turn.

## Example

```python
from agentgraph import Agent, handoff


def in_office_hours(context: object, agent: object) -> bool:
    return False


human = Agent(name="Human")
triage = Agent(name="Triage", handoffs=[handoff(human, is_enabled=in_office_hours)])
```

## Use instead

```python
from agentgraph import Agent

human = Agent(name="Human")
triage = Agent(name="Triage", handoffs=[human])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import is_allowed

RULE = Rule(
    "AG401",
    "unseen-by-the-compiler",
    Severity.NOTE,
    "Something about an agent is only known at run time, so the compiler could not check it.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Say once for each agent what the compiler cannot see."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            if agent.unseen and not is_allowed(RULE, agent):
                things = "one thing" if len(agent.unseen) == 1 else f"{len(agent.unseen)} things"
                yield Diagnostic(
                    RULE,
                    f"{things} about agent '{agent.name}' will only be known at run time",
                    agent.origin,
                    tuple(Note(fact) for fact in agent.unseen),
                )
