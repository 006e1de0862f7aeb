"""A handoff leads from an agent with output guardrails to one that answers without any.

## What it does

Finds agents with output guardrails that can give the final output, and from which a run can get by
handoffs to another agent that can give it and has none. Output guardrails of the configuration of a
run (`RunConfig.output_guardrails`) cover every agent. `agentgraph check` counts them where it sees
that all runs have them; elsewhere allow the rule if you pass some.

## Why is this bad?

Only the agent that gives the final output has its output checked. What the first agent has looked
up or decided is in the conversation, and it can leave through the other one unchecked.

## Example

```python
from agentgraph import Agent, GuardrailFunctionOutput, output_guardrail


@output_guardrail
def no_account_numbers(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="DE89" in str(output))


front_desk = Agent(name="Front desk")
bank = Agent(name="Bank", handoffs=[front_desk], output_guardrails=[no_account_numbers])
```

## Use instead

```python
from agentgraph import Agent, GuardrailFunctionOutput, output_guardrail


@output_guardrail
def no_account_numbers(context, agent, output):
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered="DE89" in str(output))


front_desk = Agent(name="Front desk", output_guardrails=[no_account_numbers])
bank = Agent(name="Bank", handoffs=[front_desk], output_guardrails=[no_account_numbers])
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.graph import Way, nearest
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, is_allowed

RULE = Rule(
    "AG503",
    "output-guardrail-bypassed",
    Severity.WARNING,
    "A handoff leads from an agent with output guardrails to one that answers without any.",
)

_STEPS = 5
"""The most agents of a long way that a finding names before its end."""


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find the unguarded exit nearest to each guarded agent, in linear time."""
    for part in analysis.parts:
        if not any(agent.output_guardrails for agent in part.agents):
            continue
        flow = analysis.flow(part)
        open_exits = {
            agent.id
            for agent in part.agents
            if agent.id in flow.last_agents
            and not part.judges(agent)
            and not is_allowed(RULE, agent)
        }
        ways = nearest(flow, open_exits)
        for agent in part.agents:
            guarded = agent.id in flow.last_agents and agent.output_guardrails
            if guarded and agent.id in ways and not is_allowed(RULE, agent):
                yield _bypassed(part, agent, ways)


def _bypassed(part: Chart, guarded: Agent, ways: Mapping[str, Way]) -> Diagnostic:
    last, ids = part.agent[ways[guarded.id].exit], [guarded.id]
    while ids[-1] != last.id and len(ids) < _STEPS:
        ids.append(ways[ids[-1]].onward)
    names = [f"'{part.agent[id].name}'" for id in ids]
    if ids[-1] != last.id:
        names += ["…", f"'{last.name}'"]
    route, guardrail = " → ".join(names), guarded.output_guardrails[0]
    return Diagnostic(
        RULE,
        f"the answer of agent '{guarded.name}' can bypass its output guardrail '{guardrail.name}':"
        f" {route}, and '{last.name}' has none",
        guarded.origin,
        notes=(
            Note("only the agent that gives the final output has its output checked"),
            Note(f"'{last.name}' is defined here", last.origin),
        ),
        help=f"add '{guardrail.name}' to the output_guardrails of '{last.name}'",
    )
