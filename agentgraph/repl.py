"""A chat in the terminal, for trying an agent out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agentgraph.run import DEFAULT_MAX_TURNS, Runner, TContext
from agentgraph.running.launch import note_start
from agentgraph.running.result import RunResultBase

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import TResponseInputItem
    from agentgraph.stream_events import StreamEvent

__all__ = ["run_demo_loop"]

_FAREWELLS = frozenset({"exit", "quit"})


async def run_demo_loop(
    agent: Agent[Any],
    *,
    stream: bool = True,
    context: TContext | None = None,
    max_turns: int | None = DEFAULT_MAX_TURNS,
) -> None:
    """Chat with an agent in the terminal until ``exit``, ``quit``, end of input or Ctrl-C.

    Each line continues the conversation with the agent that answered last.

    Args:
        agent: The agent with which the conversation starts.
        stream: Whether to print a reply while the model writes it.
        context: The context object for tools, guardrails and hooks.
        max_turns: The most model calls for one line of the user; ``None`` means no limit.
    """
    note_start(agent, {"context": context, "max_turns": max_turns})
    current: Agent[Any] = agent
    history: list[TResponseInputItem | str] = []
    while True:
        line = await _read_line()
        if line is None or line.strip().lower() in _FAREWELLS:
            return
        if not line.strip():
            continue
        history.append(line)
        result: RunResultBase
        if stream:
            result = Runner.run_streamed(current, history, context=context, max_turns=max_turns)
            async for event in result.stream_events():
                _show(event)
            print()
        else:
            result = await Runner.run(current, history, context=context, max_turns=max_turns)
            if result.final_output is not None:
                print(result.final_output)
        current = result.last_agent
        history = list(result.to_input_list())


async def _read_line() -> str | None:
    try:
        # Reading in a thread keeps the event loop free for other tasks.
        return await asyncio.to_thread(input, " > ")
    except (EOFError, KeyboardInterrupt):
        print()
        return None


def _show(event: StreamEvent) -> None:
    if event.type == "raw_response_event":
        raw: object = event.data  # an event of the client, or any object of a third party's model
        if getattr(raw, "type", None) == "response.output_text.delta":
            print(getattr(raw, "delta", ""), end="", flush=True)
    elif event.type == "agent_updated_stream_event":
        print(f"\n[agent: {event.new_agent.name}]", flush=True)
    elif event.item.type == "tool_call_item":
        print(f"\n[tool called: {event.item.tool_name}]", flush=True)
    elif event.item.type == "tool_call_output_item":
        print(f"\n[tool output: {event.item.output}]", flush=True)
