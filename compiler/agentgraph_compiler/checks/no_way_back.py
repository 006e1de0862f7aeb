"""A chat stays with a specialist, because no handoff leads back.

## What it does

Looks at programs in which a chat goes on with the agent that answered last (`result.last_agent`),
and finds agents that a handoff leads to and from which no handoff leads back to the first agent,
directly or through others. If the instructions promise the way back, AG210 reports that it is
missing.

## Why is this bad?

The next message goes to the specialist, whatever it is about. Without a way back the specialist
answers questions that are not its own, for the rest of the chat.

## Example

```python
from agentgraph import Agent, Runner

billing = Agent(name="Billing", handoff_description="Invoices")
refunds = Agent(name="Refunds", handoff_description="Money back")
triage = Agent(name="Triage", handoffs=[billing, refunds])
refunds.handoffs = [triage]


async def chat(messages: list[str]) -> None:
    agent = triage
    for message in messages:
        result = await Runner.run(agent, message)
        agent = result.last_agent
```

## Use instead

```python
from agentgraph import Agent, Runner

billing = Agent(name="Billing", handoff_description="Invoices")
refunds = Agent(name="Refunds", handoff_description="Money back")
triage = Agent(name="Triage", handoffs=[billing, refunds])
billing.handoffs = [triage]
refunds.handoffs = [triage]


async def chat(messages: list[str]) -> None:
    agent = triage
    for message in messages:
        result = await Runner.run(agent, message)
        agent = result.last_agent
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.flow import reached_from
from agentgraph_compiler.checks.promised_handover_missing import missing
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import is_allowed

RULE = Rule(
    "AG215",
    "no-way-back",
    # A person may want the chat to stay with the specialist.
    Severity.NOTE,
    "A chat stays with a specialist, because no handoff leads back.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find agents from which a chat cannot return, in time linear in the handoffs."""
    chart = analysis.chart
    if not chart.multi_turn:
        return
    sources = analysis.flow(chart).sources
    returning = reached_from((chart.start, *chart.starts), sources.__getitem__)
    staying = {id for id in sources if sources[id] and id not in returning}
    start = chart.agent[chart.start]
    if staying:  # the rule about promised handovers reports a way back that instructions promise
        promised = missing(analysis)
        staying -= {one.agent.id for one in promised if one.chart is chart and one.is_way_back}
    for agent in chart.agents:
        if agent.id in staying and not is_allowed(RULE, agent):
            yield Diagnostic(
                RULE,
                f"a chat that comes to agent '{agent.name}' stays there: no handoff leads back to"
                f" '{start.name}'",
                agent.origin,
                notes=(
                    Note("the next message goes to the agent that answered last"),
                    Note(f"the chat begins with '{start.name}'", start.origin),
                ),
                help=f"add '{start.name}' to its handoffs, or begin each turn with '{start.name}'",
            )
