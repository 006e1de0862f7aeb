"""What ``step`` refuses: an outcome that was not asked for changes nothing, and says why."""

from __future__ import annotations

import pytest

from agentgraph.runtime.outcomes import Call, Outcome, Reply
from agentgraph.runtime.state import RunState
from agentgraph.runtime.step import ProtocolError, step
from agentgraph_compiler.machine import Event
from tests.runtime.declarations import agent, machine_of
from tests.runtime.table import (
    ACTED,
    ACTIONS,
    FINAL,
    ID,
    MACHINE,
    THOUGHT,
    TRANSFER,
    at,
    told,
)

REFUSED_OUTCOMES = [
    ("an earlier state's work", ACTED, told(ID(3, 0), Event.RETURNED), "no command (3, 0)"),
    ("work never asked for", ACTED, told(ID(4, 3), Event.RETURNED), "no command (4, 3)"),
    (
        "work answered before",
        ACTED._replace(pending=frozenset({1})),
        told(ID(4, 0), Event.RETURNED),
        "(sequence 4, pending [1])",
    ),
    (
        "an ending its kind does not know",
        ACTED,
        told(ID(4, 0), Event.TRIPPED),
        "desk/search cannot end with 'tripped', only with returned, awaiting, failed",
    ),
    (
        "a suspension that ends like a call",
        at("desk.suspended", 5, awaiting=(0,), performed=(4,), reply=ACTIONS),
        told(ID(5, 0), Event.RETURNED),
        "a suspension cannot end with 'returned', only with resumed",
    ),
    ("a reply missing", THOUGHT, told(ID(3, 0), Event.REPLIED), "a reply goes with"),
    ("a reply too many", ACTED, told(ID(4, 0), Event.RETURNED, FINAL), "a reply goes with"),
    (
        "a call of a tool of another agent",
        at("expert.thinking", 5),
        told(ID(5, 0), Event.REPLIED, ACTIONS),
        "state 'expert.thinking' declares no call 'desk/shell'",
    ),
    (
        "a call of an undeclared tool, while a guardrail is pending",
        at("desk.guarding", 2, order=(0, 1)),
        told(ID(2, 1), Event.REPLIED, Reply((Call("desk/write", "write", 0),))),
        "state 'desk.guarding' declares no call 'desk/write'",
    ),
    (
        "a handoff of another agent",
        at("expert.thinking", 5),
        told(ID(5, 0), Event.REPLIED, TRANSFER),
        "state 'expert.thinking' declares no handoff 'desk/to_expert'",
    ),
    ("anything after the end", at("done", 7, order=()), told(ID(7, 0), Event.DONE), "state 'done'"),
]


@pytest.mark.parametrize(
    ("state", "outcome", "message"),
    [row[1:] for row in REFUSED_OUTCOMES],
    ids=[row[0] for row in REFUSED_OUTCOMES],
)
def test_step_refuses(state: RunState, outcome: Outcome, message: str) -> None:
    before = state._replace()
    with pytest.raises(ProtocolError) as refusal:
        step(MACHINE, state, outcome)
    assert message in str(refusal.value)
    assert state == before


def test_a_run_resumed_in_a_machine_that_lost_the_tool_is_refused() -> None:
    other = machine_of(agent("desk", functions="search"))
    waiting = at("desk.suspended", 5, awaiting=(0,), performed=(4,), reply=ACTIONS)
    with pytest.raises(ProtocolError, match="offers no 'desk/shell'"):
        step(other, waiting, told(ID(5, 0), Event.RESUMED))
