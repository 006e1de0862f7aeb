"""Simulated runs plant the exceptions that edges catch, and spend budgets: they take those ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter, ValidationError

from agentgraph import (
    Agent,
    AgentDefinitionError,
    End,
    MaxTurnsExceeded,
    Workflow,
    all_of,
    input_guardrail,
)
from agentgraph.frontend.nested import workflows_in
from agentgraph.testing import Route, explore, play, walk
from agentgraph.testing.script import function, guardrail, model, script_of
from agentgraph.testing.strategies import runs


class Declined(Exception):
    """An exception whose instances need arguments."""

    def __init__(self, *, card: str, reason: str) -> None:
        super().__init__(f"{card}: {reason}")
        self.card = card

    def __str__(self) -> str:
        return self.card


def pay(order: str) -> str:
    raise AssertionError("a simulated run calls no function")


def call(order: object) -> str:
    raise AssertionError("a simulated run calls no function")


def shop() -> Workflow:
    clerk = Agent(name="Clerk")
    flow = Workflow("Shop", start=clerk)
    flow.then(clerk, pay)
    flow.on_error(pay, pay, errors=TimeoutError, at_most=2, exhausted=End("Tomorrow."))
    flow.on_error(pay, End("Declined."), errors=(Declined, OSError))
    flow.on_error(pay, call)
    flow.on_error(clerk, End("No clerk."), errors=Declined)
    return flow


def ends(routes: Iterable[Route]) -> set[object]:
    ends = {(route.end, route.final_output) for route in routes}
    assert {end for end, _ in ends} == {"answered"}
    return {output for _, output in ends}


EVERY_WAY = {
    "The result of pay.", "The result of call.", "Tomorrow.", "Declined.", "No clerk.",
}  # fmt: skip


def test_exploring_takes_every_edge_after_an_exception_and_the_way_after_the_last_round() -> None:
    routes = list(explore(shop()))
    assert ends(routes) == EVERY_WAY
    assert len({str(route) for route in routes}) == len(routes)
    (last,) = (route for route in routes if route.final_output == "Tomorrow.")
    assert str(last).splitlines()[1:] == [
        "2. function pay fails with TimeoutError",
        "3. function pay fails with TimeoutError",
        "4. function pay fails with TimeoutError",
        "→ answered",
    ]


def test_walking_takes_them_too_unless_failures_have_no_weight() -> None:
    routes = list(walk(shop(), runs=400))
    answered = ends(route for route in routes if route.end == "answered")
    assert answered >= EVERY_WAY - {"Tomorrow."}  # three failures in a row are rare
    calm = {"function.raise": 0, "model.raise": 0}
    assert ends(list(walk(shop(), runs=100, weights=calm))) == {"The result of pay."}


def test_a_script_plants_failures_by_the_name_of_the_class() -> None:
    script = [
        model("Clerk").answers("Bees"),
        function("pay").fails("TimeoutError"),
        function("pay").fails("Declined"),
    ]
    route = play(shop(), script)
    assert route.final_output == "Declined."
    assert script_of(route) == [
        'model("Clerk").answers("Bees")',
        'function("pay").fails("TimeoutError")',
        'function("pay").fails("Declined")',
    ]
    failed = play(shop(), [model("Clerk").fails("Declined")])
    assert (failed.final_output, script_of(failed)) == (
        "No clerk.",
        ['model("Clerk").fails("Declined")'],
    )
    other = play(shop(), [script[0], function("pay").fails()])
    assert (other.final_output, str(other).splitlines()[1]) == (
        "The result of call.",
        "2. function pay fails",
    )
    assert play(shop(), [model("Clerk").fails()]).end == "failed"


@given(runs(shop()))
@settings(max_examples=60)
def test_the_decisions_of_a_run_with_failures_repeat_it(route: Route) -> None:
    assert play(shop(), route.decisions, depth=12) == route


@input_guardrail
def refused(context: Any, agent: Any, input: Any) -> Any:
    raise AssertionError("a simulated run calls no guardrail")


def test_tripwires_and_used_up_turns_are_brought_about_and_not_planted() -> None:
    first = Agent(name="First", input_guardrails=[refused])
    flow = Workflow("Guarded", start=first)
    flow.on_error(first, End("No turns."), errors=MaxTurnsExceeded)
    flow.on_error(first, call)
    script = [guardrail("refused").trips(), model("First").answers("Hi.")]
    assert play(flow, script).final_output == "The result of call."
    assert "fails with MaxTurnsExceeded" not in "".join(map(str, explore(flow)))


def test_what_works_in_a_branch_or_in_an_inner_workflow_fails_for_the_edges_around_it() -> None:
    start, legal = Agent(name="Start"), Agent(name="Legal")
    inner = Workflow("Inner", start=(plan := Agent(name="Plan")))
    inner.then(plan, pay)
    flow = Workflow("Board", start=start)
    board = flow.parallel("board", [legal, call, inner], join=all_of())
    flow.then(start, board)
    flow.on_error(board, End("Declined."), errors=Declined)
    for failing in (
        [model("Legal").fails("Declined")],
        [model("Legal").answers("Yes."), function("call").fails("Declined")],
        [model("Legal").answers("Yes."), model("Plan").fails("Declined")],
    ):
        route = play(flow, [model("Start").answers("Go."), *failing], strict=False)
        assert route.final_output == "Declined."


def test_a_class_that_allows_no_instance_is_planted_as_any_exception() -> None:
    clerk = Agent(name="Clerk")
    flow = Workflow("Shop", start=clerk)
    flow.then(clerk, pay)
    flow.on_error(pay, End("Invalid."), errors=ValidationError)
    with pytest.raises(ValidationError):
        TypeAdapter(int).validate_python("bees")
    script = [model("Clerk").answers("Bees"), function("pay").fails("ValidationError")]
    assert play(flow, script).end == "failed"


def test_a_spent_budget_leads_on() -> None:
    draft, review = Agent(name="Draft"), Agent(name="Review", output_type=bool)
    flow = Workflow("Letters", start=draft)
    flow.then(draft, review)
    flow.route(
        review, cases={True: End("Sent."), False: draft}, at_most={False: 9}, exhausted=End("Off.")
    )
    flow.budget(model_calls=4, on_exhausted=call)
    routes = list(explore(flow, depth=8))
    assert ends(routes) == {"Sent.", "The result of call."}
    spent = [route for route in routes if route.final_output == "The result of call."]
    assert {len(route.agents) for route in spent} == {4}


def test_a_workflow_behind_such_an_edge_is_seen() -> None:
    def with_edge(*, budget: bool) -> tuple[Workflow, Workflow]:
        start = Agent(name="Start")
        inner = Workflow("Inner", start=(within := Agent(name="Within")))
        inner.then(within, End("In here."))
        flow = Workflow("Outer", start=start)
        if budget:
            flow.then(start, Agent(name="Second"))
            flow.budget(model_calls=1, on_exhausted=inner)
        else:
            flow.on_error(start, call, at_most=1, exhausted=inner)
            flow.on_error(call, inner)
        return flow, inner

    for budget in (True, False):
        flow, inner = with_edge(budget=budget)
        assert workflows_in(flow) == [flow, inner]
        inner.on_error(inner.start, flow)
        with pytest.raises(AgentDefinitionError, match="is a step of itself"):
            list(explore(flow))


def test_values_behind_such_an_edge_take_every_case() -> None:
    start, judge = Agent(name="Start"), Agent(name="Judge", output_type=bool)
    flow = Workflow("Judged", start=start)
    flow.on_error(start, judge)
    flow.route(judge, cases={True: End("yes"), False: End("no")})
    assert ends(list(explore(flow))) == {"Done.", "yes", "no"}
