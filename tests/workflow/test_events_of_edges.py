"""The stream of every workflow with edges is a word of the grammar in docs/workflows.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from agentgraph import Agent, End, RunConfig, Runner, Workflow, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.docs.event_grammar import is_word
from tests.docs.test_event_grammar import CALL, HANDED, HANDOFF, MESSAGE, OUTPUT, R, U, name_of

MOST_VISITS = 40


@pytest.mark.parametrize(
    ("names", "verdict"),
    [
        ([U, R, MESSAGE, U, R, MESSAGE], True),
        ([U, R, CALL, OUTPUT, R, MESSAGE, U, R, MESSAGE, MESSAGE], True),
        ([U, R, HANDOFF, HANDED, U, R, MESSAGE, U, R, MESSAGE], True),
        ([U, R, MESSAGE, MESSAGE, U, R, MESSAGE], True),  # a reply may have two messages
        ([R, MESSAGE, U, R, MESSAGE], False),
        ([U, R, MESSAGE, HANDED, R, MESSAGE], False),
        ([U, R, MESSAGE, U, MESSAGE, R], False),
        ([MESSAGE], False),
    ],
)
def test_the_grammar_of_edges_tells_a_right_order_from_a_wrong_one(
    names: Iterable[str], verdict: bool
) -> None:
    assert is_word(names, edges=True) is verdict


class Drawn(NamedTuple):
    """A workflow.

    Args:
        workflow: The workflow.
        models: The models of its agents, those in regions included.
        writes: Whether the run ends with the output of a function or an end.
    """

    workflow: Workflow
    models: list[ScriptedModel]
    writes: bool


@function_tool
async def look() -> str:
    """Look."""
    return "seen"


def scripted(agent: str, tool: str = "", *, answers: bool = True) -> ScriptedModel:
    """A model that does the same in each visit of its step: it calls a tool, then it answers."""
    script: list[Any] = []
    for visit in range(MOST_VISITS):
        if tool:
            script.append([function_call(tool, {}, call_id=f"{agent}-{visit}")])
        if answers:
            script.append([assistant_message(f"{agent} is done", item_id=f"{agent}-{visit}")])
    return ScriptedModel(script)


def agent_of(number: int, kind: str, models: list[ScriptedModel]) -> Agent[Any]:
    name, fields = f"a{number}", dict[str, Any]()
    model = scripted(name)
    match kind:
        case "tool":
            model, fields = scripted(name, "look"), {"tools": [look]}
        case "handoff":
            inner = f"b{number}"
            models.append(scripted(inner))
            target: Agent[Any] = Agent(name=inner, model=models[-1])
            model = scripted(name, f"transfer_to_{inner}", answers=False)
            fields = {"handoffs": [target]}
        case _:
            pass
    models.append(model)
    return Agent(name=name, model=model, **fields)


def judge(number: int, verdicts: list[bool]) -> Any:
    async def judge(text: object) -> bool:
        return verdicts.pop() if verdicts else True

    judge.__name__ = f"judge{number}"
    return judge


def _itself(value: bool) -> bool:
    return value


@st.composite
def workflows(draw: st.DrawFn) -> Drawn:
    kinds = draw(st.lists(st.sampled_from(["plain", "tool", "handoff", "judge"]), max_size=5))
    models: list[ScriptedModel] = []
    steps: list[Any] = [agent_of(0, draw(st.sampled_from(["plain", "tool", "handoff"])), models)]
    verdicts = draw(st.lists(st.booleans(), max_size=6))
    for number, kind in enumerate(kinds, 1):
        is_judge = kind == "judge"
        steps.append(judge(number, [*verdicts]) if is_judge else agent_of(number, kind, models))
    end = draw(st.sampled_from([None, End(), End("bye"), End(7)]))
    flow = Workflow("Drawn", start=steps[0])
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        onward = end if last else steps[number + 1]
        if onward is None:
            continue
        if number and kinds[number - 1] == "judge" and draw(st.booleans()):
            back = steps[draw(st.integers(0, number))]
            limit = draw(st.integers(1, 3))
            cases = {True: onward, False: back}
            flow.route(step, on=_itself, cases=cases, at_most={False: limit}, exhausted=onward)
        else:
            flow.then(step, onward)
    if not flow._edges:
        flow.then(steps[0], End())
    ends_in_function = end is None and bool(kinds) and kinds[-1] == "judge"
    writes = ends_in_function or (end is not None and not end.passes_on)
    return Drawn(flow, models, writes)


@given(workflows())
@settings(max_examples=100)
async def test_the_stream_of_every_workflow_is_a_word_of_the_grammar(drawn: Drawn) -> None:
    config = RunConfig(tracing_disabled=True)
    result = Runner.run_streamed(drawn.workflow, "go", run_config=config)
    events = [one async for one in result.stream_events()]
    names = [name_of(one) for one in events]
    assert is_word(names, edges=True), names
    event(f"ends with the output of a function or an end: {drawn.writes}")
    turns = sum(len(model.calls) for model in drawn.models)
    # Each turn of a plain run is a call of its model; a call of a tool takes one more.
    assert names.count(U) == turns - names.count(CALL)
    assert names.count(MESSAGE) == names.count(U) - names.count(HANDED) + drawn.writes
    items = [one.item for one in events if one.type == "run_item_stream_event"]
    assert [id(item) for item in items] == [id(item) for item in result.new_items]
