"""The workloads with the API of the Agents SDK, written once for agentgraph and the SDK.

usage: python workloads.py agentgraph|agents WORKLOAD

``compare.py`` runs each workload in a process of its own and gives every side the same number of
repetitions. The script prints one line of JSON: the cost of one unit, by the name of the row.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from functools import partial
from itertools import pairwise
from typing import Any

import rows
from free_models import adder, answer, call_of, free_model, sdk_of, streaming_model
from loopback import over_loopback
from measuring import Figures, Work, best
from rows import SPECIALISTS

PACKAGE = sys.argv[1]
SDK = sdk_of(PACKAGE)


def run(agent: Any) -> Awaitable[object]:
    """Run an agent once."""
    return SDK.Runner.run(agent, "go")  # type: ignore[no-any-return]


def _run_of(turns: int) -> Work:
    replies = [[call_of("add", number)] for number in range(turns - 1)] + [[answer()]]
    agent = SDK.Agent(name="A", model=free_model(PACKAGE, replies), tools=[adder(SDK)])
    return lambda: SDK.Runner.run(agent, "go", max_turns=turns + 1)


async def handoffs() -> Figures:
    """Measure a handoff, of a hundred back and forth in one run."""
    number = 100
    replies = [[call_of(f"transfer_to_{'ba'[i % 2]}", i, "{}")] for i in range(number)]
    model = free_model(PACKAGE, [*replies, [answer()]])
    first, second = SDK.Agent(name="A", model=model), SDK.Agent(name="B", model=model)
    first.handoffs, second.handoffs = [second], [first]

    async def run() -> None:
        await SDK.Runner.run(first, "go", max_turns=number + 2)

    await run()
    return {"handoff, run of 100": await best(run, 4) / number}


async def first_run() -> Figures:
    """Measure the first run of a chain of fifty agents, which goes through all of them."""
    number = 50
    replies = [[call_of(f"transfer_to_agent_{i + 1}", i, "{}")] for i in range(number - 1)]
    model = free_model(PACKAGE, [*replies, [answer()]])
    start: list[Any] = []

    def make() -> None:
        agents = [SDK.Agent(name=f"agent_{i}", model=model) for i in range(number)]
        for agent, following in pairwise(agents):
            agent.handoffs = [following]
        start[:] = agents[:1]

    async def run() -> None:
        await SDK.Runner.run(start[0], "go", max_turns=number + 1)

    return {"first run of 50 agents, an agent": await best(run, 8, make) / number}


async def made_anew() -> Figures:
    """Compare agents made for each request with agents that are reused."""
    tool, model = adder(SDK), free_model(PACKAGE, [[answer()]])
    transfer = [call_of("transfer_to_warranty", 1, "{}")]
    desk_model = free_model(PACKAGE, [transfer, [answer()]])

    def one() -> Any:
        return SDK.Agent(name="A", instructions="Answer.", model=model, tools=[tool])

    def desk() -> Any:
        specialists = [
            SDK.Agent(
                name=name,
                instructions=f"You answer questions about {name}.",
                handoff_description=f"Knows about {name}",
                model=desk_model,
                tools=[tool],
            )
            for name in SPECIALISTS
        ]
        return SDK.Agent(
            name="triage", instructions="Hand over.", model=desk_model, handoffs=specialists
        )

    return await rows.made_anew(run, one, desk)


def _agents_of_three_turns(before_last: Work | None = None) -> rows.Make:
    replies = [[call_of("add", 1)], [call_of("add", 2)], [answer()]]
    tool, model = adder(SDK), free_model(PACKAGE, replies, before_last)
    return lambda: SDK.Agent(name="A", instructions="Answer.", model=model, tools=[tool])


def _agent_of_calls(number: int) -> Any:
    model = free_model(PACKAGE, [[call_of("add", i) for i in range(number)], [answer()]])
    return SDK.Agent(name="A", model=model, tools=[adder(SDK)])


async def deltas() -> Figures:
    """Measure a streamed answer in 5,000 pieces."""
    number = 5_000
    agent = SDK.Agent(name="A", model=streaming_model(PACKAGE, number))

    async def run() -> None:
        async for _ in SDK.Runner.run_streamed(agent, "go").stream_events():
            pass

    await run()
    return {"streamed delta": await best(run, 4) / number}


async def loopback() -> Figures:
    """Measure one request to a server on this machine, by the bare client and by a run."""

    def runs(client: Any) -> tuple[Work, Work, Work]:
        model = SDK.OpenAIResponsesModel(model="gpt-4.1", openai_client=client)
        agent = SDK.Agent(name="A", instructions="Answer.", model=model)
        chat_model = SDK.OpenAIChatCompletionsModel(model="gpt-4.1", openai_client=client)
        chat = SDK.Agent(name="A", instructions="Answer.", model=chat_model)

        async def stream() -> None:
            async for _ in SDK.Runner.run_streamed(agent, "go").stream_events():
                pass

        return lambda: SDK.Runner.run(agent, "go"), lambda: SDK.Runner.run(chat, "go"), stream

    return await over_loopback(runs)


WORKLOADS: dict[str, rows.Workload] = {
    "tool_turns": partial(rows.tool_turns, _run_of),
    "long_run": partial(rows.long_run, _run_of),
    "handoffs": handoffs,
    "first_run": first_run,
    "made_anew": made_anew,
    "concurrent": lambda: rows.concurrent(run, _agents_of_three_turns()),
    "waiting": partial(rows.waiting, run, _agents_of_three_turns),
    "parallel_calls": partial(rows.parallel_calls, run, _agent_of_calls),
    "deltas": deltas,
    "loopback": loopback,
}

if __name__ == "__main__":
    rows.print_workload(WORKLOADS[sys.argv[2]])
