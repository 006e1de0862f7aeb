"""Instructions name a tool that no agent of the workflow has.

## What it does

Reads instructions for names of tools: what is called one (*the `look_up` tool*), what is to be
called (*call look_up*), and names of handoffs (`transfer_to_billing`). It reports those that no
agent of the workflow offers, and says which name is close. A name that is only *used* (*use
order_id*) may be a field, so it counts only where it is close to the name of a tool of the agent.
Agents whose tools only a run lists are left out.

## Why is this bad?

The model looks for a tool that is not there. It invents a call, which ends the run or costs a turn,
or it leaves the step out. Often the tool was renamed and the instructions were not.

## Example

```python
from agentgraph import Agent, function_tool


@function_tool
def look_up_order(number: str) -> str:
    "Look up where an order is."
    return number


agent = Agent(
    name="Orders",
    instructions="Call lookup_order for each number, then answer.",
    tools=[look_up_order],
)
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool
def look_up_order(number: str) -> str:
    "Look up where an order is."
    return number


agent = Agent(
    name="Orders",
    instructions="Call look_up_order for each number, then answer.",
    tools=[look_up_order],
)
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from difflib import get_close_matches
from typing import Final

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.instructions import calls
from agentgraph_compiler.diagnostics import Diagnostic, Fix, Note, Renaming, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, is_allowed
from agentgraph_compiler.options import Option

RULE = Rule(
    "AG211",
    "unknown-name-in-instructions",
    Severity.WARNING,
    "Instructions name a tool that no agent of the workflow has.",
)
IGNORED = Option(
    RULE,
    "ignore-names",
    (),
    "Names that instructions may use for something else than a tool, or that a run adds.",
)
_KIND: Final = re.compile(r"_(tools?|functions?|agent|handoff)$")
_CLOSE: Final = 0.8
"""How much of two names must agree for one to be a misspelling of the other."""
_COMPARED: Final = 100
"""The most names of an agent that are compared with one in its instructions."""


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find names that no agent has, in time linear in instructions and offers."""
    names: Set[str] | None = None
    reported: set[tuple[str, object, str]] = set()
    for part in analysis.chart.walk():
        for agent in part.agents:
            if not agent.instructions or is_allowed(RULE, agent) or _is_open(agent):
                continue
            for call in calls(agent.instructions):
                if names is None:
                    names = _names(analysis.chart) | {*map(_plain, IGNORED.of(analysis.options))}
                key = agent.name, agent.origin, call.name
                if key in reported or _plain(call.name) in names:
                    continue
                reported.add(key)
                offers = _offers(agent)[:_COMPARED]
                close = get_close_matches(call.name, offers, n=2, cutoff=_CLOSE)
                if close or call.is_certain:
                    yield _finding(agent, call.name, close)


def _offers(agent: Agent) -> list[str]:
    return [row.name for row in agent.tools] + [row.name for row in agent.handoffs]


def _is_open(agent: Agent) -> bool:
    return agent.choice.hosted or any(tool.server or "mcp" in tool.name for tool in agent.tools)


def _names(chart: Chart) -> frozenset[str]:
    """The names of all tools, handoffs and agents, without the kind at their ends."""
    names: set[str] = set()
    for part in chart.walk():
        for agent in part.agents:
            names.update((agent.id, agent.name.replace(" ", "_")))
            for tool in agent.tools:
                names.update((tool.name, tool.name.rpartition(".")[2]))
            names.update(handoff.name for handoff in agent.handoffs)
            names.update(run.name.replace(" ", "_") for run in agent.inner)
    return frozenset(map(_plain, names))


def _plain(name: str) -> str:
    return _KIND.sub("", name.lower())


def _finding(agent: Agent, name: str, close: list[str]) -> Diagnostic:
    offers = [f"'{name}'" for name in _offers(agent)]
    listed = ", ".join(offers[:5]) + (", …" if len(offers) > 5 else "")
    return Diagnostic(
        RULE,
        f"the instructions of agent '{agent.name}' name the tool '{name}', which no agent of the"
        " workflow has",
        agent.origin,
        notes=(Note(f"it has {listed}" if offers else "it has no tools and no handoffs"),),
        help=f"write '{close[0]}'" if close else "add the tool, or correct the name",
        fix=_renaming(agent, name, close[0]) if len(close) == 1 else None,
    )


def _renaming(agent: Agent, name: str, offer: str) -> Fix:
    return Fix.in_text(
        Renaming(agent.origin, old=name, new=offer, agent=agent.name, argument="instructions")
    )
