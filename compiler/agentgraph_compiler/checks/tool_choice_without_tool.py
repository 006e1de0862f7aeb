"""A tool choice asks for a call that is not on offer.

## What it does

Finds agents whose `tool_choice` names a function, agent or handoff that the agent does not offer,
or that is disabled for good, and agents with `tool_choice="required"` that offer nothing to call.
Kinds of hosted tools (`web_search`, `file_search` and the like) are names that the API knows.
Agents with MCP servers are left out, because the run lists their tools, and so are agents with a
stored prompt, which may bring tools along.

## Why is this bad?

The API refuses a request that asks for a tool which is not in it, so no run of the agent gets a
reply. A server that accepts it lets the model answer without the call that you relied on.

## Example

```python
from agentgraph import Agent, ModelSettings, function_tool


@function_tool
def verify_identity(name: str) -> bool:
    "Check who is asking."
    return bool(name)


desk = Agent(
    name="Desk",
    tools=[verify_identity],
    model_settings=ModelSettings(tool_choice="verify"),
)
```

## Use instead

```python
from agentgraph import Agent, ModelSettings, function_tool


@function_tool
def verify_identity(name: str) -> bool:
    "Check who is asking."
    return bool(name)


desk = Agent(
    name="Desk",
    tools=[verify_identity],
    model_settings=ModelSettings(tool_choice="verify_identity"),
)
```
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Fix, Note, Renaming, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, ChoiceKind, Enabled, is_allowed

RULE = Rule(
    "AG218",
    "tool-choice-without-tool",
    Severity.WARNING,
    "A tool choice asks for a call that is not on offer.",
)
_KINDS = frozenset(
    {
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer_use",
        "computer_use_preview",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "shell",
        "web_search",
        "web_search_preview",
    }
)
"""Kinds of tools that a request may ask for by their kind (API reference, ``tool_choice``)."""


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find tool choices that no request of the agent can meet."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            if agent.choice.kind not in (ChoiceKind.SOME, ChoiceKind.NAMED):
                continue
            if agent.choice.hosted or any(tool.server for tool in agent.tools):
                continue
            if not is_allowed(RULE, agent):
                yield from _unmet(agent)


def _unmet(agent: Agent) -> Iterator[Diagnostic]:
    on_offer = [tool.name for tool in agent.tools if tool.enabled is not Enabled.NEVER]
    on_offer += [row.name for row in agent.handoffs if row.enabled is not Enabled.NEVER]
    note = Note("the API refuses a request that asks for a tool which is not in it")
    if agent.choice.kind is ChoiceKind.SOME:
        if not on_offer:
            yield Diagnostic(
                RULE,
                f"agent '{agent.name}' must call a tool, but it offers none",
                agent.origin,
                notes=(note,),
                help="give it a tool or a handoff, or drop tool_choice='required'",
            )
        return
    names = agent.choice.names
    if _KINDS.intersection(names) or not set(names).isdisjoint(on_offer):
        return
    name = names[0]
    listed = {tool.name for tool in agent.tools} | {row.name for row in agent.handoffs}
    why = "which is disabled for good" if name in listed else "and has no tool of that name"
    matches = get_close_matches(name, on_offer, n=1)
    yield Diagnostic(
        RULE,
        f"agent '{agent.name}' must call '{name}', {why}",
        agent.origin,
        notes=(note,),
        help=(
            f"write tool_choice='{matches[0]}'"
            if matches
            else f"enable or list a tool named '{name}', or drop the tool choice"
        ),
        fix=_renaming(agent, name, matches[0]) if matches else None,
    )


def _renaming(agent: Agent, name: str, match: str) -> Fix:
    return Fix.in_text(
        Renaming(agent.origin, old=name, new=match, agent=agent.name, argument="model_settings")
    )
