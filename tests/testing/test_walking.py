"""`walk` makes random runs that a seed repeats, and `play` repeats a run from its decisions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from agentgraph import Agent, ModelSettings, compile, function_tool, handoff
from agentgraph.exceptions import UserError
from agentgraph.guardrail import GuardrailFunctionOutput, input_guardrail
from agentgraph.testing import (
    Decision,
    Route,
    ScriptMismatch,
    explore,
    play,
    same_behaviour,
    walk,
    witnesses,
)
from agentgraph.testing.coverage import collect
from agentgraph.testing.script import model, tool
from agentgraph.tool_guardrails import (
    ToolGuardrailFunctionOutput,
    tool_output_guardrail,
)


class Ticket(BaseModel):
    kind: Literal["refund", "order"]
    euros: int = Field(ge=0, le=500)
    notes: list[str] = []


@tool_output_guardrail
def no_secrets(of: Any) -> ToolGuardrailFunctionOutput:
    raise AssertionError


@function_tool(needs_approval=True, tool_output_guardrails=[no_secrets])
def refund(ticket: Ticket, reason: str | None) -> str:
    """Pay an order back."""
    raise AssertionError("walking runs no tool")


@function_tool(timeout=5)
async def look(order: str) -> str:
    """Look up an order."""
    raise AssertionError("walking runs no tool")


@input_guardrail
def careful(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
    raise AssertionError


def desk() -> Agent[Any]:
    refunds = Agent(name="Refunds", tools=[refund, look])
    judge = Agent(name="Judge", output_type=Ticket)
    triage = Agent(
        name="Triage",
        handoffs=[refunds],
        tools=[judge.as_tool("ask_judge", "Ask the judge.")],
        input_guardrails=[careful],
    )
    refunds.handoffs = [triage]
    return triage


def decisions_of(routes: Iterator[Route]) -> list[Decision]:
    return [one for route in routes for one in route.decisions]


def test_a_seed_repeats_its_run() -> None:
    routes = list(walk(desk(), seed=3, runs=20))
    for number, route in enumerate(routes):
        [again] = walk(desk(), seed=3 + number)
        assert again == route
    assert len({str(route) for route in routes}) > 10


def test_every_kind_of_decision_comes() -> None:
    decisions = decisions_of(walk(desk(), runs=3_000, hostile=True))
    kinds = {(one.by, one.kind) for one in decisions}
    expected = {
        *(("model", kind) for kind in ("answer", "call", "handoff", "slow", "refuse", "empty")),
        *(("model", kind) for kind in ("unknown_tool", "malformed", "wrong_types", "reused_id")),
        *(("model", kind) for kind in ("cut", "raise")),
        *(("tool", kind) for kind in ("return", "raise", "time_out")),
        *(("guardrail", kind) for kind in ("pass", "reject", "trip", "raise")),
        *(("person", kind) for kind in ("approve", "reject", "leave")),
    }
    assert kinds == expected
    in_one_reply = [one for one in decisions if one.by == "model" and one.kind == "call"]
    assert any(
        one.reply == other.reply and one is not other
        for one, other in itertools.pairwise(in_one_reply)
    )


def test_arguments_and_answers_fit_their_types() -> None:
    arguments = TypeAdapter(dict[str, Any])
    for one in decisions_of(walk(desk(), runs=500)):
        if one.name == "refund" and one.by == "model":
            values = arguments.validate_python(one.arguments)
            Ticket.model_validate(values["ticket"])
            assert values["reason"] is None or isinstance(values["reason"], str)
        if one.agent == "Judge" and one.kind == "answer":
            Ticket.model_validate(one.value)


def test_the_ways_in_which_runs_end() -> None:
    ends = {route.end for route in walk(desk(), runs=500, depth=4, hostile=True)}
    assert ends == {"answered", "blocked", "cut", "failed", "waiting"}


def test_a_weight_of_zero_switches_a_kind_off() -> None:
    weights = {"model.call": 0, "guardrail.trip": 0, "model.several": 0}
    decisions = decisions_of(walk(desk(), runs=200, weights=weights))
    assert {one.kind for one in decisions} == {"answer", "handoff", "pass"}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"model.refuses": 1}, "no kind of decision 'model.refuses' to weigh. Did you mean"),
        ({"tool.raise": -1}, "The weight of 'tool.raise' must be a whole number, 0 or .*, not -1"),
        ({"tool.raise": 0.5}, "The weight of 'tool.raise' must be a whole number, .* not 0.5"),
        ({"tool.return": 0, "tool.raise": 0, "tool.time_out": 0}, "Every kind .* of a tool has"),
        ({"model.answer": 0, "model.handoff": 0}, "Agent '.*': every reply that is possible here"),
    ],
)
def test_weights_that_cannot_hold_are_refused(weights: dict[str, int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        list(walk(desk(), runs=20, weights=weights))


def test_play_repeats_a_run_from_its_decisions() -> None:
    for route in walk(desk(), runs=100, hostile=True):
        assert play(desk(), route.decisions, depth=12) == route


def test_a_script_needs_only_the_replies_of_models() -> None:
    route = play(
        desk(),
        [
            Decision("model", "handoff", "Triage", "transfer_to_refunds"),
            Decision("model", "call", "Refunds", "look"),
            Decision("tool", "return", "Refunds", "look", value="It is on its way."),
            Decision("model", "answer", "Refunds", value="Wait."),
        ],
    )
    assert route.end == "answered"
    assert route.final_output == "Wait."
    assert route.last_agent == "Refunds"
    assert route.requests[-1].input[-1]["output"] == "It is on its way."
    assert str(route).splitlines() == [
        "1. guardrail careful of Triage passes",
        "2. model of Triage: hands off to Refunds with transfer_to_refunds()",
        '3. model of Refunds: calls look(order="order")',
        '4. tool look(order="order") returns "It is on its way."',
        '5. model of Refunds: answers "Wait."',
        "→ answered",
    ]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([], "The model of Triage is called, but the script is at its end after 0 decisions"),
        (
            [Decision("model", "answer", "Refunds")],
            "Decision 1 of the script is “model of Refunds: answers null”, but the run is at the"
            " model of Triage",
        ),
        (
            [Decision("model", "call", "Triage", "refund")],
            "'refund' is not on offer to Triage; on offer are ask_judge, transfer_to_refunds",
        ),
        (
            [Decision("model", "answer", "Triage"), Decision("model", "answer", "Triage")],
            "The run ended before decision 2 of the script",
        ),
        (
            [Decision("guardrail", "reject", "Triage", "careful"), Decision("model", "answer")],
            "guardrail careful of Triage rejects: possible are pass, trip, raise",
        ),
    ],
)
def test_a_script_that_does_not_fit_is_refused(script: list[Decision], message: str) -> None:
    with pytest.raises(ScriptMismatch, match=message):
        play(desk(), script)


def test_the_parts_that_are_named_as_real_run() -> None:
    @function_tool
    def double(number: int) -> int:
        return 2 * number

    @input_guardrail(run_in_parallel=False)
    def short(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=len(str(text)) > 20)

    agent = Agent(name="A", tools=[double], input_guardrails=[short])
    script = [
        Decision("model", "call", "A", "double", {"number": 21}),
        Decision("model", "answer", "A"),
    ]
    route = play(agent, script, real=["double", "short"])
    assert [str(one) for one in route.decisions if one.by != "model"] == [
        "guardrail short of A passes",
        "tool double(number=21) returns 42",
    ]
    blocked = play(agent, [], real=["short"], input="much longer than twenty characters")
    assert blocked.end == "blocked"
    with pytest.raises(UserError, match="real names 'triple', but the workflow has no tool"):
        play(agent, script, real=["triple"])


def test_a_run_with_real_parts_can_be_played_from_its_decisions() -> None:
    @function_tool
    def double(number: int) -> int:
        return 2 * number

    agent = Agent(name="A", tools=[double])
    for route in walk(agent, runs=20, real=["double"], depth=4):
        assert play(agent, route.decisions, real=["double"], depth=4) == route
    script = [Decision("model", "call", "A", "double"), Decision("tool", "raise", "A", "double")]
    with pytest.raises(ScriptMismatch, match=r"tool double\(\) fails: possible are return"):
        play(agent, script, real=["double"])


def test_coverage_notes_the_failures_of_simulated_tools() -> None:
    agent = Agent(name="A", tools=[look])
    script = [model("A").calls("look"), tool("look").fails(), model("A").answers()]
    with collect() as coverage:
        route = play(agent, script)
    assert route.requests[-1].input[-1]["output"] == "An error occurred while running look."
    assert {str(one) for one in coverage.items() if one.subject == "tool" and one.count} == {
        "A: look called",
        "A: look failed",
    }


def test_tools_draw_from_the_results_that_the_caller_lists() -> None:
    agent = Agent(name="A", tools=[look])
    routes = walk(agent, runs=50, results={"look": ["here", "gone"]}, weights={"tool.raise": 0})
    values = {one.value for one in decisions_of(routes) if one.kind == "return"}
    assert values == {"here", "gone"}
    with pytest.raises(UserError, match="results names 'lock', but the workflow has no tool"):
        list(walk(agent, results={"lock": ["x"]}))
    with pytest.raises(UserError, match="results has no result for the tool 'look'"):
        list(walk(agent, results={"look": []}))


@pytest.mark.parametrize(
    "runs",
    [
        lambda source: list(walk(source)),
        lambda source: list(explore(source, 2)),
        lambda source: play(source, [model("Triage").answers()]),
        lambda source: same_behaviour(source, source, runs=1),
        witnesses,
    ],
)
def test_a_program_is_run_and_anything_else_is_refused(runs: Callable[[Any], object]) -> None:
    runs(compile(desk()))
    with pytest.raises(UserError, match="Expected an Agent or a Workflow, got NoneType"):
        runs(None)


def test_names_of_real_parts_are_a_list() -> None:
    with pytest.raises(UserError, match=r"real lists names, as in real=\['look'\]; it is a text"):
        list(walk(desk(), real="look"))


def test_a_keyword_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="dept"):
        list(walk(desk(), dept=3))  # type: ignore[call-arg]


def test_input_filters_run() -> None:
    target = Agent(name="B")
    entry = handoff(target, input_filter=lambda data: data.clone(input_history=()))
    route = play(
        Agent(name="A", handoffs=[entry]),
        [Decision("model", "handoff", "A", "transfer_to_b"), Decision("model", "answer", "B")],
        input="a secret",
    )
    assert "a secret" in json.dumps(route.requests[0].input)
    assert "a secret" not in json.dumps(route.requests[1].input, default=str)


def test_a_context_is_made_for_each_run() -> None:
    made: list[dict[str, int]] = []

    def context() -> dict[str, int]:
        made.append({})
        return made[-1]

    @function_tool
    def count(of: Any) -> str:
        """Count."""
        return ""

    list(walk(Agent(name="A"), runs=3, context=context))
    assert len(made) == 3


def test_a_model_without_parallel_calls_makes_one_call_in_a_reply() -> None:
    settings = ModelSettings(parallel_tool_calls=False, tool_choice="required")
    agent = Agent(name="A", tools=[look], model_settings=settings, reset_tool_choice=False)
    for route in walk(agent, runs=50, weights={"model.several": 50}, depth=3):
        replies = [one.reply for one in route.decisions if one.by == "model"]
        assert len(set(replies)) == len(replies)


def test_explored_routes_can_be_played() -> None:
    for route in explore(desk(), 3):
        assert play(desk(), route.decisions, depth=3) == route


async def test_the_stand_ins_leave_the_workflow_as_it_was() -> None:
    start = desk()
    before = (list(start.tools), list(start.handoffs), start.model)
    with pytest.raises(RuntimeError, match="another one runs in this thread"):
        list(walk(start))
    assert (start.tools, start.handoffs, start.model) == before
