"""The workloads in pydantic-ai: the same rows as in `workloads.py`, if pydantic-ai can do them.

usage: python pydantic_ai_workloads.py pydantic_ai WORKLOAD

A desk hands over by output functions, which run the specialist inside the triage agent's run. A
hundred handoffs back and forth are not possible that way.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from pydantic_ai import Agent, RunContext, Tool
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.usage import UsageLimits

import rows
from measuring import Figures, Work, best
from rows import SPECIALISTS

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


def free_model(replies: Sequence[Sequence[Any]], before_last: Work | None = None) -> FunctionModel:
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


def _run_of(turns: int) -> Work:
    replies = [[call_of("add", number)] for number in range(turns - 1)] + [[answer()]]
    agent = Agent(free_model(replies), tools=[TOOL])
    return lambda: run(agent)


async def made_anew() -> Figures:
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

    return await rows.made_anew(run, one, desk)


def _agents_of_three_turns(before_last: Work | None = None) -> rows.Make:
    model = free_model([[call_of("add", 1)], [call_of("add", 2)], [answer()]], before_last)
    return lambda: Agent(model, instructions="Answer.", tools=[TOOL])


def _agent_of_calls(number: int) -> Any:
    calls = [call_of("add", i) for i in range(number)]
    return Agent(free_model([calls, [answer()]]), tools=[TOOL])


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


WORKLOADS: dict[str, rows.Workload] = {
    "tool_turns": partial(rows.tool_turns, _run_of),
    "long_run": partial(rows.long_run, _run_of),
    "made_anew": made_anew,
    "concurrent": lambda: rows.concurrent(run, _agents_of_three_turns()),
    "waiting": partial(rows.waiting, run, _agents_of_three_turns),
    "parallel_calls": partial(rows.parallel_calls, run, _agent_of_calls),
    "deltas": deltas,
}

if __name__ == "__main__":
    rows.print_workload(WORKLOADS.get(sys.argv[2]))
