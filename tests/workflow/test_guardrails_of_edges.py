"""Guardrails in workflows with edges: those of agents judge each step, those of the run its input
and what leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import (
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    SQLiteSession,
    Workflow,
)
from agentgraph.workflow import End
from tests.workflow.flows import Review, agent

Judged = list[tuple[str, object]]


def judging_input(name: str, judged: Judged, *, parallel: bool = True) -> InputGuardrail[Any]:
    def judge(context: Any, agent: Any, text: Any) -> GuardrailFunctionOutput:
        judged.append((name, text if isinstance(text, str) else text[-1]["content"]))
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    return InputGuardrail(judge, name=name, run_in_parallel=parallel)


def judging_output(name: str, judged: Judged, refuses: object = None) -> OutputGuardrail[Any]:
    def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        judged.append((name, output))
        return GuardrailFunctionOutput(None, tripwire_triggered=output == refuses)

    return OutputGuardrail(judge, name=name)


async def run(
    flow: Workflow, config: RunConfig, *, streamed: bool, session: SQLiteSession | None = None
) -> object:
    if not streamed:
        plain = await Runner.run(flow, "hi", run_config=config, session=session)
        return plain.final_output
    result = Runner.run_streamed(flow, "hi", run_config=config, session=session)
    async for _ in result.stream_events():
        pass
    return result.final_output


streamed_or_not = pytest.mark.parametrize("streamed", [False, True])


@streamed_or_not
@pytest.mark.parametrize("parallel", [False, True])
async def test_input_guardrails_of_the_run_do_not_run_again_in_a_loop_to_the_start(
    streamed: bool, parallel: bool
) -> None:
    judged: Judged = []
    own = judging_input("own", judged, parallel=parallel)
    start = agent("Start", "one", "two", "three", input_guardrails=[own])
    flow = Workflow("Loop", start=start)
    flow.then(start, start, at_most=2, exhausted=End())
    config = RunConfig(input_guardrails=[judging_input("run", judged, parallel=parallel)])
    assert await run(flow, config, streamed=streamed) == "three"
    assert judged == [("own", "hi"), ("run", "hi"), ("own", "one"), ("own", "two")]


@streamed_or_not
async def test_a_start_with_guardrails_of_the_run_only_is_entered_by_an_edge_without_any(
    streamed: bool,
) -> None:
    judged: Judged = []
    start = agent("Start", "one", "two")
    flow = Workflow("Loop", start=start)
    flow.then(start, start, at_most=1, exhausted=End())
    blocking = judging_input("blocking", judged, parallel=False)
    config = RunConfig(input_guardrails=[judging_input("beside", judged), blocking])
    assert await run(flow, config, streamed=streamed) == "two"
    assert sorted(judged) == [("beside", "hi"), ("blocking", "hi")]


def shout(text: str) -> str:
    return text.upper()


def ending(last: object, judged: Judged) -> Workflow:
    """A workflow that ends with a function, an end, an agent or the output before an end."""
    first = agent("First", "one", output_guardrails=[judging_output("own", judged)])
    flow = Workflow("Ending", start=first)
    flow.then(first, last)
    return flow


@streamed_or_not
@pytest.mark.parametrize(
    ("last", "output"),
    [(End(), "one"), (End("bye"), "bye"), (End(7), 7), (shout, "ONE"), (None, "two")],
)
async def test_output_guardrails_of_the_run_judge_whatever_leaves_it_and_nothing_before(
    last: object, output: object, streamed: bool
) -> None:
    judged: Judged = []
    flow = ending(agent("Last", "two") if last is None else last, judged)
    config = RunConfig(output_guardrails=[judging_output("run", judged)])
    assert await run(flow, config, streamed=streamed) == output
    assert judged == [("own", "one"), ("run", output)]


@streamed_or_not
@pytest.mark.parametrize(("last", "output"), [(End(), "one"), (End("bye"), "bye"), (shout, "ONE")])
async def test_an_output_that_a_guardrail_of_the_run_refuses_is_not_stored(
    last: object, output: str, streamed: bool
) -> None:
    judged: Judged = []
    session = SQLiteSession("s")
    config = RunConfig(output_guardrails=[judging_output("run", judged, refuses=output)])
    with pytest.raises(OutputGuardrailTripwireTriggered) as error:
        await run(ending(last, judged), config, streamed=streamed, session=session)
    assert error.value.guardrail_result.guardrail.get_name() == "run"
    assert await session.get_items() == [{"content": "hi", "role": "user"}]


@streamed_or_not
async def test_a_loop_that_ends_with_the_output_before_it_is_judged_once(streamed: bool) -> None:
    judged: Judged = []
    no = Review(ok=False)
    review = agent("Review", no, no, no, output_type=Review)
    flow = Workflow("Loop", start=review)
    flow.route(
        review,
        on="ok",
        cases={True: End(), False: review},
        at_most={False: 2},
        exhausted=End(),
    )
    config = RunConfig(output_guardrails=[judging_output("run", judged)])
    assert await run(flow, config, streamed=streamed) == no
    assert judged == [("run", no)]
