"""A run of any workflow of functions takes the way that the same program takes by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from agentgraph import Agent, End, Runner, Workflow, between, output_of
from agentgraph.exceptions import RoutingError
from agentgraph.testing import ScriptedModel, assistant_message

END, MOST_STEPS = -1, 60
VALUES = st.integers(0, 9)


@dataclass(frozen=True)
class Way:
    """A way out of a step.

    Args:
        low: The smallest value that takes it.
        high: The largest.
        target: The number of the next step; -1 for the end.
        at_most: How often; 0 for no limit.
        exhausted: The number of the step after that.
        source: The number of the step whose output the next one gets; -1 for this one's.
    """

    low: int
    high: int
    target: int
    at_most: int
    exhausted: int
    source: int


@dataclass(frozen=True)
class Drawn:
    """A workflow.

    Args:
        adds: What each step adds to what it gets, modulo 10.
        ways: The ways out of each step.
        first: What the first step gets.
    """

    adds: list[int]
    ways: list[list[Way]]
    first: int


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    count = draw(st.integers(1, 5))
    targets = st.integers(END, count - 1)
    ways = [
        draw(
            st.lists(
                st.builds(
                    Way,
                    low=VALUES,
                    high=st.just(9),
                    target=targets,
                    at_most=st.sampled_from([0, 1, 2]),
                    exhausted=targets,
                    source=st.integers(END, count - 1),
                ),
                min_size=1,
                max_size=3,
                unique_by=lambda way: way.low,
            )
        )
        for _ in range(count)
    ]
    return Drawn([draw(VALUES) for _ in range(count)], ways, draw(VALUES))


class Stuck(Exception):
    """The program goes on for too long."""


def by_hand(flow: Drawn) -> tuple[list[tuple[int, int]], str]:
    """The steps with what each gave, and how the program ends."""
    passed: list[tuple[int, int]] = []
    outputs: dict[int, int] = {}
    rounds: dict[tuple[int, int], int] = {}
    at, value = 0, flow.first
    while True:
        if len(passed) == MOST_STEPS:
            raise Stuck
        value = outputs[at] = (value + flow.adds[at]) % 10
        passed.append((at, value))
        place = next((n for n, way in enumerate(flow.ways[at]) if way.low <= value), None)
        if place is None:
            return passed, "no case"
        way, target = flow.ways[at][place], flow.ways[at][place].target
        if way.at_most:
            edge = (at, place)
            if rounds.get(edge, 0) < way.at_most:
                count = rounds.get(edge, 0) + 1
            else:
                edge, count, target = (-1, -1), 0, way.exhausted
        else:
            edge, count = (-1, -1), 0
        giver = way.source if target == way.target != END and way.source != END else at
        before, at = at, target
        if at == END:
            return passed, "end"
        if giver not in outputs:
            return passed, "no output"
        loops = {one: loop(flow, one) for one in rounds}
        for one, steps in loops.items():
            if at in steps and before not in steps:
                del rounds[one]
        if edge != (-1, -1):
            rounds[edge] = count
        value = outputs[giver]


def loop(flow: Drawn, edge: tuple[int, int]) -> set[int]:
    """The steps of the loop that a limited way closes, with those of loops beside it."""
    source, place = edge
    header = flow.ways[source][place].target
    around = [
        alone(flow, (number, place))
        for number, ways in enumerate(flow.ways)
        for place, way in enumerate(ways)
        if way.at_most and way.target == header
    ]
    own = alone(flow, edge)
    return own.union(*(one for one in around if one - own and own - one))


def alone(flow: Drawn, edge: tuple[int, int]) -> set[int]:
    """The steps of the loop that a limited way closes by itself."""
    source, place = edge
    header = flow.ways[source][place].target
    onward = {
        step: {way.target for way in ways} | {way.exhausted for way in ways if way.at_most}
        for step, ways in enumerate(flow.ways)
    }
    steps = {header, source}
    grown = True
    while grown:
        before = {
            step
            for step, targets in onward.items()
            if targets & (steps - {header}) and step not in steps
        }
        grown = bool(before) and source != header
        steps |= before if source != header else set()
    return steps


def compiled(flow: Drawn, passed: list[tuple[int, int]]) -> Workflow:
    def function(number: int) -> Callable[[Any], Any]:
        async def work(value: object) -> int:
            if len(passed) == MOST_STEPS:
                raise Stuck
            result = (int(str(value)) + flow.adds[number]) % 10
            passed.append((number, result))
            return result

        work.__name__ = f"step{number}"
        return work

    model = ScriptedModel([[assistant_message(str(flow.first))]])
    start, steps = Agent(name="Start", model=model), [function(n) for n in range(len(flow.adds))]
    made = Workflow("Drawn", start=start)
    made.then(start, steps[0])
    for number, ways in enumerate(flow.ways):
        targets = [End("end") if way.target == END else steps[way.target] for way in ways]
        cases = {between(way.low, way.high): targets[n] for n, way in enumerate(ways)}
        limits = {between(way.low, way.high): way.at_most for way in ways if way.at_most}
        exhausted = next((way.exhausted for way in ways if way.at_most), END)
        made.route(
            steps[number],
            on=_itself,
            cases=cases,
            give={
                steps[way.target]: output_of(steps[way.source])
                for way in ways
                if way.target != END and way.source != END
            },
            at_most=limits,
            exhausted=End("end") if exhausted == END else steps[exhausted],
        )
    return made


def _itself(value: int) -> Any:
    return value


def settled(flow: Drawn) -> Drawn:
    """The workflow as a route can say it: one step after all limits, one output for each target."""
    ways: list[list[Way]] = []
    for of_step in flow.ways:
        exhausted = next((way.exhausted for way in of_step if way.at_most), END)
        sources = {way.target: way.source for way in of_step if way.source != END}
        ways.append(
            [
                Way(
                    low=way.low,
                    high=way.high,
                    target=way.target,
                    at_most=way.at_most,
                    exhausted=exhausted,
                    source=sources.get(way.target, END),
                )
                for way in of_step
            ]
        )
    return Drawn(flow.adds, ways, flow.first)


@given(drawn())
@settings(max_examples=150, deadline=None)
def test_a_run_takes_the_way_of_the_program_by_hand(flow: Drawn) -> None:
    flow = settled(flow)
    passed: list[tuple[int, int]] = []
    workflow = compiled(flow, passed)
    try:
        expected, end = by_hand(flow)
    except Stuck:
        event("goes on")
        with pytest.raises(Stuck):
            Runner.run_sync(workflow, "go")
        return
    event(end)
    if end == "end":
        result = Runner.run_sync(workflow, "go")
        assert result.final_output == "end"
    else:
        with pytest.raises(RoutingError if end == "no case" else Exception):
            Runner.run_sync(workflow, "go")
    assert passed == expected
