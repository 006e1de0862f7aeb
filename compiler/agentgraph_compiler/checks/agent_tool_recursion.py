"""An agent runs itself as a tool, directly or through others.

## What it does

Follows agents used as tools (`Agent.as_tool()`) and reports a tool that leads back to an agent
that is already at work at a level above, if a run can get there. Handoffs inside the nested agents
count, because a nested run can take them. A tool that a function enables on each turn does not:
the function may bound the depth. Nor does a handoff that returns (`handoff(agent, returns=True)`):
each level has one turn less than the run around it.

## Why is this bad?

Each level is a run of its own, with a fresh budget of turns. Nothing bounds how deep the model
goes, so one question can cost any number of calls. If you want the recursion (a writer that asks
itself for sections, say), bound its depth with a function as `is_enabled`.

## Example

```python
from agentgraph import Agent

writer = Agent(name="Writer")
editor = Agent(
    name="Editor",
    tools=[writer.as_tool(tool_name="write", tool_description="Write a section.")],
)
writer.tools.append(editor.as_tool(tool_name="edit", tool_description="Edit a section."))

start = Agent(name="Publisher", handoffs=[editor])
```

## Use instead

```python
from agentgraph import Agent

writer = Agent(name="Writer")
editor = Agent(
    name="Editor",
    tools=[writer.as_tool(tool_name="write", tool_description="Write a section.")],
)

start = Agent(name="Publisher", handoffs=[editor])
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Tool, is_allowed
from agentgraph_compiler.machine import WorkKind

RULE = Rule(
    "AG203",
    "agent-tool-recursion",
    Severity.WARNING,
    "An agent runs itself as a tool, directly or through others.",
)

_SHOWN = 6
"""The most steps of a long recursion that a finding names."""


@dataclass(frozen=True, slots=True)
class _Use:
    """An agent that uses a sub-chart as a tool."""

    agent: Agent
    tool: Tool


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find uses that lead back to a sub-chart at work, by a depth-first search in linear time."""
    chart = analysis.chart
    if not chart.charts:
        return
    uses = {part.name: tuple(_uses(analysis, part)) for part in analysis.parts if part is not chart}
    finished: set[str] = set()
    depth: dict[str, int] = {}
    path: list[_Use] = []
    branches = [_uses(analysis, chart)]
    while branches:
        use = next(branches[-1], None)
        if use is None:
            branches.pop()
            if path:
                machine = path.pop().tool.machine
                finished.add(machine)
                del depth[machine]
        elif use.tool.machine in depth:
            yield _recursion(path, depth[use.tool.machine], use, chart)
        elif use.tool.machine not in finished:
            path.append(use)
            depth[use.tool.machine] = len(path)
            branches.append(iter(uses[use.tool.machine]))


def _uses(analysis: Analysis, part: Chart) -> Iterator[_Use]:
    """The uses that count. An allowed one does not count, and so it closes no circle. Nor does one
    that a function can disable: it may bound the depth."""
    tools = {tool.symbol: tool for agent in part.agents for tool in agent.tools}
    for state, lane in analysis.flow(part).lanes:
        if lane.kind is WorkKind.AGENT:
            agent, tool = part.agent[state.agent], tools[lane.symbol]
            if tool.handoff:  # each level has one turn less than the run around it
                continue
            if tool.enabled is Enabled.ALWAYS and not is_allowed(RULE, agent, tool):
                yield _Use(agent, tool)


def _agent_name(use: _Use, chart: Chart) -> str:
    """The name of the agent that a use runs."""
    inner = chart.subchart[use.tool.machine]
    return inner.agent[inner.start].name


def _recursion(path: list[_Use], depth: int, closing: _Use, chart: Chart) -> Diagnostic:
    # Copy only the steps that the finding shows: a path may be as long as there are sub-charts.
    inner = path[depth : depth + _SHOWN]
    hidden = len(path) - depth - len(inner)
    name = _agent_name(closing, chart)
    route = [f"'{name}'", *(f"'{_agent_name(use, chart)}'" for use in inner)]
    route += [f"… {hidden} more …"] if hidden else []
    notes = [
        Note(
            f"'{use.agent.name}' runs '{_agent_name(use, chart)}' as its tool"
            f" '{use.tool.name}' here",
            use.tool.origin,
        )
        for use in inner
    ]
    return Diagnostic(
        RULE,
        f"agent '{name}' can run itself as a tool: {' → '.join((*route, route[0]))};"
        f" the tool '{closing.tool.name}' of '{closing.agent.name}' closes the circle",
        closing.tool.origin,
        notes=(
            *notes,
            Note("each level is a run of its own with fresh turns, so nothing bounds the depth"),
        ),
        help=f"remove the tool '{closing.tool.name}', hand off instead, or, if you want the"
        " recursion, bound its depth with a function as is_enabled",
    )
