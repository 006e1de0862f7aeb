"""An output guardrail on an agent that never gives the final output.

## What it does

Finds output guardrails of agents in which no run can end: the agent must call a tool on every turn
and no tool output is final, or no run reaches the agent.

## Why is this bad?

Output guardrails run on the final output of the agent that gives it. This one looks like a
protection and protects nothing.

## Example

```python
from agentgraph import Agent, GuardrailFunctionOutput, ModelSettings, output_guardrail


@output_guardrail
def polite(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="stupid" in str(output))


writer = Agent(name="Writer")
router = Agent(
    name="Router",
    handoffs=[writer],
    model_settings=ModelSettings(tool_choice="required"),
    reset_tool_choice=False,
    output_guardrails=[polite],
)
```

## Use instead

```python
from agentgraph import Agent, GuardrailFunctionOutput, ModelSettings, output_guardrail


@output_guardrail
def polite(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="stupid" in str(output))


writer = Agent(name="Writer", output_guardrails=[polite])
router = Agent(
    name="Router",
    handoffs=[writer],
    model_settings=ModelSettings(tool_choice="required"),
    reset_tool_choice=False,
)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.exits import can_end
from agentgraph_compiler.analysis.graph import identity, reachable_agents
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Guardrail, is_allowed

RULE = Rule(
    "AG502",
    "output-guardrail-never-runs",
    Severity.WARNING,
    "An output guardrail on an agent that never gives the final output.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find output guardrails of agents that no run reaches or ends in."""
    if not any(agent.output_guardrails for part in analysis.chart.walk() for agent in part.agents):
        return
    reached = {identity(agent) for _, agent in reachable_agents(analysis.chart)}
    for part in analysis.chart.walk():
        for agent in part.agents:
            is_reached = identity(agent) in reached
            if is_reached and can_end(agent):
                continue
            for guardrail in agent.output_guardrails:
                if not is_allowed(RULE, agent, guardrail):
                    yield _unused(agent, guardrail, is_reached)


def _unused(agent: Agent, guardrail: Guardrail, is_reached: bool) -> Diagnostic:
    reason = "never gives the final output" if is_reached else "is never reached"
    explanation = (
        f"'{agent.name}' must call a tool on every turn, and no tool output is final"
        if is_reached
        else f"no handoff or tool leads to '{agent.name}'"
    )
    return Diagnostic(
        RULE,
        f"output guardrail '{guardrail.name}' never runs: agent '{agent.name}' {reason}",
        agent.origin,
        notes=(Note(explanation), Note("the guardrail is defined here", guardrail.origin)),
        help=f"move '{guardrail.name}' to the agents that give the final output",
    )
