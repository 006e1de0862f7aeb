"""A tool that its agent's tool choice keeps from ever being called.

## What it does

Finds tools of agents that a run reaches whose tool choice, on every turn, allows no call of them:
`tool_choice="none"`, or the name of another tool with `reset_tool_choice=False`. It says nothing of
tools that are disabled for good, and nothing of handoffs. The finding rests on the premise that the
model obeys its tool choice.

## Why is this bad?

The tool looks like something that the agent can do, and no run does it. What depends on it, such as
a stop at its output, never happens either.

## Example

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
    model_settings=ModelSettings(tool_choice="reply"),
    reset_tool_choice=False,
    tool_use_behavior={"stop_at_tool_names": ["reply"]},
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

from agentgraph_compiler.analysis.analysis import Analysis, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, ChoiceKind, Tool, is_allowed
from agentgraph_compiler.ir.obedience import callable_tools

RULE = Rule(
    "AG219",
    "tool-never-called",
    Severity.WARNING,
    "A tool that its agent's tool choice keeps from ever being called.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find the lanes of reached agents that no obedient model asks for."""
    for part in analysis.parts:
        suspects = [a for a in part.agents if a.choice.kind in _NARROW and a.tools]
        if not suspects:
            continue
        called = {symbol for _, symbol in analysis.flow(part).invokes}
        for agent in suspects:
            if identity(agent) in analysis.reached:
                for tool in callable_tools(agent):
                    if tool.symbol not in called and not is_allowed(RULE, agent, tool):
                        yield _never_called(agent, tool)


_NARROW = frozenset({ChoiceKind.NONE, ChoiceKind.NAMED})


def _never_called(agent: Agent, tool: Tool) -> Diagnostic:
    choice = "none" if agent.choice.kind is ChoiceKind.NONE else agent.choice.names[0]
    return Diagnostic(
        RULE,
        f"no run calls tool '{tool.name}' of agent '{agent.name}': its tool choice is '{choice}'",
        agent.origin,
        notes=(
            Note("this holds on every turn, as long as the model obeys"),
            Note("the tool is defined here", tool.origin),
        ),
        help=f"remove '{tool.name}', or use tool_choice='required', or let the choice reset"
        " (reset_tool_choice)",
    )
