"""Bounds by few rounds of loops are those of a search that tells all rounds apart."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from agentgraph import Agent, End, Workflow
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.prices import Least, Most, Quantity, Run, Whole
from agentgraph_compiler.analysis.rounds import cheapest_by_rounds, dearest_by_rounds
from agentgraph_compiler.analysis.walks import Walk, Walks


def judge(number: int) -> Any:
    def judge(text: object) -> bool:
        return True

    judge.__name__ = f"judge{number}"
    return judge


def _itself(value: bool) -> bool:
    return value


@st.composite
def loops(draw: st.DrawFn) -> Workflow:
    """Agents and functions in a row, with a limited way back from some of them."""
    count = draw(st.integers(2, 6))
    kinds = [True, *(draw(st.booleans()) for _ in range(count - 1))]
    steps = [Agent(name=f"A{n}") if kind else judge(n) for n, kind in enumerate(kinds)]
    flow = Workflow("Loops", start=steps[0])
    for number, step in enumerate(steps):
        onward = [*steps[number + 1 :], End()]
        target = draw(st.sampled_from(onward[:2]))
        if kinds[number] or draw(st.integers(0, 3)) == 0:
            flow.then(step, target)
        else:
            flow.route(
                step,
                on=_itself,
                cases={True: target, False: draw(st.sampled_from(steps[: number + 1]))},
                at_most={False: draw(st.sampled_from([1, 2, 5, 6]))},
                exhausted=draw(st.sampled_from(onward)),
            )
    return flow


@given(loops())
@settings(max_examples=150)
def test_few_rounds_tell_what_many_cost(flow: Workflow) -> None:
    analysis = Analysis(lower(flow)[0])
    root = analysis.flow(analysis.chart).roots[0]
    run = Run(analysis, analysis.chart, root, 10)
    whole, quantity = Whole(analysis, {}), Quantity.MODEL_CALLS

    def inner(run: Run) -> Walk:
        raise AssertionError("no agent runs inside another")

    most, least = Most(whole, run, quantity, inner), Least(whole, run, quantity, inner)
    far, near = Walks(run.flow, root, most).dearest(10), Walks(run.flow, root, least).cheapest(10)
    assert far.exact
    by_rounds = dearest_by_rounds(run.flow, root, most, 10)
    event(f"the most is told: {by_rounds is not None}")
    assert by_rounds is None or (by_rounds.amount, by_rounds.why) == (far.amount, far.why)
    shortest = cheapest_by_rounds(run.flow, root, least, 10)
    event(f"the least is told: {shortest is not None}")
    if shortest is not None:
        assert near is not None
        assert shortest.amount == near.amount
