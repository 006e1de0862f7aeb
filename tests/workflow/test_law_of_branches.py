"""A run with branches gives what the same program by hand in asyncio gives, whatever the timing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentgraph import Agent, Runner, Workflow, all_of, first_of, quorum
from agentgraph.testing import ScriptedModel, assistant_message

DELAYS = st.sampled_from([0.0, 0.001, 0.002, 0.004])
Function = Callable[[Any], Awaitable[int]]


@dataclass(frozen=True)
class Drawn:
    """Steps one after another, each a list of branches, and lists that `each` works on.

    Args:
        stages: The delays of the branches of each step.
        items: How many items the last step works on.
        places: How many of them at the same time.
    """

    stages: list[list[float]]
    items: int
    places: int


DRAWN = st.builds(
    Drawn,
    stages=st.lists(st.lists(DELAYS, min_size=1, max_size=4), min_size=1, max_size=3),
    items=st.integers(0, 5),
    places=st.integers(1, 5),
)


def branch(name: str, delay: float) -> Function:
    async def work(value: Any) -> int:
        await asyncio.sleep(delay)
        before = sum(value) if isinstance(value, list) else len(str(value))
        return before * 31 + len(name) + int(name[-1])

    work.__name__ = name
    return work


async def item(number: int) -> int:
    await asyncio.sleep(0.003 / (1 + number % 3))
    return number * number


def functions(drawn: Drawn) -> list[list[Function]]:
    return [
        [branch(f"s{stage}b{number}", delay) for number, delay in enumerate(delays)]
        for stage, delays in enumerate(drawn.stages)
    ]


async def by_hand(drawn: Drawn) -> list[int]:
    value: object = "go"
    for works in functions(drawn):
        value = await asyncio.gather(*(work(value) for work in works))
    return await asyncio.gather(*(item(number) for number in range(drawn.items)))


def start() -> Agent[Any]:
    return Agent(name="Start", model=ScriptedModel([[assistant_message("go")]]))


@settings(max_examples=25, deadline=None)
@given(DRAWN)
async def test_a_run_gives_what_the_program_by_hand_gives(drawn: Drawn) -> None:
    flow = Workflow("Drawn", start=(before := start()))
    last: Any = before
    steps = []
    for number, works in enumerate(functions(drawn)):
        steps.append(flow.parallel(f"stage {number}", works, join=all_of(int)))
        flow.then(last, steps[-1])
        last = steps[-1]

    def listed(values: list[int]) -> list[int]:
        return list(range(drawn.items))

    flow.then(last, listed)
    flow.each(listed, run=item, at_most=5, concurrency=drawn.places)
    result = await Runner.run(flow, "hi")
    assert result.final_output == await by_hand(drawn)
    value: Any = "go"
    for step, works in zip(steps, functions(drawn), strict=True):
        value = await asyncio.gather(*(work(value) for work in works))
        assert result.outputs[step] == value


@settings(max_examples=25, deadline=None)
@given(st.lists(st.permutations(range(4)), min_size=1, max_size=1), st.integers(1, 4))
async def test_a_quorum_gives_those_that_are_over_first(
    orders: list[list[int]], count: int
) -> None:
    """Each branch ends when the one before it in the order has ended."""
    (order,) = orders
    over = [asyncio.Event() for _ in order]

    def waits(number: int) -> Function:
        place = order.index(number)

        async def work(text: str) -> int:
            if place:
                await over[place - 1].wait()
                await asyncio.sleep(0.002)
            over[place].set()
            return number

        work.__name__ = f"branch{number}"
        return work

    flow = Workflow("Quorum", start=(before := start()))
    join = first_of(int) if count == 1 else quorum(count, int)
    flow.then(before, flow.parallel("race", [waits(number) for number in range(4)], join=join))
    result = await Runner.run(flow, "hi")
    first = sorted(order[:count])
    assert result.final_output == (first[0] if count == 1 else first)
