"""An output guardrail on an agent that never gives the final output.

## What it does

Finds output guardrails of agents that runs reach but cannot end in: the agent must call a tool on
every turn and no tool output is final. About an agent that no run reaches this says nothing: AG201
or AG204 names the cause.

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

from agentgraph_compiler.analysis.analysis import Analysis, identity
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
    for part in analysis.chart.walk():
        for agent in part.agents:
            for guardrail in agent.output_guardrails:
                if analysis.runs(agent, guardrail) or is_allowed(RULE, agent, guardrail):
                    continue
                if identity(agent) in analysis.reached:
                    yield _unused(agent, guardrail, analysis)


def _unused(agent: Agent, guardrail: Guardrail, analysis: Analysis) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"output guardrail '{guardrail.name}' never runs: agent '{agent.name}' never gives the"
        " final output",
        agent.origin,
        notes=(
            Note(f"'{agent.name}' must call a tool on every turn, and no tool output is final"),
            Note("the guardrail is defined here", guardrail.origin),
        ),
        help=_advice(guardrail, analysis),
    )


def _advice(guardrail: Guardrail, analysis: Analysis) -> str:
    for part, agent in analysis.agents():
        if part is analysis.chart and identity(agent) in analysis.last:
            own = [(row.name, row.origin) for row in agent.output_guardrails]
            if (guardrail.name, guardrail.origin) not in own:
                return (
                    f"move '{guardrail.name}' to agents that give the final output:"
                    f" '{agent.name}' does"
                )
    return f"remove it here: every agent that gives the final output has '{guardrail.name}'"
