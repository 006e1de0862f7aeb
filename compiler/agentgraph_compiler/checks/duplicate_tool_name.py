"""Two tools of one agent have the same name.

## What it does

Finds names that an agent offers to its model more than once. Functions, handoffs and agents used as
tools share one namespace. A tool that has a kind of call of its own (a computer, a shell, a custom
tool) is only told apart from others of that kind; hosted tools are the provider's and do not
count. Nor do tools that are never enabled. Where a callable decides whether one of the two is
enabled, they may be meant as alternatives: then the run itself looks at every turn.

## Why is this bad?

The model asks for work by name, so one of the two could never be told from the other: providers
refuse such a request, and where they do not, the wrong function runs.

## Example

```python
from agentgraph import Agent, function_tool


@function_tool
def search(query: str) -> str:
    "Search the web."
    return query


@function_tool(name_override="search")
def search_orders(query: str) -> str:
    "Search the orders."
    return query


agent = Agent(name="Support", tools=[search, search_orders])
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool
def search(query: str) -> str:
    "Search the web."
    return query


@function_tool
def search_orders(query: str) -> str:
    "Search the orders."
    return query


agent = Agent(name="Support", tools=[search, search_orders])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, Tool, is_allowed
from agentgraph_compiler.machine import WorkKind

RULE = Rule(
    "AG101",
    "duplicate-tool-name",
    Severity.ERROR,
    "Two tools of one agent have the same name.",
)


def check(chart: Chart) -> Iterator[Diagnostic]:
    """Find names that are always offered twice; linear in the number of tools and handoffs."""
    for part in chart.walk():
        for agent in part.agents:
            yield from _of_agent(agent)


def _of_agent(agent: Agent) -> Iterator[Diagnostic]:
    first: dict[tuple[bool, str], Tool | Handoff] = {}
    everything: tuple[Tool | Handoff, ...] = (*agent.tools, *agent.handoffs)
    for offered in everything:
        if offered.enabled is not Enabled.ALWAYS or _is_hosted(offered):
            continue
        earlier = first.setdefault((_has_own_call(offered), offered.name), offered)
        if earlier is offered or is_allowed(RULE, agent, earlier, offered):
            continue
        yield Diagnostic(
            RULE,
            f"agent '{agent.name}' offers two tools named '{offered.name}':"
            f" {_described(earlier)} and {_described(offered)}",
            offered.origin,
            (
                Note(f"the name is first used by {_described(earlier)} here", earlier.origin),
                Note("the model asks for tools by name, so it could not say which one it means"),
            ),
            _remedy(offered),
        )


def _is_hosted(offered: Tool | Handoff) -> bool:
    return isinstance(offered, Tool) and offered.kind is None


def _has_own_call(offered: Tool | Handoff) -> bool:
    return isinstance(offered, Tool) and offered.kind is WorkKind.ACTION


def _described(offered: Tool | Handoff) -> str:
    if isinstance(offered, Handoff):
        return f"the handoff to '{offered.target_name}'"
    match offered.kind:
        case WorkKind.AGENT:
            return "an agent used as a tool"
        case WorkKind.FUNCTION:
            return "a function tool"
        case _:
            return "a tool"


def _remedy(offered: Tool | Handoff) -> str:
    if isinstance(offered, Handoff):
        return "give the handoff a name of its own: handoff(agent, tool_name_override='…')"
    match offered.kind:
        case WorkKind.AGENT:
            return "give the agent a tool name of its own: agent.as_tool(tool_name='…', …)"
        case WorkKind.ACTION:
            return "list the tool once, or rename one of the two"
        case _:
            return "rename one of the functions, or pass function_tool(name_override='…')"
