"""An input guardrail on an agent that no run starts with.

## What it does

Finds input guardrails of agents that runs enter only by handoff. Input guardrails run on the user's
message, so a run uses only those of the agent that it starts with; an agent used as a tool starts
a run of its own. Every agent that the project passes to `Runner` counts as a start; in a chat that
goes on with `result.last_agent`, so does every agent that can give the final output. About an agent
that no run reaches at all this says nothing: AG201 or AG204 names the cause.

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

from agentgraph_compiler.analysis.analysis import Analysis, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Guardrail, is_allowed

RULE = Rule(
    "AG501",
    "input-guardrail-never-runs",
    Severity.WARNING,
    "An input guardrail on an agent that no run starts with.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find input guardrails that run in no start of the project, in the root or as a tool."""
    chart = analysis.chart
    starts = [chart.agent[id] for id in (chart.start, *chart.starts)]
    for part in chart.walk():
        for agent in part.agents:
            for guardrail in agent.input_guardrails:
                if analysis.runs(agent, guardrail) or is_allowed(RULE, agent, guardrail):
                    continue
                if identity(agent) in analysis.reached:
                    yield _unused(agent, guardrail, starts)


def _unused(agent: Agent, guardrail: Guardrail, starts: list[Agent]) -> Diagnostic:
    names = " and ".join(f"'{start.name}'" for start in starts)
    without = [start for start in starts if not _has(start, guardrail)]
    if without:
        advice = f"move '{guardrail.name}' to the input_guardrails of '{without[0].name}'"
    else:
        advice = f"remove it here: {names} runs it"
    return Diagnostic(
        RULE,
        f"input guardrail '{guardrail.name}' of agent '{agent.name}' never runs:"
        f" no run starts with '{agent.name}'",
        agent.origin,
        notes=(
            Note("the guardrail is defined here", guardrail.origin),
            Note(f"runs start with {names}, so only these input guardrails run", starts[0].origin),
        ),
        help=advice,
    )


def _has(agent: Agent, guardrail: Guardrail) -> bool:
    return any(
        (row.name, row.origin) == (guardrail.name, guardrail.origin)
        for row in agent.input_guardrails
    )
