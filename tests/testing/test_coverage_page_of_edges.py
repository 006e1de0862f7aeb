"""The drawing in the report of a coverage: edges, last rounds and functions in its colours."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from agentgraph import Agent, End, Runner, Workflow
from agentgraph.testing import ScriptedModel, assistant_message
from agentgraph.testing.coverage import collect
from agentgraph.testing.coverage.page import coloured
from agentgraph_compiler.render.picture import Arrow, Cover, Picture


class Review(BaseModel):
    ok: bool


def says(*texts: str) -> ScriptedModel:
    return ScriptedModel([[assistant_message(text)] for text in texts])


def send(text: object) -> str:
    return "sent"


def throw_away(text: object) -> str:
    return "thrown away"


def letters(*verdicts: bool) -> Workflow:
    draft = Agent(name="Draft", model=says(*["Dear you"] * len(verdicts)))
    answers = [Review(ok=verdict).model_dump_json() for verdict in verdicts]
    review: Agent[Any] = Agent(name="Review", output_type=Review, model=says(*answers))
    flow = Workflow("Letters", start=draft)
    flow.then(draft, review)
    flow.route(
        review,
        on="ok",
        cases={True: send, False: draft},
        at_most={False: 1},
        exhausted=throw_away,
    )
    flow.then(throw_away, End("No letter."))
    return flow


async def picture_after(*verdicts: bool) -> Picture:
    with collect() as coverage:
        await Runner.run(letters(*verdicts), "Write.")
    [workflow] = coverage.workflows
    return coloured(workflow)["agents"]


def covers_of(picture: Picture) -> dict[str, Cover]:
    return {box.title: box.cover for box in picture.root.walk()}


def between(picture: Picture, source: str, target: str) -> Arrow:
    title = {box.id: box.title for box in picture.root.walk()}
    [arrow] = [
        one for one in picture.arrows if (title[one.source], title[one.target]) == (source, target)
    ]
    return arrow


async def test_a_loop_is_covered_apart_from_what_follows_its_last_round() -> None:
    picture = await picture_after(False, True)
    assert between(picture, "Review", "Draft").cover is Cover.COVERED
    assert between(picture, "Review", "send()").cover is Cover.COVERED
    assert between(picture, "Review", "throw_away()").cover is Cover.MISSING
    covers = covers_of(picture)
    assert (covers["send()"], covers["throw_away()"]) == (Cover.COVERED, Cover.MISSING)
    assert covers["end: No letter."] is Cover.MISSING


async def test_the_way_after_the_last_round_is_covered_by_a_run_that_takes_it() -> None:
    picture = await picture_after(False, False)
    assert between(picture, "Review", "Draft").cover is Cover.COVERED
    assert between(picture, "Review", "throw_away()").cover is Cover.COVERED
    assert between(picture, "Review", "send()").cover is Cover.MISSING
