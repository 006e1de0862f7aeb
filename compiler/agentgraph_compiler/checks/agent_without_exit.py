"""An agent that no run can leave or end in, except by running out of turns.

## What it does

Finds agents that a run can reach and that have no way out: the model must call a tool on every
turn, no tool gives a final output, and there is no handoff. `tool_choice="required"`, or the name
of a tool, forces the model to call a tool: by default on its first turn only, with
`reset_tool_choice=False` on every turn. The rule accepts agents that may reply after all: those
with hosted tools or a stored prompt beside `"required"`, and those whose tools a function may all
disable. Agents that hand off in circles have a rule of their own, `handoff-cycle-without-exit`.

## Why is this bad?

The agent goes on calling tools until `max_turns`, and you pay for every turn. Only a handler for
running out of turns can give such a run an output.

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
    reset_tool_choice=False,
)
```

## Use instead

```python
from agentgraph import Agent, ModelSettings, function_tool


@function_tool
def search(query: str) -> str:
    "Search the shelves."
    return query


@function_tool
def reply(text: str) -> str:
    "Give the final answer."
    return text


librarian = Agent(
    name="Librarian",
    tools=[search, reply],
    model_settings=ModelSettings(tool_choice="required"),
    reset_tool_choice=False,
    tool_use_behavior={"stop_at_tool_names": ["reply"]},
)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.graph import trapped_agents
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, is_allowed

RULE = Rule(
    "AG206",
    "agent-without-exit",
    Severity.WARNING,
    "An agent that no run can leave or end in, except by running out of turns.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find agents that a run reaches but cannot end in or hand off from, in linear time."""
    for part in analysis.parts if analysis.may_trap else ():
        flow = analysis.flow(part)
        trapped = trapped_agents(flow)
        leaving = {source for source, _ in flow.handoffs()} if trapped else ()
        for agent in part.agents:
            stays = agent.id in trapped and agent.id not in leaving
            if stays and not is_allowed(RULE, agent):
                yield _without_exit(agent)


def _without_exit(agent: Agent) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"agent '{agent.name}' can neither end a run nor hand off: it always calls another tool",
        agent.origin,
        notes=(
            Note(f"'{agent.name}' must call a tool on every turn, and no tool output is final"),
            Note("a run that gets here goes on until it has used up its turns"),
        ),
        help="let the model answer after its first call (keep reset_tool_choice, or drop"
        " tool_choice), or make a tool output final with tool_use_behavior",
    )
