"""The bounds of small workflows are those of all their runs, tried one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

from hypothesis import assume, event, given, settings

from agentgraph import Agent
from agentgraph.frontend.lower_workflow import lower
from agentgraph.frontend.targets import target_of
from agentgraph.program import check
from agentgraph.testing import Route, explore
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
