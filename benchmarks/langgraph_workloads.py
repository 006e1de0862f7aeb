"""The workloads in LangGraph: the same rows as in `workloads.py`, if LangGraph can do them.

usage: python langgraph_workloads.py langgraph WORKLOAD

An agent with tools is `create_react_agent`. A handoff is a node that returns `Command(goto=…)`, and
a desk is a graph of such nodes. They are plain functions: the least that LangGraph can do.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
import warnings
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

from measuring import Figures, best, bytes_a_unit, print_figures

CONCURRENT = 500
WAITING = 100
SPECIALISTS = ("billing", "delivery", "refunds", "warranty", "accounts", "sales")


@tool
async def add(a: int, b: int) -> int:
    """Add."""
    return a + b


class Free(BaseChatModel):
    """A model with replies made in advance; the length of the input determines which is due."""

    replies: list[Any]
    before_last: Any = None

    @property
    def _llm_type(self) -> str:
        return "free"

    def _turn(self, messages: Sequence[Any]) -> int:
        return min((len(messages) - 1) // 2, len(self.replies) - 1)

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
        message = self.replies[self._turn(messages)]
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
        if self.before_last is not None and self._turn(messages) == len(self.replies) - 1:
            await self.before_last()
        return self._generate(messages)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


def call_of(name: str, number: int, arguments: dict[str, Any] | None = None) -> AIMessage:
    """Make a message that calls a tool."""
    values = {"a": 1, "b": 2} if arguments is None else arguments
    calls = [{"name": name, "args": values, "id": f"c{number}", "type": "tool_call"}]
    return AIMessage("", tool_calls=calls, id=f"m{number}")


def answer() -> AIMessage:
    """Make a message that ends a run."""
    return AIMessage("done", id="answer")


def react_agent(model: Free) -> Any:
    """Make LangGraph's agent with one tool."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langgraph.prebuilt import create_react_agent

        return create_react_agent(model, [add], prompt="Answer.")


async def run(graph: Any, limit: int = 50) -> None:
    """Run a compiled graph once."""
    await graph.ainvoke({"messages": [("user", "go")]}, {"recursion_limit": limit})


def _run_of(turns: int) -> Callable[[], Awaitable[object]]:
    # The prompt adds a message. That changes no turn, because half the length is rounded down.
    model = Free(replies=[*(call_of("add", i) for i in range(turns - 1)), answer()])
    graph = react_agent(model)
    return lambda: run(graph, 2 * turns + 2)


async def tool_turns() -> Figures:
    return {
        f"tool turn, run of {turns}": await best(_run_of(turns), 400 // turns) / turns
        for turns in (25, 100)
    }


async def long_run() -> Figures:
    return {"tool turn, run of 1,000": await best(_run_of(1_000), 1) / 1_000}


def _node(model: Free, name: str) -> Callable[[Any], Awaitable[Any]]:
    """Make a node that calls the model and goes to the node that the model hands over to."""

    async def node(state: Any) -> Any:
        reply = await model.ainvoke(state["messages"])
        if not reply.tool_calls:
            return {"messages": [reply]}
        call = reply.tool_calls[0]
        output = ToolMessage("handed over", tool_call_id=call["id"])
        return Command(goto=call["name"], update={"messages": [reply, output]})

    return node


def _graph_of(model: Free, names: Sequence[str]) -> Any:
    """Make a graph of nodes that may all hand over to each other; the first one starts."""
    graph = StateGraph(MessagesState)
    for name in names:
        graph.add_node(name, _node(model, name), destinations=tuple(names))
    graph.add_edge(START, names[0])
    return graph.compile()


async def handoffs() -> Figures:
    number = 100
    model = Free(replies=[*(call_of("ba"[i % 2], i, {}) for i in range(number)), answer()])
    graph = _graph_of(model, ("a", "b"))
    await run(graph, number + 5)
    return {"handoff, run of 100": await best(lambda: run(graph, number + 5), 4) / number}


async def first_run() -> Figures:
    number = 50
    names = [f"agent_{i}" for i in range(number)]
    model = Free(replies=[*(call_of(name, i, {}) for i, name in enumerate(names[1:])), answer()])
    graphs: list[Any] = []

    def make() -> None:
        graph = StateGraph(MessagesState)
        for name, following in zip(names, [*names[1:], names[0]], strict=True):
            graph.add_node(name, _node(model, name), destinations=(following,))
        graph.add_edge(START, names[0])
        graphs[:] = [graph]

    async def first() -> None:
        await run(graphs[0].compile(), number + 5)

    return {"first run of 50 agents, an agent": await best(first, 8, make) / number}


async def made_anew() -> Figures:
    batch, repetitions = 20, 10
    model = Free(replies=[answer()])
    desk_model = Free(replies=[call_of("warranty", 1, {}), answer()])

    async def runs_of(make: Callable[[], Any]) -> Any:
        async def several() -> None:
            for _ in range(batch):
                await run(make())

        await several()
        return await best(several, repetitions) / batch

    def desk() -> Any:
        return _graph_of(desk_model, ("triage", *SPECIALISTS))

    agent, one_desk = react_agent(model), desk()
    reused, anew = await runs_of(lambda: agent), await runs_of(lambda: react_agent(model))
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


async def concurrent() -> Figures:
    model = Free(replies=[call_of("add", 1), call_of("add", 2), answer()])
    shared = react_agent(model)
    figures = {}
    for name, graph_of in (
        ("one agent", lambda: shared),
        ("own agents", lambda: react_agent(model)),
    ):

        async def runs(graph_of: Callable[[], Any] = graph_of) -> None:
            await asyncio.gather(*(run(graph_of()) for _ in range(CONCURRENT)))

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

    model = Free(replies=[call_of("add", 1), call_of("add", 2), answer()], before_last=wait)
    shared = react_agent(model)

    async def runs(number: int) -> list[asyncio.Task[None]]:
        tasks = [
            asyncio.create_task(run(react_agent(model) if own else shared)) for _ in range(number)
        ]
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
        call = {"name": "add", "args": {"a": 1, "b": 2}, "type": "tool_call"}
        calls: Any = [{**call, "id": f"c{i}"} for i in range(number)]
        graph = react_agent(Free(replies=[AIMessage("", tool_calls=calls, id="m"), answer()]))

        async def once(graph: Any = graph) -> None:
            await run(graph)

        await once()
        figures[f"call, {number:,} in one reply"] = await best(once, repetitions) / number
    return figures


WORKLOADS = {
    "tool_turns": tool_turns,
    "long_run": long_run,
    "handoffs": handoffs,
    "first_run": first_run,
    "made_anew": made_anew,
    "concurrent": concurrent,
    "waiting": waiting,
    "parallel_calls": parallel_calls,
}

if __name__ == "__main__":
    workload = WORKLOADS.get(sys.argv[2])
    print_figures({} if workload is None else asyncio.run(workload()))
