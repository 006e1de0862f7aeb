"""Simulated runs of workflows with edges: they take every way, and repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from pydantic import BaseModel, Field

from agentgraph import Agent, End, UserError, Workflow, at_least, below, between, handoff, output_of
from agentgraph.testing import (
    Route,
    assert_reaches,
    can_reach,
    explore,
    play,
    routing_test,
    same_behaviour,
    walk,
)
from agentgraph.testing.script import function, model, script_of
from agentgraph.testing.stateful import machine_of
from agentgraph.testing.strategies import runs
from tests.workflow.flows import Mood, Review, Ticket


def desk(*, swapped: bool = False, at_most: int = 2) -> Workflow:
    """A desk with a route by kind, a loop with a limit, and a route by an earlier output."""
    triage, orders = Agent(name="Triage", output_type=Ticket), Agent(name="Orders")
    draft, review = Agent(name="Draft"), Agent(name="Review", output_type=Review)
    flow = Workflow("Desk", start=triage)
    here, there = (draft, orders) if swapped else (orders, draft)
    flow.route(triage, on="kind", cases={"order": here, "refund": there, "other": End("Call us.")})
    flow.then(draft, review)
    flow.route(
        review,
        on="ok",
        cases={True: ask_a_person, False: draft},
        at_most={False: at_most},
        exhausted=ask_a_person,
    )
    flow.route(
        ask_a_person,
        on=output_of(triage).amount,
        cases={below(1_000): pay, between(1_000, 1_009): End("Wait."), at_least(1_010): End("No.")},
        give={pay: output_of(triage)},
    )
    return flow


def ask_a_person(output: object) -> str:
    return "yes"


def pay(ticket: Ticket) -> str:
    return f"Paid {ticket.amount}."


def outputs_of(routes: Any) -> set[object]:
    return {route.final_output for route in routes if route.end == "answered"}


def test_exploring_takes_every_case_and_the_way_after_the_last_round() -> None:
    routes = list(explore(desk(), depth=7))
    assert all(route.end == "answered" for route in routes)
    assert len({str(route) for route in routes}) == len(routes)
    assert outputs_of(routes) == {
        "Done.", "Call us.", "The result of pay.", "Wait.", "No.",
    }  # fmt: skip
    drafts = [route.agents.count("Draft") for route in routes]
    assert max(drafts) == 3  # the first, and two rounds


def test_walking_takes_every_case_even_one_of_ten_numbers_in_a_hundred_thousand() -> None:
    assert {"Call us.", "Wait.", "No."} <= outputs_of(walk(desk(), runs=300))


@given(runs(desk(), depth=8))
@settings(max_examples=60)
def test_the_decisions_of_a_run_repeat_it(route: Route) -> None:
    assert play(desk(), route.decisions, depth=8) == route


def test_a_run_prints_what_functions_return_and_as_a_script() -> None:
    script = [
        model("Triage").answers({"kind": "refund", "amount": 3}),
        model("Draft").answers("A draft."),
        model("Review").answers({"ok": True}),
        function("ask_a_person").returns("no"),
        function("pay").returns("Paid."),
    ]
    route = play(desk(), script)
    assert route.final_output == "Paid."
    assert str(route).splitlines()[3:] == [
        '4. function ask_a_person returns "no"',
        '5. function pay returns "Paid."',
        "→ answered",
    ]
    assert script_of(route)[3:] == [
        'function("ask_a_person").returns("no")',
        'function("pay").returns("Paid.")',
    ]
    failed = play(desk(), [*script[:3], function("ask_a_person").fails()])
    assert (failed.end, script_of(failed)[3:]) == ("failed", ['function("ask_a_person").fails()'])


def test_a_function_that_is_named_runs_itself() -> None:
    script = [
        model("Triage").answers({"kind": "refund", "amount": 3}),
        model("Draft").answers("A draft."),
        model("Review").answers({"ok": True}),
    ]
    route = play(desk(), script, real=["pay"])
    assert route.final_output == "Paid 3."
    assert script_of(route, real=["pay"])[3:] == []
    assert route.decisions[-1].value == "Paid 3."
    with pytest.raises(UserError, match="no tool, guardrail, handoff, function or agent"):
        play(desk(), script, real=["pey"])


@dataclass
class Box:
    mood: Mood
    size: Annotated[int, Field(ge=1, le=3)]


class Person(BaseModel):
    name: str
    country: Literal["DE", "FR"] | None = None


class Shop(BaseModel):
    owner: Person | None
    shelves: list[str]


async def fill(text: str) -> Box:
    return Box(Mood.GOOD, 1)


def weigh(box: Box) -> Person | Shop:
    return Person(name=str(box.size))


def label(output: object) -> Literal["heavy", "light"]:
    return "light"


def undeclared(output):  # type: ignore[no-untyped-def]
    return output


def start() -> Agent[Any]:
    return Agent(name="Start")


def test_every_case_is_drawn_of_enums_numbers_classes_labels_and_what_is_not_declared() -> None:
    moods = Workflow("Moods", start=(first := start()))
    moods.then(first, fill)
    moods.route(fill, on="mood", cases={Mood.GOOD: End("good"), Mood.BAD: End("bad")})
    assert outputs_of(explore(moods)) == {"good", "bad"}

    sizes = Workflow("Sizes", start=(first := start()))
    sizes.then(first, fill)
    sizes.route(fill, on="size", cases={1: End("one"), 2: End("two"), 3: weigh})
    sizes.route(weigh, cases={Person: End("person"), Shop: End("shop")})
    assert outputs_of(explore(sizes)) == {"one", "two", "person", "shop"}

    labels = Workflow("Labels", start=(first := start()))
    labels.then(first, undeclared)
    labels.route(undeclared, on=label, cases={"heavy": End("heavy"), "light": End("light")})
    assert outputs_of(explore(labels)) == {"heavy", "light"}
    assert outputs_of(explore(labels)) > {
        play(labels, [model("Start").answers()], real=["label"]).final_output
    }

    free = Workflow("Free", start=(first := start()))
    free.then(first, undeclared)
    free.route(undeclared, on="kind.of", cases={"a": End("a"), 7: End("7")}, default=End("rest"))
    assert outputs_of(explore(free)) == {"a", "7", "rest"}


def test_a_field_inside_an_optional_part_is_drawn() -> None:
    shop = Agent(name="Shop", output_type=Shop)
    flow = Workflow("Countries", start=shop)
    flow.route(
        shop, on="owner.country", cases={"DE": End("de"), "FR": End("fr"), None: End("none")}
    )
    routes = list(explore(flow))
    assert outputs_of(routes) == {"de", "fr", "none"}
    # The country of a shop without an owner is `None`.
    assert not any(one.end == "failed" for one in routes)


def test_two_routes_over_one_output_get_every_pair_of_ways() -> None:
    triage = Agent(name="Triage", output_type=Ticket)
    flow = Workflow("Pairs", start=triage)
    flow.route(triage, on="kind", cases={"order": pay, "refund": ask_a_person}, default=End("-"))
    for step in (pay, ask_a_person):
        flow.route(
            step,
            on=output_of(triage).amount,
            cases={below(7): End(f"{step.__name__} small")},
            default=End(f"{step.__name__} large"),
        )
    assert outputs_of(explore(flow)) == {
        "-", "pay small", "pay large", "ask_a_person small", "ask_a_person large",
    }  # fmt: skip


def test_what_an_agent_behind_a_handoff_answers_takes_every_case_too() -> None:
    specialist = Agent(name="Specialist", output_type=Review)
    front = Agent(name="Front", output_type=Review, handoffs=[handoff(specialist)])
    flow = Workflow("Region", start=front)
    flow.route(front, on="ok", cases={True: End("yes"), False: End("no")})
    ends = {(route.agents, route.final_output) for route in explore(flow)}
    assert ends == {
        (agents, answer)
        for agents in (("Front",), ("Front", "Specialist"))
        for answer in ("yes", "no")
    }


def test_functions_that_go_round_for_ever_are_cut() -> None:
    flow = Workflow("Round", start=(first := start()))
    flow.then(first, label)
    flow.then(label, undeclared)
    flow.then(undeclared, label)
    assert play(flow, [model("Start").answers()], strict=False).end == "cut"


def test_a_value_that_does_not_fit_is_refused_by_name() -> None:
    flow = Workflow("Moods", start=(first := start()))
    flow.then(first, fill)
    script = [model("Start").answers(), function("fill").returns({"mood": "fine", "size": 1})]
    with pytest.raises(UserError, match=r"function fill returns .* does not fit the type"):
        play(flow, script)
    assert play(flow, [script[0], function("fill").returns(Box(Mood.BAD, 2))]).end == "answered"


class Handle:
    """No type for pydantic."""

    def __init__(self, number: int) -> None:
        self.number = number


def opened(text: str) -> Handle:
    return Handle(1)


def test_a_type_of_which_no_value_can_be_made_is_refused_by_name() -> None:
    flow = Workflow("Handles", start=(first := start()))
    flow.then(first, opened)
    flow.then(opened, End("Open."))
    with pytest.raises(UserError, match=r"Step 'opened' returns Handle.*real="):
        list(explore(flow))
    assert play(flow, [model("Start").answers()], real=["opened"]).end == "answered"


def test_a_version_with_swapped_cases_behaves_differently() -> None:
    assert same_behaviour(desk(), desk(), runs=50) is None
    difference = same_behaviour(desk(), desk(swapped=True), runs=50)
    assert difference is not None
    assert "“model of Draft: answers" in difference.fault
    assert "the run is at the model of Orders" in difference.fault
    assert same_behaviour(desk(), desk(at_most=3), runs=50) is not None


def test_assertions_name_functions() -> None:
    way = can_reach(desk(), "pay", depth=4)
    assert way is not None
    assert [one.name for one in way.decisions if one.by == "function"] == ["ask_a_person", "pay"]
    with pytest.raises(AssertionError):
        assert_reaches(play(desk(), [model("Triage").answers({"kind": "other"})]), "function:pay")


@routing_test(desk(), examples=30, pictures=None)
def test_a_routing_test_runs_the_edges(route: Route) -> None:
    paid = any(one.name == "pay" for one in route.decisions)
    assert not paid or "Review" in route.agents


Desk = machine_of(desk(), depth=6)
test_conversations_with_edges = Desk.TestCase
test_conversations_with_edges.settings = settings(max_examples=15, stateful_step_count=15)
