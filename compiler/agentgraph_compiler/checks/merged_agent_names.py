"""The names of two agents become the same tool name.

## What it does

Finds handoffs and agents used as tools whose names are made from the names of two different agents
and come out equal. A tool name has letters from A to Z, digits and `_` only; every other character
of an agent's name becomes `_`, and capital letters become small. Two names in a script other than
the Latin one therefore differ only in their lengths.

## Why is this bad?

The model asks for work by name, so it cannot choose between the two. Providers refuse such a
request.

## Example

```python
from agentgraph import Agent

orders = Agent(name="注文", handoff_description="Orders and deliveries")
refunds = Agent(name="返金", handoff_description="Money back")
triage = Agent(name="Triage", handoffs=[orders, refunds])
```

## Use instead

```python
from agentgraph import Agent, handoff

orders = Agent(name="注文", handoff_description="Orders and deliveries")
refunds = Agent(name="返金", handoff_description="Money back")
triage = Agent(
    name="Triage",
    handoffs=[
        handoff(orders, tool_name_override="transfer_to_orders"),
        handoff(refunds, tool_name_override="transfer_to_refunds"),
    ],
)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, Tool, is_allowed

RULE = Rule(
    "AG105",
    "merged-agent-names",
    Severity.ERROR,
    "The names of two agents become the same tool name.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find names that agents' names merge into, in time linear in tools and handoffs."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            findings = [*_of_agent(analysis.chart, agent)]
            if findings and identity(agent) in analysis.reached:
                yield from findings


def are_merged(chart: Chart, one: Tool | Handoff, other: Tool | Handoff) -> bool:
    """Whether two tools or handoffs of one name have it from agents with different names.

    Args:
        chart: The root chart.
        one: A tool or a handoff.
        other: Another one, of the same name.
    """
    if not one.derived or not other.derived:
        return False
    return _agent_behind(chart, one) != _agent_behind(chart, other)


def _agent_behind(chart: Chart, offer: Tool | Handoff) -> str:
    if isinstance(offer, Handoff):
        return offer.target_name
    inner = chart.subchart.get(offer.machine)
    return "" if inner is None else inner.agent[inner.start].name


def _of_agent(chart: Chart, agent: Agent) -> Iterator[Diagnostic]:
    first: dict[str, Tool | Handoff] = {}
    offers: tuple[Tool | Handoff, ...] = (*agent.tools, *agent.handoffs)
    for offer in offers:
        if not offer.derived or offer.enabled is not Enabled.ALWAYS:
            continue
        earlier = first.setdefault(offer.name, offer)
        if not are_merged(chart, earlier, offer) or is_allowed(RULE, agent, earlier, offer):
            continue
        names = f"'{_agent_behind(chart, earlier)}' and '{_agent_behind(chart, offer)}'"
        yield Diagnostic(
            RULE,
            f"agent '{agent.name}' offers two tools named '{offer.name}', because that is what the"
            f" names of the agents {names} become",
            offer.origin,
            notes=(
                Note("the other one is made here", earlier.origin),
                Note(
                    "a tool name has letters from A to Z, digits and '_'; any other character of"
                    " an agent's name becomes '_'"
                ),
            ),
            help=_remedy(offer),
        )


def _remedy(offer: Tool | Handoff) -> str:
    if isinstance(offer, Handoff):
        return "choose the name: handoff(agent, tool_name_override='transfer_to_…')"
    return "choose the name: agent.as_tool(tool_name='…', …)"
