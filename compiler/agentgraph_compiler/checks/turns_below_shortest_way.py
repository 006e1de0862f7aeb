"""An agent used as a tool has fewer turns than its shortest way to a final output needs.

## What it does

Counts the turns on the shortest way of the agent behind a tool to a final output: calls that its
tool choice forces, handoffs that it must take. It reports a tool whose `max_turns` is below that
number. Without `max_turns` a tool has ten turns.

## Why is this bad?

No call of the tool can succeed. Each one pays for its turns and then gives the model an error in
place of an answer.

## Example

```python
from agentgraph import Agent, ModelSettings, function_tool


@function_tool
def search(query: str) -> str:
    "Search the shelves."
    return query


librarian = Agent(
    name="Librarian",
    tools=[search],
    model_settings=ModelSettings(tool_choice="required"),
)
desk = Agent(name="Desk", tools=[librarian.as_tool("find", "Find a book.", max_turns=1)])
```

## Use instead

```python
from agentgraph import Agent, ModelSettings, function_tool


@function_tool
def search(query: str) -> str:
    "Search the shelves."
    return query


librarian = Agent(
    name="Librarian",
    tools=[search],
    model_settings=ModelSettings(tool_choice="required"),
)
desk = Agent(name="Desk", tools=[librarian.as_tool("find", "Find a book.", max_turns=4)])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.turns import fewest_turns
from agentgraph_compiler.analysis.walks import Walk, in_words
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Tool, is_allowed

RULE = Rule(
    "AG602",
    "turns-below-shortest-way",
    Severity.WARNING,
    "An agent used as a tool has fewer turns than its shortest way to a final output needs.",
)
_MOST_NODES = 10_000
"""The most nodes of the search; beyond it a finding may be missing."""


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find the agent tools that a run can call, with one search for each agent behind them."""
    ways: dict[str, Walk | None] = {}
    reported: set[object] = set()
    for _, agent, tool in analysis.agent_tools():
        if tool.handoff:  # it has turns of the run around it
            continue
        if tool.machine not in ways:
            flow = analysis.flow(analysis.chart.subchart[tool.machine])
            ways[tool.machine] = fewest_turns(flow, flow.roots[0], _MOST_NODES)
        way = ways[tool.machine]
        same = tool.name, tool.origin, tool.machine
        if way is None or tool.turns >= way.amount or is_allowed(RULE, agent, tool):
            continue
        if same not in reported:
            reported.add(same)
            yield _finding(agent, tool, way)


def _finding(agent: Agent, tool: Tool, way: Walk) -> Diagnostic:
    turns = f"{tool.turns} turn{'s' if tool.turns != 1 else ''}"
    return Diagnostic(
        RULE,
        f"tool '{tool.name}' of agent '{agent.name}' has {turns}, and the shortest way of"
        f" '{way.path[0]}' to a final output takes {len(way.path)}",
        tool.origin,
        notes=(
            Note(f"the way: {in_words(way.path)}"),
            Note("no call of the tool can succeed, as long as models obey"),
        ),
        help=f"give it max_turns={len(way.path)} or more",
    )
