"""A workflow as a state machine of Hypothesis: each move a rule, and what must hold after each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from agentgraph import Agent, SQLiteSession, function_tool
from agentgraph.exceptions import UserError
from agentgraph.testing.invariants import faults_of_items, faults_of_order
from agentgraph.testing.stateful import WorkflowMachine, machine_of
from examples.support_desk import desk

FEW = settings(
    max_examples=8,
    stateful_step_count=25,
    phases=[Phase.generate, Phase.shrink],
    database=None,
    report_multiple_bugs=False,
)


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    """Tools fail often, and each time the log says so."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@function_tool(needs_approval=True)
def refund(euros: int) -> str:
    """Pay back."""
    raise AssertionError("no tool runs")


def clerk() -> Agent[Any]:
    return Agent(name="Clerk", tools=[refund])


@pytest.mark.parametrize("hostile", [False, True])
def test_conversations_with_the_support_desk_hold_every_invariant(hostile: bool) -> None:
    run_state_machine_as_test(machine_of(desk, hostile=hostile), settings=FEW)


@pytest.mark.parametrize("hostile", [False, True])
def test_people_decide_and_waiting_runs_go_on(hostile: bool) -> None:
    run_state_machine_as_test(machine_of(clerk(), hostile=hostile), settings=FEW)


def failure_of(machine: type[WorkflowMachine]) -> tuple[str, str]:
    """The message and the script of a machine that fails."""
    with pytest.raises(AssertionError) as failure:
        run_state_machine_as_test(
            machine, settings=settings(FEW, max_examples=30, stateful_step_count=8)
        )
    return str(failure.value), "\n".join(failure.value.__notes__)


class Forgetful(SQLiteSession):
    """A session that loses the outputs of tools."""

    async def get_items(self, limit: int | None = None, *_: Any) -> list[Any]:
        items = await super().get_items(limit)
        return [one for one in items if one.get("type") != "function_call_output"]


class Repeating(SQLiteSession):
    """A session that answers with the first item twice."""

    async def get_items(self, limit: int | None = None, *_: Any) -> list[Any]:
        items = await super().get_items(limit)
        return [*items[:1], *items]


class Shortened(SQLiteSession):
    """A session that keeps no more than two items."""

    async def get_items(self, limit: int | None = None, *_: Any) -> list[Any]:
        return (await super().get_items(limit))[-2:]


@pytest.mark.parametrize(
    ("store", "message"),
    [
        (Forgetful, r"the call 'call_1_0' of refund has no output"),
        (Repeating, r"the user said \['Message 1.'\], and the session has \['Message 1.', 'M"),
        (Shortened, r"item 1 was message user, and is|the user said|the session ends with"),
    ],
)
def test_a_session_that_loses_or_repeats_items_is_noticed(store: Any, message: str) -> None:
    machine = machine_of(clerk(), session=lambda: store("faulty"))
    with pytest.raises(AssertionError, match=message):
        run_state_machine_as_test(
            machine, settings=settings(FEW, max_examples=30, stateful_step_count=8)
        )


def test_a_failure_reads_as_a_story_and_as_a_script() -> None:
    machine = machine_of(
        clerk(),
        session=lambda: Forgetful("faulty"),
        weights={"person.reject": 0, "tool.raise": 0, "model.several": 0},
    )
    story, script = failure_of(machine)
    # Hypothesis may leave an earlier turn in place.
    moves = [line.partition(". ")[2] for line in story.splitlines()[2:]]
    assert moves[-6].startswith("user: 'Message ")
    assert moves[-5:] == [
        "model of Clerk: calls refund(euros=0)",
        "person approves refund(euros=0)",
        'tool refund(euros=0) returns "The result of refund."',
        'model of Clerk: answers "Done."',
        "→ answered",
    ]
    lines = script.partition("teardown()")[0].splitlines()
    assert "state = Machine()" in lines
    assert lines[-6:] == [
        "state.user_says_something()",
        'state.model_calls_refund(reply=model("Clerk").calls("refund", euros=0))',
        "state.person_approves()",
        "state.tool_returns()",
        'state.model_answers(reply=model("Clerk").answers("Done."))',
        "state.",
    ]


def test_a_subclass_adds_invariants() -> None:
    class Careful(machine_of(clerk())):  # type: ignore[misc]  # a class made at run time
        @invariant()
        def nothing_is_refunded(self) -> None:
            assert not any(one.by == "tool" for one in self.decisions), str(self)

    story, _ = failure_of(Careful)
    assert "tool refund(euros=0)" in story


def test_tools_return_each_of_the_results_that_are_listed() -> None:
    switched_off = ("tool.raise", "person.reject", "person.leave", "model.answer")
    machine = machine_of(
        clerk(), results={"refund": ["paid", "lost"]}, weights=dict.fromkeys(switched_off, 0)
    )

    class Careful(machine):  # type: ignore[misc, valid-type]
        @invariant()
        def nothing_is_lost(self) -> None:
            assert not any(one.value == "lost" for one in self.decisions), str(self)

    story, script = failure_of(Careful)
    assert 'tool refund(euros=0) returns "lost"' in story
    assert "state.tool_returns(value='lost')" in script


def test_one_hostile_kind_can_have_a_rule() -> None:
    machine = machine_of(clerk(), weights={"model.refuse": 1})
    assert hasattr(machine, "model_refuses")
    assert not hasattr(machine, "model_breaks_off")


def test_kinds_of_weight_zero_have_no_rule() -> None:
    assert hasattr(machine_of(clerk()), "person_leaves")
    machine = machine_of(clerk(), weights={"person.leave": 0, "model.call": 0})
    assert not hasattr(machine, "person_leaves")
    assert not hasattr(machine, "model_calls_refund")
    with pytest.raises(UserError, match=r"no kind of decision 'person.leaves'"):
        machine_of(clerk(), weights={"person.leaves": 0})
    with pytest.raises(UserError, match="real names 'pay'"):
        machine_of(clerk(), real=["pay"])


CALL, OUTPUT = (
    {"type": "function_call", "call_id": "c", "name": "f"},
    {
        "type": "function_call_output",
        "call_id": "c",
    },
)


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ([CALL, OUTPUT], None),
        ([CALL], "the call 'c' of f has no output"),
        ([OUTPUT, CALL], "the output of 'c' stands without or before its call"),
        ([CALL, OUTPUT, OUTPUT], "the call 'c' has two outputs"),
        ([CALL, OUTPUT, CALL], "the call 'c' stands twice"),
    ],
)
def test_faults_of_a_history(items: list[Any], fault: str | None) -> None:
    assert next(faults_of_items(items, is_open=False), None) == fault


def test_a_history_only_grows() -> None:
    assert not list(faults_of_order([CALL], [CALL, OUTPUT]))
    assert list(faults_of_order([CALL, OUTPUT], [OUTPUT])) == [
        "item 1 was function_call c, and is function_call_output c"
    ]
    assert list(faults_of_order([CALL], [])) == ["the session had 1 items, and has 0"]
