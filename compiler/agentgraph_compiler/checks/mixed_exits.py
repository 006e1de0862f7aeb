"""Some agents of a workflow answer behind an output guardrail, and others without one.

## What it does

Looks at the agents with which a run can end, and finds those without an output guardrail beside
those with one. Agents that a guarded agent hands off to are `output-guardrail-bypassed`.

## Why is this bad?

Whether an answer is checked depends on the way that the model takes. Often the guardrail was added
where a problem was seen first and forgotten for the other agents.

## Example

```python
from agentgraph import Agent, GuardrailFunctionOutput, output_guardrail


@output_guardrail
def no_account_numbers(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="DE89" in str(output))


billing = Agent(
    name="Billing", handoff_description="Invoices", output_guardrails=[no_account_numbers]
)
loans = Agent(name="Loans", handoff_description="Credit")
desk = Agent(name="Desk", handoffs=[billing, loans])
```

## Use instead

```python
from agentgraph import Agent, GuardrailFunctionOutput, output_guardrail


@output_guardrail
def no_account_numbers(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="DE89" in str(output))


checks = [no_account_numbers]
billing = Agent(name="Billing", handoff_description="Invoices", output_guardrails=checks)
loans = Agent(name="Loans", handoff_description="Credit", output_guardrails=checks)
desk = Agent(name="Desk", handoffs=[billing, loans], output_guardrails=checks)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.flow import reached_from
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, Guardrail, is_allowed

RULE = Rule(
    "AG504",
    "mixed-exits",
    # Agents may differ in what they need to have checked.
    Severity.NOTE,
    "Some agents of a workflow answer behind an output guardrail, and others without one.",
)

_NAMED = 3
"""The most agents that a finding names."""


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Compare the exits of the workflow: one finding at most, in linear time."""
    chart = analysis.chart
    if not any(chart.judges(agent) for agent in chart.agents):
        return
    last = analysis.flow(chart).last_agents
    exits = [agent for agent in chart.agents if agent.id in last]
    guarded = [agent for agent in exits if chart.judges(agent)]
    bypassing = _reached_by_guarded(analysis, chart)
    unguarded = [
        agent
        for agent in exits
        if not chart.judges(agent) and agent.id not in bypassing and not is_allowed(RULE, agent)
    ]
    if guarded and unguarded:
        yield _mixed(unguarded, guarded[0], chart.judges(guarded[0])[0])


def _reached_by_guarded(analysis: Analysis, chart: Chart) -> set[str]:
    flow = analysis.flow(chart)
    guarded = [a.id for a in chart.agents if a.output_guardrails and a.id in flow.agents]
    return reached_from(guarded, flow.targets.__getitem__)


def _mixed(unguarded: list[Agent], guarded: Agent, guardrail: Guardrail) -> Diagnostic:
    names = ", ".join(f"'{agent.name}'" for agent in unguarded[:_NAMED])
    more = len(unguarded) - _NAMED
    names += f" and {more} more" if more > 0 else ""
    return Diagnostic(
        RULE,
        f"a run can end with {names} without an output guardrail, and with '{guarded.name}' behind"
        f" '{guardrail.name}'",
        unguarded[0].origin,
        notes=(Note(f"'{guarded.name}' is defined here", guarded.origin),),
        help=f"add '{guardrail.name}' to these agents or to RunConfig(output_guardrails=…), or"
        f" allow '{RULE.name}' on agents that need no check",
    )
