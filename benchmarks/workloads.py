"""The measured work, written once for both packages; ``compare.py`` runs it in each one's own
environment.

usage: python workloads.py agentgraph|agents WORKLOAD

The model costs nothing: it is a class of this file that returns items made beforehand. Each
workload prints one JSON object of seconds a unit. The best of several repetitions counts, because
everything else on the machine only adds.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

PACKAGE = sys.argv[1]
WORKLOAD = sys.argv[2]
Clock = time.perf_counter


def load() -> Any:
    sdk = importlib.import_module(PACKAGE)
    if PACKAGE == "agents":
        sdk.set_tracing_disabled(True)
    return sdk


def parts() -> Any:
    return importlib.import_module("openai.types.responses")


def call_of(name: str, number: int, arguments: str = '{"a":1,"b":2}') -> Any:
    return parts().ResponseFunctionToolCall(
        type="function_call", name=name, arguments=arguments, call_id=f"c{number}", id=f"f{number}"
    )


def message(text: str = "done") -> Any:
    types = parts()
    content = [types.ResponseOutputText(type="output_text", text=text, annotations=[])]
    return types.ResponseOutputMessage(
        id="m", type="message", role="assistant", status="completed", content=content
    )


def free_model(replies: list[list[Any]]) -> Any:
    """A model that gives the replies in order; which one follows from the length of the input."""
    interface = importlib.import_module(f"{PACKAGE}.models.interface")
    items = importlib.import_module(f"{PACKAGE}.items")
    usage = importlib.import_module(f"{PACKAGE}.usage")

    class Free(interface.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            self.responses = [items.ModelResponse(reply, usage.Usage(), None) for reply in replies]

        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            given = kwargs["input"] if "input" in kwargs else args[1]
            # Every turn adds a call and its output to what the model is shown.
            return self.responses[0 if isinstance(given, str) else (len(given) - 1) // 2]

        def stream_response(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

    return Free()


def adder(sdk: Any) -> Any:
    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    return sdk.function_tool(add)


async def best(work: Callable[[], Awaitable[None]], repetitions: int) -> float:
    # What was imported is no garbage; otherwise a collection walks all of it, in either package.
    gc.collect()
    gc.freeze()
    times = []
    for _ in range(repetitions):
        start = Clock()
        await work()
        times.append(Clock() - start)
    return min(times)


async def tool_turns() -> dict[str, float]:
    sdk = load()
    found = {}
    lengths = [25, 100, 400, 1000] if PACKAGE == "agentgraph" else [25, 100, 400]
    for turns in lengths:
        replies = [[call_of("add", number)] for number in range(turns - 1)] + [[message()]]
        agent = sdk.Agent(name="A", model=free_model(replies), tools=[adder(sdk)])

        async def run(agent: Any = agent, turns: int = turns) -> None:
            await sdk.Runner.run(agent, "go", max_turns=turns + 1)

        await run()
        # A run of milliseconds may fall whole into a moment in which the machine does other work,
        # so it is repeated more often than one of seconds.
        repetitions = max(12, 2000 // turns) if PACKAGE == "agentgraph" else max(2, 200 // turns)
        found[f"tool turn, run of {turns}"] = await best(run, repetitions) / turns
    return found


async def handoffs() -> dict[str, float]:
    sdk = load()
    number = 100
    replies = [[call_of(f"transfer_to_{'ba'[i % 2]}", i, "{}")] for i in range(number)] + [
        [message()]
    ]
    model = free_model(replies)
    first, second = sdk.Agent(name="A", model=model), sdk.Agent(name="B", model=model)
    first.handoffs, second.handoffs = [second], [first]

    async def run() -> None:
        await sdk.Runner.run(first, "go", max_turns=number + 2)

    await run()
    repetitions = 20 if PACKAGE == "agentgraph" else 3
    return {"handoff, run of 100": await best(run, repetitions) / number}


async def deltas() -> dict[str, float]:
    sdk = load()
    types, interface = parts(), importlib.import_module(f"{PACKAGE}.models.interface")
    number = 5_000
    delta = types.ResponseTextDeltaEvent(
        type="response.output_text.delta",
        delta="word ",
        item_id="m",
        output_index=0,
        content_index=0,
        sequence_number=1,
        logprobs=[],
    )
    response = types.Response(
        id="r",
        created_at=0,
        model="free",
        object="response",
        output=[message()],
        parallel_tool_calls=False,
        tool_choice="auto",
        tools=[],
    )
    completed = types.ResponseCompletedEvent(
        type="response.completed", response=response, sequence_number=2
    )

    class Streaming(interface.Model):  # type: ignore[misc]
        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

        async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            for _ in range(number):
                yield delta
            yield completed

    agent = sdk.Agent(name="A", model=Streaming())

    async def run() -> None:
        result = sdk.Runner.run_streamed(agent, "go")
        async for _ in result.stream_events():
            pass

    await run()
    return {"streamed delta": await best(run, 3) / number}


async def concurrent() -> dict[str, float]:
    sdk = load()
    number = 500
    replies = [[call_of("add", 1)], [call_of("add", 2)], [message()]]
    agent = sdk.Agent(name="A", model=free_model(replies), tools=[adder(sdk)])

    async def run() -> None:
        await asyncio.gather(*(sdk.Runner.run(agent, "go") for _ in range(number)))

    await run()
    return {"run of three turns, 500 at a time": await best(run, 2) / number}


async def imports() -> dict[str, float]:
    def seconds(statement: str) -> float:
        times = []
        for _ in range(5):
            start = Clock()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times.append(Clock() - start)
        return min(times)

    return {"import, above bare Python": seconds(f"import {PACKAGE}") - seconds("pass")}


WORKLOADS = {
    "tool_turns": tool_turns,
    "handoffs": handoffs,
    "deltas": deltas,
    "concurrent": concurrent,
    "imports": imports,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(WORKLOADS[WORKLOAD]())) + "\n")
