"""Two tools of one agent have the same name.

## What it does

Finds names that an agent offers to its model more than once. Functions, handoffs and agents used as
tools share one namespace. A tool with its own kind of call (a computer, a shell, a custom tool)
shares a namespace only with others of such a kind. Hosted tools belong to the provider and do not
count, nor do tools that are never enabled. Names that two agents' names become are another rule
(`AG105`). If a callable decides whether one of the two is enabled,
they may be alternatives: then the run itself checks on every turn.

## Why is this bad?

The model asks for work by name, so it cannot choose between the two. Providers refuse such a
request; one that accepts it runs the wrong function.

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

from agentgraph_compiler.analysis.analysis import Analysis, identity
from agentgraph_compiler.checks.merged_agent_names import are_merged
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, Tool, is_allowed
from agentgraph_compiler.machine import WorkKind

RULE = Rule(
    "AG101",
    "duplicate-tool-name",
    Severity.ERROR,
    "Two tools of one agent have the same name.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find names that an agent always offers twice, in time linear in tools and handoffs."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            findings = [*_of_agent(analysis.chart, agent)]
            if findings and identity(agent) in analysis.reached:
                yield from findings


def _of_agent(chart: Chart, agent: Agent) -> Iterator[Diagnostic]:
    first: dict[tuple[bool, str], Tool | Handoff] = {}
    offers: tuple[Tool | Handoff, ...] = (*agent.tools, *agent.handoffs)
    for offer in offers:
        if offer.enabled is not Enabled.ALWAYS or _is_hosted(offer):
            continue
        earlier = first.setdefault((_has_own_call(offer), offer.name), offer)
        if earlier is offer or is_allowed(RULE, agent, earlier, offer):
            continue
        if are_merged(chart, earlier, offer):
            continue
        yield Diagnostic(
            RULE,
            f"agent '{agent.name}' offers two tools named '{offer.name}':"
            f" {_description(earlier)} and {_description(offer)}",
            offer.origin,
            notes=(
                Note(f"the first use of the name is here: {_description(earlier)}", earlier.origin),
                Note("the model asks for tools by name, so it could not say which one it means"),
            ),
            help=_remedy(offer),
        )


def _is_hosted(offer: Tool | Handoff) -> bool:
    return isinstance(offer, Tool) and offer.kind is None


def _has_own_call(offer: Tool | Handoff) -> bool:
    return isinstance(offer, Tool) and offer.kind is WorkKind.ACTION


def _description(offer: Tool | Handoff) -> str:
    if isinstance(offer, Handoff):
        return f"the handoff to '{offer.target_name}'"
    match offer.kind:
        case WorkKind.AGENT if offer.handoff:
            return "a handoff that returns"
        case WorkKind.AGENT:
            return "an agent used as a tool"
        case WorkKind.FUNCTION:
            return "a function tool"
        case _:
            return "a tool"


def _remedy(offer: Tool | Handoff) -> str:
    if isinstance(offer, Handoff) or offer.handoff:
        return "give the handoff a name of its own: handoff(agent, tool_name_override='…')"
    match offer.kind:
        case WorkKind.AGENT:
            return "give the agent a tool name of its own: agent.as_tool(tool_name='…', …)"
        case WorkKind.ACTION:
            return "list the tool once, or rename one of the two"
        case _:
            return "rename one of the functions, or pass function_tool(name_override='…')"
