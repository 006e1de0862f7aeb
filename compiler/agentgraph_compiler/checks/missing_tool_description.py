"""A tool has no description.

## What it does

Finds functions without a docstring (or `description_override`) and agents used as tools without a
`tool_description`.

## Why is this bad?

The model decides by the description when to call a tool. From a name alone it guesses, more so
where the agent has several tools.

## Example

```python
from agentgraph import Agent, function_tool


@function_tool
def refund(order: str, euros: int) -> str:
    return f"{euros} euros for {order}"


agent = Agent(name="Refunds", tools=[refund])
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool
def refund(order: str, euros: int) -> str:
    "Pay money back for an order that was returned."
    return f"{euros} euros for {order}"


agent = Agent(name="Refunds", tools=[refund])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Enabled, is_allowed
from agentgraph_compiler.machine import WorkKind

RULE = Rule(
    "AG214",
    "missing-tool-description",
    Severity.NOTE,
    "A tool has no description.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find tools without a description, each once, in time linear in the tools."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            for tool in agent.tools:
                if tool.description != "" or tool.enabled is Enabled.NEVER or tool.handoff:
                    continue
                if not is_allowed(RULE, agent, tool):
                    is_agent = tool.kind is WorkKind.AGENT
                    yield Diagnostic(
                        RULE,
                        f"tool '{tool.name}' has no description",
                        tool.origin,
                        notes=(Note("the model decides by the description when to call a tool"),),
                        help="describe it: agent.as_tool(tool_description='…', …)"
                        if is_agent
                        else "describe it in the docstring of the function",
                    )
