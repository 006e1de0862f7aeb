"""Simulated runs answer the questions of a workflow; questions are obligations and are covered."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from pydantic import BaseModel, Field

import agentgraph
from agentgraph import Agent, End, UserError, Workflow
from agentgraph.testing import (
    Route,
    ScriptMismatch,
    assert_never,
    assert_reaches,
    can_reach,
    explore,
    play,
    same_behaviour,
    walk,
)
from agentgraph.testing.coverage import collect
from agentgraph.testing.script import model, person, script_of
from agentgraph.testing.stateful import machine_of
from agentgraph.testing.strategies import runs
from agentgraph.testing.witnessing import witnesses
from agentgraph_compiler.analysis.obligations import obligations
from agentgraph_compiler.analysis.owed import Subject


class Verdict(BaseModel):
    ok: bool
    note: str = ""


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


def pay(mood: Mood) -> str:
    return "paid"


def desk(*, at_most: int = 2) -> Workflow:
    """A loop in which a person judges, and a second question without a route of its own."""
    draft = Agent(name="Draft")
    flow = Workflow("Desk", start=draft)
    judge = flow.ask("judge", "Is it good?", answer=Verdict)
    mood = flow.ask("mood", "How is it?", answer=Mood)
    flow.then(draft, judge)
    cases, limit = {True: mood, False: draft}, {False: at_most}
    flow.route(judge, on="ok", cases=cases, at_most=limit, exhausted=End("no"))
    flow.route(mood, cases={Mood.GOOD: pay, Mood.BAD: End("bad")})
    return flow


def outputs_of(routes: Any) -> set[object]:
    return {route.final_output for route in routes if route.end == "answered"}


def test_exploring_gives_every_answer_that_a_route_tells_apart() -> None:
    routes = list(explore(desk(), depth=4))
    assert outputs_of(routes) == {"no", "bad", "The result of pay."}
    assert all(route.end == "answered" for route in routes)
    assert len({str(route) for route in routes}) == len(routes) == 7


def test_walking_answers_and_sometimes_leaves_a_question_open() -> None:
    routes = list(walk(desk(), runs=200, depth=6))
    assert outputs_of(routes) == {"no", "bad", "The result of pay."}
    assert {"answered", "waiting"} <= {route.end for route in routes}


@given(runs(desk(), depth=6))
@settings(max_examples=40)
def test_the_decisions_of_a_run_repeat_it(route: Route) -> None:
    assert play(desk(), route.decisions, depth=6) == route


def test_a_run_prints_answers_in_words_and_as_a_script() -> None:
    script = [
        model("Draft").answers("A draft."),
        person().answers("judge", Verdict(ok=False, note="more")),
        model("Draft").answers("Another."),
        person().answers("judge", {"ok": True}),
        person().answers("mood", "bad"),
    ]
    route = play(desk(), script)
    assert route.final_output == "bad"
    assert str(route).splitlines()[3:] == [
        '4. person answers judge with {"ok": true}',
        '5. person answers mood with "bad"',
        "→ answered",
    ]
    assert script_of(route)[3:] == [
        'person().answers("judge", {"ok": True})',
        'person().answers("mood", "bad")',
    ]
    left = play(desk(), [script[0], person().does_not_answer("judge")])
    assert (left.end, str(left).splitlines()[1]) == ("waiting", "2. person does not answer judge")
    assert script_of(left)[1] == 'person().does_not_answer("judge")'


def test_an_answer_that_does_not_fit_is_refused() -> None:
    script = [model("Draft").answers("x"), person().answers("judge", {"ok": "perhaps"})]
    with pytest.raises(UserError, match="does not fit the type that the question asks for"):
        play(desk(), script)
    with pytest.raises(ScriptMismatch, match="possible are return, leave"):
        play(desk(), [script[0], person().approves("judge")])


def test_answers_may_be_listed() -> None:
    listed: dict[str, list[object]] = {"judge": [Verdict(ok=True)], "mood": ["good"]}
    routes = list(walk(desk(), runs=30, results=listed))
    assert outputs_of(routes) == {"The result of pay."}
    with pytest.raises(UserError, match="results names 'jugde'"):
        list(walk(desk(), results={"jugde": [True]}))


def test_a_state_machine_has_a_rule_for_answers_where_a_workflow_asks() -> None:
    assert hasattr(machine_of(desk()), "person_answers")
    assert not hasattr(machine_of(Agent(name="A")), "person_answers")


Machine = machine_of(desk(), depth=5)
Machine.TestCase.settings = settings(max_examples=15, stateful_step_count=12)
TestConversations = Machine.TestCase


def test_workflows_that_ask_otherwise_behave_otherwise() -> None:
    assert same_behaviour(desk(), desk(), runs=50) is None
    assert same_behaviour(desk(), desk(at_most=1), runs=50) is not None


def test_assertions_name_questions() -> None:
    way = can_reach(desk(), "mood", depth=3)
    assert way is not None
    assert_reaches(way, "question:judge")
    script = [model("Draft").answers("x"), person().does_not_answer("judge")]
    assert_never(play(desk(), script), "judge")
    with pytest.raises(AssertionError):
        assert_never(way, "judge")
    with pytest.raises(UserError, match="no agent, tool, handoff, guardrail, function or question"):
        can_reach(desk(), "jugde")


def test_a_type_of_which_no_value_can_be_made_up_is_named() -> None:
    flow = Workflow("Desk", start=Agent(name="Draft"))
    flow.then(flow.start, flow.ask("judge", "What?", answer=Unlikely))
    with pytest.raises(UserError, match="Step 'judge' asks for Unlikely, of which no value"):
        list(walk(flow))


class Unlikely(BaseModel):
    inside: Annotated[str, Field(pattern="^[0-9]+[A-F]$")]


def test_questions_are_obligations_and_have_witnesses_and_are_covered() -> None:
    rows = obligations(agentgraph.compile(desk()).chart)
    owed = [row for row in rows if row.key.subject is Subject.QUESTION]
    assert [(row.title, row.key.outcome, row.excuse) for row in owed] == [
        ("judge", "answered", ""),
        ("mood", "answered", ""),
    ]
    waits = {row.title: row.excuse for row in rows if "asking: awaiting" in row.title}
    assert list(waits.values()) == ["", ""]
    search = witnesses(desk())
    assert search.missing == ()
    flow = desk()
    with collect(flow) as coverage:
        play(flow, [model("Draft").answers("x"), person().does_not_answer("judge")])
    (workflow,) = coverage.workflows
    tallies = dict(workflow.subjects())
    assert (tallies["question"].covered, tallies["question"].owed) == (0, 2)
    with collect(flow) as coverage:
        play(flow, [model("Draft").answers("x"), person().answers("judge", {"ok": True})])
    (workflow,) = coverage.workflows
    tallies = dict(workflow.subjects())
    assert (tallies["question"].covered, tallies["question"].owed) == (2, 2)


def test_an_unreached_question_is_excused() -> None:
    flow = Workflow("Desk", start=Agent(name="Draft"))
    flow.then(flow.start, End())
    flow.ask("never", "What?")
    rows = obligations(agentgraph.compile(flow).chart)
    [row] = [row for row in rows if row.key.subject is Subject.QUESTION]
    assert row.excuse == "no run can get there"
