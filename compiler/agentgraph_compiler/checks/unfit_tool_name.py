"""A tool or handoff has a name that model APIs refuse.

## What it does

Finds functions, agents used as tools and handoffs whose name is not made of 1 to 64 letters,
digits, `_` and `-`. A letter is one of A to Z, in either case. Other tools are not called by such a
name.

## Why is this bad?

The OpenAI API and most others refuse the whole request because of one such name, so the agent that
has it never gets a reply.

## Example

```python
from agentgraph import Agent, function_tool


@function_tool(name_override="größe prüfen")
def check_size(size: int) -> bool:
    "Whether a size is on offer."
    return size < 50


agent = Agent(name="Shop", tools=[check_size])
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool
def check_size(size: int) -> bool:
    "Whether a size is on offer."
    return size < 50


agent = Agent(name="Shop", tools=[check_size])
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Enabled, Handoff, Tool, is_allowed
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.options import Option

RULE = Rule(
    "AG104",
    "unfit-tool-name",
    Severity.WARNING,
    "A tool or handoff has a name that model APIs refuse.",
)
LONGEST = Option(RULE, "longest", 64, "The most characters of a name that your provider takes.")
# A tool in a namespace has it in front, with a dot between.
_FIT: Final = re.compile(r"([A-Za-z0-9_-]+\.)?[A-Za-z0-9_-]+")
_CALLED_BY_NAME: Final = (WorkKind.FUNCTION, WorkKind.AGENT)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find names that do not fit, in time linear in tools and handoffs."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            yield from _of_agent(agent, LONGEST.of(analysis.options))


def _of_agent(agent: Agent, longest: int) -> Iterator[Diagnostic]:
    offers: tuple[Tool | Handoff, ...] = (*agent.tools, *agent.handoffs)
    for offer in offers:
        called_by_name = isinstance(offer, Handoff) or offer.kind in _CALLED_BY_NAME
        if not called_by_name or offer.enabled is Enabled.NEVER or _fits(offer.name, longest):
            continue
        if is_allowed(RULE, agent, offer):
            continue
        yield Diagnostic(
            RULE,
            f"agent '{agent.name}' offers '{offer.name}', a name that model APIs refuse",
            offer.origin,
            notes=(Note(_reason(offer.name, longest)),),
            help=_remedy(offer),
        )


def _fits(name: str, longest: int) -> bool:
    return _FIT.fullmatch(name) is not None and max(map(len, name.split("."))) <= longest


def _reason(name: str, longest: int) -> str:
    if len(name) > longest:
        return f"it has {len(name)} characters; a name has {longest} at most"
    return "a name has letters from A to Z, digits, '_' and '-'"


def _remedy(offer: Tool | Handoff) -> str:
    if isinstance(offer, Handoff) or offer.handoff:
        return "give the handoff another name: handoff(agent, tool_name_override='…')"
    if offer.kind is WorkKind.AGENT:
        return "give the agent another tool name: agent.as_tool(tool_name='…', …)"
    return "rename the function, or pass function_tool(name_override='…')"
