"""Simulated runs of workflows with branches: functions and agents in them are decided on, too."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from agentgraph import Agent, Workflow
from agentgraph.testing import explore, play, walk, witnesses


class Plan(BaseModel):
    queries: list[str]


class Verdict(BaseModel):
    ok: bool


def words(text: str) -> int:
    raise AssertionError("a simulated run calls no function")


def board() -> Workflow:
    plan, search = Agent(name="Plan", output_type=Plan), Agent(name="Search")
    inner = Workflow("Inner", start=plan)
    inner.each(plan, on="queries", run=search, at_most=2, concurrency=1)
    draft, legal = Agent(name="Draft"), Agent(name="Legal", output_type=Verdict)
    flow = Workflow("Board", start=draft)
    step = flow.parallel("board", [legal, words])
    flow.then(draft, inner)
    flow.then(inner, step)
    flow.then(step, Agent(name="After"))
    return flow


def test_a_simulated_run_comes_to_every_branch() -> None:
    routes = list(explore(board()))
    assert routes
    assert {str(route.end) for route in routes} == {"answered"}
    by = {(one.by, one.name or one.agent) for route in routes for one in route.decisions}
    assert by >= {("model", "Draft"), ("model", "Plan"), ("model", "Legal"), ("function", "words")}


@pytest.mark.parametrize("seed", range(5))
def test_a_run_with_branches_repeats(seed: int) -> None:
    (route,) = walk(board(), seed)
    assert play(board(), route.decisions).decisions == route.decisions


def test_witnesses_cover_the_agents_of_the_main_line() -> None:
    made = witnesses(board())
    names = {owed.title for run in made.runs for owed in run.meets}
    assert names >= {"Draft", "After"}
