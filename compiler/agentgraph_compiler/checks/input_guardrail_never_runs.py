"""An input guardrail on an agent that no run starts with.

## What it does

Finds input guardrails of agents that runs enter only by handoff. Input guardrails run on the user's
message, so a run uses only those of the agent that it starts with; an agent used as a tool starts
a run of its own.

## Why is this bad?

The guardrail looks like a protection and protects nothing.

## Example

```python
from agentgraph import Agent, GuardrailFunctionOutput, input_guardrail


@input_guardrail
def no_card_numbers(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="4111" in str(text))


billing = Agent(name="Billing", input_guardrails=[no_card_numbers])
triage = Agent(name="Triage", handoffs=[billing])
```

## Use instead

```python
from agentgraph import Agent, GuardrailFunctionOutput, input_guardrail


@input_guardrail
def no_card_numbers(context, agent, text):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="4111" in str(text))


billing = Agent(name="Billing")
triage = Agent(name="Triage", handoffs=[billing], input_guardrails=[no_card_numbers])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.graph import identity, reachable_agents
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Guardrail, is_allowed

RULE = Rule(
    "AG501",
    "input-guardrail-never-runs",
    Severity.WARNING,
    "An input guardrail on an agent that no run starts with.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find input guardrails of agents with which no run starts, in the root or as a tool."""
    if not any(agent.input_guardrails for part in analysis.chart.walk() for agent in part.agents):
        return
    entered = {
        identity(agent)
        for part, agent in reachable_agents(analysis.chart)
        if agent.id == part.start
    }
    root = analysis.chart
    entered |= {identity(root.agent[id]) for id in root.starts}
    if root.multi_turn:  # whichever agent is last may be the next start
        entered |= {identity(agent) for agent in root.agents}
    start = root.agent[root.start]
    for part in analysis.chart.walk():
        for agent in part.agents:
            if identity(agent) in entered:
                continue
            for guardrail in agent.input_guardrails:
                if not is_allowed(RULE, agent, guardrail):
                    yield _unused(agent, guardrail, start)


def _unused(agent: Agent, guardrail: Guardrail, start: Agent) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"input guardrail '{guardrail.name}' of agent '{agent.name}' never runs:"
        f" no run starts with '{agent.name}'",
        agent.origin,
        notes=(
            Note("the guardrail is defined here", guardrail.origin),
            Note(f"runs start with '{start.name}', so only its input guardrails run", start.origin),
        ),
        help=f"move '{guardrail.name}' to the input_guardrails of '{start.name}'",
    )
