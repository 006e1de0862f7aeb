"""Bounds of workflows with edges: turns count within a visit of a step, and loops have limits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import agentgraph
from agentgraph import Agent, End, ModelSettings, Workflow, function_tool
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler.analysis.bounds import RunBounds
from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.analysis.turns import fewest_turns

ONE_CALL = ModelSettings(parallel_tool_calls=False)
MUST_CALL = ModelSettings(parallel_tool_calls=False, tool_choice="required")


@function_tool
def look(text: str) -> str:
    """Look it up."""
    return text


def clerk(name: str, settings: ModelSettings = ONE_CALL) -> Agent[Any]:
    return Agent(name=name, tools=[look], model_settings=settings)


def good(text: object) -> bool:
    return True


def bounds_of(flow: Workflow, **options: Any) -> RunBounds:
    return agentgraph.compile(flow).bounds(**options)


def words(result: RunBounds) -> list[str]:
    return [str(bound) for _, bound in result.rows()]


def chain(*agents: Agent[Any]) -> Workflow:
    flow = Workflow("Chain", start=agents[0])
    for one, other in pairwise(agents):
        flow.then(one, other)
    return flow


def loop(inner: int, outer: int | None = None) -> Workflow:
    """A draft and a function that judges it; round that, one that begins anew."""
    plan, draft = Agent(name="Plan"), Agent(name="Draft")
    flow = Workflow("Loop", start=plan)
    flow.then(plan, draft)
    flow.then(draft, good)
    last = End() if outer is None else again
    flow.route(
        good, on=_itself, cases={True: last, False: draft}, at_most={False: inner}, exhausted=last
    )
    if outer is not None:
        flow.then(again, plan, at_most=outer, exhausted=End())
    return flow


def again(text: object) -> str:
    return "again"


def _itself(value: bool) -> bool:
    return value


def test_turns_count_anew_in_each_visit() -> None:
    result = bounds_of(chain(clerk("First"), clerk("Second")), max_turns=3)
    # The first agent has to answer in its last turn, the second may use it for one more call.
    assert words(result) == ["2 to 6", "2 to 24", "0 to 5", "0 to 0"]
    assert result.model_calls.why == "max_turns=3 in each visit of a step"
    assert result.model_calls.most_path == ("First",) * 3 + ("Second",) * 3


def test_agents_without_tools_have_no_need_of_the_limit() -> None:
    result = bounds_of(chain(Agent(name="A"), Agent(name="B")), max_turns=1)
    assert (words(result)[0], result.model_calls.why) == ("2 to 2", "")


@pytest.mark.parametrize("rounds", [1, 3, 40])
def test_a_limited_loop_adds_its_rounds(rounds: int) -> None:
    result = bounds_of(loop(rounds))
    assert words(result)[0] == f"2 to {2 + rounds}"


def test_rounds_count_anew_when_a_run_comes_back_from_outside() -> None:
    result = bounds_of(loop(2, outer=3))
    assert words(result)[0] == f"{4 * (1 + 1)} to {4 * (1 + 1 + 2)}"


def test_a_loop_without_a_limit_has_no_bound_and_says_why() -> None:
    draft = Agent(name="Draft")
    flow = Workflow("Endless", start=draft)
    flow.then(draft, good)
    flow.route(good, on=_itself, cases={True: End(), False: draft})
    result = bounds_of(flow)
    assert words(result) == ["1 to no bound", "1 to no bound", "0 to 0", "0 to 0"]
    assert result.model_calls.why == "nothing limits how often a run comes back to a step"


def test_an_agent_that_comes_back_by_an_edge_has_not_acted() -> None:
    must = clerk("Must", MUST_CALL)
    flow = Workflow("Acting", start=must)
    flow.then(must, must, at_most=1, exhausted=End())
    # Each visit needs a turn for the call and one for the answer.
    assert words(bounds_of(flow))[0].startswith("4 to ")


@pytest.mark.parametrize("turns", [1, 2])
def test_the_fewest_turns_are_those_of_the_longest_visit(turns: int) -> None:
    settings = MUST_CALL if turns == 2 else ONE_CALL
    flow = Flow(lower(chain(Agent(name="A"), clerk("B", settings), Agent(name="C")))[0])
    way = fewest_turns(flow, flow.roots[0])
    assert way is not None
    assert (way.amount, way.path) == (turns, ("B",) * turns if turns == 2 else ("A",))


@pytest.mark.parametrize(("inner", "outer"), [(5_000, 4_000), (300, 300), (9, 10_000)])
def test_loops_within_loops_with_thousands_of_rounds_have_exact_bounds(
    inner: int, outer: int
) -> None:
    result = bounds_of(loop(inner, outer)).model_calls
    # Each of the outer rounds plans once, and drafts once at the least.
    rounds = outer + 1
    assert (result.least, result.most) == (2 * rounds, rounds * (1 + inner + 1))
    assert (result.exact, result.why) == (True, "")
    assert result.most_path == ("Plan", "Draft", "Draft", "Draft", "…")
    assert result.least_path[-1] == "…"


def test_a_loop_that_a_run_may_leave_early_is_left_early() -> None:
    result = bounds_of(loop(10_000)).model_calls
    assert (result.least, result.most, result.exact) == (2, 10_002, True)
    assert result.least_path == ("Plan", "Draft")


def test_a_costly_way_out_is_worth_some_rounds_of_a_loop_but_not_all() -> None:
    def leaving_after(rounds: int) -> int | None:
        draft, late = Agent(name="Draft"), [Agent(name=f"Late{number}") for number in range(9)]
        flow = Workflow("Loop", start=draft)
        flow.then(draft, good)
        flow.route(
            good,
            on=_itself,
            cases={True: late[0], False: draft},
            at_most={False: rounds},
            exhausted=End(),
        )
        for one, other in pairwise([*late, End()]):
            flow.then(one, other)
        result = bounds_of(flow).model_calls
        assert result.exact
        return result.least

    assert [leaving_after(rounds) for rounds in (3, 8, 9, 10, 5_000)] == [4, 9, 10, 10, 10]


def test_more_loops_than_the_search_tells_apart_are_said_to_be_not_exact() -> None:
    agents = [Agent(name=f"A{number}") for number in range(9)]
    flow = Workflow("Loops", start=agents[0])
    for one, other in pairwise([*agents, End()]):
        judge = _judge(one.name)
        flow.then(one, judge)
        flow.route(
            judge,
            on=_itself,
            cases={True: other, False: one},
            at_most={False: 1_000},
            exhausted=other,
        )
    result = bounds_of(flow)
    assert not result.model_calls.exact
    assert "note: the true ends may lie inside: agents that have acted and rounds" in str(result)


def _judge(name: str) -> Any:
    def judge(text: object) -> bool:
        return True

    judge.__name__ = f"judge{name}"
    return judge


def test_an_edge_after_an_exception_counts_for_the_most_and_not_for_the_least() -> None:
    write, person = Agent(name="Write"), Agent(name="Person")
    flow = Workflow("Writing", start=write)
    flow.on_error(write, person)
    calls = agentgraph.compile(flow).bounds().model_calls
    assert (calls.least, calls.most) == (1, 2)
    assert calls.most_path[-1] == "Person"
