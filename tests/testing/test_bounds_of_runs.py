"""The bounds of small workflows are those of all their runs, tried one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

from hypothesis import assume, event, given, settings

from agentgraph import Agent, ModelSettings, RunConfig, Runner, compile, function_tool
from agentgraph.agent_tool import AgentTool
from agentgraph.frontend.followed import agents_of_chart
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.targets import target_of
from agentgraph.program import check
from agentgraph.run_error_handlers import RunErrorHandlers
from agentgraph.testing import Route, ScriptedModel, explore, function_call
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.bounds import bounds
from tests.testing.test_exploring import workflows

DEPTH, MOST_ROUTES = 6, 400


def with_single_calls(start: Agent[Any]) -> Agent[Any]:
    """A workflow in which a reply holds one call, as in the runs of `explore`."""
    waiting, seen = [start], set[int]()
    while waiting:
        agent = waiting.pop()
        if id(agent) in seen:
            continue
        seen.add(id(agent))
        agent.model_settings = replace(agent.model_settings, parallel_tool_calls=False)
        targets = map(target_of, agent.handoffs)
        inner = (getattr(tool, "agent", None) for tool in agent.tools)
        waiting += [one for one in (*targets, *inner) if one is not None]
    return start


def calls(route: Route) -> tuple[int, int]:
    """The tool calls and the handoffs of a run."""
    moves = [one.what for one in route.decisions if one.by == "model"]
    handoffs = sum(move.startswith("transfer_to_") for move in moves)
    return len(moves) - moves.count("answer") - handoffs, handoffs


ONE_CALL = RunConfig(model_settings=ModelSettings(parallel_tool_calls=False))
HANDLERS: RunErrorHandlers[Any] = {"max_turns": lambda failure: "Out of turns."}


@given(workflows())
@settings(max_examples=20)
def test_a_run_that_asks_for_single_calls_has_the_bounds_of_agents_that_do(
    start: Agent[Any],
) -> None:
    assume(not any(one.severity == "error" for one in check(start)))
    of_run = compile(start).bounds(run_config=ONE_CALL)
    assert of_run == compile(with_single_calls(start)).bounds()


@given(workflows())
@settings(max_examples=30)
def test_with_a_handler_runs_that_use_up_their_turns_end_well(start: Agent[Any]) -> None:
    assume(not any(one.severity == "error" for one in check(start)))
    agents = agents_of_chart(start).values()
    assume(not any(isinstance(tool, AgentTool) for agent in agents for tool in agent.tools))
    with_single_calls(start)
    depth = 3
    result = compile(start).bounds(max_turns=depth, error_handlers=HANDLERS)
    routes = list(explore(start, depth))
    good = [route for route in routes if route.end in ("answered", "cut")]
    assert result.model_calls.exact
    assert (result.model_calls.least, result.model_calls.most) == (
        min((len(route.agents) for route in good), default=None),
        max(len(route.agents) for route in routes),
    )
    of_good = [calls(route) for route in good]
    of_all = [calls(route) for route in routes]
    for place, bound in enumerate((result.tool_calls, result.handoffs)):
        assert bound.least == min((one[place] for one in of_good), default=None)
        assert bound.most == max(one[place] for one in of_all)


async def test_a_run_attains_the_bounds_with_a_handler() -> None:
    agent = Agent(
        name="A",
        tools=[function_tool(lambda: "more", name_override="look")],
        model=ScriptedModel([[function_call("look", {}, call_id=f"call_{n}")] for n in range(3)]),
        model_settings=ModelSettings(tool_choice="required"),
        reset_tool_choice=False,
    )
    assert compile(agent).bounds(max_turns=3).model_calls.least is None
    result = await Runner.run(agent, "Go on.", max_turns=3, error_handlers=HANDLERS)
    assert result.final_output == "Out of turns."
    bound = compile(agent).bounds(max_turns=3, error_handlers=HANDLERS)
    calls_made = len(result.raw_responses)
    assert (bound.model_calls.least, bound.model_calls.most) == (calls_made, calls_made)
    assert bound.model_calls.least_path == ("A",) * 3
    assert "a handler of used-up turns gives an output" in str(bound)


@given(workflows())
@settings(max_examples=30)
def test_a_run_attains_each_end_and_none_goes_beyond(start: Agent[Any]) -> None:
    assume(not any(one.severity == "error" for one in check(start)))
    [of_start] = bounds(Analysis(lower(with_single_calls(start))[0]))
    model_calls = of_start.model_calls
    routes = list(islice(explore(start, DEPTH), MOST_ROUTES))
    answered = [route for route in routes if route.end == "answered"]
    for route in answered:
        assert model_calls.least is not None
        assert model_calls.least <= len(route.agents)
    for route in routes:
        assert model_calls.most is None or len(route.agents) <= model_calls.most
    assert model_calls.exact
    if len(routes) == MOST_ROUTES:
        return
    if model_calls.least is not None and model_calls.least <= DEPTH:
        assert model_calls.least == min(len(route.agents) for route in answered)
        assert model_calls.least_path in {route.agents for route in answered}
    else:
        assert not answered
    is_complete = all(route.end != "cut" for route in routes)
    event(f"complete: {is_complete}")
    assert is_complete == (model_calls.most is not None and model_calls.most <= DEPTH)
    if is_complete:
        assert model_calls.most == max(len(route.agents) for route in routes)
        assert model_calls.most_path in {route.agents for route in routes}
        counts = zip(*(calls(route) for route in routes), strict=True)
        of_answered = zip(*(calls(route) for route in answered), strict=True)
        others = (of_start.tool_calls, of_start.handoffs)
        for bound, of_all, of_good in zip(others, counts, of_answered, strict=True):
            assert (bound.least, bound.most) == (min(of_good), max(of_all))
