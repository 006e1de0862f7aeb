"""The workloads in LangGraph: the same rows as in `workloads.py`, if LangGraph can do them.

usage: python langgraph_workloads.py langgraph WORKLOAD

An agent with tools is `create_react_agent`. A handoff is a node that returns `Command(goto=…)`, and
a desk is a graph of such nodes. They are plain functions: the least that LangGraph can do.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command

import rows
from measuring import Figures, Work, best
from rows import SPECIALISTS


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


def _run_of(turns: int) -> Work:
    # The prompt adds a message. That changes no turn, because half the length is rounded down.
    model = Free(replies=[*(call_of("add", i) for i in range(turns - 1)), answer()])
    graph = react_agent(model)
    return lambda: run(graph, 2 * turns + 2)


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
    model = Free(replies=[answer()])
    desk_model = Free(replies=[call_of("warranty", 1, {}), answer()])
    return await rows.made_anew(
        run,
        lambda: react_agent(model),
        lambda: _graph_of(desk_model, ("triage", *SPECIALISTS)),
    )


def _agents_of_three_turns(before_last: Work | None = None) -> rows.Make:
    replies = [call_of("add", 1), call_of("add", 2), answer()]
    model = Free(replies=replies, before_last=before_last)
    return lambda: react_agent(model)


def _agent_of_calls(number: int) -> Any:
    call = {"name": "add", "args": {"a": 1, "b": 2}, "type": "tool_call"}
    calls: Any = [{**call, "id": f"c{i}"} for i in range(number)]
    return react_agent(Free(replies=[AIMessage("", tool_calls=calls, id="m"), answer()]))


WORKLOADS: dict[str, rows.Workload] = {
    "tool_turns": partial(rows.tool_turns, _run_of),
    "long_run": partial(rows.long_run, _run_of),
    "handoffs": handoffs,
    "first_run": first_run,
    "made_anew": made_anew,
    "concurrent": lambda: rows.concurrent(run, _agents_of_three_turns()),
    "waiting": partial(rows.waiting, run, _agents_of_three_turns),
    "parallel_calls": partial(rows.parallel_calls, run, _agent_of_calls),
}

if __name__ == "__main__":
    rows.print_workload(WORKLOADS.get(sys.argv[2]))
