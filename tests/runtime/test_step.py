"""The table of ``step``: one row is a state and an outcome, the state that follows, and the
commands.

All rows are about one workflow of two agents that has a state of every kind. Longer stories are
told as dialogues in the files beside this one, and what holds for every workflow stands in
``test_laws.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from agentgraph.runtime.commands import Command, Emit, Perform, Rest
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import ControlState, Facts
from agentgraph.runtime.step import start, step
from agentgraph_compiler.machine import Emission, Event, StateKind, WorkKind
from tests.runtime.table import (
    ACTED,
    ACTIONS,
    AGAIN,
    CALLS,
    CALLS_AND_TRANSFER,
    FINAL,
    ID,
    INVOKES,
    MACHINE,
    REFUSED,
    SHELL,
    THOUGHT,
    TRANSFER,
    at,
    perform,
    seen,
    told,
)

FACTS: dict[str, Any] = {"reply": AGAIN, "replied": ID(3, 0)}
LAST = Facts(limit=1)
DESK = frozenset({"desk"})
SAVED: dict[str, Any] = {"facts": Facts(5, session=True)}
WAITING = ACTED._replace(
    lanes=at("desk.acting", 4, lanes="over:2=0 -hold over=0", reply=CALLS).lanes,
    owed=0,
    held=0b010,
    emitted=0b101,
    joined=seen(Event.RETURNED),
)
SUSPENDED = at("suspended", 6, reply=CALLS, replied=ID(3, 0), acted=DESK, joined=seen(Event.DONE))
DONE = seen(Event.DONE)


def last_save(sequence: int) -> Perform:
    """The save at the end of a run, by the agent that gave the output."""
    lane = MACHINE.state["saving.done"].invokes[0]
    return Perform(ID(sequence, 0), lane, lane.phases[0], "desk", ID(4, 0))


@dataclass(frozen=True)
class Row:
    """A state and an outcome, and what they give."""

    name: str
    state: ControlState
    outcome: Outcome
    after: ControlState
    commands: tuple[Command, ...] = ()


ROWS = [
    Row(
        "loaded: the first guardrails look",
        at("loading", 1, 0, **SAVED),
        told(ID(1, 0), Event.DONE),
        at("desk.screening", 2, 0, **SAVED),
        (perform(ID(2, 0), "desk/tone"),),
    ),
    Row(
        "screening passed: the first turn begins beside the parallel guardrails",
        at("desk.screening", 1, 0),
        told(ID(1, 0), Event.PASSED),
        at("desk.guarding", 2),
        (perform(ID(2, 0), "desk/topic"), perform(ID(2, 1), "desk/model")),
    ),
    Row(
        "screening tripped: blocked, with no save between where there is no session",
        at("desk.screening", 1, 0),
        told(ID(1, 0), Event.TRIPPED),
        at("blocked", 3, 0, cause=ID(1, 0), joined=DONE),
        (Rest(ID(3, 0), StateKind.BLOCKED, "desk", ID(1, 0)),),
    ),
    Row(
        "guarding, the model replied first: the reply is held and nothing is said",
        at("desk.guarding", 2, arriving=True),
        told(ID(2, 1), Event.REPLIED, CALLS),
        at(
            "desk.guarding",
            2,
            lanes="input_guardrail over=0",
            reply=CALLS,
            replied=ID(2, 1),
            acted=DESK,
            joined=seen(Event.REPLIED),
        ),
    ),
    Row(
        "guarding, then the guardrail passed: the reply takes effect",
        at(
            "desk.guarding",
            2,
            lanes="input_guardrail over=0",
            reply=ACTIONS,
            replied=ID(2, 1),
            joined=seen(Event.REPLIED),
        ),
        told(ID(2, 0), Event.PASSED),
        at("desk.acting", 3, reply=ACTIONS, replied=ID(2, 1)),
        (
            Emit(Emission.REPLY, "desk", ID(2, 1)),
            perform(ID(3, 0), "desk/shell", ID(2, 1), SHELL.position),
        ),
    ),
    Row(
        "a final reply: the agent is over, and its output is checked",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, FINAL),
        at("desk.checking", 5, reply=FINAL, replied=ID(3, 0), output=ID(3, 0)),
        (
            Emit(Emission.REPLY, "desk", ID(3, 0)),
            perform(ID(5, 0), "desk/polite", ID(3, 0)),
            perform(ID(5, 1), "desk/short", ID(3, 0)),
        ),
    ),
    Row(
        "thinking, calls: all of them start, each in its first phase",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, CALLS),
        ACTED,
        (
            Emit(Emission.REPLY, "desk", ID(3, 0)),
            perform(ID(4, 0), "desk/search", ID(3, 0), 1),
            perform(ID(4, 1), "desk/fetch", ID(3, 0), 2, "hold"),
            perform(ID(4, 2), "desk/shell", ID(3, 0), 3),
        ),
    ),
    Row(
        "thinking, handoffs: the first is asked for, at its place in the reply",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, TRANSFER),
        at("desk.handoff.to_expert", 4, reply=TRANSFER, replied=ID(3, 0), acted=DESK),
        (
            Emit(Emission.REPLY, "desk", ID(3, 0)),
            perform(ID(4, 0), "desk/to_expert", ID(3, 0), 3),
        ),
    ),
    Row(
        "thinking, nothing final: another turn",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, AGAIN),
        at("desk.thinking", 4, 2, **FACTS),
        (Emit(Emission.REPLY, "desk", ID(3, 0)), perform(ID(4, 0), "desk/model")),
    ),
    Row(
        "thinking, nothing final in the last turn: exhaustion is recovered from",
        THOUGHT._replace(facts=LAST),
        told(ID(3, 0), Event.REPLIED, AGAIN),
        at("desk.recovering.max_turns", 4, facts=LAST, **FACTS),
        (
            Emit(Emission.REPLY, "desk", ID(3, 0)),
            perform(ID(4, 0), "desk/recover/max_turns", ID(3, 0)),
        ),
    ),
    Row(
        "thinking, a refusal without a handler: the reply is shown, then failed",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, REFUSED),
        at("failed", 5, reply=REFUSED, replied=ID(3, 0), cause=ID(3, 0), joined=DONE),
        (
            Emit(Emission.REPLY, "desk", ID(3, 0)),
            Rest(ID(5, 0), StateKind.FAILED, "desk", ID(3, 0)),
        ),
    ),
    Row(
        "thinking failed: the model's lane is kept for the way back",
        at("desk.thinking", 5, 2, **FACTS),
        told(ID(5, 0), Event.FAILED),
        at(
            "failed",
            7,
            2,
            cause=ID(5, 0),
            joined=DONE,
            kept=at("desk.thinking", 5, 2, "-try", queued=1, **FACTS),
            **FACTS,
        ),
        (Rest(ID(7, 0), StateKind.FAILED, "desk", ID(5, 0)),),
    ),
    Row(
        "acting, a call goes on to its judge: nothing is shown",
        ACTED,
        told(ID(4, 0), Event.RETURNED),
        ACTED._replace(lanes=at("desk.acting", 4, 1, "judge:2=0 hold call", reply=CALLS).lanes),
        (perform(ID(4, 0, 1), "desk/search", ID(4, 0), 1, "judge"),),
    ),
    Row(
        "acting, a later call returned: it is held back",
        ACTED,
        told(ID(4, 2), Event.RETURNED),
        ACTED._replace(
            lanes=at("desk.acting", 4, 1, "call hold over=0", reply=CALLS).lanes,
            owed=0b011,
            joined=seen(Event.RETURNED),
        ),
    ),
    Row(
        "acting, a call waits and all others are over: suspended for it",
        WAITING._replace(owed=0b010, held=0),
        told(ID(4, 1), Event.AWAITING),
        SUSPENDED._replace(kept=WAITING),
        (Rest(ID(6, 0), StateKind.SUSPENDED, "desk", None, (ID(4, 1),)),),
    ),
    Row(
        "suspended, resumed: only what waited goes on, under a new id",
        SUSPENDED._replace(kept=WAITING),
        told(ID(6, 0), Event.RESUMED),
        WAITING._replace(
            entered=6,
            lanes=at("desk.acting", 4, 1, "over:2=0 hold:2 over=0", reply=CALLS).lanes,
            owed=0b010,
            held=0,
        ),
        (perform(ID(4, 1, 1), "desk/fetch", ID(3, 0), 2, "hold"),),
    ),
    Row(
        "acting, the last call is over: the stop rule is asked about the reply",
        WAITING._replace(
            lanes=at("desk.acting", 4, 1, "over:2=0 call:2 over=0", reply=CALLS).lanes,
            owed=0b010,
            held=0,
        ),
        told(ID(4, 1, 1), Event.RETURNED),
        at("desk.deciding", 5, reply=CALLS, replied=ID(3, 0), acted=DESK),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 1, 1)),
            perform(ID(5, 0), "desk/decide", ID(3, 0)),
        ),
    ),
    Row(
        "acting, done beside a handoff: the handoff comes before another turn",
        at("desk.acting", 4, reply=CALLS_AND_TRANSFER, replied=ID(3, 0)),
        told(ID(4, 0), Event.RETURNED),
        at("desk.handoff.to_expert", 5, reply=CALLS_AND_TRANSFER, replied=ID(3, 0)),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 0)),
            perform(ID(5, 0), "desk/to_expert", ID(3, 0), 3),
        ),
    ),
    Row(
        "acting, a call failed: what is finished is shown, and what is not is kept",
        ACTED._replace(
            lanes=at("desk.acting", 4, 1, "judge:2=0 hold call", reply=CALLS).lanes,
        ),
        told(ID(4, 2), Event.FAILED),
        SUSPENDED._replace(
            state="failed",
            cause=ID(4, 2),
            kept=ACTED._replace(
                lanes=at("desk.acting", 4, 1, "judge:2=0 hold -call", reply=CALLS).lanes,
                owed=0b011,
                queued=0b100,
                emitted=0b001,
            ),
        ),
        (
            Emit(Emission.WITHHELD, "desk", ID(4, 0)),
            Rest(ID(6, 0), StateKind.FAILED, "desk", ID(4, 2)),
        ),
    ),
    Row(
        "deciding accepted: its own outcome is the output",
        at("desk.deciding", 5, reply=CALLS, replied=ID(3, 0)),
        told(ID(5, 0), Event.ACCEPTED),
        at("desk.checking", 7, reply=CALLS, replied=ID(3, 0), output=ID(5, 0)),
        (
            perform(ID(7, 0), "desk/polite", ID(5, 0)),
            perform(ID(7, 1), "desk/short", ID(5, 0)),
        ),
    ),
    Row(
        "handed off: the target arrives, is shown and thinks",
        at("desk.handoff.to_expert", 4, reply=TRANSFER, replied=ID(3, 0)),
        told(ID(4, 0), Event.DONE),
        at(
            "expert.thinking",
            5,
            2,
            agent="expert",
            arriving=True,
            reply=TRANSFER,
            replied=ID(3, 0),
        ),
        (
            Emit(Emission.HANDOFF, "desk", ID(4, 0)),
            Emit(Emission.AGENT, "expert"),
            perform(ID(5, 0), "expert/model"),
        ),
    ),
    Row(
        "recovered: the handler's outcome is the output",
        at("desk.recovering.max_turns", 4, facts=LAST, **FACTS),
        told(ID(4, 0), Event.ACCEPTED),
        at("desk.checking", 6, facts=LAST, output=ID(4, 0), **FACTS),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 0)),
            perform(ID(6, 0), "desk/polite", ID(4, 0)),
            perform(ID(6, 1), "desk/short", ID(4, 0)),
        ),
    ),
    Row(
        "not recovered: exhausted, with no outcome to show for it",
        at("desk.recovering.max_turns", 4, facts=LAST, **FACTS),
        told(ID(4, 0), Event.DECLINED),
        at("exhausted", 6, facts=LAST, joined=DONE, **FACTS),
        (Rest(ID(6, 0), StateKind.EXHAUSTED, "desk"),),
    ),
    Row(
        "ended: output guardrails look at the output",
        at("desk.ending", 5, output=ID(4, 0)),
        told(ID(5, 0), Event.DONE),
        at("desk.checking", 6, output=ID(4, 0)),
        (
            perform(ID(6, 0), "desk/polite", ID(4, 0)),
            perform(ID(6, 1), "desk/short", ID(4, 0)),
        ),
    ),
    Row(
        "checked by all: the agent is over, and so is the run",
        at(
            "desk.checking",
            6,
            lanes="output_guardrail over=0",
            output=ID(4, 0),
            joined=seen(Event.PASSED),
        ),
        told(ID(6, 0), Event.PASSED),
        at("done", 9, output=ID(4, 0), joined=DONE),
        (Rest(ID(9, 0), StateKind.DONE, "desk", ID(4, 0)),),
    ),
    Row(
        "checked by all, with a session: it is saved before the run is done",
        at(
            "desk.checking",
            6,
            lanes="output_guardrail over=0",
            output=ID(4, 0),
            joined=seen(Event.PASSED),
            **SAVED,
        ),
        told(ID(6, 0), Event.PASSED),
        at("saving.done", 8, output=ID(4, 0), **SAVED),
        (last_save(8),),
    ),
    Row(
        "stopped: what is owed is kept, and nothing is shown",
        ACTED,
        told(ID(4, -1), Event.STOPPED),
        SUSPENDED._replace(state="stopped", kept=ACTED),
        (Rest(ID(6, 0), StateKind.STOPPED, "desk"),),
    ),
    Row(
        "a call returned after the run was stopped: it is shown, and nothing starts",
        SUSPENDED._replace(state="stopped", kept=ACTED),
        told(ID(4, 2), Event.RETURNED),
        SUSPENDED._replace(
            state="stopped",
            kept=ACTED._replace(
                lanes=at("desk.acting", 4, 1, "call hold over=0", reply=CALLS).lanes,
                owed=0b011,
                emitted=0b100,
                joined=seen(Event.RETURNED),
            ),
        ),
        (Emit(Emission.OUTPUT, "desk", ID(4, 2)),),
    ),
    Row(
        "unsaved, resumed: the save is made again",
        at("unsaved.done", 9, output=ID(4, 0), joined=DONE, **SAVED),
        told(ID(9, 0), Event.RESUMED),
        at("saving.done", 10, output=ID(4, 0), **SAVED),
        (last_save(10),),
    ),
    Row(
        "saved: done with the output",
        at("saving.done", 8, output=ID(4, 0), **SAVED),
        told(ID(8, 0), Event.DONE),
        at("done", 9, output=ID(4, 0), joined=DONE, **SAVED),
        (Rest(ID(9, 0), StateKind.DONE, "desk", ID(4, 0)),),
    ),
    Row(
        "failed, resumed: the lane that failed is tried anew",
        SUSPENDED._replace(
            state="failed", cause=ID(4, 0), kept=ACTED._replace(owed=0b110, queued=0b001)
        ),
        told(ID(6, 0), Event.RESUMED),
        ACTED._replace(
            entered=6, lanes=at("desk.acting", 4, 1, "call:2 hold call", reply=CALLS).lanes
        ),
        (
            perform(ID(4, 0, 1), "desk/search", ID(3, 0), 1),
            perform(ID(4, 1), "desk/fetch", ID(3, 0), 2, "hold"),
            perform(ID(4, 2), "desk/shell", ID(3, 0), 3),
        ),
    ),
    Row(
        "stopped, resumed: everything goes on under the ids it had",
        SUSPENDED._replace(state="stopped", kept=ACTED),
        told(ID(6, 0), Event.RESUMED),
        ACTED._replace(entered=6),
        (
            perform(ID(4, 0), "desk/search", ID(3, 0), 1),
            perform(ID(4, 1), "desk/fetch", ID(3, 0), 2, "hold"),
            perform(ID(4, 2), "desk/shell", ID(3, 0), 3),
        ),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_step(row: Row) -> None:
    assert step(MACHINE, row.state, row.outcome) == (row.after, row.commands)


OF_EDGES = {
    StateKind.LEAVING,
    StateKind.LOOPING,
    StateKind.WORKING,
    StateKind.ASKING,
    StateKind.SPLITTING,
    StateKind.BRANCHING,
    StateKind.FAILING,
}
"""The states of a workflow with edges, which runs of such workflows leave."""


def test_the_table_leaves_every_kind_of_state_that_can_be_left() -> None:
    left = {MACHINE.state[row.state.state].kind for row in ROWS}
    # `over` starts no work, so it is left in the step that enters it; some ends cannot be left.
    passed_through = {StateKind.INITIAL, StateKind.OVER, *OF_EDGES}
    ends = {StateKind.DONE, StateKind.BLOCKED, StateKind.EXHAUSTED}
    assert left == set(StateKind) - passed_through - ends
    assert {MACHINE.state[row.after.state].kind for row in ROWS} >= ends


def test_a_run_starts_by_showing_the_agent_at_work() -> None:
    assert start(MACHINE, Facts(limit=5)) == (
        at("desk.screening", 1, 0, arriving=True),
        (Emit(Emission.AGENT, "desk"), perform(ID(1, 0), "desk/tone")),
    )


def test_every_kind_of_lane_stands_in_the_machine_of_the_table() -> None:
    aside = {
        WorkKind.GREET,
        WorkKind.WAIT,
        WorkKind.ASK,
        WorkKind.HOLD,
        WorkKind.SCREEN,
        WorkKind.JUDGE,
        WorkKind.TELL,
    }
    kinds = {invoke.kind for invoke in INVOKES.values()}
    of_edges = {
        WorkKind.EDGE,
        WorkKind.STEP,
        WorkKind.ANSWER,
        WorkKind.SPLIT,
        WorkKind.BRANCH,
        WorkKind.CATCH,
    }
    assert kinds == set(WorkKind) - {WorkKind.AGENT} - aside - of_edges
