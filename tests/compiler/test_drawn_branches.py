"""Drawings of steps with branches."""

from __future__ import annotations

from pydantic import BaseModel

from agentgraph import Agent, Workflow, compile, quorum
from agentgraph_compiler.render.agents import agents_picture
from agentgraph_compiler.render.picture import Box, Picture, Role, Stroke


class Plan(BaseModel):
    queries: list[str]


def words(text: str) -> int:
    return len(text.split())


def picture() -> Picture:
    plan, search = Agent(name="Plan", output_type=Plan), Agent(name="Search")
    inner = Workflow("Inner", start=plan)
    inner.each(plan, on="queries", run=search, at_most=5, concurrency=2)
    draft, legal = Agent(name="Draft"), Agent(name="Legal")
    flow = Workflow("Flow", start=draft)
    board = flow.parallel("board", [legal, inner, words], join=quorum(2))
    flow.then(draft, board)
    return agents_picture(compile(flow).chart)


def boxes(drawn: Picture) -> dict[str, Box]:
    frames = [drawn.root]
    for frame in frames:
        frames.extend(frame.frames)
    return {box.title: box for frame in frames for box in frame.boxes}


def test_a_step_with_branches_has_a_box_with_its_functions_and_its_join() -> None:
    board = boxes(picture())["board"]
    assert board.role is Role.BRANCHES
    assert [(row.name, row.remark) for row in board.rows] == [
        ("words()", "branch"),
        ("waits for", "2 of 3"),
    ]


def test_arrows_lead_to_what_runs_in_a_branch() -> None:
    drawn = picture()
    title = {box.id: name for name, box in boxes(drawn).items()}
    runs = {
        (title[arrow.source], title[arrow.target])
        for arrow in drawn.arrows
        if arrow.stroke is Stroke.BRANCH
    }
    assert runs == {("board", "Legal"), ("board", "Plan"), ("each Search", "Search")}
    assert {boxes(drawn)[name].role for name in ("Legal", "Plan", "Search")} == {Role.AGENT}


def test_both_levels_are_drawn() -> None:
    plan = Agent(name="Plan", output_type=Plan)
    flow = Workflow("Flow", start=plan)
    flow.each(plan, on="queries", run=words, at_most=5, concurrency=2)
    program = compile(flow)
    assert "at most 5, 2 at a time" in program.draw()
    states = program.draw(level="states")
    assert "splitting" in states
    assert "branching" in states
