"""A handoff gives its function another type than the function takes.

## What it does

Compares the `input_type` of a handoff with the annotation of the second parameter of `on_handoff`.
They fit if they are the same class, or if the input is derived from what the function takes. Unions
and protocols fit everything.

## Why is this bad?

The run makes a value of the `input_type` from what the model writes, and passes it on as it is. The
function fails with an `AttributeError` when the handoff is taken for the first time. A type checker
sees the fault, too, unless the line is excepted from it, as here.

## Example

```python
from agentgraph import Agent, RunContextWrapper, handoff
from pydantic import BaseModel


class Reason(BaseModel):
    text: str


class Escalation(BaseModel):
    urgency: int


def note(context: RunContextWrapper[None], escalation: Escalation) -> None:
    print(escalation.urgency)


manager = Agent(name="Manager")
escalate = handoff(manager, on_handoff=note, input_type=Reason)  # type: ignore
desk = Agent(name="Desk", handoffs=[escalate])
```

## Use instead

```python
from agentgraph import Agent, RunContextWrapper, handoff
from pydantic import BaseModel


class Escalation(BaseModel):
    urgency: int


def note(context: RunContextWrapper[None], escalation: Escalation) -> None:
    print(escalation.urgency)


manager = Agent(name="Manager")
desk = Agent(name="Desk", handoffs=[handoff(manager, on_handoff=note, input_type=Escalation)])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Enabled, is_allowed

RULE = Rule(
    "AG302",
    "handoff-input-mismatch",
    Severity.WARNING,
    "A handoff gives its function another type than the function takes.",
)


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find inputs that functions do not take, in time linear in the handoffs."""
    for part in analysis.chart.walk():
        for agent in part.agents:
            for handoff in agent.handoffs:
                if handoff.enabled is Enabled.NEVER or handoff.takes.fits(handoff.input):
                    continue
                if not is_allowed(RULE, agent, handoff):
                    yield Diagnostic(
                        RULE,
                        f"the handoff from '{agent.name}' to '{handoff.target_name}' has the"
                        f" input_type '{handoff.input.name}', but its on_handoff takes"
                        f" '{handoff.takes.name}'",
                        handoff.origin,
                        notes=(Note("the run passes the input to the function as it is"),),
                        help=f"pass input_type={handoff.takes.name.rpartition('.')[2]}, or let the"
                        f" function take '{handoff.input.name}'",
                    )
