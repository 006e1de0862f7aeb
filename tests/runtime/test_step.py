"""The table of ``step``: one row is a state and an outcome, the state that follows, and the
commands.

All rows are about one workflow of two agents that has a state of every kind. Longer stories are
told as dialogues in the files beside this one, and what holds for every workflow stands in
``test_laws.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from agentgraph.runtime.commands import Command, Emit, Finish, Suspend
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import RunState
from agentgraph.runtime.step import start, step
from agentgraph_compiler.machine import Emission, Event, InvokeKind, StateKind
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
    told,
)


@dataclass(frozen=True)
class Row:
    """A state and an outcome, and what they give."""

    name: str
    state: RunState
    outcome: Outcome
    after: RunState
    commands: tuple[Command, ...] = ()


ROWS = [
    Row(
        "screening passed: the first turn begins beside the parallel guardrails",
        at("desk.screening", 1, 0),
        told(ID(1, 0), Event.PASSED),
        at("desk.guarding", 2, 1, order=(0, 1)),
        (perform(ID(2, 0), "desk/topic"), perform(ID(2, 1), "desk/model")),
    ),
    Row(
        "screening tripped: blocked",
        at("desk.screening", 1, 0),
        told(ID(1, 0), Event.TRIPPED),
        at("blocked", 2, 0, order=()),
        (Finish(StateKind.BLOCKED, "desk", ID(1, 0)),),
    ),
    Row(
        "guarding, the model replied first: the reply is kept and nothing is said",
        at("desk.guarding", 2, order=(0, 1)),
        told(ID(2, 1), Event.REPLIED, CALLS),
        at("desk.guarding", 2, order=(0, 1), pending=(0,), reply=CALLS, replied=ID(2, 1)),
    ),
    Row(
        "guarding, then the guardrail passed: the reply takes effect",
        at("desk.guarding", 2, order=(0, 1), pending=(0,), reply=ACTIONS, replied=ID(2, 1)),
        told(ID(2, 0), Event.PASSED),
        at("desk.acting", 3, performed=(3,), reply=ACTIONS, replied=ID(2, 1)),
        (
            Emit(Emission.REPLY, "desk", ID(2, 1)),
            perform(ID(3, 0), "desk/shell", ID(2, 1), SHELL.position),
        ),
    ),
    Row(
        "guarding, a final reply after the guardrail: the agent ends with it",
        at("desk.guarding", 2, order=(0, 1), pending=(1,)),
        told(ID(2, 1), Event.REPLIED, FINAL),
        at("desk.ending", 3, reply=FINAL, replied=ID(2, 1), output=ID(2, 1)),
        (Emit(Emission.REPLY, "desk", ID(2, 1)), perform(ID(3, 0), "desk/end", ID(2, 1))),
    ),
    Row(
        "thinking, calls: all of them start",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, CALLS),
        ACTED,
        (
            Emit(Emission.REPLY, "desk", ID(3, 0)),
            perform(ID(4, 0), "desk/search", ID(3, 0), 1),
            perform(ID(4, 1), "desk/fetch", ID(3, 0), 2),
            perform(ID(4, 2), "desk/shell", ID(3, 0), 3),
        ),
    ),
    Row(
        "thinking, handoffs: the first is asked for, at its place in the reply",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, TRANSFER),
        at("desk.handoff.to_expert", 4, reply=TRANSFER, replied=ID(3, 0)),
        (
            Emit(Emission.REPLY, "desk", ID(3, 0)),
            perform(ID(4, 0), "desk/to_expert", ID(3, 0), 3),
        ),
    ),
    Row(
        "thinking, nothing final: another turn",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, AGAIN),
        at("desk.thinking", 4, 2, reply=AGAIN, replied=ID(3, 0)),
        (Emit(Emission.REPLY, "desk", ID(3, 0)), perform(ID(4, 0), "desk/model", ID(3, 0))),
    ),
    Row(
        "thinking, nothing final in the last turn: exhaustion is recovered from",
        THOUGHT._replace(limit=1),
        told(ID(3, 0), Event.REPLIED, AGAIN),
        at("desk.recovering.max_turns", 4, limit=1, reply=AGAIN, replied=ID(3, 0)),
        (
            Emit(Emission.REPLY, "desk", ID(3, 0)),
            perform(ID(4, 0), "desk/recover/max_turns", ID(3, 0)),
        ),
    ),
    Row(
        "thinking, a refusal without a handler: the reply is shown, then failed",
        THOUGHT,
        told(ID(3, 0), Event.REPLIED, REFUSED),
        at("failed", 4, order=(), reply=REFUSED, replied=ID(3, 0)),
        (Emit(Emission.REPLY, "desk", ID(3, 0)), Finish(StateKind.FAILED, "desk", ID(3, 0))),
    ),
    Row(
        "thinking failed: failed with what the model raised",
        at("desk.thinking", 5, 2, reply=AGAIN, replied=ID(3, 0)),
        told(ID(5, 0), Event.FAILED),
        at("failed", 6, 2, order=(), reply=AGAIN, replied=ID(3, 0)),
        (Finish(StateKind.FAILED, "desk", ID(5, 0)),),
    ),
    Row(
        "acting, a later call returned: it is held back",
        ACTED,
        told(ID(4, 1), Event.RETURNED),
        ACTED._replace(pending=frozenset({0, 2})),
    ),
    Row(
        "acting, the first call returned: it and the one behind it are shown",
        ACTED._replace(pending=frozenset({0, 2})),
        told(ID(4, 0), Event.RETURNED),
        ACTED._replace(pending=frozenset({2})),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 0), 1),
            Emit(Emission.OUTPUT, "desk", ID(4, 1), 2),
        ),
    ),
    Row(
        "acting, a call waits: nothing is said before its siblings are done",
        ACTED._replace(awaiting=(2,), pending=frozenset({0, 1})),
        told(ID(4, 0), Event.AWAITING),
        ACTED._replace(awaiting=(0, 2), pending=frozenset({1})),
    ),
    Row(
        "acting, all done and some wait: suspended for those",
        ACTED._replace(awaiting=(0, 2), pending=frozenset({1})),
        told(ID(4, 1), Event.RETURNED),
        at(
            "desk.suspended",
            5,
            awaiting=(0, 2),
            performed=(4, 4, 4),
            reply=CALLS,
            replied=ID(3, 0),
        ),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 1), 2),
            Suspend(ID(5, 0), "desk", (ID(4, 0), ID(4, 2))),
        ),
    ),
    Row(
        "suspended, resumed: only what waited starts again, under new ids",
        at(
            "desk.suspended",
            5,
            awaiting=(0, 2),
            performed=(4, 4, 4),
            reply=CALLS,
            replied=ID(3, 0),
        ),
        told(ID(5, 0), Event.RESUMED),
        ACTED._replace(sequence=6, order=(0, 2), pending=frozenset({0, 2}), performed=(6, 4, 6)),
        (
            perform(ID(6, 0), "desk/search", ID(3, 0), 1),
            perform(ID(6, 2), "desk/shell", ID(3, 0), 3),
        ),
    ),
    Row(
        "acting, the last call returned: the stop rule is asked about the reply",
        ACTED._replace(pending=frozenset({2})),
        told(ID(4, 2), Event.RETURNED),
        at("desk.deciding", 5, performed=(4, 4, 4), reply=CALLS, replied=ID(3, 0)),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 2), 3),
            perform(ID(5, 0), "desk/decide", ID(3, 0)),
        ),
    ),
    Row(
        "acting, done beside a handoff: the handoff comes before the stop rule",
        at("desk.acting", 4, performed=(4,), reply=CALLS_AND_TRANSFER, replied=ID(3, 0)),
        told(ID(4, 0), Event.RETURNED),
        at(
            "desk.handoff.to_expert",
            5,
            performed=(4,),
            reply=CALLS_AND_TRANSFER,
            replied=ID(3, 0),
        ),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 0), 1),
            perform(ID(5, 0), "desk/to_expert", ID(3, 0), 3),
        ),
    ),
    Row(
        "acting, done without a function tool: another turn",
        at("desk.acting", 4, performed=(4,), reply=ACTIONS, replied=ID(3, 0)),
        told(ID(4, 0), Event.RETURNED),
        at("desk.thinking", 5, 2, performed=(4,), reply=ACTIONS, replied=ID(3, 0)),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 0), 3),
            perform(ID(5, 0), "desk/model", ID(3, 0)),
        ),
    ),
    Row(
        "acting, a call failed: finished outputs are shown, then it is over",
        ACTED._replace(pending=frozenset({0, 2})),
        told(ID(4, 0), Event.FAILED),
        at("failed", 5, order=(), performed=(4, 4, 4), reply=CALLS, replied=ID(3, 0)),
        (
            Emit(Emission.OUTPUT, "desk", ID(4, 1), 2),
            Finish(StateKind.FAILED, "desk", ID(4, 0)),
        ),
    ),
    Row(
        "deciding accepted: its own outcome is the output",
        at("desk.deciding", 5, performed=(4,), reply=CALLS, replied=ID(3, 0)),
        told(ID(5, 0), Event.ACCEPTED),
        at("desk.ending", 6, performed=(4,), reply=CALLS, replied=ID(3, 0), output=ID(5, 0)),
        (perform(ID(6, 0), "desk/end", ID(5, 0)),),
    ),
    Row(
        "handed off: the target is shown and thinks",
        at("desk.handoff.to_expert", 4, reply=TRANSFER, replied=ID(3, 0)),
        told(ID(4, 0), Event.DONE),
        at("expert.thinking", 5, 2, reply=TRANSFER, replied=ID(3, 0)),
        (
            Emit(Emission.HANDOFF, "desk", ID(4, 0)),
            Emit(Emission.AGENT, "expert"),
            perform(ID(5, 0), "expert/model", ID(3, 0)),
        ),
    ),
    Row(
        "recovered: the handler's outcome is the output",
        at("desk.recovering.max_turns", 4, limit=1, reply=AGAIN, replied=ID(3, 0)),
        told(ID(4, 0), Event.ACCEPTED),
        at("desk.ending", 5, limit=1, reply=AGAIN, replied=ID(3, 0), output=ID(4, 0)),
        (Emit(Emission.OUTPUT, "desk", ID(4, 0)), perform(ID(5, 0), "desk/end", ID(4, 0))),
    ),
    Row(
        "not recovered: exhausted, with no outcome to show for it",
        at("desk.recovering.max_turns", 4, limit=1, reply=AGAIN, replied=ID(3, 0)),
        told(ID(4, 0), Event.DECLINED),
        at("desk.exhausted", 5, limit=1, order=(), reply=AGAIN, replied=ID(3, 0)),
        (Finish(StateKind.EXHAUSTED, "desk"),),
    ),
    Row(
        "ended: output guardrails look at the output",
        at("desk.ending", 5, reply=CALLS, replied=ID(3, 0), output=ID(4, 0)),
        told(ID(5, 0), Event.DONE),
        at("desk.checking", 6, order=(0, 1), reply=CALLS, replied=ID(3, 0), output=ID(4, 0)),
        (
            perform(ID(6, 0), "desk/polite", ID(4, 0)),
            perform(ID(6, 1), "desk/short", ID(4, 0)),
        ),
    ),
    Row(
        "checked by one of two: nothing is said",
        at("desk.checking", 6, order=(0, 1), output=ID(4, 0)),
        told(ID(6, 1), Event.PASSED),
        at("desk.checking", 6, order=(0, 1), pending=(0,), output=ID(4, 0)),
    ),
    Row(
        "checked by all: done with the output",
        at("desk.checking", 6, order=(0, 1), pending=(0,), output=ID(4, 0)),
        told(ID(6, 0), Event.PASSED),
        at("done", 7, order=(), output=ID(4, 0)),
        (Finish(StateKind.DONE, "desk", ID(4, 0)),),
    ),
    Row(
        "an output guardrail tripped: blocked by it",
        at("desk.checking", 6, order=(0, 1), output=ID(4, 0)),
        told(ID(6, 1), Event.TRIPPED),
        at("blocked", 7, order=(), output=ID(4, 0)),
        (Finish(StateKind.BLOCKED, "desk", ID(6, 1)),),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_step(row: Row) -> None:
    assert step(MACHINE, row.state, row.outcome) == (row.after, row.commands)


def test_the_table_leaves_every_kind_of_state_that_can_be_left() -> None:
    left = {MACHINE.state[row.state.state].kind for row in ROWS}
    finals = {StateKind.DONE, StateKind.BLOCKED, StateKind.EXHAUSTED, StateKind.FAILED}
    assert left == set(StateKind) - finals - {StateKind.INITIAL}
    assert {MACHINE.state[row.after.state].kind for row in ROWS} >= finals


def test_a_run_starts_by_showing_the_agent_at_work() -> None:
    assert start(MACHINE, limit=5) == (
        at("desk.screening", 1, 0),
        (Emit(Emission.AGENT, "desk"), perform(ID(1, 0), "desk/tone")),
    )


def test_every_kind_of_work_stands_in_the_machine_of_the_table() -> None:
    kinds = {invoke.kind for invoke in INVOKES.values()}
    assert kinds == set(InvokeKind) - {InvokeKind.AGENT}
