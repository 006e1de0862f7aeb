"""Scripts of tool calls, and what the model was told of them."""

from __future__ import annotations

from typing import Any

from agentgraph import Agent, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call


def call(name: str, call_id: str = "c1", **arguments: Any) -> Any:
    """A call of a function tool."""
    return function_call(name, arguments, call_id=call_id)


def script(*replies: Any, answer: str = "done") -> ScriptedModel:
    """A model that gives these replies and then answers."""
    return ScriptedModel([*replies, [assistant_message(answer)]])


def told(model: ScriptedModel, turn: int = -1) -> dict[str, Any]:
    """The outputs that the model was shown in a turn, by call id."""
    items = model.calls[turn].input
    assert isinstance(items, list)
    entries: list[Any] = items
    return {
        entry["call_id"]: entry["output"]
        for entry in entries
        if str(entry.get("type", "")).endswith("call_output")
    }


def agent_with(model: ScriptedModel, *tools: Any, **settings: Any) -> Agent[Any]:
    """An agent of this model with these tools."""
    return Agent(name="Clerk", model=model, tools=list(tools), **settings)


@function_tool
async def echo(text: str) -> str:
    """Give back a text."""
    return text
