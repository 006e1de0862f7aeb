"""What ``step`` refuses: an outcome that was not asked for changes nothing, and says why."""

from __future__ import annotations

import pytest

from agentgraph.runtime.outcomes import Call, Outcome, Reply
from agentgraph.runtime.state import ControlState
from agentgraph.runtime.step import ProtocolError, start, step
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.text import parse_chart
from agentgraph_compiler.machine import Event
from tests.runtime.declarations import agent, machine_of
from tests.runtime.table import (
    ACTED,
    ACTIONS,
    AGAIN,
    FINAL,
    ID,
    MACHINE,
    THOUGHT,
    TRANSFER,
    at,
    told,
)

SUSPENDED = at("suspended", 6, kept=ACTED._replace(owed=0, held=0b010))
EXPERT = at("expert.thinking", 5, agent="expert")
REFUSED_OUTCOMES = [
    ("an earlier state's work", ACTED, told(ID(3, 0), Event.RETURNED), "no command (3, 0, 0)"),
    ("work never asked for", ACTED, told(ID(4, 3), Event.RETURNED), "no command (4, 3, 0)"),
    ("another attempt", ACTED, told(ID(4, 0, 1), Event.RETURNED), "no command (4, 0, 1)"),
    (
        "work answered before",
        ACTED._replace(owed=0b010),
        told(ID(4, 0), Event.RETURNED),
        "(sequence 4, lanes 1)",
    ),
    (
        "an ending its kind does not know",
        ACTED,
        told(ID(4, 0), Event.TRIPPED),
        "call of desk/search cannot end with 'tripped', only with returned, awaiting, failed",
    ),
    (
        "a retry of a model that is tried once",
        THOUGHT,
        told(ID(3, 0), Event.RETRY),
        "desk/model may be tried again 0 times at most",
    ),
    (
        "a rest that ends like a call",
        SUSPENDED,
        told(ID(6, 0), Event.RETURNED),
        "state 'suspended': no command (6, 0, 0)",
    ),
    ("a resumption of work", ACTED, told(ID(4, 0), Event.RESUMED), "cannot end with 'resumed'"),
    ("another rest", SUSPENDED, told(ID(5, 0), Event.RESUMED), "no command (5, 0, 0)"),
    (
        "a stop under an id of work",
        ACTED,
        told(ID(4, 0), Event.STOPPED),
        "cannot end with 'stopped'",
    ),
    ("a stop under another's id", ACTED, told(ID(4, -2), Event.STOPPED), "no command (4, -2, 0)"),
    ("a stop of another state", ACTED, told(ID(3, -1), Event.STOPPED), "no command (3, -1, 0)"),
    ("a stop of a state that was left", SUSPENDED, told(ID(4, -1), Event.STOPPED), "no command"),
    ("an answer of a lane that waits", SUSPENDED, told(ID(4, 1), Event.PASSED), "no command"),
    ("a reply missing", THOUGHT, told(ID(3, 0), Event.REPLIED), "a reply goes with"),
    ("a reply too many", ACTED, told(ID(4, 0), Event.RETURNED, FINAL), "a reply goes with"),
    (
        "a call of a tool of another agent",
        EXPERT,
        told(ID(5, 0), Event.REPLIED, ACTIONS),
        "state 'expert.thinking' declares no call 'desk/shell'",
    ),
    (
        "a call of an undeclared tool, while a guardrail is at work",
        at("desk.guarding", 2),
        told(ID(2, 1), Event.REPLIED, Reply((Call("desk/write", "write", 0),))),
        "state 'desk.guarding' declares no call 'desk/write'",
    ),
    (
        "a handoff of another agent",
        EXPERT,
        told(ID(5, 0), Event.REPLIED, TRANSFER),
        "state 'expert.thinking' declares no handoff 'desk/to_expert'",
    ),
    ("anything after the end", at("done", 7), told(ID(7, 0), Event.DONE), "state 'done'"),
    ("going on after the end", at("done", 7), told(ID(7, 0), Event.RESUMED), "to go back to"),
    ("a stop after the end", at("done", 7), told(ID(7, -1), Event.STOPPED), "the run is over"),
]


@pytest.mark.parametrize(
    ("state", "outcome", "message"),
    [row[1:] for row in REFUSED_OUTCOMES],
    ids=[row[0] for row in REFUSED_OUTCOMES],
)
def test_step_refuses(state: ControlState, outcome: Outcome, message: str) -> None:
    before = state._replace()
    with pytest.raises(ProtocolError) as refusal:
        step(MACHINE, state, outcome)
    assert message in str(refusal.value)
    assert state == before


def test_a_machine_that_lost_a_tool_says_so_to_a_run_that_was_not_migrated() -> None:
    other = machine_of(agent("desk", functions="search"))
    with pytest.raises(ProtocolError, match="offers no 'desk/fetch'"):
        step(other, SUSPENDED, told(ID(6, 0), Event.RESUMED))


def test_a_state_that_does_not_say_what_follows_is_named() -> None:
    machine = emit(
        parse_chart(
            """\
chart "c" start a initial initial
agent a "A"
state initial initial
  on started -> s arrives a
state s thinking of a
  invoke m model
  on replied when calls -> s
  on replied when verdict final -> b keeps
state b suspended wait
  on resumed -> back
"""
        )
    )
    state, _ = start(machine)
    for event, reply in ((Event.REPLIED, AGAIN), (Event.FAILED, None), (Event.STOPPED, None)):
        id = ID(1, -1) if event is Event.STOPPED else ID(1, 0)
        with pytest.raises(ProtocolError, match=f"'s' has no enabled transition on {event}"):
            step(machine, state, told(id, event, reply))
    # All of its work was over, so there is no unfinished state to go back to.
    state, _ = step(machine, state, told(ID(1, 0), Event.REPLIED, FINAL))
    with pytest.raises(ProtocolError, match="'b' has no unfinished state to go back to"):
        step(machine, state, told(ID(2, 0), Event.RESUMED))
