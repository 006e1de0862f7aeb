"""A stop names a tool that the agent cannot call.

## What it does

Finds names in `stop_at_tool_names` that are not those of a function tool on offer: nothing has the
name, it is that of a handoff or of a tool that the provider runs, or the tool is disabled for good.
Agents with MCP servers are left out, because the run lists the tools of a server.

## Why is this bad?

The run was meant to end with the output of this tool. It never does: the model is asked again, and
the answer that users get is another one.

## Example

```python
from agentgraph import Agent, function_tool


@function_tool
def send_invoice(order: str) -> str:
    "Send the invoice of an order."
    return f"Invoice of {order} sent."


billing = Agent(
    name="Billing",
    tools=[send_invoice],
    tool_use_behavior={"stop_at_tool_names": ["send_bill"]},
)
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool
def send_invoice(order: str) -> str:
    "Send the invoice of an order."
    return f"Invoice of {order} sent."


billing = Agent(
    name="Billing",
    tools=[send_invoice],
    tool_use_behavior={"stop_at_tool_names": ["send_invoice"]},
)
```
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Fix, Note, Renaming, Rule, Severity
from agentgraph_compiler.ir.chart import FUNCTION_TOOLS, Agent, Enabled, StopKind, is_allowed

RULE = Rule(
    "AG217",
    "stop-names-no-tool",
    Severity.WARNING,
    "A stop names a tool that the agent cannot call.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find names of stops that no function tool on offer has."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            if agent.stop.kind is StopKind.NAMED and not is_allowed(RULE, agent):
                yield from _misnamed(agent)


def _misnamed(agent: Agent) -> Iterator[Diagnostic]:
    if any(tool.server for tool in agent.tools):
        return
    functions = {tool.name: tool for tool in agent.tools if tool.kind in FUNCTION_TOOLS}
    on_offer = [name for name, tool in functions.items() if tool.enabled is not Enabled.NEVER]
    for name in agent.stop.names:
        if name in on_offer or any(one.endswith(f".{name}") for one in on_offer):
            continue
        matches = get_close_matches(name, on_offer, n=1)
        yield Diagnostic(
            RULE,
            f"agent '{agent.name}' ends its run with the output of '{name}', but"
            f" {_why(agent, name)}",
            agent.origin,
            notes=(Note("a name in stop_at_tool_names that matches no call ends no run"),),
            help=(
                f"write '{matches[0]}' in place of '{name}'"
                if matches
                else f"name one of its function tools in place of '{name}', or leave it out"
            ),
            fix=_renaming(agent, name, matches[0]) if matches else None,
        )


def _renaming(agent: Agent, name: str, match: str) -> Fix:
    return Fix.in_text(
        Renaming(agent.origin, old=name, new=match, agent=agent.name, argument="tool_use_behavior")
    )


def _why(agent: Agent, name: str) -> str:
    """Why no call of the name ends a run."""
    if any(handoff.name == name for handoff in agent.handoffs):
        return "that is a handoff, which gives no output"
    for tool in agent.tools:
        if tool.name == name:
            return (
                "that tool runs at the provider's side"
                if tool.hosted
                else "that tool is disabled for good"
                if tool.enabled is Enabled.NEVER
                else "that is no function tool"
            )
    return "it has no tool of that name"
