"""Two tools or handoffs of one agent have the same description.

## What it does

Finds descriptions that an agent's model reads twice, word for word: of functions, of agents used as
tools, and of handoffs (`handoff_description`). Two that a callable enables may be alternatives, so
they do not count; nor does an agent that is both a tool and the target of a handoff.

## Why is this bad?

The description is what the model chooses by. Often one of the two was copied and not changed, so it
says what the other tool does, and the model calls the wrong one.

## Example

```python
from agentgraph import Agent, function_tool


@function_tool
def open_invoices(customer: str) -> str:
    "List the invoices of a customer."
    return customer


@function_tool
def paid_invoices(customer: str) -> str:
    "List the invoices of a customer."
    return customer


agent = Agent(name="Billing", tools=[open_invoices, paid_invoices])
```

## Use instead

```python
from agentgraph import Agent, function_tool


@function_tool
def open_invoices(customer: str) -> str:
    "List the invoices that a customer still has to pay."
    return customer


@function_tool
def paid_invoices(customer: str) -> str:
    "List the invoices that a customer has paid."
    return customer


agent = Agent(name="Billing", tools=[open_invoices, paid_invoices])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, Tool, is_allowed

RULE = Rule(
    "AG213",
    "equal-descriptions",
    Severity.WARNING,
    "Two tools or handoffs of one agent have the same description.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find equal descriptions, in time linear in tools and handoffs."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            yield from _of_agent(analysis.chart, agent)


def _of_agent(chart: Chart, agent: Agent) -> Iterator[Diagnostic]:
    first: dict[str, Tool | Handoff] = {}
    offers: tuple[Tool | Handoff, ...] = (*agent.tools, *agent.handoffs)
    for offer in offers:
        text = " ".join((offer.description or "").lower().split()).rstrip(".")
        if not text or offer.enabled is Enabled.NEVER:
            continue
        earlier = first.setdefault(text, offer)
        if earlier is offer or _are_alternatives(chart, earlier, offer):
            continue
        if not is_allowed(RULE, agent, earlier, offer):
            yield Diagnostic(
                RULE,
                f"agent '{agent.name}' offers {_subject(earlier)} and {_subject(offer)} with the"
                " same description",
                offer.origin,
                notes=(
                    Note(f"the description is: {_shortened(offer.description or '')}"),
                    Note(f"{_subject(earlier)} comes from here", earlier.origin),
                ),
                help="say in each description what the other one does not do",
            )


def _are_alternatives(chart: Chart, one: Tool | Handoff, other: Tool | Handoff) -> bool:
    if one.name.rpartition(".")[2] == other.name.rpartition(".")[2]:
        return True  # of two namespaces, which say more; or else another rule reports it
    if one.enabled is other.enabled is Enabled.SOMETIMES:
        return True
    agent = _agent_behind(chart, one)
    return agent != "" and agent == _agent_behind(chart, other)


def _agent_behind(chart: Chart, offer: Tool | Handoff) -> str:
    if isinstance(offer, Handoff):
        return offer.target_name
    inner = chart.subchart.get(offer.machine)
    return "" if inner is None else inner.agent[inner.start].name


def _subject(offer: Tool | Handoff) -> str:
    if isinstance(offer, Handoff):
        return f"the handoff to '{offer.target_name}'"
    return f"tool '{offer.name}'"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
