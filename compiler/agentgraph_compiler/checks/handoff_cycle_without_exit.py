"""A cycle of handoffs that runs cannot avoid, and in which none can end.

## What it does

Finds agents that hand off to each other in a cycle where no agent can give a final output and no
handoff leads out, if a run of the workflow has no other way. If other ways end well, it is
`handoff-into-endless-cycle`. A cycle with an exit is normal and not a finding: every specialist
may hand back to triage, for instance. An agent can end a run when its model may answer with a
message, or when `tool_use_behavior` makes a tool output final.

## Why is this bad?

Whatever the models say, such a run can only end with `MaxTurnsExceeded`, after you have paid for
all of its turns.

## Example

```python
from agentgraph import Agent, ModelSettings, Workflow

always_call = ModelSettings(tool_choice="required")
planner = Agent(name="Planner", model_settings=always_call, reset_tool_choice=False)
critic = Agent(
    name="Critic", handoffs=[planner], model_settings=always_call, reset_tool_choice=False
)
planner.handoffs.append(critic)

workflow = Workflow("Plans", start=planner, agents=[planner, critic])
```

## Use instead

```python
from agentgraph import Agent, ModelSettings, Workflow

always_call = ModelSettings(tool_choice="required")
planner = Agent(name="Planner", model_settings=always_call, reset_tool_choice=False)
critic = Agent(name="Critic", handoffs=[planner])
planner.handoffs.append(critic)

workflow = Workflow("Plans", start=planner, agents=[planner, critic])
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis, Circle
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import is_allowed

RULE = Rule(
    "AG202",
    "handoff-cycle-without-exit",
    Severity.ERROR,
    "A cycle of handoffs that runs cannot avoid, and in which none can end.",
)

_SHOWN = 6
"""The most agents of a long cycle that a finding names."""


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find circles that runs cannot avoid, in linear time and without a graph library."""
    for circle in analysis.circles:
        if circle.certain:
            yield from without_exit(RULE, circle)


def without_exit(rule: Rule, circle: Circle) -> Iterator[Diagnostic]:
    """The finding about a circle, unless the user allowed it."""
    agents = circle.agents
    handoffs = (handoff for agent in agents for handoff in agent.handoffs)
    if is_allowed(rule, *agents, *handoffs):
        return
    names = [f"'{agent.name}'" for agent in agents]
    if len(names) > _SHOWN:
        names[_SHOWN - 1 :] = [f"… {len(names) - _SHOWN} more …", names[-1]]
    route = " → ".join((*names, names[0]))
    notes = [
        Note(
            f"'{agent.name}' must call a tool on every turn, and no tool output is final",
            agent.origin,
        )
        for agent in agents[:_SHOWN]
    ]
    yield Diagnostic(
        rule,
        f"the handoff cycle {route} has no exit: no run can end in it or leave it",
        agents[0].origin,
        notes=(
            *notes,
            Note("a run that gets here uses up its turns and fails, as long as models obey"),
        ),
        help="let one of these agents answer (drop its forced tool_choice, or keep"
        " reset_tool_choice), make a tool output final with tool_use_behavior, or add a handoff"
        " that leads out",
    )
