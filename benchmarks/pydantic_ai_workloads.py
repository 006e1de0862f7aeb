"""The workloads in pydantic-ai: the same rows as in `workloads.py`, if pydantic-ai can do them.

usage: python pydantic_ai_workloads.py pydantic_ai WORKLOAD

A desk hands over by output functions, which run the specialist inside the triage agent's run. A
hundred handoffs back and forth are not possible that way.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from pydantic_ai import Agent, RunContext, Tool
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.usage import UsageLimits

from measuring import Figures, best, bytes_a_unit, print_figures

CONCURRENT = 500
WAITING = 100
SPECIALISTS = ("billing", "delivery", "refunds", "warranty", "accounts", "sales")
UNLIMITED = UsageLimits(request_limit=None)


async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


TOOL = Tool(add)


def call_of(name: str, number: int, arguments: str = '{"a":1,"b":2}') -> ToolCallPart:
    """Make a call of a tool."""
    return ToolCallPart(name, arguments, f"c{number}")


def answer() -> TextPart:
    """Make a message that ends a run."""
    return TextPart("done")


def free_model(
    replies: Sequence[Sequence[Any]], before_last: Callable[[], Awaitable[object]] | None = None
) -> FunctionModel:
    """Make a model with these replies; the length of the input determines which one is due."""
    responses = [ModelResponse(list(parts)) for parts in replies]
    last = len(responses) - 1

    async def reply(messages: list[Any], about: Any) -> ModelResponse:
        turn = min((len(messages) - 1) // 2, last)
        if turn == last and before_last is not None:
            await before_last()
        # A new object: the framework writes the usage, the time and the run into a response.
        return ModelResponse(responses[turn].parts)

    return FunctionModel(reply)


async def run(agent: Any) -> None:
    """Run an agent once, without limits."""
    await agent.run("go", usage_limits=UNLIMITED)


def _run_of(turns: int) -> Callable[[], Awaitable[object]]:
    replies = [[call_of("add", number)] for number in range(turns - 1)] + [[answer()]]
    agent = Agent(free_model(replies), tools=[TOOL])
    return lambda: run(agent)


async def tool_turns() -> Figures:
    return {
        f"tool turn, run of {turns}": await best(_run_of(turns), 400 // turns) / turns
        for turns in (25, 100)
    }


async def long_run() -> Figures:
    return {"tool turn, run of 1,000": await best(_run_of(1_000), 1) / 1_000}


async def made_anew() -> Figures:
    batch, repetitions = 20, 10
    model = free_model([[answer()]])
    triage_model = free_model([[call_of("final_result_warranty", 1, '{"question": "go"}')]])

    def one() -> Any:
        return Agent(model, instructions="Answer.", tools=[TOOL])

    def desk() -> Any:
        specialists = {
            name: Agent(model, instructions=f"You answer questions about {name}.", tools=[TOOL])
            for name in SPECIALISTS
        }

        def transfer(name: str, specialist: Any) -> Any:
            async def hand_over(context: RunContext[object], question: str) -> str:
                return str((await specialist.run(question)).output)

            hand_over.__name__ = name
            hand_over.__doc__ = f"Knows about {name}"
            return hand_over

        targets = [transfer(name, specialist) for name, specialist in specialists.items()]
        return Agent(triage_model, instructions="Hand over.", output_type=[*targets, str])

    async def runs_of(make: Callable[[], Any]) -> Any:
        async def several() -> None:
            for _ in range(batch):
                await run(make())

        await several()
        return await best(several, repetitions) / batch

    agent, one_desk = one(), desk()
    reused, anew = await runs_of(lambda: agent), await runs_of(one)
    reused_desk, anew_desk = await runs_of(lambda: one_desk), await runs_of(desk)
    agents = len(SPECIALISTS) + 1
    return {
        "one-turn run, kept agent": reused,
        "one-turn run, agent made anew": anew,
        "agent made anew, above a kept one": anew - reused,
        "two-turn run, kept desk of seven": reused_desk,
        "two-turn run, desk of seven made anew": anew_desk,
        "desk of seven made anew, an agent": (anew_desk - reused_desk) / agents,
    }


def _agents_of_three_turns(
    before_last: Callable[[], Awaitable[object]] | None = None,
) -> Callable[[], Any]:
    model = free_model([[call_of("add", 1)], [call_of("add", 2)], [answer()]], before_last)
    return lambda: Agent(model, instructions="Answer.", tools=[TOOL])


async def concurrent() -> Figures:
    make = _agents_of_three_turns()
    shared = make()
    figures = {}
    for name, agent_of in (("one agent", lambda: shared), ("own agents", make)):

        async def runs(agent_of: Callable[[], Any] = agent_of) -> None:
            await asyncio.gather(*(run(agent_of()) for _ in range(CONCURRENT)))

        await runs()
        figures[f"500 runs of 3 turns, {name}, a run"] = await best(runs, 2) / CONCURRENT
    return figures


async def waiting() -> Figures:
    figures = {}
    for name, own in (("one agent", False), ("own agents", True)):
        figures[f"memory of a waiting run, {name}"] = await _bytes_of_waiting_runs(own=own)
    return figures


async def _bytes_of_waiting_runs(*, own: bool) -> float:
    opened, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def wait() -> None:
        arrived.release()
        await opened.wait()

    make = _agents_of_three_turns(wait)
    shared = make()

    async def runs(number: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(run(make() if own else shared)) for _ in range(number)]
        for _ in tasks:
            await arrived.acquire()
        return tasks

    early = await runs(2)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    late = await runs(WAITING)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    opened.set()
    await asyncio.gather(*early, *late)
    return bytes_a_unit(before, after, WAITING)


async def parallel_calls() -> Figures:
    figures = {}
    for number, repetitions in ((100, 6), (2_000, 2)):
        calls = [call_of("add", i) for i in range(number)]
        agent = Agent(free_model([calls, [answer()]]), tools=[TOOL])

        async def once(agent: Any = agent) -> None:
            await run(agent)

        await once()
        figures[f"call, {number:,} in one reply"] = await best(once, repetitions) / number
    return figures


async def deltas() -> Figures:
    number = 5_000

    async def stream(messages: list[Any], about: Any) -> AsyncIterator[str]:
        for _ in range(number):
            yield "word "

    agent = Agent(FunctionModel(stream_function=stream))

    async def once() -> None:
        async with agent.run_stream("go") as result:
            async for _ in result.stream_text(delta=True, debounce_by=None):
                pass

    await once()
    return {"streamed delta": await best(once, 4) / number}


WORKLOADS = {
    "tool_turns": tool_turns,
    "long_run": long_run,
    "made_anew": made_anew,
    "concurrent": concurrent,
    "waiting": waiting,
    "parallel_calls": parallel_calls,
    "deltas": deltas,
}

if __name__ == "__main__":
    workload = WORKLOADS.get(sys.argv[2])
    print_figures({} if workload is None else asyncio.run(workload()))
