"""Two agents of a declared workflow have the same name.

## What it does

Finds names that more than one agent of a declared `Workflow` has, among those that a run can reach.
Without a `Workflow`, agents may share a name: the compiler numbers them.

## Why is this bad?

Saved runs, drawings, resumed runs and reports of a declared workflow identify its agents by name.
If two agents share a name, a saved run could come back in the wrong one, and handoffs to the two
get the same default tool name.

## Example

```python
from agentgraph import Agent, Workflow

refunds = Agent(name="Refunds")
late_refunds = Agent(name="Refunds", instructions="Handle refunds after 30 days.")
triage = Agent(name="Triage", handoffs=[refunds])
refunds.handoffs.append(late_refunds)

workflow = Workflow("Support", start=triage, agents=[triage, refunds, late_refunds])
```

## Use instead

```python
from agentgraph import Agent, Workflow

refunds = Agent(name="Refunds")
late_refunds = Agent(name="Late refunds", instructions="Handle refunds after 30 days.")
triage = Agent(name="Triage", handoffs=[refunds])
refunds.handoffs.append(late_refunds)

workflow = Workflow("Support", start=triage, agents=[triage, refunds, late_refunds])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis, identity
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart, is_allowed

RULE = Rule(
    "AG102",
    "duplicate-agent-identity",
    Severity.ERROR,
    "Two agents of a declared workflow have the same name.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find repeated names in declared workflows, in time linear in the number of agents."""
    for part in analysis.chart.walk():
        if not part.declared or len({agent.name for agent in part.agents}) == len(part.agents):
            continue
        first: dict[str, Agent] = {}
        for agent in part.agents:
            if identity(agent) not in analysis.reached:
                continue
            earlier = first.setdefault(agent.name, agent)
            # An agent in which several steps may work stands in the chart once for each.
            is_same = earlier is agent or 0 != earlier.identity == agent.identity
            if not is_same and not is_allowed(RULE, earlier, agent):
                yield _repeated(part, earlier, agent)


def _repeated(chart: Chart, earlier: Agent, agent: Agent) -> Diagnostic:
    return Diagnostic(
        RULE,
        f"workflow '{chart.name}' declares two agents named '{agent.name}'",
        agent.origin,
        notes=(
            Note("the other agent with that name is here", earlier.origin),
            Note("saved runs, drawings and handoffs identify the agents of a workflow by name"),
        ),
        help="give one of them another name",
    )
