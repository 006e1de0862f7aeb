"""A guardrail that can never trip, because it always returns the same.

## What it does

Reads the source of guardrails and finds those in which every `return` gives a
`GuardrailFunctionOutput` with `tripwire_triggered=False`, written as a constant. A guardrail that
raises an error, or whose source is not at hand, is no finding. One that runs an agent and does not
look at its verdict is `unread-guardrail-verdict`.

## Why is this bad?

The guardrail looks like a protection and protects nothing. Often the test was left out for a while.

## Example

```python
from agentgraph import Agent, GuardrailFunctionOutput, input_guardrail


@input_guardrail
def no_card_numbers(context, agent, text):
    return GuardrailFunctionOutput(output_info="checked", tripwire_triggered=False)


desk = Agent(name="Desk", input_guardrails=[no_card_numbers])
```

## Use instead

```python
from agentgraph import Agent, GuardrailFunctionOutput, input_guardrail


@input_guardrail
def no_card_numbers(context, agent, text):
    return GuardrailFunctionOutput(output_info="checked", tripwire_triggered="4111" in str(text))


desk = Agent(name="Desk", input_guardrails=[no_card_numbers])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Guardrail, is_allowed

RULE = Rule(
    "AG508",
    "guardrail-never-trips",
    Severity.WARNING,
    "A guardrail that can never trip, because it always returns the same.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find guardrails that pass whatever they see."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            for guardrail in (*agent.input_guardrails, *agent.output_guardrails):
                runs_agent = any(one.symbol == guardrail.symbol for one in agent.inner)
                if guardrail.passes and not runs_agent and not is_allowed(RULE, agent, guardrail):
                    yield _constant(agent, guardrail)


def _constant(agent: Agent, guardrail: Guardrail) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"guardrail '{guardrail.name}' of agent '{agent.name}' can never trip: every return says"
        " tripwire_triggered=False",
        guardrail.origin,
        help="let tripwire_triggered depend on what the guardrail sees, or remove the guardrail",
    )
