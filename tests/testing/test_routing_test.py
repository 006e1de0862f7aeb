"""`@routing_test` makes a property of every run; a failure is a story, a test and a drawing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgraph import Agent, RunContextWrapper, function_tool
from agentgraph.exceptions import UserError
from agentgraph.program import CompileError
from agentgraph.testing import Route, assert_never, assert_precedes, play, routing_test
from agentgraph.testing.script import model
from agentgraph.testing.strategies import answers, arguments, conversations, runs


@function_tool
def verify() -> str:
    """Check who it is."""
    raise AssertionError


@function_tool
def refund(euros: int) -> str:
    """Pay back."""
    raise AssertionError


refunds = Agent(name="Refunds", tools=[verify, refund])
triage = Agent(name="Triage", handoffs=[refunds])
refunds.handoffs = [triage]


def failing(pictures: Path | None, **keywords: Any) -> Any:
    @routing_test(triage, examples=200, pictures=pictures, **keywords)
    def test_identity(route: Route) -> None:
        assert_precedes(route, "verify", "refund")

    return test_identity


def test_a_failure_is_the_shortest_run_as_a_list_a_test_and_a_drawing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as failure:
        failing(tmp_path)()
    assert str(failure.value) == (
        "'refund' comes as move 3, without 'verify' before:\n\n"
        "1. model of Triage: hands off to Refunds with transfer_to_refunds()\n"
        "2. model of Refunds: calls refund(euros=0)\n"
        '3. tool refund(euros=0) returns "The result of refund."\n'
        '4. model of Refunds: answers "Done."\n'
        "→ answered"
    )
    note = failure.value.__notes__[-1]
    drawn = tmp_path / "test_identity.svg"
    assert note.endswith(f"Drawn, with the agents that it came by: {drawn}")
    assert drawn.read_text(encoding="utf-8").startswith("<?xml")
    source = note.partition("As a test:\n\n")[2].partition("\n\nDrawn")[0]
    names: dict[str, Any] = {"triage": triage, "test_identity": failing(None)}
    exec(source, names)
    with pytest.raises(AssertionError, match="without 'verify' before"):
        names["test_identity_once"]()


class Notes:
    """The context of a run."""

    def __init__(self) -> None:
        self.seen = False


@function_tool
def look(context: RunContextWrapper[Notes]) -> str:
    """Look at the order."""
    context.context.seen = True
    return "It is lost."


@function_tool(is_enabled=lambda context, agent: context.context.seen)
def pay(euros: int) -> str:
    """Pay."""
    return "paid"


clerk = Agent(name="Clerk", tools=[look, pay])


@routing_test(clerk, examples=200, pictures=None, real=["look", "pay"], context=Notes)
def nothing_is_paid(route: Route) -> None:
    assert_never(route, "pay")


def test_the_test_of_a_failure_lets_the_same_code_run() -> None:
    with pytest.raises(AssertionError) as failure:
        nothing_is_paid()
    source = failure.value.__notes__[-1].partition("As a test:\n\n")[2]
    assert source.splitlines()[-6:] == [
        "    route = play(clerk, [",
        '        model("Clerk").calls("look"),',
        '        model("Clerk").calls("pay", euros=0),',
        '        model("Clerk").answers("Done."),',
        '    ], real=["look", "pay"], context=Notes)',
        "    nothing_is_paid(route)",
    ]
    names = {"clerk": clerk, "Notes": Notes, "nothing_is_paid": nothing_is_paid}
    exec(source, names)
    once: Any = names["test_nothing_is_paid_once"]
    with pytest.raises(AssertionError, match="'pay' comes, as move 4"):
        once()


def test_the_property_can_be_asked_about_one_route() -> None:
    test = failing(None)
    test(next(iter(play_verified())))
    with pytest.raises(AssertionError):
        test(play_unverified())


def play_verified() -> list[Route]:
    script = [
        model("Triage").hands_off("transfer_to_refunds"),
        model("Refunds").calls("verify"),
        model("Refunds").calls("refund", euros=1),
        model("Refunds").answers(),
    ]
    return [play(triage, script)]


def play_unverified() -> Route:
    script = [
        model("Triage").hands_off("transfer_to_refunds"),
        model("Refunds").calls("refund", euros=1),
        model("Refunds").answers(),
    ]
    return play(triage, script)


def test_a_property_that_holds_passes_and_takes_fixtures() -> None:
    @routing_test(triage, examples=50)
    def test_money(route: Route, limit: int) -> None:
        assert limit == 3
        assert_never(route, lambda one: one.agent == "Stranger")

    test_money(limit=3)


def test_a_pattern_that_names_nothing_is_an_error_of_the_test() -> None:
    @routing_test(triage, examples=5, pictures=None)
    def test_typo(route: Route) -> None:
        assert_never(route, "refnd")

    with pytest.raises(UserError, match="Did you mean 'refund'"):
        test_typo()


def test_a_function_without_a_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match="must take a route as its first parameter"):

        @routing_test(triage)
        def test_nothing() -> None: ...


def test_a_workflow_with_errors_is_said_when_the_test_runs() -> None:
    broken = Agent(name="A", tools=[verify, verify])

    @routing_test(broken, examples=5, pictures=None)
    def test_broken(route: Route) -> None: ...

    with pytest.raises(CompileError, match="two tools named 'verify'"):
        test_broken()


@given(runs(triage, hostile=True))
@settings(max_examples=50)
def test_a_drawn_run_can_be_played(route: Route) -> None:
    assert play(triage, route.decisions, depth=12) == route


@given(runs(triage, streamed=True, depth=4))
@settings(max_examples=30)
def test_streamed_runs_have_results_too(route: Route) -> None:
    assert route.end == "cut" or route.final_output is not None


@given(conversations(triage, turns=3))
@settings(max_examples=30)
def test_a_conversation_goes_on_with_its_last_agent_and_its_history(
    routes: tuple[Route, ...],
) -> None:
    assert 1 <= len(routes) <= 3
    for before, after in pairwise(routes):
        if before.result is not None:
            assert after.agents[0] == before.last_agent
            assert len(after.requests[0].input) > len(before.requests[0].input)


@given(st.data())
@settings(max_examples=30)
def test_arguments_and_answers_are_strategies_of_their_own(data: st.DataObject) -> None:
    assert isinstance(data.draw(arguments(triage, "refund"))["euros"], int)
    assert isinstance(data.draw(answers(triage, "Refunds")), str)


def test_strategies_of_parts_that_are_not_there_are_refused() -> None:
    with pytest.raises(UserError, match="no function tool named 'refnd'"):
        arguments(triage, "refnd")
    with pytest.raises(UserError, match="no agent named 'Clerk'"):
        answers(triage, "Clerk")
    with pytest.raises(ValueError, match="turns must be at least 1, not 0"):
        conversations(triage, turns=0)
