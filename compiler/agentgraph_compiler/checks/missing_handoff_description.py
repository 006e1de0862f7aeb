"""An agent chooses between handoffs, but nothing says what one of the targets is for.

## What it does

Finds targets without a `handoff_description` where an agent has several handoffs and its
instructions do not mention the target either.

## Why is this bad?

The model that chooses sees the name of the target and nothing else: the instructions of the target
are not part of its request. A question then goes to the wrong specialist, and nothing fails.

## Example

```python
from agentgraph import Agent

billing = Agent(name="Billing", instructions="Explain invoices and change addresses.")
refunds = Agent(name="Refunds", handoff_description="Money back for returned goods")
triage = Agent(name="Triage", handoffs=[billing, refunds])
```

## Use instead

```python
from agentgraph import Agent

billing = Agent(
    name="Billing",
    handoff_description="Invoices and addresses",
    instructions="Explain invoices and change addresses.",
)
refunds = Agent(name="Refunds", handoff_description="Money back for returned goods")
triage = Agent(name="Triage", handoffs=[billing, refunds])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.wording import mentions, stems
from agentgraph_compiler.diagnostics import (
    UNKNOWN,
    Diagnostic,
    Fix,
    NewArgument,
    Note,
    Rule,
    Severity,
)
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Handoff, is_allowed
from agentgraph_compiler.options import Option

RULE = Rule(
    "AG212",
    "missing-handoff-description",
    Severity.NOTE,
    "An agent chooses between handoffs, but nothing says what one of the targets is for.",
)
_UNREAD = "…"
"""Instructions that only a run knows: they may say what the targets are for."""
FEWEST = Option(
    RULE, "fewest-handoffs", 2, "How many handoffs an agent has at least that chooses between them."
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find undescribed targets of agents that choose, in time linear in the handoffs."""
    reported: set[tuple[str, object]] = set()
    for part in analysis.chart.walk():
        for agent in part.agents:
            for handoff in _undescribed(agent, FEWEST.of(analysis.options)):
                finding = _finding(part, agent, handoff)
                if finding is not None and (handoff.target_name, finding.origin) not in reported:
                    reported.add((handoff.target_name, finding.origin))
                    yield finding


def _undescribed(agent: Agent, fewest: int) -> Iterator[Handoff]:
    """The handoffs about which a model that has the choice knows only a name."""
    offered = [row for row in agent.handoffs if row.enabled is not Enabled.NEVER]
    if len(offered) < max(2, fewest) or agent.choice.hosted or agent.instructions == _UNREAD:
        return
    bare = [row for row in offered if row.description == ""]
    words = stems(agent.instructions or "") if bare else frozenset()
    yield from (row for row in bare if not mentions(words, row.target_name))


def _finding(chart: Chart, agent: Agent, handoff: Handoff) -> Diagnostic | None:
    target = chart.agent.get(handoff.target)
    if is_allowed(RULE, agent, handoff, *(() if target is None else (target,))):
        return None
    origin = UNKNOWN if target is None else target.origin
    number = sum(row.enabled is not Enabled.NEVER for row in agent.handoffs)
    return Diagnostic(
        RULE,
        f"agent '{handoff.target_name}' has no handoff_description, but '{agent.name}' chooses"
        f" between {number} handoffs",
        handoff.origin if origin == UNKNOWN else origin,
        notes=(
            Note(
                f"the model of '{agent.name}' sees the name '{handoff.name}' and nothing else",
                handoff.origin,
            ),
        ),
        help=f"say when to hand over to it: Agent(name='{handoff.target_name}',"
        " handoff_description='…')",
        fix=None if target is None else _stub(target),
    )


def _stub(target: Agent) -> Fix:
    text = f"TODO: say when to hand over to {target.name}."
    change = NewArgument(target.origin, target.name, "handoff_description", text)
    return Fix(f"give '{target.name}' a handoff_description to complete", (change,))
